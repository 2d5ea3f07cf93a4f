"""What the tests of a sweep share: stacks of runs in the stand-in, a clock that does not wait, faults of AWS."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any

from bench.deployment.aws.run_tags import RunTags
from bench.deployment.aws.session import AwsSession
from bench.deployment.aws.sweep.clients import ServiceClients
from bench.deployment.aws.sweep.removal import Remaining
from bench.deployment.aws.sweep.run import sweep_away
from bench.deployment.aws.sweep.survey import survey
from bench.deployment.engine.embedded import EmbeddedEngine
from bench.deployment.local_cloud import REGION
from bench.deployment.stack_config import load_stack
from tests.aws_stand_in.clients import client
from tests.aws_stand_in.mirrored_cloud import MirroredCloud
from tests.evaluation_cache import ROOT
from tests.pypiserver_stack.support.every_option import EVALUATIONS

NOW = datetime.now(UTC)
OWNER = "arn:aws:iam::123456789012:user/somebody"
EXPIRED = RunTags("gone-1", OWNER, NOW - timedelta(hours=1))
CURRENT = RunTags("current-1", OWNER, NOW + timedelta(hours=1))


class InstantClock:
    """Time that passes when somebody waits, and what happens meanwhile."""

    def __init__(self, meanwhile: Callable[[], object] = lambda: None) -> None:
        self._now = NOW
        self._meanwhile = meanwhile

    def now(self) -> datetime:
        return self._now

    def sleep(self, duration_s: float) -> None:
        self._now += timedelta(seconds=duration_s)
        self._meanwhile()

    @property
    def waited_s(self) -> float:
        return (self._now - NOW).total_seconds()


def stand_up(name: str, tags: RunTags, *overrides: str) -> MirroredCloud:
    """A stack of a run, as the program makes it with these settings; its Pulumi state is lost."""
    stack, settings = EVALUATIONS[name]
    cloud = MirroredCloud()
    given = (*settings, *overrides, f"tags={json.dumps(tags.as_tags())}")
    # Its name is part of all names, as it is on AWS.
    EmbeddedEngine(cloud, ROOT).up(replace(load_stack(ROOT, stack, given)[0], stack=tags.run))
    return cloud


def usual_session() -> AwsSession:
    """The session of this shell, whose clients are made once."""
    return CachingSession(REGION)


@dataclass(frozen=True)
class RecordingSession(AwsSession):
    """A session that keeps the actions of IAM that its calls need."""

    called: set[str] = field(default_factory=set)

    def client(self, service: str, region: str | None = None) -> Any:
        recorded = super().client(service, region)
        recorded.meta.events.register("before-call", self._record)
        return recorded

    def _record(self, model: Any, **_: Any) -> None:
        service = _IAM_SERVICES.get(model.service_model.signing_name, model.service_model.signing_name)
        self.called.update(_IAM_ACTIONS.get(f"{service}:{model.name}", (f"{service}:{model.name}",)))


# Where IAM calls an API or an operation by another name.
_IAM_SERVICES = {"monitoring": "cloudwatch", "tagging": "tag"}
_IAM_ACTIONS = {
    "s3:HeadBucket": ("s3:ListBucket",),
    "s3:ListObjectVersions": ("s3:ListBucketVersions",),
    "s3:DeleteObjects": ("s3:DeleteObject", "s3:DeleteObjectVersion"),
}


class CachingSession(AwsSession):
    """A session with the tests' own clients."""

    def client(self, service: str, region: str | None = None) -> Any:
        return client(service, region or self.region)


def is_due(tags: RunTags) -> bool:
    return tags.expires_at <= NOW


def swept(session: AwsSession | None = None, clock: InstantClock | None = None) -> tuple[Remaining, ...]:
    """What a sweep of everything that has expired leaves."""
    aws = ServiceClients(session or usual_session())
    return sweep_away(aws, survey(aws, is_due), is_due, clock or InstantClock(), lambda text: None)


@dataclass(frozen=True)
class Fault:
    """An operation that AWS refuses: the first so many times, or always."""

    service: str
    operation: str
    code: str
    times: int = 10**9
    message: str = "as the test has it"


@dataclass(frozen=True)
class FaultySession(AwsSession):
    """A session in which AWS refuses some requests, after botocore's own retries."""

    faults: tuple[Fault, ...] = ()
    refused: list[str] = field(default_factory=list)

    def client(self, service: str, region: str | None = None) -> Any:
        faults = [fault for fault in self.faults if fault.service == service]
        if not faults:
            return client(service, region or self.region)
        faulty = super().client(service, region)
        for fault in faults:
            event = f"before-call.{faulty.meta.service_model.service_id.hyphenize()}.{fault.operation}"
            faulty.meta.events.register(event, self._refusal(fault))
        return faulty

    def _refusal(self, fault: Fault) -> Callable[..., Any]:
        def refuse(**arguments: Any) -> Any:
            if self.refused.count(fault.operation) >= fault.times:
                return None
            self.refused.append(fault.operation)

            class Response:
                status_code = 400

            return Response(), {"Error": {"Code": fault.code, "Message": fault.message}, "ResponseMetadata": {}}

        return refuse
