"""The cycle on AWS under faults: nothing is left whatever fails or is killed, or it is known what, and removed later.

The short form is part of every run. The thorough one has every type of resource fail, and a hundred kills.
"""

from __future__ import annotations

import contextlib
import random
import signal
from collections.abc import Callable, Mapping

import psutil
import pytest

from bench.commands.cost.bill import evaluated
from bench.deployment.local_cloud import InjectedFault
from bench.deployment.stack_config import PROJECT_FOLDER, load_stack
from tests.bench.command_line import alive, command_line
from tests.bench.commands.aws.conftest import REACHED, SMALL, AwsBench, MakeAwsBench, wait_for
from tests.thorough import thorough

pytestmark = [pytest.mark.engine, pytest.mark.timeout(600)]

STRESS = evaluated(load_stack(PROJECT_FOLDER, "stress")[0]).graph
TYPES = sorted({resource.type for resource in STRESS if resource.id})
RUN = ("run", "--target", "aws", *SMALL, *REACHED)


@pytest.mark.parametrize("type_", thorough(*TYPES))
def test_whatever_cannot_be_made(make_aws_bench: MakeAwsBench, type_: str) -> None:
    bench = make_aws_bench(InjectedFault("create", type=type_, error="ServiceUnavailable: not now"))
    status, output, _ = bench.run(*RUN)
    assert status == 4
    assert "ServiceUnavailable: not now" in output
    assert bench.left_behind() == []


@pytest.mark.parametrize("times", thorough(1, 3))
def test_every_removal_fails_first(make_aws_bench: MakeAwsBench, times: int) -> None:
    bench = make_aws_bench(
        *(
            InjectedFault("delete", nth=nth, type=type_, error="DependencyViolation: something uses it", delay_s=0.05)
            for type_ in TYPES
            for nth in range(1, times + 1)
        )
    )
    status, output, _ = bench.run(*RUN)
    assert status == 0, output
    assert bench.left_behind() == []


@pytest.mark.parametrize("seed", [1, *thorough(*range(2, 101))])
def test_killed_at_a_random_moment(aws_bench: AwsBench, seed: int) -> None:
    chance = random.Random(seed)
    victims = chance.choice([*ENDINGS])
    process = aws_bench.start(*RUN)
    _wait_for_a_moment(aws_bench, process.pid, chance)
    family = [psutil.Process(process.pid), *psutil.Process(process.pid).children(recursive=True)]
    ENDINGS[victims](family)
    output, errors = process.communicate()
    watchdogs = [member for member in family if _is_watchdog(member)]
    wait_for(lambda: not any(map(alive, watchdogs)))
    left = aws_bench.left_behind()
    if process.returncode in (0, 4, 130) or (process.returncode < 0 and "watchdog" not in victims):
        assert left == [], (seed, victims, process.returncode, output, errors)
    # Where something is left, this machine knows the stack, and removes it now.
    for folder in list(aws_bench.stacks.glob("*/stack.json")):
        status, output, errors = aws_bench.run("down", folder.parent.name)
        assert status == 0, (seed, victims, output, errors)
    assert aws_bench.left_behind() == [], (seed, victims)


def _kill(*what: str) -> Callable[[list[psutil.Process]], None]:
    def kill(family: list[psutil.Process]) -> None:
        for member in family:
            words = command_line(member)
            if any(word in words for word in what):
                with contextlib.suppress(psutil.NoSuchProcess):
                    member.kill()

    return kill


def _send(number: signal.Signals) -> Callable[[list[psutil.Process]], None]:
    return lambda family: family[0].send_signal(number)


BENCH, CLI, WATCHDOG = "-m bench run", "pulumi --non-interactive", "stacks.watchdog"
ENDINGS: Mapping[str, Callable[[list[psutil.Process]], None]] = {
    "bench": _kill(BENCH),
    "engine": _kill(CLI),
    "bench and engine": _kill(BENCH, CLI),
    "bench and watchdog": _kill(WATCHDOG, BENCH),
    "bench, engine and watchdog": _kill(WATCHDOG, BENCH, CLI),
    "SIGINT": _send(signal.SIGINT),
    "SIGTERM": _send(signal.SIGTERM),
}


def _is_watchdog(process: psutil.Process) -> bool:
    return WATCHDOG in command_line(process)


def _wait_for_a_moment(bench: AwsBench, pid: int, chance: random.Random) -> None:
    """Wait until so many resources are made, or until so many of all are removed again."""
    assert bench.aws is not None
    cloud, count = bench.aws.cloud, len([resource for resource in STRESS if resource.id])
    wanted = chance.randint(0, count)
    removing = chance.random() < 0.3
    seen = 0

    def come() -> bool:
        nonlocal seen
        existing = len(cloud.records)
        seen = max(seen, existing)
        if not alive(psutil.Process(pid)):
            return True
        return existing <= wanted and seen >= count if removing else existing >= wanted

    wait_for(come)
