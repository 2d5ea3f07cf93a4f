"""`python -m bench` as a person runs it: endings, exit codes, and nothing left behind."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import psutil
import pytest

from bench.common.run_mark import RUN_VARIABLE
from bench.runtime.interruption import SIGNALS
from tests.bench.command_line import ROOT, Bench, InProcessBench, watchdog_of
from tests.bench.task_passwords import passwords_of
from tests.thorough import thorough

SMALL = ("--packages", "3", "--clients", "12", "--engine", "embedded")


def test_a_run_reports_what_it_did_and_leaves_nothing(bench: Bench) -> None:
    bench.environment["BURST_MULTIPLIER"] = "2"  # nothing that this workload has
    process = bench.start(*SMALL, "--threshold", "listing_p95_s=60", "--threshold", "download_p95_s=60")
    output, _ = process.communicate()
    report = bench.report()
    assert process.returncode == report["exit_code"] == 0
    assert output.startswith("threshold")
    assert report["run"]["command"][:5] == ["env", "BURST_MULTIPLIER=2", "python", "-m", "bench"]
    assert report["summary"]["requests"] == 36
    assert {name: figures["requests"] for name, figures in report["operations"].items()} == {
        "redirect": 12,
        "listing": 12,
        "download": 12,
        "upload": 0,
    }
    assert sum(report["per_task"].values()) == 24  # but for the redirects, which are public
    assert report["local"]["tasks_run"] == len(report["per_task"]) == 2
    assert report["per_task_deviation"] < 1
    assert list(report["cpu"]["per_task_s"]) == list(report["per_task"])
    assert all(report["cpu"][side]["per_request_us"] > 0 for side in ("tasks", "balancer", "generator"))
    work_s, service_time_s = (report["operations"]["listing"][figure] for figure in ("work_s", "service_time_s"))
    assert 0 < work_s["max"] < service_time_s["max"]
    for task in report["local"]["memory"]:
        assert 10 < task["peak_pss_mb"] < task["limit_mb"] == 512
        assert not task["would_be_oom_killed"]
    assert report["plan"]["task_min_count"] == 12
    assert report["teardown"] == {"complete": True, "leftovers": []}
    assert bench.remains(process.pid) == []


def test_the_server_of_the_terraform_module_runs_too(bench: Bench) -> None:
    process = bench.start("--stack", "peer", *SMALL, "--threshold", "listing_p95_s=60", "--threshold", "error_rate=1")
    process.communicate()
    report = bench.report()
    assert process.returncode == report["exit_code"] == 0
    assert (report["stack"]["name"], report["summary"]["requests"]) == ("peer", 36)
    assert report["teardown"] == {"complete": True, "leftovers": []}
    assert bench.remains(process.pid) == []


def test_missed_thresholds_are_an_exit_code_of_their_own(bench: Bench) -> None:
    status, output, _ = bench.run(*SMALL, "--threshold", "listing_p95_s=0.000001")
    assert status == bench.report()["exit_code"] == 3
    assert "listing_p95_s" in output


def test_no_file_of_a_run_holds_a_password(bench: Bench) -> None:
    process = bench.start(*SMALL, "--keep")
    credentials = Path(bench.follow_to(process, "credentials: ", "stdout").split()[1])
    assert credentials.stat().st_mode & 0o777 == 0o600
    passwords = passwords_of(process.pid)
    assert credentials.read_text().split()[-1] in passwords
    command_lines = [" ".join(p.info["cmdline"] or ()) for p in psutil.process_iter(["cmdline"])]
    process.send_signal(signal.SIGINT)
    output, errors = process.communicate()
    assert process.returncode in (0, 3)
    assert [len(password) for password in passwords] == [32, 32, 32]
    said = [output, errors, *bench.lines, *command_lines]
    assert not any(password in text for text in said for password in passwords)
    written = list(bench.results.glob("*/*"))
    assert {path.name for path in written} == {
        "report.json",
        "report.md",
        "samples.npz",
        "metrics.json",
        "infrastructure.json",
    }
    assert not any(password.encode() in path.read_bytes() for path in written for password in passwords)
    assert bench.remains(process.pid) == []


STEPS = ("evaluate", "start", "packages", "publish", "load", "down")
# Ten seconds each: a moment of each step in every run of the tests, the rest when there is time.
MOMENTS = [
    *((step, 0.3) for step in STEPS),
    *thorough(*((step, delay_s) for step in STEPS for delay_s in (0.0, 0.05, 0.1, 0.2, 0.5, 1.0))),
]


@pytest.mark.parametrize(("step", "delay_s"), MOMENTS)
def test_an_interruption_at_any_moment_leaves_nothing(bench: Bench, step: str, delay_s: float) -> None:
    number = SIGNALS[(STEPS.index(step) + int(delay_s * 100)) % len(SIGNALS)]
    bench.environment["XDG_CACHE_HOME"] = str(bench.folder / "cold")  # so that there is something to build
    process = bench.start("--packages", "12", "--clients", "60", "--engine", "embedded")
    bench.follow_to(process, step)
    time.sleep(delay_s)  # not waiting for anything: this is the moment that is tried
    process.send_signal(number)
    if step != "down":
        bench.follow_to(process, "down")
        process.send_signal(signal.SIGINT)  # impatience must not cut the way down short
    _, rest = process.communicate()
    bench.lines += rest.splitlines()
    assert bench.remains(process.pid) == []
    # A signal that comes when all is over changes nothing any more.
    report = bench.report()
    assert process.returncode == report["exit_code"] == 130 or (step == "down" and process.returncode in (0, 3))
    assert report["teardown"] == {"complete": True, "leftovers": []}
    partial = [path for path in (bench.folder / "cold").rglob("*") if "building" in path.name]
    assert partial == []


@pytest.mark.engine
@pytest.mark.parametrize("delay_s", [0.2, 2.5, *thorough(1.5, 3.5)])
def test_an_interruption_of_the_pulumi_engine_leaves_nothing(bench: Bench, pulumi_cli: Path, delay_s: float) -> None:
    bench.environment["PATH"] = f"{pulumi_cli}{os.pathsep}{os.environ['PATH']}"
    process = bench.start("--packages", "3", "--clients", "12", "--engine", "pulumi")
    bench.follow_to(process, "evaluate")
    time.sleep(delay_s)  # not waiting for anything: this is the moment that is tried
    process.send_signal(signal.SIGINT)
    bench.follow_to(process, "down")
    process.send_signal(signal.SIGTERM)
    process.communicate()
    assert process.returncode == bench.report()["exit_code"] == 130
    assert bench.report()["teardown"] == {"complete": True, "leftovers": []}
    assert bench.remains(process.pid) == []


def processes_of(pid: int, name: str) -> list[psutil.Process]:
    """The processes of a run whose command line has a word that ends so, the eldest first."""
    found = []
    for process in psutil.process_iter():
        try:
            ours = process.environ().get(RUN_VARIABLE, "").startswith(f"{pid}-")
            if ours and any(word.endswith(name) for word in process.cmdline()):
                found.append(process)
        except psutil.Error:
            continue
    return sorted(found, key=lambda process: process.create_time())


@pytest.mark.parametrize("name", ["/gunicorn", "/envoy"])
def test_a_part_that_dies_under_load_spoils_the_measurement(bench: Bench, name: str) -> None:
    process = bench.start(*SMALL, "--duration", "2")
    bench.follow_to(process, "load")
    master = processes_of(process.pid, name)[0]
    for victim in [master, *master.children()]:
        victim.kill()
    process.communicate()
    assert process.returncode == bench.report()["exit_code"] == 6
    assert "ended with status -9" in bench.report()["failure"]
    assert bench.remains(process.pid) == []


def test_a_run_whose_folder_is_deleted_still_goes_down(bench: Bench) -> None:
    process = bench.start(*SMALL, "--duration", "2")
    bench.follow_to(process, "load")
    for folder in Path(bench.environment["TMPDIR"]).iterdir():
        shutil.rmtree(folder, ignore_errors=True)
    process.communicate()
    assert bench.report()["teardown"] == {"complete": True, "leftovers": []}
    assert bench.remains(process.pid) == []


def test_what_a_killed_run_and_its_watchdog_left_is_removed_by_the_next(bench: Bench) -> None:
    killed = bench.start(*SMALL)
    bench.follow_to(killed, "load")
    watchdog_of(killed.pid).kill()
    killed.kill()
    killed.communicate()
    assert bench.remains(killed.pid) != []
    status, _, errors = bench.run(*SMALL)
    assert status in (0, 3)
    assert "killed run" in errors
    assert bench.remains(killed.pid) == []


MISTAKES = {
    "a value out of bounds": (("-c", "container_memory_mb=12"), 2, "container_memory_mb"),
    "a value of another type": (("-c", "stickiness_enabled=perhaps"), 2, "true or false"),
    "two mistakes at once": (("-c", "task_min_count=no", "-c", "backend=magic"), 2, "task_min_count"),
    "an unknown setting": (("-c", "containr_memory_mb=512"), 2, "container_memory_mb"),
    "an unknown profile": (("-c", "profile=mediun"), 2, "medium"),
    "an unknown instance type": (("-c", "instance_type=c6a.xlarg"), 2, "c6a.xlarge"),
    "an instance too small": (("-c", "instance_type=t3.nano"), 2, "t3.nano"),
    "a missing stack file": (("--stack", "nowhere"), 2, "nowhere"),
    "an unknown workload": (("--workload", "brust"), 2, "burst"),
    "an unknown option": (("--nonsense",), 2, "--nonsense"),
    "a target that is not built": (("--target", "aws"), 2, "aws"),
    "more tasks than planned": (("--tasks", "25"), 2, "24"),
    "a seed that is none": (("--seed", "-1"), 2, "-1 is not a whole number"),
    "an image without a version": (("-c", "image=pypiserver/pypiserver:latest"), 2, "TAG is not latest"),
    "an image that is not here": (("-c", "image=nginx:1.27"), 4, "nginx:1.27"),
    "settings that the image does not take": (("-c", "entry_point=image"), 2, "authentication bcrypt"),
}


@pytest.mark.parametrize("case", MISTAKES)
def test_a_mistake_is_one_sentence_and_an_exit_code(in_process_bench: InProcessBench, case: str) -> None:
    options, expected_status, mentioned = MISTAKES[case]
    status, output, errors = in_process_bench.run("--engine", "embedded", *options)
    assert status == expected_status
    assert mentioned in output + errors
    assert "Traceback" not in output + errors
    if expected_status == 2:
        assert errors.splitlines()[-1].startswith("Error: ")
        assert not list(in_process_bench.results.glob("*"))


def test_a_refused_setting_ends_the_process_with_2(bench: Bench) -> None:
    process = bench.start("--engine", "embedded", "-c", "container_memory_mb=12")
    output, errors = process.communicate()
    assert process.returncode == 2
    assert errors.splitlines()[-1].startswith("Error: ")
    assert "Traceback" not in output + errors
    assert not list(bench.results.glob("*"))
    assert bench.remains(process.pid) == []


def test_all_mistakes_are_told_at_once(in_process_bench: InProcessBench) -> None:
    mistakes = ("-c", "task_min_count=no", "-c", "backend=magic", "-c", "nope=1")
    _, _, errors = in_process_bench.run("--engine", "embedded", *mistakes)
    assert all(key in errors for key in ("task_min_count", "backend", "nope"))


def test_without_envoy_the_run_says_so(bench: Bench, tmp_path: Path) -> None:
    shadow = tmp_path / "shadow" / "envoy"
    shadow.mkdir(parents=True)
    (shadow / "__init__.py").write_text("raise ImportError('not for this platform')")
    bench.environment["PYTHONPATH"] = str(shadow.parent)
    process = bench.start(*SMALL)
    output, _ = process.communicate()
    assert process.returncode == 4
    assert "Envoy" in output
    assert bench.remains(process.pid) == []


class FixedAnswer(BaseHTTPRequestHandler):
    status, body = 200, b""

    def do_GET(self) -> None:
        self.send_response(self.status)
        self.send_header("Content-Length", str(len(self.body)))
        self.end_headers()
        self.wfile.write(self.body)

    def log_message(self, format: str, *args: object) -> None:
        pass


@pytest.fixture
def index(request: pytest.FixtureRequest) -> Iterator[str]:
    status, body = request.param
    handler = type("Fixed", (FixedAnswer,), {"status": status, "body": body})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.mark.parametrize(
    "index", [(401, b""), (403, b""), (503, b"busy"), (200, b"\x00\x01garbage")], indirect=True, ids=str
)
def test_an_index_that_is_none_is_exit_4(in_process_bench: InProcessBench, index: str) -> None:
    status, output, errors = in_process_bench.run("load", "--url", index, "--clients", "3")
    assert status == in_process_bench.report()["exit_code"] == 4
    assert "Traceback" not in output + errors
    assert {in_process_bench.report()[part] for part in ("stack", "plan", "local", "teardown")} == {None}


def test_an_index_that_nobody_serves_is_exit_4(bench: Bench) -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        port = unused.getsockname()[1]
        status, output, _ = bench.run("load", "--url", f"http://127.0.0.1:{port}", "--clients", "3")
    assert status == 4
    assert str(port) in output


def test_results_that_cannot_be_written_are_told_before_anything_starts(in_process_bench: InProcessBench) -> None:
    in_process_bench.results.write_text("a file, not a folder")
    status, _, errors = in_process_bench.run(*SMALL)
    assert status == 2
    assert "--results" in errors
    assert "evaluate" not in errors


@pytest.mark.parametrize("closed", [">&-", "<&- >&- 2>&-", *thorough("<&-", "2>&-")])
def test_closed_standard_streams_change_nothing(bench: Bench, closed: str) -> None:
    command = f"{sys.executable} -m bench {' '.join(SMALL)} --results {bench.results} {closed}"
    status = subprocess.run(["sh", "-c", command], cwd=ROOT, env=bench.environment, timeout=60).returncode
    assert status == bench.report()["exit_code"]
    assert status in (0, 3)


def test_a_full_standard_output_leaves_the_exit_code(bench: Bench) -> None:
    command = [sys.executable, "-m", "bench", *SMALL, "--results", str(bench.results), "--threshold", "listing_p95_s=0"]
    with Path("/dev/full").open("w") as full:
        done = subprocess.run(
            command, cwd=ROOT, env=bench.environment, stdout=full, stderr=subprocess.PIPE, text=True, timeout=60
        )
    assert done.returncode == 3
    assert "Traceback" not in done.stderr


def test_a_kept_stack_serves_and_loads_like_any_index(bench: Bench) -> None:
    process = bench.start(*SMALL, "--keep")
    url = bench.follow_to(process, "index: ", "stdout").split()[1].removesuffix("/simple/")
    credentials = Path(bench.follow_to(process, "credentials: ", "stdout").split()[1]).read_text().split()
    install = bench.follow_to(process, "NETRC=", "stdout")
    pip = {
        **bench.environment,
        "PATH": f"{Path(sys.executable).parent}:{os.defpath}",
        "PIP_TARGET": str(bench.folder / "site"),
    }
    subprocess.run(["sh", "-c", install], env=pip, check=True, timeout=60)
    assert (bench.folder / "site" / "test_package_000").is_dir()
    environment = {**bench.environment, "PYPI_USERNAME": credentials[3], "PYPI_PASSWORD": credentials[5]}
    other = Bench(bench.folder / "other", environment)
    status, output, _ = other.run("load", "--url", url, "--clients", "12", "--threshold", "listing_p95_s=60")
    process.send_signal(signal.SIGTERM)
    rest, _ = process.communicate()
    assert status == 0, output
    assert "threshold" not in rest  # the result is shown once
    report = other.report()
    assert report["summary"]["requests"] == 36
    assert report["workload"]["packages"] == 3
    assert report["workload"]["wheels"] == 9
    assert report["stack"] is None
