"""Requests per second of one process of the load generator on one core, beside Locust's FastHttpUser.

    python -m tools.microbenchmarks load_generator [--runs 7] [--seconds 5] [--clients 50]

Both ask the same server the same three requests over and over: the redirect, the listing, a wheel of 20 kB. They send
the same headers, keep their connections, and read every body. Ours does all that it does in a real load: it parses the
listing, checks the digest and records every request. It is measured once more with a new connection for each install,
as in the burst. The server answers from memory and has a core of its own; its share of that core is printed, and shows
that it was not the limit.
"""

from __future__ import annotations

import argparse
import asyncio
import hashlib
import importlib.util
import json
import os
import signal
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from time import perf_counter, process_time
from typing import cast

from pypiserver_stack.common.entry_point import Arguments, UserError

TARGET_RATIO = 1.5
WARM_UP_S = 1.0
USERNAME, PASSWORD = "benchmark", "not-a-secret"
PROJECTS = tuple(f"test-package-{number:03}" for number in range(100))
WHEEL = bytes(range(256)) * 80
HEADERS = {"User-Agent": "pip/25.3", "Accept": "text/html, */*", "Accept-Encoding": "identity"}


def main() -> None:
    options = _options()
    roles: dict[str, Callable[[argparse.Namespace], None]] = {
        "compare": compare,
        "server": serve,
        "ours": run_ours,
        "ours-new": run_ours,
        "locust": run_locust,
    }
    roles[options.role](options)


def _options() -> argparse.Namespace:
    parser = Arguments(description="Compare the load generator with Locust's FastHttpUser.")
    parser.add_argument("--runs", type=int, default=7, help="runs of each, in turn (7)")
    parser.add_argument("--seconds", type=float, default=5.0, help="length of one run (5)")
    parser.add_argument("--clients", type=int, default=50, help="clients at once (50)")
    parser.add_argument("--role", default="compare", help=argparse.SUPPRESS)
    parser.add_argument("--port", type=int, default=0, help=argparse.SUPPRESS)
    return parser.parse_args()


def compare(options: argparse.Namespace) -> None:
    cores = sorted(os.sched_getaffinity(0))
    import aiohttp
    from aiohttp.http_parser import HttpResponseParser

    from bench.deployment.observe.cpu import tree_cpu_s

    if len(cores) < 2:
        raise UserError("this needs two cores: one for the server, one for the generator", 1)
    if importlib.util.find_spec("locust") is None:
        raise UserError("Locust is not installed here: install the project with its extra [benchmarks]")
    server = _start("server", options, core=cores[0])
    try:
        assert server.stdout is not None
        options.port = int(server.stdout.readline())
        results: dict[str, list[dict[str, float]]] = {"locust": [], "ours": [], "ours-new": []}
        print(f"aiohttp {aiohttp.__version__}, parser {HttpResponseParser.__module__}")
        print(f"{'':10}{'requests/s':>12}{'CPU us/request':>16}{'own core':>10}{'server core':>13}")
        for _ in range(options.runs):
            for name, runs in results.items():
                server_cpu_s = tree_cpu_s(server.pid) or 0.0
                with _start(name, options, core=cores[1]) as generator:
                    output, _ = generator.communicate()
                if generator.returncode:
                    raise UserError(f"{name} failed", 1)
                run = json.loads(output)
                run["server_core"] = ((tree_cpu_s(server.pid) or 0.0) - server_cpu_s) / (run["wall_s"] + WARM_UP_S)
                runs.append(run)
                print(
                    f"{name:10}{run['rps']:12,.0f}{run['cpu_us']:16.1f}"
                    f"{run['cpu_s'] / run['wall_s']:10.0%}{run['server_core']:13.0%}"
                )
    finally:
        server.send_signal(signal.SIGTERM)
        server.wait()
    _conclude(results)


def _conclude(results: dict[str, list[dict[str, float]]]) -> None:
    rps = {name: statistics.median(run["rps"] for run in runs) for name, runs in results.items()}
    cpu_us = {name: statistics.median(run["cpu_us"] for run in runs) for name, runs in results.items()}
    ratio = rps["ours"] / rps["locust"]
    print(f"median  ours {rps['ours']:,.0f} requests/s, Locust {rps['locust']:,.0f}: ratio {ratio:.2f}")
    print(f"        ours {cpu_us['ours']:.1f} us of CPU a request, Locust {cpu_us['locust']:.1f}")
    print(f"        ours with a new connection for each install {cpu_us['ours-new']:.1f} us of CPU a request")
    print(f"Target of {TARGET_RATIO}: {'reached' if ratio >= TARGET_RATIO else 'MISSED'}")


def _start(role: str, options: argparse.Namespace, core: int) -> subprocess.Popen[str]:
    arguments = ["--role", role, "--port", str(options.port)]
    arguments += ["--seconds", str(options.seconds), "--clients", str(options.clients)]
    return subprocess.Popen(
        [sys.executable, __file__, *arguments],
        stdout=subprocess.PIPE,
        text=True,
        preexec_fn=lambda: os.sched_setaffinity(0, {core}),
    )


def _print_figures(requests: int, wall_s: float, cpu_s: float) -> None:
    print(
        json.dumps({"rps": requests / wall_s, "cpu_us": cpu_s / requests * 1e6, "wall_s": wall_s, "cpu_s": cpu_s}),
        flush=True,
    )


