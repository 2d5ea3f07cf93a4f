"""The sampler through SSM: started, fetched in pieces and removed, with the shell of this machine for an instance's."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from bench.deployment.aws.observe.absence import Absence
from bench.deployment.aws.observe.host_sampler import sampler
from bench.deployment.aws.observe.host_sampler.run_command import RunCommand
from bench.deployment.aws.observe.host_sampler.sampler import fetch_samples, remove_sampler, start_sampler
from bench.deployment.aws.observe.host_sampler.samples import read_samples
from tests.bench.deployment.aws.observe.host_sampler.shell_ssm import OUTPUT_LIMIT, ShellSsm
from tests.bench.deployment.aws.recorded_aws import DENIED, AwsRefusal, RecordedAws

ONE, OTHER = "i-0123456789abcdef0", "i-0fedcba9876543210"
LIMIT_S = 60.0


@pytest.fixture
def ssm(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[ShellSsm]:
    """Two instances, sampled often, whose samples come in small pieces."""
    monkeypatch.setattr(sampler, "INTERVAL_S", 0.05)
    monkeypatch.setattr(sampler, "PIECE_CHARACTERS", 100)
    ssm = ShellSsm(tmp_path, managed=(ONE, OTHER))
    yield ssm
    ssm.end()


def _commands(monkeypatch: pytest.MonkeyPatch, answers: Any, sleep: Any = lambda _: None) -> RunCommand:
    return RunCommand(RecordedAws(monkeypatch, answers).session, time.monotonic, sleep)


def _wait_for_samples(ssm: ShellSsm, instance_id: str, count: int) -> None:
    file = ssm.sampler_folder(instance_id) / "samples"
    deadline = time.monotonic() + 60
    while not file.exists() or file.read_text().count("\nend\n") < count:
        assert time.monotonic() < deadline, "the sampler writes nothing"
        time.sleep(0.02)


def test_samples_of_each_instance_arrive_whole(monkeypatch: pytest.MonkeyPatch, ssm: ShellSsm) -> None:
    commands = _commands(monkeypatch, ssm.answers)
    started = start_sampler(commands, [ONE, OTHER], LIMIT_S)
    assert started == {ONE: None, OTHER: None}
    for instance_id in started:
        _wait_for_samples(ssm, instance_id, 3)
    texts = fetch_samples(commands, started)
    for instance_id, text in texts.items():
        assert text == (ssm.sampler_folder(instance_id) / "samples").read_text()
        assert len(read_samples(str(text))) >= 3
    assert len([script for script in ssm.scripts if "head -c" in script]) > 3


def test_it_has_ended_once_its_samples_are_fetched(monkeypatch: pytest.MonkeyPatch, ssm: ShellSsm) -> None:
    commands = _commands(monkeypatch, ssm.answers)
    started = start_sampler(commands, [ONE], LIMIT_S)
    _wait_for_samples(ssm, ONE, 1)
    assert (ssm.disk(ONE) / "unit.pid").exists()
    fetch_samples(commands, started)
    assert not (ssm.disk(ONE) / "unit.pid").exists()


def test_nothing_of_it_stays_on_the_instance(monkeypatch: pytest.MonkeyPatch, ssm: ShellSsm) -> None:
    commands = _commands(monkeypatch, ssm.answers)
    started = start_sampler(commands, [ONE], LIMIT_S)
    _wait_for_samples(ssm, ONE, 1)
    remove_sampler(commands, started)
    assert not ssm.sampler_folder(ONE).exists()
    assert not (ssm.disk(ONE) / "unit.pid").exists()


def test_one_that_an_earlier_run_left_is_replaced(monkeypatch: pytest.MonkeyPatch, ssm: ShellSsm) -> None:
    commands = _commands(monkeypatch, ssm.answers)
    start_sampler(commands, [ONE], LIMIT_S)
    _wait_for_samples(ssm, ONE, 2)
    first = (ssm.disk(ONE) / "unit.pid").read_text()
    started = start_sampler(commands, [ONE], LIMIT_S)
    assert started == {ONE: None}
    assert (ssm.disk(ONE) / "unit.pid").read_text() != first


def test_it_ends_by_itself(monkeypatch: pytest.MonkeyPatch, ssm: ShellSsm) -> None:
    commands = _commands(monkeypatch, ssm.answers)
    started = start_sampler(commands, [ONE], limit_s=0.2)
    _wait_for_samples(ssm, ONE, 4)
    assert len(read_samples(str(fetch_samples(commands, started)[ONE]))) == 4
    assert "--property=RuntimeMaxSec=1 " in ssm.scripts[0]


def test_an_instance_that_ssm_does_not_manage_says_so(monkeypatch: pytest.MonkeyPatch, ssm: ShellSsm) -> None:
    ssm.managed = (ONE,)
    commands = _commands(monkeypatch, ssm.answers)
    started = start_sampler(commands, [ONE, OTHER], LIMIT_S)
    assert started[ONE] is None
    _wait_for_samples(ssm, ONE, 1)
    texts = fetch_samples(commands, started)
    assert isinstance(texts[ONE], str)
    assert texts[OTHER] == Absence("SSM does not manage the instance: its agent has not called in")
    assert not ssm.disk(OTHER).exists()


def test_an_instance_whose_agent_was_lost_is_not_managed(monkeypatch: pytest.MonkeyPatch) -> None:
    lost = {"InstanceInformationList": [{"InstanceId": ONE, "PingStatus": "ConnectionLost"}]}
    started = start_sampler(_commands(monkeypatch, {"ssm:DescribeInstanceInformation": lost}), [ONE], LIMIT_S)
    assert started == {ONE: Absence("SSM does not manage the instance: its agent has not called in")}


@pytest.mark.parametrize("operation", ["DescribeInstanceInformation", "SendCommand", "GetCommandInvocation"])
def test_a_missing_permission_is_named(monkeypatch: pytest.MonkeyPatch, ssm: ShellSsm, operation: str) -> None:
    commands = _commands(monkeypatch, {**ssm.answers, f"ssm:{operation}": DENIED})
    started = start_sampler(commands, [ONE], LIMIT_S)
    assert fetch_samples(commands, started) == {ONE: Absence(f"no permission for ssm:{operation}")}


def test_a_script_that_fails_gives_its_last_words(monkeypatch: pytest.MonkeyPatch, ssm: ShellSsm) -> None:
    (ssm.folder / "bin" / "systemd-run").write_text("#!/bin/bash\necho 'Failed to connect to bus' >&2; exit 1\n")
    started = start_sampler(_commands(monkeypatch, ssm.answers), [ONE], LIMIT_S)
    assert started == {ONE: Absence("SSM Run Command ended with Failed: Failed to connect to bus")}


def test_a_command_that_does_not_end_is_not_waited_for_forever(monkeypatch: pytest.MonkeyPatch, ssm: ShellSsm) -> None:
    now_s = [0.0]

    def sleep(duration_s: float) -> None:
        now_s[0] += duration_s

    answers = {**ssm.answers, "ssm:GetCommandInvocation": {"Status": "InProgress"}}
    commands = RunCommand(RecordedAws(monkeypatch, answers).session, lambda: now_s[0], sleep)
    assert start_sampler(commands, [ONE], LIMIT_S) == {ONE: Absence("SSM Run Command had not ended after 60 s")}
    assert now_s[0] == 60


def test_an_answer_that_is_cut_short_is_a_reason(monkeypatch: pytest.MonkeyPatch, ssm: ShellSsm) -> None:
    commands = _commands(monkeypatch, ssm.answers)
    started = start_sampler(commands, [ONE], LIMIT_S)
    _wait_for_samples(ssm, ONE, 2)
    ssm.lost_characters = 1
    found = fetch_samples(commands, started)[ONE]
    assert isinstance(found, Absence)
    assert found.reason.startswith("SSM Run Command answered with ")


def test_a_success_without_output_is_a_reason(monkeypatch: pytest.MonkeyPatch, ssm: ShellSsm) -> None:
    answers = {**ssm.answers, "ssm:GetCommandInvocation": {"Status": "Success", "StandardOutputContent": ""}}
    assert fetch_samples(_commands(monkeypatch, answers), {ONE: None}) == {
        ONE: Absence("SSM Run Command answered with nothing")
    }


def test_a_large_fleet_is_reached_in_several_calls(monkeypatch: pytest.MonkeyPatch) -> None:
    ids = [f"i-{number:017x}" for number in range(120)]
    sizes: list[int] = []

    def send(parameters: Any) -> Any:
        sizes.append(len(parameters["InstanceIds"]))
        return {"Command": {"CommandId": "0" * 36}}

    answers = {"ssm:SendCommand": send, "ssm:GetCommandInvocation": {"Status": "Success", "StandardOutputContent": "x"}}
    assert _commands(monkeypatch, answers).run(ids, "true", limit_s=5) == dict.fromkeys(ids, "x")
    assert sizes == [50, 50, 20]


def test_no_instance_is_no_call(monkeypatch: pytest.MonkeyPatch) -> None:
    commands = _commands(monkeypatch, {"ssm:DescribeInstanceInformation": AwsRefusal("Never")})
    assert start_sampler(commands, [], LIMIT_S) == {}


def test_pieces_fit_into_an_answer() -> None:
    assert sampler.PIECE_CHARACTERS < OUTPUT_LIMIT
