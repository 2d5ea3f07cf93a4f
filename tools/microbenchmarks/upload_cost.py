"""Wall time, CPU time and memory of a task that takes uploads of several sizes, beside those of an older commit.

    python -m tools.microbenchmarks upload_cost [--megabytes 1 10 100] [--uploads 10] [--beside COMMIT]

Each task is one worker of the repository's own configuration, with an index of its own on the local disk. A wheel is
sent as twine sends it, with its three digests, to each task in turn, and deleted after each upload. "wall" is from the
first byte sent to the last of the answer, the median of the uploads; "CPU" is the worker's, the mean of them, for the
kernel counts it in steps of 10 ms; "memory" is the most that the worker held during any.
"""

from __future__ import annotations

import argparse
import contextlib
import hashlib
import http.client
import os
import tempfile
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from statistics import mean, median
from time import perf_counter

import psutil

from pypiserver_stack.common.entry_point import Arguments, UserError
from tools.microbenchmarks.task_process import AUTHORIZATION, THIS, task_process

WHEEL = "large-1.0-py3-none-any.whl"
BOUNDARY = "3f1c9a"
MEGABYTE = 10**6
TIMEOUT_S = 120


@dataclass
class Task:
    """A running task, and what each upload to it has cost."""

    name: str
    port: int
    packages: Path
    worker: psutil.Process
    walls_s: list[float] = field(default_factory=list)
    cpus_s: list[float] = field(default_factory=list)
    memories_mb: list[float] = field(default_factory=list)

    def upload(self, body: Path) -> None:
        """Send a form, and note what it cost; the package is gone afterwards."""
        Path(f"/proc/{self.worker.pid}/clear_refs").write_text("5")  # begins the peak anew
        cpu_s, started_s = self._cpu_s(), perf_counter()
        send(self.port, body)
        self.walls_s.append(perf_counter() - started_s)
        self.cpus_s.append(self._cpu_s() - cpu_s)
        self.memories_mb.append(self._peak_mb())
        (wheel,) = self.packages.rglob(WHEEL)
        wheel.unlink()

    def row(self, megabytes: int) -> str:
        """A row of the table; what was noted is forgotten."""
        wall_s, cpu_s, peak_mb = median(self.walls_s), mean(self.cpus_s), max(self.memories_mb)
        for figures in (self.walls_s, self.cpus_s, self.memories_mb):
            figures.clear()
        return f"| {megabytes} MB | {self.name} | {wall_s * 1000:,.0f} ms | {cpu_s * 1000:,.0f} ms | {peak_mb:.1f} MB |"

    def _cpu_s(self) -> float:
        return float(sum(self.worker.cpu_times()[:2]))

    def _peak_mb(self) -> float:
        lines = Path(f"/proc/{self.worker.pid}/status").read_text().splitlines()
        (kilobytes,) = (line.split()[1] for line in lines if line.startswith("VmHWM"))
        return int(kilobytes) * 1024 / MEGABYTE


def main() -> None:
    parser = Arguments(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--megabytes", type=int, nargs="+", default=[1, 10, 100], help="sizes of the wheel (1 10 100)")
    parser.add_argument("--uploads", type=int, default=10, help="uploads of each size to each task (10)")
    parser.add_argument("--beside", metavar="COMMIT", help="measure that commit's server in turn with this tree's")
    options = parser.parse_args()
    print("| wheel | server | wall | CPU | memory |\n|---|---|---:|---:|---:|")
    with contextlib.ExitStack() as running:
        folder = Path(running.enter_context(tempfile.TemporaryDirectory()))
        names = [*([options.beside] if options.beside else []), THIS]
        tasks = [running.enter_context(started(name, folder / str(number))) for number, name in enumerate(names)]
        for megabytes in options.megabytes:
            write_form(folder / "form", folder / WHEEL, megabytes)
            for number in range(1 + options.uploads):
                for task in tasks if number % 2 else reversed(tasks):
                    task.upload(folder / "form")
                if number == 0:  # it warms up
                    for task in tasks:
                        task.row(megabytes)
            for task in tasks:
                print(task.row(megabytes), flush=True)


def write_form(form: Path, wheel: Path, megabytes: int) -> None:
    """Write a wheel, and the form in which twine sends it."""
    with zipfile.ZipFile(wheel, "w") as archive:
        archive.writestr("large.bin", os.urandom(megabytes * MEGABYTE))
        archive.writestr("large-1.0.dist-info/METADATA", "Metadata-Version: 2.1\nName: large\nVersion: 1.0\n")
    content = wheel.read_bytes()
    fields = {
        ":action": "file_upload",
        "protocol_version": "1",
        "metadata_version": "2.1",
        "name": "large",
        "version": "1.0",
        "filetype": "bdist_wheel",
        "pyversion": "py3",
        "md5_digest": hashlib.md5(content, usedforsecurity=False).hexdigest(),
        "sha256_digest": hashlib.sha256(content).hexdigest(),
        "blake2_256_digest": hashlib.blake2b(content, digest_size=32).hexdigest(),
    }
    with form.open("wb") as body:
        for name, value in fields.items():
            body.write(_part(f'name="{name}"') + value.encode() + b"\r\n")
        body.write(_part(f'name="content"; filename="{WHEEL}"') + content + f"\r\n--{BOUNDARY}--\r\n".encode())


def _part(disposition: str) -> bytes:
    return f"--{BOUNDARY}\r\nContent-Disposition: form-data; {disposition}\r\n\r\n".encode()


def send(port: int, body: Path) -> None:
    """Upload a form."""
    headers = {
        "Authorization": AUTHORIZATION,
        "Content-Type": f"multipart/form-data; boundary={BOUNDARY}",
        "Content-Length": str(body.stat().st_size),
    }
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=TIMEOUT_S)
    with contextlib.closing(connection), body.open("rb") as content:
        connection.request("POST", "/", content, headers)
        answer = connection.getresponse()
        text = answer.read()
    if answer.status != 200:
        raise UserError(f"the upload was answered with {answer.status}: {text.decode(errors='replace').strip()}", 1)


@contextlib.contextmanager
def started(name: str, folder: Path) -> Iterator[Task]:
    """The server of a commit, or that of this tree, in a folder of its own."""
    packages = folder / "packages"
    packages.mkdir(parents=True)
    with task_process(name, folder, packages) as (port, master):
        try:
            with contextlib.closing(http.client.HTTPConnection("127.0.0.1", port, timeout=TIMEOUT_S)) as connection:
                connection.request("GET", "/health")
                connection.getresponse().read()
            (worker,) = psutil.Process(master.pid).children()
            yield Task(name, port, packages, worker)
        except (OSError, http.client.HTTPException) as error:
            said = (folder / "stderr").read_text(errors="replace").strip()
            raise UserError(f"the server of {name} cannot be reached ({error}): {said}", 1) from error