# The server: every answer is ready before the first request.


def _answers() -> dict[bytes, bytes]:
    digest = hashlib.sha256(WHEEL).hexdigest()
    answers = {}
    for project in PROJECTS:
        file_names = [
            f"{project.replace('-', '_')}-{version}-py3-none-any.whl" for version in ("1.0.0", "1.1.0", "2.0.0")
        ]
        links = "".join(f'<a href="/packages/{name}#sha256={digest}">{name}</a><br>\n' for name in file_names)
        page = f"<!DOCTYPE html>\n<html><body><h1>Links for {project}</h1>\n{links}</body></html>\n".encode()
        answers[f"/{project}/".encode()] = _answer("303 See Other", b"", f"Location: /simple/{project}/\r\n")
        answers[f"/simple/{project}/".encode()] = _answer("200 OK", page, "Content-Type: text/html; charset=UTF-8\r\n")
        answers[f"/packages/{file_names[-1]}".encode()] = _answer("200 OK", WHEEL, "Content-Type: application/zip\r\n")
    return answers


def _answer(status: str, body: bytes, headers: str) -> bytes:
    head = f"HTTP/1.1 {status}\r\nServer: benchmark\r\nDate: Thu, 01 Jan 1970 00:00:00 GMT\r\nX-Served-By: task-0\r\n"
    head += "Server-Timing: auth;dur=0.042, index;dur=0.311, file;dur=0.120, total;dur=0.610\r\n"
    return f"{head}{headers}Content-Length: {len(body)}\r\n\r\n".encode() + body


def serve(options: argparse.Namespace) -> None:
    import uvloop

    class MemoryServer(asyncio.Protocol):
        answers = _answers()

        def connection_made(self, transport: asyncio.BaseTransport) -> None:
            self.transport = cast(asyncio.Transport, transport)

        def data_received(self, data: bytes) -> None:
            # Clients send one request at a time, each small enough to come in one piece.
            self.transport.write(self.answers[data.split(b" ", 2)[1]])

    async def run() -> None:
        stopped = asyncio.Event()
        loop = asyncio.get_running_loop()
        loop.add_signal_handler(signal.SIGTERM, stopped.set)
        server = await loop.create_server(MemoryServer, "127.0.0.1", 0, backlog=1024)
        print(server.sockets[0].getsockname()[1], flush=True)
        await stopped.wait()

    uvloop.run(run())


# The two generators.


def run_ours(options: argparse.Namespace) -> None:
    import uvloop

    from bench.index.client import IndexSession
    from bench.index.target import Target
    from bench.load.installer import Installer, Traffic
    from bench.load.samples import Recorder
    from bench.load.workloads import INSTALL_BY_NAME

    async def run(spill_dir: Path) -> None:
        target = Target(f"http://127.0.0.1:{options.port}/", USERNAME, PASSWORD)
        recorder = Recorder(("burst",), spill_dir, started_s=perf_counter())
        traffic = Traffic(await IndexSession.open(target), recorder)

        async def client(number: int) -> None:
            installer = Installer(traffic, number, 0, HEADERS["User-Agent"])
            while True:
                if options.role == "ours-new":
                    installer.close()
                    installer = Installer(traffic, number, 0, HEADERS["User-Agent"])
                await installer.install(PROJECTS[number % len(PROJECTS)], INSTALL_BY_NAME, perf_counter())
                number += 1

        clients = [asyncio.create_task(client(number)) for number in range(options.clients)]
        await asyncio.sleep(WARM_UP_S)
        requests, wall_s, cpu_s = recorder.requests, perf_counter(), process_time()
        await asyncio.sleep(options.seconds)
        _print_figures(recorder.requests - requests, perf_counter() - wall_s, process_time() - cpu_s)
        assert recorder.failed == 0
        for task in clients:
            task.cancel()
        await asyncio.wait(clients)

    with tempfile.TemporaryDirectory() as spill_dir:
        uvloop.run(run(Path(spill_dir)))


def run_locust(options: argparse.Namespace) -> None:
    # Importing locust patches the standard library for gevent: only this role may do so.
    import gevent
    from locust import FastHttpUser, task
    from locust.env import Environment

    class LocustClient(FastHttpUser):
        host = f"http://{USERNAME}:{PASSWORD}@127.0.0.1:{options.port}"
        number = 0

        def on_start(self) -> None:
            LocustClient.number += 1
            self.number = LocustClient.number

        @task
        def install(self) -> None:
            project = PROJECTS[self.number % len(PROJECTS)]
            self.number += 1
            wheel = f"/packages/{project.replace('-', '_')}-2.0.0-py3-none-any.whl"
            for path, name in ((f"/{project}/", "redirect"), (f"/simple/{project}/", "listing"), (wheel, "download")):
                response = self.client.get(path, name=name, headers=HEADERS, allow_redirects=False)
                assert response.content is not None

    environment = Environment(user_classes=[LocustClient])
    runner = environment.create_local_runner()
    runner.start(options.clients, spawn_rate=100)
    gevent.sleep(WARM_UP_S)
    total = environment.stats.total
    requests, wall_s, cpu_s = total.num_requests, perf_counter(), process_time()
    gevent.sleep(options.seconds)
    _print_figures(total.num_requests - requests, perf_counter() - wall_s, process_time() - cpu_s)
    assert total.num_failures == 0
    runner.quit()


if __name__ == "__main__":  # its own server and generators
    main()
