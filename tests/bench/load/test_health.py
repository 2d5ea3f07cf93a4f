from dataclasses import replace
from pathlib import Path
from typing import Literal

import pytest

from bench.load.health import MAX_CLOCK_RESIDUAL_S, GeneratorHealth, LoaderLink, default_processes
from bench.load.samples import Operation, Recorder


def health(*cpu_s: float, wall_s: float = 1.0, lateness_p99_s: float = 0.01, exhausted: int = 0) -> GeneratorHealth:
    return GeneratorHealth(
        cpu_s=cpu_s or (0.2,),
        wall_s=wall_s,
        send_lateness_p99_s=lateness_p99_s,
        exhausted=exhausted,
    )


def test_lateness_is_from_when_a_request_was_due_to_when_it_was_begun(tmp_path: Path) -> None:
    recorder = Recorder(("burst",), tmp_path, started_s=0.0)
    for number in range(200):
        recorder.record(Operation.LISTING, 0, due_s=number, sent_s=number + number / 1000, done_s=number + 5.0)
    found = GeneratorHealth.of(recorder.finish(), cpu_s=[1.0, 2.0], wall_s=4.0, exhausted=0)
    assert found.cpu_shares == (0.25, 0.5)
    assert found.send_lateness_p99_s == pytest.approx(0.197)


def test_a_load_without_requests_has_a_healthy_generator(tmp_path: Path) -> None:
    samples = Recorder(("burst",), tmp_path, started_s=0.0).finish()
    assert GeneratorHealth.of(samples, cpu_s=[0.0], wall_s=0.0, exhausted=0).problems() == ((), False)


@pytest.mark.parametrize(
    "fine",
    [
        health(0.6, wall_s=3.0),
        health(0.69),
        health(0.69, 0.69, 0.69),
        health(lateness_p99_s=0.15),
    ],
)
def test_a_generator_with_time_to_spare(fine: GeneratorHealth) -> None:
    assert fine.problems() == ((), False)


@pytest.mark.parametrize(
    ("near", "message"),
    [
        (health(0.7), "the load generator used 70% of the one core"),
        (health(0.1, 0.7), "one of the 2 processes of the load generator used 70%"),
        (health(0.7), "--generators 2"),
        (health(0.7, 0.7), "--generators 3"),
        (health(0.89), "used 89%"),
        (health(0.1, wall_s=0.1), "used 100%"),
        (health(lateness_p99_s=0.3), "0.30 s late"),
    ],
)
def test_a_generator_near_its_limit_is_warned_of(near: GeneratorHealth, message: str) -> None:
    (warning,), untrustworthy = near.problems()
    assert message in warning
    assert not untrustworthy


@pytest.mark.parametrize(
    "limit", [health(0.9), health(9.5, wall_s=10.0), health(0.2, 0.9), health(lateness_p99_s=1.0), health(exhausted=1)]
)
def test_figures_of_a_generator_at_its_limit_are_not_trusted(limit: GeneratorHealth) -> None:
    (_,), untrustworthy = limit.problems()
    assert untrustworthy


def with_loaders(*cpu_s: float, clock_residual_s: float = 0.001, exhausted: int = 0) -> GeneratorHealth:
    """Of a second's load by the loaders a, b, c and so on."""
    loaders = [LoaderLink(name, 0.002, clock_residual_s) for name, _ in zip("abc", cpu_s, strict=False)]
    return replace(health(*cpu_s, exhausted=exhausted), loaders=tuple(loaders))


def test_loaders_with_time_to_spare_and_good_clocks() -> None:
    assert with_loaders(0.1, 0.69, clock_residual_s=MAX_CLOCK_RESIDUAL_S).problems() == ((), False)


@pytest.mark.parametrize(
    ("cpu_s", "message", "is_untrustworthy"),
    [
        ((0.1, 0.75, 0.2), "loader b used up to 75% of the one core that each can use", False),
        ((0.1, 0.95, 0.2), "loader b used up to 95%", True),
        ((0.8, 0.95, 0.2), "loader a and loader b used up to 95%", True),
        ((0.1, 0.75), "use more loaders, a faster machine, or fewer clients", False),
    ],
)
def test_a_busy_loader_is_named(cpu_s: tuple[float, ...], message: str, is_untrustworthy: bool) -> None:
    (warning,), untrustworthy = with_loaders(*cpu_s).problems()
    assert message in warning
    assert untrustworthy == is_untrustworthy


def test_figures_of_a_loader_whose_clock_is_not_known_well_are_not_trusted() -> None:
    (warning, _), untrustworthy = with_loaders(0.1, 0.1, clock_residual_s=0.25).problems()
    assert warning.startswith("the clock of loader a can be wrong by 0.250 s after correction, more than the 0.2 s")
    assert untrustworthy


def test_connections_that_a_loader_could_not_make_are_those_of_its_machine() -> None:
    (warning,), untrustworthy = with_loaders(0.1, exhausted=3).problems()
    assert "memory on the machines of the loaders: raise the limits there" in warning
    assert untrustworthy


@pytest.mark.parametrize(
    ("clients", "cookies", "cores", "processes"),
    [
        (510, "none", 1, 1),
        (510, "none", 2, 2),
        (510, "none", 4, 4),
        (510, "none", 64, 4),
        (3, "none", 64, 3),
        (510, "shared", 64, 1),
        (None, "none", 64, 1),
    ],
)
def test_how_many_processes_send_a_load(
    clients: int | None, cookies: Literal["none", "shared"], cores: int, processes: int
) -> None:
    assert default_processes(clients, cookies, cores) == processes
