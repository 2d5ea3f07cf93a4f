"""CPU profile of the server's workers while they take bursts: `py-spy` on every worker of a stack.

    python -m tools.microbenchmarks server_profile [--stack stress] [--seconds 20] [--wheel-kb 20] [-c KEY=VALUE]

The stack is stood up on this machine as `python -m bench` does it, takes bursts one after the other for so many
seconds, and is sampled 250 times a second meanwhile, but for threads without the interpreter's lock: they wait, or are
in the kernel. How much of the CPU time was the kernel's, it tells itself. A sample counts for the innermost frame of
a part that is named here: what the standard library and C code do is their caller's.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import sysconfig
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import psutil

from bench.commands.parameters import load_parameters
from bench.common.failures import UsageError
from bench.deployment.local import LocalIndex, LocalOptions
from bench.deployment.stack_config import PROJECT_FOLDER, load_stack
from bench.runtime.progress import open_progress
from bench.runtime.run import Run, conduct
from bench.runtime.steps import fill, prepare_load, stand_up, take_down
from pypiserver_stack.common.entry_point import Arguments, UserError

SAMPLES_PER_S = 250
OURS = {path.name for path in (PROJECT_FOLDER / "pypiserver_stack" / "container").rglob("[!_]*.py")}
PARTS = (
    # part of a frame's path, and what it is
    ("/gunicorn/http/", "gunicorn: parsing requests, writing answers"),
    ("/gunicorn/", "gunicorn: the rest"),
    ("/gevent/", "gevent: loop, sockets, threads"),
    ("/greenlet/", "gevent: loop, sockets, threads"),
    ("/bottle_wrapper", "pypiserver and bottle"),
    ("/pypiserver/", "pypiserver and bottle"),
    ("/passlib/", "password hash"),
    ("/bcrypt/", "password hash"),
)
ELSEWHERE = "interpreter and the rest"


@dataclass
class Profiling:
    """The job of one profile: stack up, bursts, stack down."""

    options: argparse.Namespace
    samples: Counter[str] = field(default_factory=Counter)
    requests: int = 0
    user_s: float = 0.0
    kernel_s: float = 0.0
    index: LocalIndex | None = None

    def work(self, run: Run) -> None:
        config, bench_values = load_stack(PROJECT_FOLDER, self.options.stack, self.options.overrides)
        given = {"workload": "burst", "duration_s": self.options.seconds, "wheel_kb": self.options.wheel_kb}
        load = load_parameters({name: value for name, value in given.items() if value is not None}, bench_values)
        run.step("packages")
        wheels = run.wheels(load.package_set)
        self.index = index = LocalIndex(config, LocalOptions("embedded"))
        target = stand_up(run, index)
        fill(run, index, target, wheels)
        run.step("load")
        masters = [task.child.pid for task in index.processes.tasks]
        sending = prepare_load(run, target, load, sorted({wheel.name for wheel in wheels}), ())
        user_s, kernel_s = cpu_times_s(masters)
        with sampled(masters, self.options.seconds, run.scratch.path) as stacks:
            run.wait_for(sending.run())
            now_user_s, now_kernel_s = cpu_times_s(masters)
        self.user_s, self.kernel_s = now_user_s - user_s, now_kernel_s - kernel_s
        self.requests = len(sending.result().samples)
        for path in stacks:
            self.samples += read_stacks(path)

    def down(self, run: Run) -> None:
        take_down(run, *([self.index.down] if self.index else []))

    def report(self, run: Run) -> list[str]:
        return list(run.record.failures.values())


def cpu_times_s(masters: Sequence[int]) -> tuple[float, float]:
    """CPU time in user space and in the kernel, of gunicorn masters and their workers so far."""
    processes = [psutil.Process(pid) for pid in masters]
    times = [process.cpu_times() for master in processes for process in (master, *master.children(recursive=True))]
    return sum(time.user for time in times), sum(time.system for time in times)


@contextmanager
def sampled(masters: Sequence[int], seconds: float, folder: Path) -> Iterator[list[Path]]:
    """Sample the workers of each gunicorn master; the stacks are in the files when this has ended."""
    py_spy = Path(sysconfig.get_path("scripts")) / "py-spy"
    if not py_spy.exists():
        raise UsageError("py-spy is not installed: run `make benchmarks` once")
    paths = [folder / f"stacks-{pid}" for pid in masters]
    recorders = [
        subprocess.Popen(
            [
                *(str(py_spy), "record", "--pid", str(pid), "--subprocesses"),
                *("--gil", "--nonblocking", "--full-filenames"),
                *("--format", "raw", "--output", str(path)),
                *("--rate", str(SAMPLES_PER_S), "--duration", str(round(seconds))),
            ],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        for pid, path in zip(masters, paths, strict=True)
    ]
    try:
        yield paths
        for recorder in recorders:
            recorder.wait(60)
    finally:
        for recorder in recorders:
            recorder.kill()
            recorder.wait()


def read_stacks(path: Path) -> Counter[str]:
    """How many samples each part has, of a file in which each line is a stack, outermost frame first, and a count."""
    found: Counter[str] = Counter()
    for line in path.read_text("utf-8", "replace").splitlines():
        stack, _, count = line.rpartition(" ")
        found[part_of(stack.split(";"))] += int(count)
    return found


def part_of(frames: Sequence[str]) -> str:
    """The part that a stack counts for."""
    for frame in reversed(frames):
        for fragment, part in PARTS:
            if fragment in frame:
                return part
        file = frame.partition("(")[2].partition(":")[0]
        if Path(file).name in OURS:
            return f"ours: {Path(file).name}"
    return ELSEWHERE


def main() -> None:
    parser = Arguments(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--stack", default="stress")
    parser.add_argument("--seconds", type=float, default=20.0)
    parser.add_argument("--wheel-kb", type=int, default=20)
    parser.add_argument("-c", "--config", dest="overrides", action="append", default=[])
    parser.add_argument("--results", type=Path, default=Path("results"))
    profiling = Profiling(parser.parse_args())
    with open_progress(sys.stderr, quiet=False) as progress:
        failures = conduct(
            profiling.options.results, ["python", "-m", "tools.microbenchmarks", "server_profile"], progress, profiling
        )
    if failures:
        raise UserError("; ".join(failures), 1)
    total = sum(profiling.samples.values())
    cpu_s = profiling.user_s + profiling.kernel_s
    print(f"{profiling.requests:,} requests, {cpu_s / profiling.requests * 1e6:.0f} us of the tasks' CPU each")
    print(f"{profiling.kernel_s / cpu_s:7.1%}  kernel")
    print(f"{profiling.user_s / cpu_s:7.1%}  user space, in which ({total:,} samples):")
    for part, count in profiling.samples.most_common():
        print(f"{count / total:9.1%}  {part}")
