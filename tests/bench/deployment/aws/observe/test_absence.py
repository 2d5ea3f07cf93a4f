"""Reasons why a call to AWS gave nothing."""

from __future__ import annotations

import pytest

from bench.deployment.aws.observe.absence import Absence, attempt
from tests.bench.deployment.aws.recorded_aws import DENIED, Answer, AwsRefusal, RecordedAws


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        (DENIED, "no permission for ecs:ListTasks"),
        (AwsRefusal("AccessDenied"), "no permission for ecs:ListTasks"),
        (
            AwsRefusal("ClusterNotFoundException", "Cluster not found."),
            "ecs:ListTasks failed with ClusterNotFoundException: Cluster not found.",
        ),
        (AwsRefusal("503", "<html>\n<p>busy"), "ecs:ListTasks failed with 503"),
    ],
)
def test_a_refusal_names_the_action(monkeypatch: pytest.MonkeyPatch, answer: Answer, reason: str) -> None:
    aws = RecordedAws(monkeypatch, {"ecs:ListTasks": answer})
    assert attempt("ecs", lambda: aws.session.client("ecs").list_tasks()) == Absence(reason)


def test_an_endpoint_that_nobody_answers_at_is_a_reason(monkeypatch: pytest.MonkeyPatch) -> None:
    from botocore.exceptions import ConnectTimeoutError

    def unreachable(_: object) -> dict[str, object]:
        raise ConnectTimeoutError(endpoint_url="https://ecs.us-west-2.amazonaws.com")

    aws = RecordedAws(monkeypatch, {"ecs:ListTasks": unreachable})
    found = attempt("ecs", lambda: aws.session.client("ecs").list_tasks())
    assert isinstance(found, Absence)
    assert found.reason.startswith("ecs cannot be reached: ")


def test_an_answer_of_another_form_is_a_reason() -> None:
    answer: dict[str, object] = {}
    assert attempt("ecs", lambda: answer["taskArns"]) == Absence(
        "ecs answered with something unexpected: KeyError: 'taskArns'"
    )


def test_a_value_comes_through() -> None:
    assert attempt("ecs", lambda: 3) == 3
