"""The command line with the stand-in of AWS, as a user with credentials and the Pulumi CLI has it."""

from __future__ import annotations

import contextlib
import os
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import psutil
import pytest

from bench.deployment.aws.stacks.stack_folder import STACK_VARIABLE
from bench.deployment.local_cloud import InjectedFault
from tests.aws_stand_in.whole import AwsStandIn, aws_stand_in
from tests.bench.command_line import Bench
from tests.dead_proxy import DEAD_PROXY

SMALL = ("--packages", "2", "--clients", "10")
PATIENCE_S = 300.0
REACHED = ("--client-cidr", "127.0.0.1/32", "--yes")


@dataclass
class AwsBench(Bench):
    """The command line, an account of its own behind it, and what can be seen of both afterwards."""

    aws: AwsStandIn | None = None

    @property
    def stacks(self) -> Path:
        return self.folder / "state" / "pypiserver-bench" / "stacks"

    def left_behind(self) -> list[str]:
        """Resources, stacks that the machine still knows, and processes that work on one."""
        assert self.aws is not None
        found = [*self.aws.cloud.leftovers, *self.aws.certificates()]
        found += [path.name for path in self.stacks.glob("*")]
        for process in psutil.process_iter():
            with contextlib.suppress(psutil.Error):
                on = process.environ().get(STACK_VARIABLE, "")
                if on.startswith(str(self.stacks)) and process.status() != psutil.STATUS_ZOMBIE:
                    found.append(" ".join(process.cmdline()))
        return found


def wait_for(condition: Callable[[], bool]) -> None:
    """Wait until it holds."""
    deadline_s = time.monotonic() + PATIENCE_S
    while not condition():
        assert time.monotonic() < deadline_s, "it did not come to that"
        time.sleep(0.05)


MakeAwsBench = Callable[..., AwsBench]


@pytest.fixture
def make_aws_bench(tmp_path: Path, wheel_cache: Path, pulumi_cli: Path) -> Iterator[MakeAwsBench]:
    """A function that makes one, given the faults of its account."""
    with contextlib.ExitStack() as opened:

        def make(*faults: InjectedFault) -> AwsBench:
            stand_in = opened.enter_context(aws_stand_in(tmp_path / "aws", faults))
            temporary = tmp_path / "tmp"
            temporary.mkdir()
            inherited = {name: value for name, value in os.environ.items() if name not in DEAD_PROXY}
            environment = {
                **inherited,
                **stand_in.environment,
                "PATH": f"{pulumi_cli}{os.pathsep}{os.environ['PATH']}",
                "TMPDIR": str(temporary),
                "XDG_CACHE_HOME": str(wheel_cache),
                "XDG_STATE_HOME": str(tmp_path / "state"),
            }
            bench = AwsBench(tmp_path, environment, aws=stand_in)
            opened.callback(end_all, bench)
            return bench

        yield make


@pytest.fixture
def aws_bench(make_aws_bench: MakeAwsBench) -> AwsBench:
    """One whose account does what it is asked to."""
    return make_aws_bench()


def end_all(bench: Bench) -> None:
    for process in bench.started:
        if process.poll() is None:
            process.kill()
            process.communicate(timeout=60)
