"""Answers of AWS from a table, in the place of the network: requests and answers are held to AWS's own models."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from types import SimpleNamespace
from typing import Any

import pytest
from botocore.loaders import Loader, create_loader
from botocore.validate import ParamValidator

from bench.deployment.aws.session import AwsSession

REGION = "us-west-2"


@dataclass(frozen=True)
class AwsRefusal:
    """An error of AWS's."""

    code: str
    message: str = "refused"


DENIED = AwsRefusal("AccessDeniedException")

Answer = Mapping[str, Any] | AwsRefusal | Callable[[Mapping[str, Any]], Mapping[str, Any] | AwsRefusal]
"""An answer, or what makes one of the parameters of a call."""


@cache
def _models() -> Loader:
    """AWS's models, which take longer to read than a test to run."""
    return create_loader(os.environ.get("AWS_DATA_PATH"))


class RecordedAws:
    """A session whose calls are answered from a table, by names such as `ecs:DescribeTasks`.

    The table may be changed while it is in use.
    """

    def __init__(self, monkeypatch: pytest.MonkeyPatch, answers: Mapping[str, Answer]) -> None:
        for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
            monkeypatch.setenv(name, "testing")
        monkeypatch.delenv("AWS_PROFILE", raising=False)
        self.answers = dict(answers)
        self.calls: list[tuple[str, Mapping[str, Any]]] = []
        self.session = AwsSession(REGION)
        boto = self.session._boto
        boto._session.register_component("data_loader", _models())
        events = boto.events
        events.register("before-parameter-build", self._note)
        events.register("before-call", self._answer)

    def calls_of(self, name: str) -> list[Mapping[str, Any]]:
        """Parameters of each call of an operation so far."""
        return [parameters for called, parameters in self.calls if called == name]

    def _note(self, params: Mapping[str, Any], context: dict[str, Any], **_: Any) -> None:
        context["parameters"] = params

    def _answer(self, model: Any, context: dict[str, Any], **_: Any) -> tuple[SimpleNamespace, Mapping[str, Any]]:
        name, parameters = f"{model.service_model.service_name}:{model.name}", context["parameters"]
        self.calls.append((name, parameters))
        if name not in self.answers:
            # Not an Exception: the code under test takes each of those for an answer of AWS's.
            pytest.fail(f"{name} is not in the table")
        found = self.answers[name]
        answer = found(parameters) if callable(found) else found
        if isinstance(answer, AwsRefusal):
            error = {"Error": {"Code": answer.code, "Message": answer.message}, "ResponseMetadata": {}}
            return SimpleNamespace(status_code=400), error
        if model.output_shape is not None:
            report = ParamValidator().validate(answer, model.output_shape)
            if report.has_errors():
                pytest.fail(f"{name} does not answer so: {report.generate_report()}")
        return SimpleNamespace(status_code=200), {**answer, "ResponseMetadata": {"HTTPStatusCode": 200}}
