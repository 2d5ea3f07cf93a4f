"""One stack on AWS, by its folder: made, found again and removed by the Pulumi CLI with the real providers."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Sequence
from functools import cached_property
from typing import Any

from bench.common.failures import UnavailableError
from bench.common.teardown import leftovers_of
from bench.deployment import RunContext
from bench.deployment.aws.ingress.certificate import RunCertificate, import_certificate
from bench.deployment.aws.observe.handles import StackHandles, read_handles
from bench.deployment.aws.session import AwsSession
from bench.deployment.aws.stacks.cloud import AwsCloud
from bench.deployment.aws.stacks.stack_folder import StackFolder
from bench.deployment.aws.sweep.refusals import CredentialsExpiredError
from bench.deployment.aws.sweep.resource import RunResource
from bench.deployment.aws.sweep.run import find_run, remove_run
from bench.deployment.description import Description, Plan, Stack
from bench.deployment.engine import Deployment
from bench.deployment.engine.automation import AutomationEngine, OnProgress
from bench.deployment.outputs import role_targets
from bench.deployment.stack_config import PROJECT_FOLDER
from bench.index.target import Target
from sizing.counted import counted

_USUAL_UPLOADS = 4


class AwsStack:
    """A stack that has a folder."""

    def __init__(self, folder: StackFolder, session: AwsSession, on_progress: OnProgress | None = None) -> None:
        """
        Args:
            on_progress: see `AutomationEngine`.

        Raises:
            UsageError: the folder's record is damaged, or there is no `pulumi` on PATH.
        """
        self.folder = folder
        self.record = folder.read()
        self._session = session
        self._engine = AutomationEngine(
            AwsCloud(folder.path),
            PROJECT_FOLDER,
            folder.workspace(self.record.backend),
            # As they are begun one after the other, their number says little of what is still to come.
            on_progress and (lambda done, begun: on_progress(done, max(begun, self.record.resource_count))),
        )
        self._deployment: Deployment | None = None

    @property
    def deployment(self) -> Deployment:
        assert self._deployment is not None, "deploy or find comes first"
        return self._deployment

    def make_certificate(self) -> None:
        """Make a certificate for the balancer, which lasts as long as the stack."""
        certificate = RunCertificate.made(self.record.run, self.record.expires_at)
        arn = import_certificate(self._session, certificate, self.record.tags.as_tags())
        key = f"{self.record.project}:certificate_arn"
        self._write(
            certificate_arn=arn,
            certificate_pem=certificate.certificate_pem,
            values={**self.record.values, key: arn},
        )

    def deploy(self, run: RunContext) -> None:
        """Make every resource, or go on where that was interrupted."""
        self._deployment = self._engine.up(self.record.config)
        self._note(run)

    def find(self, run: RunContext) -> None:
        """Read what was made, maybe by another process.

        Raises:
            UnavailableError: it was not made to its end.
        """
        self._deployment = self._engine.current(self.record.config)
        if "url" not in self._deployment.outputs:
            raise UnavailableError(
                f"the stack {self.record.name} was not made to its end: remove it with "
                f"`python -m bench down {self.record.name}`"
            )
        self._note(run)

    @cached_property
    def handles(self) -> StackHandles:
        """The names of its parts, once it is made."""
        return read_handles(self.deployment.graph)

    def target(self) -> Target:
        """Its URL and credentials."""
        outputs = self.deployment.outputs
        return role_targets(outputs["url"], outputs, self.record.certificate_pem)

    def is_up(self) -> None:
        """Note that it is whole and answers."""
        self._write(phase="up", url=self.target().url)

    def describe(self) -> Description:
        """As far as it is made."""
        if self._deployment is None or "capacity" not in self._deployment.outputs:
            return Description()
        outputs = self._deployment.outputs
        prefix = f"{self.record.project}:"
        return Description(
            url=outputs["url"],
            stack=Stack(name=self.record.name, profile=outputs["profile"], engine="pulumi", target="aws"),
            plan=Plan.of(outputs["capacity"]),
            settings={key.removeprefix(prefix): value for key, value in sorted(self.record.values.items())},
            concurrent_uploads=_USUAL_UPLOADS,
            warnings=tuple(outputs["capacity"]["warnings"]),
        )

    def remove(self, note: Callable[[str], None]) -> tuple[str, ...]:
        """Remove every resource, and the folder once nothing is left; returns what is left, in words. Does not raise.

        First by the state, then whatever else AWS has of the run: a command that was killed may have made what no state
        knows. It is looked for before, while what has no tags can still be told by its parent. What is left can be
        removed later by the same.

        Args:
            note: is told what is removed without the state, and what is waited for.
        """
        self._write(phase="removing")
        known: list[RunResource] = []
        refused = leftovers_of(lambda: self._find(known), self._destroy)
        leftovers = leftovers_of(lambda: self._sweep(known, note))
        if not leftovers:
            self.folder.remove()
            return ()
        return (*refused, *leftovers, f"`python -m bench down {self.record.name}` goes on")

    def _destroy(self) -> tuple[str, ...]:
        if self._deployment is None:
            self._engine.current(self.record.config)
        leftovers = self._engine.down()
        return leftovers if self._engine.failure is None else (*leftovers, str(self._engine.failure))

    def _find(self, known: list[RunResource]) -> tuple[str, ...]:
        # Nothing may still be making more.
        self._engine.end_what_runs()
        with contextlib.suppress(CredentialsExpiredError):  # which the rest will run into as well
            known += find_run(self._session, self.record.run)
        return ()

    def _sweep(self, known: Sequence[RunResource], note: Callable[[str], None]) -> tuple[str, ...]:
        try:
            return remove_run(self._session, self.record.run, known=known, note=note)
        except CredentialsExpiredError as error:
            return (f"what there is on AWS, for the credentials have expired ({error})",)

    def _note(self, run: RunContext) -> None:
        deployment = self.deployment
        run.keep_secret({str(deployment.outputs[name]) for name in deployment.secret_outputs})
        run.write_infrastructure(deployment.graph)
        run.note(f"{counted(len(deployment.graph), 'resource')}, stack {self.record.run}")

    def _write(self, **changes: Any) -> None:
        self.record = self.folder.write(self.record.model_copy(update=changes))
