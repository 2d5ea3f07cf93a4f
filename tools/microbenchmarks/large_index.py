"""Latency of listings and uploads of a large index: idle, with one upload a second, with one file copied in a second.

    python -m tools.microbenchmarks large_index [--files 3000 30000 150000] [--added-ms 0 1] [--beside COMMIT]

Two tasks of two workers each over one directory, with files of ten versions a project that were copied into its root.
20 listings a second, of 50 projects at random, go to the tasks in turn, at fixed times. A latency counts from when a
listing was due. "uploads" are one wheel a second, each of another project, to the tasks in turn; after each,
the other task is asked for that project, and a listing without the wheel is stale. A client gives up after 60 s.
"copies" are renamed into the root past the server, as rsync does, one a second.

`--added-ms` adds as much to each file call of the tasks, and once more for every 300 names that are read of a
directory, as a network file system would. `--beside` runs the server of another commit in turn with this one's.
"""

from __future__ import annotations

import argparse
import contextlib
import http.client
import io
import os
import random
import statistics
import tempfile
import threading
import time
import zipfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

from urllib3 import encode_multipart_formdata

from pypiserver_stack.common.entry_point import Arguments, UserError
from tools.microbenchmarks.task_process import AUTHORIZATION, THIS, task_process

VERSIONS = 10
TASKS = 2
WORKERS = 2
PROJECTS = 50
LISTINGS_PER_S = 20
CHANGES_PER_S = 1
MARGIN_S = 3
CLIENTS = 64
NAMES_A_CALL = 300
TIMEOUT_S = 60
# Found by Python as it starts, before anything takes the calls that it slows down.
SLOW_CALLS = f"""
import builtins, io, os
from time import sleep

added_s = float(os.environ["ADDED_S"])

def slowed(call):
    def wrapper(*arguments, **named):
        sleep(added_s)
        return call(*arguments, **named)
    return wrapper

class Names:
    def __init__(self, names):
        self.names = names
    def __enter__(self):
        return self
    def __exit__(self, *error):
        self.names.close()
    def __iter__(self):
        for number, name in enumerate(self.names, 1):
            if number % {NAMES_A_CALL} == 0:
                sleep(added_s)
            yield name

if added_s:
    scandir = os.scandir
    for name in "open close read stat fstat lstat link rename replace unlink mkdir rmdir fsync".split():
        setattr(os, name, slowed(getattr(os, name)))
    os.scandir = slowed(lambda *arguments: Names(scandir(*arguments)))
    io.open = builtins.open = slowed(io.open)
"""


