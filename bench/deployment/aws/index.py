"""A stack on AWS: its program evaluated by the Pulumi CLI with the real providers."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from bench.common.failures import UnavailableError
from bench.common.teardown import leftovers_of
from bench.deployment import Observation, RunContext, TaskFailures
from bench.deployment.aws.certificate import RunCertificate, delete_certificate, import_certificate
from bench.deployment.aws.cloud import AwsCloud
from bench.deployment.aws.session import AwsSession
from bench.deployment.aws.stack_folder import StackFolder, StackRecord
from bench.deployment.description import Description, Plan, Stack
from bench.deployment.engine import Deployment
from bench.deployment.engine.automation import AutomationEngine
from bench.deployment.outputs import role_targets
from bench.index.probe import probe
from bench.index.target import Target
from sizing.counted import counted

PROJECT_FOLDER = Path(__file__).resolve().parents[3]
# The name of a new balancer takes a minute or two until every resolver knows it.
_ANSWER_PATIENCE_S = 300.0
_ANSWER_INTERVAL_S = 5.0
_USUAL_UPLOADS = 4


class AwsIndex:
    """An `IndexUnderTest` on AWS, found again by its folder."""

    is_temporary = True

    def __init__(self, folder: StackFolder, session: AwsSession, *, makes_certificate: bool = False) -> None:
        self._folder = folder
        self._record = folder.read()
        self._session = session
        self._makes_certificate = makes_certificate
        self._engine: AutomationEngine | None = None
        self._deployment: Deployment | None = None
        self._target: Target | None = None

    @property
    def record(self) -> StackRecord:
        """What the folder says of it now."""
        return self._record

    def up(self, run: RunContext) -> Target:
        """Make every resource, and wait until the index answers."""
        run.note(f"account {self._record.account_id}, region {self._record.region}, as {self._record.owner}")
        if self._makes_certificate:
            run.step("certificate")
            self._import_certificate()
        run.step("deploy")
        self._engine = self._new_engine()
        self._deployment = self._engine.up(self._record.config)
        self._note_deployment(run)
        target = self._found_target()
        run.step("wait")
        self._wait_until_it_answers(run, target)
        self._write(phase="up", url=target.url)
        return target

    def find(self, run: RunContext) -> Target:
        """Find an index that `up` has made, maybe in another process, by its state."""
        self._engine = self._new_engine()
        self._deployment = self._engine.current(self._record.config)
        if not self._deployment.graph.resources or "url" not in self._deployment.outputs:
            raise UnavailableError(
                f"the stack {self._record.name} is not up: remove what there is of it with "
                f"`python -m bench down {self._record.name}`"
            )
        self._note_deployment(run)
        target = self._found_target()
        run.wait_for(probe(target))
        return target

    def describe(self) -> Description:
        if self._deployment is None or "capacity" not in self._deployment.outputs:
            return Description()
        outputs = self._deployment.outputs
        plan = outputs["capacity"]
        prefix = f"{self._record.project}:"
        return Description(
            url=self._target.url if self._target else None,
            stack=Stack(name=self._record.name, profile=outputs["profile"], engine="pulumi", target="aws"),
            plan=Plan.of(plan),
            settings={key.removeprefix(prefix): value for key, value in sorted(self._record.values.items())},
            concurrent_uploads=_USUAL_UPLOADS if self._target else 0,
            warnings=tuple(plan["warnings"]),
        )

    @contextmanager
    def observe(self) -> Iterator[Observation]:
        yield Observation()

    def task_failures(self) -> TaskFailures:
        return TaskFailures()

    def task_access(self) -> None:
        """The tasks cannot be reached from outside the VPC."""

    def down(self) -> tuple[str, ...]:
        """Remove every resource; what remains can be removed later by the same."""
        self._write(phase="removing")
        leftovers = leftovers_of(self._destroy, self._delete_certificate)
        if not leftovers:
            self._folder.remove()
        return leftovers

    def _destroy(self) -> tuple[str, ...]:
        engine = self._engine or self._found_engine()
        leftovers = engine.down()
        if engine.failure is not None:
            return (*leftovers, f"{engine.failure}; `python -m bench down {self._record.name}` goes on")
        return leftovers

    def _found_engine(self) -> AutomationEngine:
        engine = self._new_engine()
        engine.current(self._record.config)
        return engine

    def _new_engine(self) -> AutomationEngine:
        workspace = self._folder.workspace(self._record.backend)
        return AutomationEngine(AwsCloud(self._folder.path), PROJECT_FOLDER, workspace)

    def _import_certificate(self) -> None:
        certificate = RunCertificate.made(self._record.run, self._record.expires_at)
        arn = import_certificate(self._session, certificate, self._record.tags.as_tags())
        key = f"{self._record.project}:certificate_arn"
        self._write(
            certificate_arn=arn,
            certificate_pem=certificate.certificate_pem,
            values={**self._record.values, key: arn},
        )

    def _delete_certificate(self) -> tuple[str, ...]:
        arn = self._record.certificate_arn
        return delete_certificate(self._session, arn) if arn is not None else ()

    def _note_deployment(self, run: RunContext) -> None:
        assert self._deployment is not None
        deployment = self._deployment
        run.keep_secret({str(deployment.outputs[name]) for name in deployment.secret_outputs})
        run.write_infrastructure(deployment.graph)
        run.note(f"{counted(len(deployment.graph), 'resource')} in stack {self._record.run}")

    def _found_target(self) -> Target:
        assert self._deployment is not None
        outputs = self._deployment.outputs
        self._target = role_targets(outputs["url"], outputs, self._record.certificate_pem)
        return self._target

    def _wait_until_it_answers(self, run: RunContext, target: Target) -> None:
        deadline_s = time.monotonic() + _ANSWER_PATIENCE_S
        run.note(f"for {target.url} to answer")
        while True:
            try:
                run.wait_for(probe(target))
                return
            except UnavailableError:
                if time.monotonic() > deadline_s:
                    raise
            time.sleep(_ANSWER_INTERVAL_S)

    def _write(self, **changes: Any) -> None:
        self._record = self._folder.write(self._record.model_copy(update=changes))
