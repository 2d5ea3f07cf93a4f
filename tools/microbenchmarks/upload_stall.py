"""Delay of other clients while one worker takes a large package: pypiserver's own upload beside ours.

    python -m tools.microbenchmarks upload_stall [--megabytes 200] [--runs 3]

One gevent worker of gunicorn, patched before anything is imported. One client uploads a wheel as twine would send it;
another asks for `/health` every few milliseconds on a connection of its own. The longest of its waits is the stall.
"""

from __future__ import annotations

import contextlib
import http.client
import io
import os
import signal
import socket
import subprocess
import sysconfig
import tempfile
import threading
import zipfile
from collections.abc import Iterator
from pathlib import Path
from time import perf_counter, sleep

import psutil

from pypiserver_stack.common.entry_point import Arguments, UserError

POLL_INTERVAL_S = 0.002
BOUNDARY = "3f1c9a"
FORM = (
    f'--{BOUNDARY}\r\nContent-Disposition: form-data; name=":action"\r\n\r\nfile_upload\r\n'
    f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="content"; filename="large-1.0-py3-none-any.whl"\r\n\r\n'
).encode()
END = f"\r\n--{BOUNDARY}--\r\n".encode()
APPLICATION = """
from pathlib import Path
import pypiserver
from pypiserver_stack.container.base.records import RecordStore
from pypiserver_stack.container.files.existing_files import ExistingFiles
from pypiserver_stack.container.files.package_store import PackageStore
from pypiserver_stack.container.files.uploads import Uploads

root = Path("packages")
pypiserver_app = pypiserver.app(roots=[root], backend_arg="simple-dir", authenticate=[], password_file=".")
uploads = Uploads(
    PackageStore(root, RecordStore(root)),
    ExistingFiles(pypiserver_app._pypiserver_config, builds_allowed=False),
    overwrite=False,
    limit_bytes=2**40,
)


def ours(environ, start_response):
    answer = uploads(environ) if environ["REQUEST_METHOD"] == "POST" else None
    if answer is None:
        return pypiserver_app(environ, start_response)
    start_response(answer.status, answer.headers)
    return answer.body
"""


def main() -> None:
    parser = Arguments(description="Compare how long an upload keeps other clients waiting.")
    parser.add_argument("--megabytes", type=int, default=200, help="size of the package (200)")
    parser.add_argument("--runs", type=int, default=3, help="uploads of each, in turn (3)")
    options = parser.parse_args()
    print("| upload through | longest wait of another client | median wait | upload took | CPU of the worker |")
    print("|---|---|---|---|---|")
    for _ in range(options.runs):
        for app in ("pypiserver_app", "ours"):
            print(measure(app, options.megabytes), flush=True)


def measure(app: str, megabytes: int) -> str:
    """One row of the table."""
    with _server(app) as (port, worker):
        waits_s: list[float] = []
        uploaded = threading.Event()
        poller = threading.Thread(target=_poll, args=(port, uploaded, waits_s))
        poller.start()
        cpu_s, started_s = sum(worker.cpu_times()[:2]), perf_counter()
        _upload(port, megabytes)
        took_s, cpu_s = perf_counter() - started_s, sum(worker.cpu_times()[:2]) - cpu_s
        uploaded.set()
        poller.join()
    waits_s.sort()
    longest_ms, median_ms = waits_s[-1] * 1000, waits_s[len(waits_s) // 2] * 1000
    name = "pypiserver" if app == "pypiserver_app" else "ours"
    return f"| {name} | {longest_ms:.0f} ms | {median_ms:.1f} ms | {took_s:.2f} s | {cpu_s:.2f} s |"


def _upload(port: int, megabytes: int) -> None:
    block = os.urandom(2**20)
    connection = http.client.HTTPConnection("127.0.0.1", port)
    connection.putrequest("POST", "/")
    connection.putheader("Content-Type", f"multipart/form-data; boundary={BOUNDARY}")
    wheel = io.BytesIO()
    with zipfile.ZipFile(wheel, "w") as archive:
        archive.writestr("large-1.0.dist-info/METADATA", "Metadata-Version: 2.1\nName: large\nVersion: 1.0\n")
    end = wheel.getvalue() + END  # whatever lies before a zip archive belongs to nobody
    connection.putheader("Content-Length", str(len(FORM) + megabytes * len(block) + len(end)))
    connection.endheaders(FORM)
    for _ in range(megabytes):
        connection.send(block)
    connection.send(end)
    status = connection.getresponse().status
    connection.close()
    if status != 200:
        raise UserError(f"the upload was answered with {status}", 1)


def _poll(port: int, uploaded: threading.Event, waits_s: list[float]) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", port)
    while not uploaded.is_set():
        started_s = perf_counter()
        connection.request("GET", "/health")
        connection.getresponse().read()
        waits_s.append(perf_counter() - started_s)
        sleep(POLL_INTERVAL_S)
    connection.close()


@contextlib.contextmanager
def _server(app: str) -> Iterator[tuple[int, psutil.Process]]:
    """Port and worker of a gunicorn in a folder of its own."""
    gunicorn = Path(sysconfig.get_path("scripts")) / "gunicorn"
    with tempfile.TemporaryDirectory() as name, socket.create_server(("127.0.0.1", 0)) as listener:
        folder = Path(name)
        (folder / "packages").mkdir()
        (folder / "app.py").write_text(APPLICATION)
        (folder / "gunicorn.conf.py").write_text("from gevent import monkey\n\nmonkey.patch_all()\n")
        bound = ("--bind", f"fd://{listener.fileno()}")
        master = subprocess.Popen(
            [gunicorn, *bound, "--worker-class=gevent", "--keep-alive=60", "--log-level=warning", f"app:{app}"],
            cwd=folder,
            pass_fds=[listener.fileno()],
            env={**os.environ, "PYTHONWARNINGS": "ignore"},  # gunicorn 20.0.4 and pkg_resources
        )
        try:
            port = listener.getsockname()[1]
            with contextlib.closing(http.client.HTTPConnection("127.0.0.1", port, timeout=60)) as connection:
                connection.request("GET", "/health")
                connection.getresponse().read()
            (worker,) = psutil.Process(master.pid).children()
            yield port, worker
        finally:
            master.send_signal(signal.SIGTERM)
            master.wait()
