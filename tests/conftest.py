"""Fixtures and selection of all tests.

The marker `engine` says that a test needs a `pulumi` command: where there is none, the tests that have it are left out.
"""

from __future__ import annotations

import os
import re
import shutil
import signal
from pathlib import Path
from time import monotonic
from typing import Any

import pytest
from hypothesis import settings

ROOT = Path(__file__).parent.parent

SLOWEST = 10
LEFT_OUT = pytest.StashKey[dict[str, int]]()
STARTED_S = pytest.StashKey[float]()

# No deadline: a loaded machine is slow, and that is no failure.
settings.register_profile("every run", max_examples=30, deadline=None)
settings.register_profile("thorough", max_examples=300, deadline=None)

# Some clients of the tests, such as pip and gRPC, take a proxy for this machine too unless they are told not to.
for _name in ("no_proxy", "NO_PROXY"):
    os.environ[_name] = ",".join(filter(None, [os.environ.get(_name), "127.0.0.1", "localhost"]))


def _pulumi() -> str | None:
    return shutil.which("pulumi", path=f"{ROOT / '.tools' / 'bin'}{os.pathsep}{os.environ.get('PATH', '')}")


def pytest_configure(config: pytest.Config) -> None:
    config.stash[STARTED_S] = monotonic()
    # Before any test is imported: a property takes what it does not set itself from the profile of that moment.
    settings.load_profile("thorough" if config.getoption("thorough") else "every run")
    let_children_be_interrupted()


def let_children_be_interrupted() -> None:
    """Let the processes that tests start heed signals that this one ignores, as a background job or under nohup does.

    A handler that does nothing ignores them as well, and processes do not inherit it.
    """
    for number in (signal.SIGHUP, signal.SIGINT):
        if signal.getsignal(number) is signal.SIG_IGN:
            signal.signal(number, lambda *_: None)


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--thorough", action="store_true", help="run the tests too that take minutes")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leaves out the thorough tests, and without a pulumi command the engine tests; the summary says so."""
    config.stash[LEFT_OUT] = {}
    if not config.getoption("thorough"):
        thorough = [item for item in items if item.get_closest_marker("thorough")]
        _leave_out(thorough, "thorough tests left out: `make thorough` runs them", config, items)
    if not (_pulumi() or os.environ.get("REQUIRE_ENGINE_TESTS")):
        engine = [item for item in items if item.get_closest_marker("engine")]
        reason = "engine tests left out: they need a pulumi command; install one, or run `make pulumi` where Go is"
        _leave_out(engine, reason, config, items)


def _leave_out(left_out: list[pytest.Item], reason: str, config: pytest.Config, items: list[pytest.Item]) -> None:
    config.hook.pytest_deselected(items=left_out)
    items[:] = [item for item in items if item not in set(left_out)]
    config.stash[LEFT_OUT][reason] = len(left_out)


def pytest_sessionfinish(session: pytest.Session) -> None:
    """With pytest-xdist the workers collect the tests, and the controller prints the summary."""
    if hasattr(session.config, "workeroutput"):
        session.config.workeroutput["left_out"] = session.config.stash.get(LEFT_OUT, {})


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node: Any) -> None:
    if hasattr(node, "workeroutput"):  # else it crashed
        node.config.stash[LEFT_OUT] = node.workeroutput["left_out"]


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    for reason, count in config.stash.get(LEFT_OUT, {}).items():
        if count:
            terminalreporter.write_line(f"{count} {reason}")
    durations_s: dict[str, float] = {}
    for reports in terminalreporter.stats.values():
        for report in reports:
            if isinstance(report, pytest.TestReport):
                durations_s[report.nodeid] = durations_s.get(report.nodeid, 0) + report.duration
    if durations_s:
        terminalreporter.write_line(_summary(monotonic() - config.stash[STARTED_S], durations_s))


def _summary(took_s: float, durations_s: dict[str, float]) -> str:
    """How long the run took, and its slowest tests, each with its fixtures: one line."""
    slowest = sorted(durations_s.items(), key=lambda test: -test[1])[:SLOWEST]
    tests = ", ".join(f"{re.sub(r'^[^[]*/', '', name)} {duration_s:.1f} s" for name, duration_s in slowest)
    return f"took {took_s:.0f} s; the slowest: {tests}"


@pytest.fixture(scope="session")
def pulumi_folder() -> Path:
    """`pulumi_cli` for fixtures of a wider scope than one test; the tests that use them are marked `engine`."""
    found = _pulumi()
    if found is None:
        pytest.fail("there is no pulumi command: install one, or run `make pulumi`", pytrace=False)
    return Path(found).parent


@pytest.fixture
def pulumi_cli(request: pytest.FixtureRequest) -> Path:
    """The folder of a `pulumi` command: the one on PATH, or what `make pulumi` has built."""
    # Also where there is one: whoever writes the test has it, and the next machine does not.
    if request.node.get_closest_marker("engine") is None:
        pytest.fail(
            "pulumi_cli is requested by a test without the marker `engine`, which leaves it out where there is no "
            "pulumi command: mark the test or the parameter",
            pytrace=False,
        )
    folder: Path = request.getfixturevalue("pulumi_folder")
    return folder