def main() -> None:
    parser = Arguments(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--files", type=int, nargs="+", default=[3_000, 30_000, 150_000])
    parser.add_argument("--added-ms", type=float, nargs="+", default=[0, 1])
    parser.add_argument("--seconds", type=int, default=20, help="of each phase (20)")
    parser.add_argument("--beside", metavar="COMMIT", help="an older commit, whose server is measured in turn")
    options = parser.parse_args()
    print(
        "| server | files | added | load | listings p50 | p95 | max | uploads p95 | max | stale | memory of a worker |"
    )
    print("|---|---:|---:|---|---:|---:|---:|---:|---:|---:|---:|")
    for files in options.files:
        for added_ms in options.added_ms:
            for commit in (*([options.beside] if options.beside else []), THIS):
                for line in measure(commit, files, added_ms, options.seconds):
                    print(line, flush=True)


@dataclass
class Phase:
    """What was measured under one load."""

    listings_s: list[float] = field(default_factory=list)
    uploads_s: list[float] = field(default_factory=list)
    stale: int = 0

    def row(self) -> str:
        return f"{_quantiles(self.listings_s, 0.5, 0.95, 1)} | {_quantiles(self.uploads_s, 0.95, 1)} | {self.stale}"


def measure(commit: str, files: int, added_ms: float, seconds: int) -> Iterator[str]:
    """The rows of one server and index."""
    with tempfile.TemporaryDirectory() as name, contextlib.ExitStack() as running:
        packages = Path(name) / "packages"
        packages.mkdir()
        for number in range(files):
            (packages / f"project_{number // VERSIONS}-1.{number % VERSIONS}.0-py3-none-any.whl").touch()
        tasks = [
            running.enter_context(task(commit, Path(name) / f"task-{number}", packages, added_ms))
            for number in range(TASKS)
        ]
        projects = [f"project-{number}" for number in random.Random(0).choices(range(files // VERSIONS), k=PROJECTS)]
        for change, warm_up_s in (("uploads", 2), ("idle", 3 * MARGIN_S)):  # the folders are made; the root is trusted
            load(tasks, projects, Phase(), warm_up_s, change, packages)
        for change in ("idle", "uploads", "copies"):
            phase = Phase()
            load(tasks, projects, phase, seconds, change, packages)
            memory_mb = statistics.mean(mb for task in tasks for mb in task.resident_mb())
            yield f"| {commit} | {files:,} | {added_ms:g} ms | {change} | {phase.row()} | {memory_mb:.0f} MB |"


@dataclass(frozen=True)
class Task:
    """A running gunicorn, and where it listens."""

    port: int
    pid: int

    def request(self, method: str, path: str, body: bytes | None = None, content_type: str = "") -> bytes | None:
        """The body of an answer with status 200 or 404, of a 404 an empty one; None where none comes in time."""
        headers = {"Authorization": AUTHORIZATION, "Accept": "application/vnd.pypi.simple.v1+json"}
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=TIMEOUT_S)
        with contextlib.closing(connection):
            try:
                connection.request(method, path, body, {**headers, **({"Content-Type": content_type} if body else {})})
                answer = connection.getresponse()
                content = answer.read()
            except TimeoutError:
                return None
        if answer.status not in (200, 404):
            raise UserError(f"{method} {path} was answered with {answer.status}: {content[:200]!r}", 1)
        return content if answer.status == 200 else b""

    def resident_mb(self) -> list[float]:
        """What each worker holds in memory."""
        children = Path(f"/proc/{self.pid}/task/{self.pid}/children").read_text().split()
        pages = [int(Path(f"/proc/{child}/statm").read_text().split()[1]) for child in children]
        return [count * os.sysconf("SC_PAGE_SIZE") / 2**20 for count in pages]


@contextlib.contextmanager
def task(commit: str, folder: Path, packages: Path, added_ms: float) -> Iterator[Task]:
    """A task with the server of a commit, whose file calls take longer."""
    folder.mkdir()
    (folder / "sitecustomize.py").write_text(SLOW_CALLS)
    slow = {"PYTHONPATH": str(folder), "ADDED_S": str(added_ms / 1000)}
    with task_process(commit, folder, packages, workers=WORKERS, **slow) as (port, master):
        yield Task(port, master.pid)


def load(tasks: list[Task], projects: list[str], phase: Phase, seconds: int, change: str, packages: Path) -> None:
    """Send the listings of one phase, and make its changes."""
    chosen = random.Random(0)
    lock = threading.Lock()
    started_s = time.monotonic()

    def listing(number: int, project: str) -> None:
        due_s = _wait_until(started_s + number / LISTINGS_PER_S)
        if tasks[number % TASKS].request("GET", f"/simple/{project}/") == b"":
            raise UserError(f"{project} is not listed", 1)
        with lock:
            phase.listings_s.append(time.monotonic() - due_s)

    def upload(number: int) -> None:
        project = f"uploaded-{started_s:.0f}-{number}"
        filename, content = wheel(project)
        form: dict[str, str | tuple[str, bytes]] = {":action": "file_upload", "content": (filename, content)}
        body, content_type = encode_multipart_formdata(form)
        due_s = _wait_until(started_s + number / CHANGES_PER_S)
        uploaded = tasks[number % TASKS].request("POST", "/", body, content_type)
        took_s = time.monotonic() - due_s
        listed = tasks[(number + 1) % TASKS].request("GET", f"/simple/{project}/")
        with lock:
            phase.uploads_s.append(took_s)
            phase.stale += uploaded is not None and listed is not None and filename.encode() not in listed

    def copy(number: int) -> None:
        _wait_until(started_s + number / CHANGES_PER_S)
        temporary = packages / f".{number}"
        temporary.touch()
        temporary.rename(packages / f"copied_{started_s:.0f}_{number}-1.0-py3-none-any.whl")

    with ThreadPoolExecutor(CLIENTS) as clients:
        asked = [clients.submit(listing, number, chosen.choice(projects)) for number in range(seconds * LISTINGS_PER_S)]
        with ThreadPoolExecutor(CLIENTS) as writers:
            numbers = range(0 if change == "idle" else seconds * CHANGES_PER_S)
            made = [writers.submit(upload if change == "uploads" else copy, number) for number in numbers]
        for done in [*asked, *made]:
            done.result()


def wheel(project: str) -> tuple[str, bytes]:
    """Name and content of a small wheel."""
    name = project.replace("-", "_")
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as archive:
        archive.writestr(f"{name}-1.0.dist-info/METADATA", f"Metadata-Version: 2.1\nName: {project}\nVersion: 1.0\n")
    return f"{name}-1.0-py3-none-any.whl", content.getvalue()


def _wait_until(due_s: float) -> float:
    time.sleep(max(0.0, due_s - time.monotonic()))
    return due_s


def _quantiles(values: list[float], *fractions: float) -> str:
    ordered = sorted(values)
    if not ordered:
        return " | ".join("" for _ in fractions)
    return " | ".join(f"{ordered[min(len(ordered) - 1, int(at * len(ordered)))] * 1000:.0f} ms" for at in fractions)
