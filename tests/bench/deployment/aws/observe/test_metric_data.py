"""Values of CloudWatch: alignment, pages, limits of a call, refusals, and answers that come late."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bench.deployment.aws.observe.absence import Absence
from bench.deployment.aws.observe.metric_data import LoadTime, MetricQuery, Subjects, ask, queries
from bench.deployment.aws.observe.metric_series import cloudwatch_series
from bench.deployment.aws.observe.points import best_of_each
from bench.deployment.aws.observe.settled import LAG_S, LIMIT_S, ask_until_settled
from bench.deployment.observe.series import Series
from tests.bench.deployment.aws.clock import WaitingClock
from tests.bench.deployment.aws.observe.cloudwatch_answers import CloudWatchAnswers
from tests.bench.deployment.aws.recorded_aws import DENIED, RecordedAws
from tests.bench.deployment.aws.stack import handles

MINUTE = 60.0
START = 1_800_000_000.0  # begins a minute, and a period of five
LOAD = LoadTime(START + 12, START + 130)
SUBJECTS: Subjects = {
    "service": {"": "service"},
    "task": {"0a": "3f2e00000000"},
    "instance": {"i-1": "i-1"},
    "balancer": {"": "balancer"},
    "file system": {"": "file system"},
}


def _aws(monkeypatch: pytest.MonkeyPatch, answers: CloudWatchAnswers) -> RecordedAws:
    return RecordedAws(monkeypatch, {"cloudwatch:GetMetricData": answers})


def _asked(metric: str, count: int = 1) -> list[MetricQuery]:
    subjects = {**SUBJECTS, "task": {f"{number:032x}": f"task {number}" for number in range(count)}}
    return [query for query in queries(handles(), subjects) if query.metric.metric == metric]


def _series(aws: RecordedAws, clock: WaitingClock, subjects: Subjects = SUBJECTS) -> dict[str, Series]:
    asked = queries(handles(), subjects)
    settled = ask_until_settled(aws.session, asked, LOAD, clock=clock, sleep=clock.sleep)
    return {one.metric: one for one in best_of_each(cloudwatch_series(handles(), subjects, settled))}


def test_start_and_end_are_those_of_whole_periods(monkeypatch: pytest.MonkeyPatch) -> None:
    aws = _aws(monkeypatch, CloudWatchAnswers())
    ask(aws.session, [*_asked("balancer_requests"), *_asked("instance_cpu")], LOAD)
    spans = {
        call["MetricDataQueries"][0]["MetricStat"]["Period"]: (
            call["StartTime"].timestamp() - START,
            call["EndTime"].timestamp() - START,
        )
        for call in aws.calls_of("cloudwatch:GetMetricData")
    }
    assert spans == {60: (0, 180), 300: (0, 300)}


@given(start_s=st.floats(1.7e9, 1.9e9), duration_s=st.floats(1, 4000), period_s=st.sampled_from([60, 300]))
def test_the_load_lies_within_what_is_asked_for(start_s: float, duration_s: float, period_s: int) -> None:
    with pytest.MonkeyPatch.context() as monkeypatch:
        aws = _aws(monkeypatch, CloudWatchAnswers())
        asked = _asked("balancer_requests" if period_s == 60 else "instance_cpu")
        ask(aws.session, asked, LoadTime(start_s, start_s + duration_s))
        (call,) = aws.calls_of("cloudwatch:GetMetricData")
        start, end = call["StartTime"].timestamp(), call["EndTime"].timestamp()
    assert start % period_s == end % period_s == 0
    assert start_s - period_s < start <= start_s
    assert start_s + duration_s <= end < start_s + duration_s + period_s


def test_pages_are_put_together_in_the_order_of_time(monkeypatch: pytest.MonkeyPatch) -> None:
    values = {START + MINUTE * number: 60.0 * number for number in range(7)}
    answers = CloudWatchAnswers({("RequestCount", "Sum"): values}, page_size=3)
    (found,) = ask(_aws(monkeypatch, answers).session, _asked("balancer_requests"), LOAD).values()
    assert found == tuple((START + MINUTE * number, float(number)) for number in range(7))
    assert answers.calls == 3


def test_a_call_names_no_more_metrics_than_aws_takes(monkeypatch: pytest.MonkeyPatch) -> None:
    answers = CloudWatchAnswers({("TaskCpuUtilization", "Average"): {START: 100.0}})
    asked = _asked("task_cpu", count=900)
    found = ask(_aws(monkeypatch, answers).session, asked, LOAD)
    assert len(found) == len(asked) == 1800
    assert all(points == ((START, 640 / 1024),) for points in found.values())


def test_throughput_is_in_percent_of_what_is_permitted(monkeypatch: pytest.MonkeyPatch) -> None:
    answers = CloudWatchAnswers(
        {("MeteredIOBytes", "Sum"): {START: 60 * 2e6}, ("PermittedThroughput", "Average"): {START: 8e6}}
    )
    (found,) = ask(_aws(monkeypatch, answers).session, _asked("efs_throughput"), LOAD).values()
    assert isinstance(found, tuple)
    ((at_s, percent),) = found
    assert at_s == START
    assert percent == pytest.approx(25)


def test_each_metric_of_the_table_is_in_the_report(monkeypatch: pytest.MonkeyPatch) -> None:
    found = _series(_aws(monkeypatch, CloudWatchAnswers()), WaitingClock())
    assert all(one.values == [] and one.absence for one in found.values())
    assert found["efs_burst_credits"].absence == (
        "not published in this mode: efs_throughput_mode is elastic, not bursting"
    )
    assert found["service_cpu"].absence == f"empty after {LAG_S:.0f} s"
    assert "nothing to count" in (found["balancer_5xx"].absence or "")


def test_a_refusal_of_one_namespace_leaves_the_others(monkeypatch: pytest.MonkeyPatch) -> None:
    answers = CloudWatchAnswers({("CPUUtilization", "Average"): {START: 42.0}}, refused={"AWS/EFS": DENIED})
    found = _series(_aws(monkeypatch, answers), WaitingClock())
    assert found["efs_data_read"].absence == "no permission for cloudwatch:GetMetricData"
    assert found["service_cpu"].values == [42.0]


def test_a_metric_that_is_refused_within_an_answer_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    refused = {"Id": "m0", "Label": "m0", "Timestamps": [], "Values": [], "StatusCode": "Forbidden"}
    aws = RecordedAws(monkeypatch, {"cloudwatch:GetMetricData": {"MetricDataResults": [refused]}})
    (found,) = ask(aws.session, _asked("service_cpu"), LOAD).values()
    assert found == Absence("no permission for cloudwatch:GetMetricData")


def test_subjects_that_nobody_may_list_have_a_series_with_the_reason(monkeypatch: pytest.MonkeyPatch) -> None:
    subjects: Subjects = {**SUBJECTS, "task": Absence("no permission for ecs:ListTasks")}
    found = _series(_aws(monkeypatch, CloudWatchAnswers()), WaitingClock(), subjects)
    assert (found["task_cpu"].subject, found["task_cpu"].absence) == ("task", "no permission for ecs:ListTasks")


@pytest.mark.parametrize("dimension", ["ServiceName", "TaskDefinitionFamily"])
def test_tasks_are_found_by_either_set_of_dimensions(monkeypatch: pytest.MonkeyPatch, dimension: str) -> None:
    key = ("TaskCpuUtilization", "Average")
    answers = CloudWatchAnswers({key: {START: 160.0}}, only_for={key: {"ClusterName", "TaskId", dimension}})
    found = _series(_aws(monkeypatch, answers), WaitingClock())["task_cpu"]
    assert (found.subject, found.values, found.unit) == ("3f2e00000000", [1.0], "vCPU")


def test_an_answer_that_still_grows_is_asked_for_again(monkeypatch: pytest.MonkeyPatch) -> None:
    values: dict[float, float] = {}
    answers = CloudWatchAnswers({("CPUUtilization", "Average"): values})

    def publish(now_s: float) -> None:
        if 100 < now_s <= 250:  # later than the lag that is always waited for
            values[START + now_s] = now_s

    clock = WaitingClock(at_each_sleep=publish)
    found = _series(_aws(monkeypatch, answers), clock)["service_cpu"]
    assert len(found.values) == len(values) == 7
    assert LAG_S < clock.now_s < LIMIT_S


def test_complete_answers_are_not_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    answers = CloudWatchAnswers({("CPUUtilization", "Average"): {START: 1.0, START + MINUTE: 2.0}})
    asked = _asked("service_cpu")
    clock = WaitingClock()
    settled = ask_until_settled(_aws(monkeypatch, answers).session, asked, LOAD, clock=clock, sleep=clock.sleep)
    assert settled.agreed
    assert 0 < settled.waited_s < LAG_S
    assert answers.calls == 2


def test_counts_that_stay_without_a_value_are_not_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = _asked("balancer_5xx")
    clock = WaitingClock()
    aws = _aws(monkeypatch, CloudWatchAnswers())
    assert ask_until_settled(aws.session, asked, LOAD, clock=clock, sleep=clock.sleep).waited_s < LAG_S


def test_answers_that_never_agree_are_waited_for_up_to_a_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    values: dict[float, float] = {}
    answers = CloudWatchAnswers({("CPUUtilization", "Average"): values})
    clock = WaitingClock(at_each_sleep=lambda now_s: values.update({START: now_s}))
    settled = ask_until_settled(
        _aws(monkeypatch, answers).session, _asked("service_cpu"), LOAD, clock=clock, sleep=clock.sleep
    )
    assert not settled.agreed
    assert settled.waited_s == LIMIT_S
    assert str(settled) == "CloudWatch was asked again for 420 s after the load, and its answers still changed"


def test_a_refusal_is_not_asked_about_again(monkeypatch: pytest.MonkeyPatch) -> None:
    answers = CloudWatchAnswers(refused={"AWS/ECS": DENIED})
    clock = WaitingClock()
    ask_until_settled(_aws(monkeypatch, answers).session, _asked("service_cpu"), LOAD, clock=clock, sleep=clock.sleep)
    assert (answers.calls, clock.now_s) == (1, 0.0)
