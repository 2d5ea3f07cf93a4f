"""Where a value comes from: option, environment, stack file, default, in this order."""

from __future__ import annotations

import click
import pytest

from bench.cli import cli
from bench.commands.options import SHAPE_OPTIONS, VARIABLES
from bench.commands.parameters import Options, enforces_limits, given_options, load_parameters
from bench.common.failures import UsageError
from bench.load.parameters import LoadParameters
from bench.load.shapes import Rate
from bench.load.thresholds import Threshold
from bench.load.workloads import WORKLOADS, Workload


def parameters_of(options: Options, environment: dict[str, str], stack_file: dict[str, str]) -> LoadParameters:
    with pytest.MonkeyPatch.context() as patch:
        for variable in VARIABLES:
            patch.delenv(variable, raising=False)
        for variable, value in environment.items():
            patch.setenv(variable, value)
        return load_parameters(options, stack_file)


def test_without_anything_it_is_the_burst() -> None:
    load = parameters_of({}, {}, {})
    assert (load.workload.name, load.workload.shape.clients, load.packages, load.seed, load.cookies) == (
        "burst",
        510,
        100,
        0,
        "none",
    )


def test_an_option_beats_the_environment_beats_the_stack_file() -> None:
    environment, stack_file = {"CONCURRENT_CLIENTS": "20", "NUM_PACKAGES": "7"}, {"clients": "30", "seed": "5"}
    assert parameters_of({"clients": 10}, environment, stack_file).workload.shape.clients == 10
    assert parameters_of({}, environment, stack_file).workload.shape.clients == 20
    load = parameters_of({}, {"NUM_PACKAGES": "7"}, stack_file)
    assert (load.workload.shape.clients, load.packages, load.seed) == (30, 7, 5)
    assert parameters_of({"clients": 10}, {"CONCURRENT_CLIENTS": ""}, {}).workload.shape.clients == 10


def test_the_options_of_a_command_are_those_that_its_line_has(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NUM_PACKAGES", "7")
    words = ["--clients", "5", "--limits", "off", "--threshold", "error_rate=1", "--quiet"]
    with cli.commands["run"].make_context("run", words):
        assert given_options() == {"clients": 5, "limits": "off", "thresholds": (Threshold("error_rate", 1),)}


def test_the_whole_environment_of_the_plan_suits_every_workload() -> None:
    environment = {
        "NUM_PACKAGES": "9",
        "CONCURRENT_CLIENTS": "10",
        "TEST_DURATION_SECONDS": "300",
        "BURST_INTERVAL_SECONDS": "60",
        "BURST_MULTIPLIER": "3.0",
    }
    burst = parameters_of({}, environment, {})
    assert (burst.workload.shape.clients, burst.workload.shape.duration_s, burst.packages) == (10, 300.0, 9)
    mixed = parameters_of({"workload": "mixed"}, environment, {})
    assert isinstance(mixed.workload.shape, Rate)
    assert mixed.workload.shape.burst_multiplier == 3.0
    assert parameters_of({"workload": "incident_replay"}, environment, {}).workload.shape.clients is None


def test_wheels_have_the_size_that_is_asked_for() -> None:
    usual = parameters_of({}, {}, {})
    small = parameters_of({"wheel_kb": 20}, {}, {"wheel_kb": "30"})
    assert (usual.package_set.min_bytes, usual.package_set.max_bytes) == (1024, 5 * 2**20)
    for wheels in (small.package_set, small.upload_set(7)):
        assert (wheels.min_bytes, wheels.max_bytes) == (20 * 1024, 20 * 1024)
    assert (small.upload_set(7).packages, small.as_dict()["wheel_kb"]) == (7, 20)


def test_an_option_that_changes_nothing_is_refused() -> None:
    with pytest.raises(UsageError, match="--burst-multiplier does not apply to the workload burst"):
        parameters_of({"burst_multiplier": 3}, {}, {})


@pytest.mark.parametrize(
    ("environment", "stack_file", "message"),
    [
        ({"NUM_PACKAGES": "many"}, {}, "NUM_PACKAGES: many is not a whole number from 1 to 10,000"),
        ({"TEST_DURATION_SECONDS": "nan"}, {}, "TEST_DURATION_SECONDS: nan is not a number from 0.1 to 604,800"),
        ({"CONCURRENT_CLIENTS": "0"}, {}, "CONCURRENT_CLIENTS: 0 is not a whole number from 1 to 20,000"),
        ({}, {"cookies": "all"}, "bench:cookies: 'all' is not one of 'none', 'shared'"),
        ({}, {"workload": "brust"}, "bench:workload: 'brust' is not one of 'burst', .* Did you mean 'burst'"),
        ({}, {"client": "3"}, "bench:client: there is no such parameter; did you mean bench:clients?"),
        ({}, {"zzz": "3"}, "bench:zzz: .* the keys are workload, packages, "),
        ({}, {"wheel_kb": "10241"}, "bench:wheel_kb: 10241 is not a whole number from 1 to 10,240"),
        ({}, {"seed": "-1"}, "bench:seed: -1 is not a whole number from 0"),
    ],
)
def test_nonsense_is_told_with_its_source(
    environment: dict[str, str], stack_file: dict[str, str], message: str
) -> None:
    with pytest.raises(UsageError, match=message):
        parameters_of({}, environment, stack_file)


def test_how_many_processes_send_the_load() -> None:
    assert parameters_of({"generators": 3}, {}, {"generators": "2"}).generators == 3
    assert parameters_of({}, {}, {"generators": "2"}).generators == 2
    assert parameters_of({"workload": "mixed"}, {}, {}).generators == 1
    assert parameters_of({"cookies": "shared"}, {}, {}).generators == 1
    assert parameters_of({"clients": 1}, {}, {}).generators == 1
    assert parameters_of({"generators": 3}, {}, {}).as_dict()["generators"] == 3


@pytest.mark.parametrize(("loaders", "generators", "where"), [(3, 3, "local"), ("tcp://10.0.0.5:8786", 0, "remote")])
def test_loaders_take_the_place_of_processes(loaders: int | str, generators: int, where: str) -> None:
    load = parameters_of({"loaders": loaders}, {}, {"generators": "2"})
    assert (load.loaders, load.generators) == (loaders, generators)  # those of a scheduler are not counted yet
    assert load.as_dict()["loaders"] == where
    assert "loaders" not in parameters_of({}, {}, {}).as_dict()


def test_loaders_are_not_combined_with_what_they_replace() -> None:
    with pytest.raises(UsageError, match=r"--generators 2 with --loaders 3: each loader is one process"):
        parameters_of({"loaders": 3, "generators": 2}, {}, {})
    with pytest.raises(UsageError, match=r"--loaders 3 with --cookies shared: .* needs one process"):
        parameters_of({"loaders": 3, "cookies": "shared"}, {}, {})


@pytest.mark.parametrize(
    ("word", "value"),
    [("2", 2), ("tcp://10.0.0.5:8786", "tcp://10.0.0.5:8786"), ("tls://[::1]:8786", "tls://[::1]:8786")],
)
@pytest.mark.parametrize("command", [["run"], ["load", "--url", "http://index.example"]])
def test_loaders_are_a_number_or_the_address_of_a_scheduler(command: list[str], word: str, value: int | str) -> None:
    name, *options = command
    with cli.commands[name].make_context(name, [*options, "--loaders", word]):
        assert given_options()["loaders"] == value


@pytest.mark.parametrize("word", ["0", "65", "-1", "many", "tcp://10.0.0.5", "http://10.0.0.5:8786", "10.0.0.5:8786"])
def test_other_loaders_are_refused(word: str) -> None:
    with pytest.raises(click.UsageError, match=f"{word} is (not a whole|neither a) number"):
        cli.commands["run"].make_context("run", ["--loaders", word])


def test_one_cookie_jar_takes_one_process() -> None:
    with pytest.raises(UsageError, match=r"--generators 2: one cookie jar .* --cookies none"):
        parameters_of({"generators": 2, "cookies": "shared"}, {}, {})


@pytest.mark.parametrize(
    ("option", "stack_file", "limits"),
    [
        (None, {}, "auto"),
        (None, {"limits": "off"}, "off"),
        (None, {"limits": "false"}, "off"),  # as YAML reads `limits: off`
        ("auto", {"limits": "off"}, "auto"),
        ("off", {}, "off"),
    ],
)
def test_the_tasks_get_limits_unless_somebody_turns_them_off(
    option: str | None, stack_file: dict[str, str], limits: str
) -> None:
    assert enforces_limits({} if option is None else {"limits": option}, stack_file) == (limits == "auto")
    assert parameters_of({}, {}, stack_file).seed == 0


def test_other_limits_are_refused() -> None:
    with pytest.raises(UsageError, match="bench:limits: 'on' is not one of 'auto', 'off'"):
        enforces_limits({}, {"limits": "on"})


@pytest.mark.parametrize("workload", WORKLOADS.values(), ids=list(WORKLOADS))
def test_a_shape_leaves_out_options_that_there_are(workload: Workload) -> None:
    assert workload.shape.inapplicable.keys() < {option.name for option in SHAPE_OPTIONS}
