"""Resources of the local cloud, with ids, computed outputs, answers to functions and injected faults."""

from __future__ import annotations

import hashlib
import secrets
import threading
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

from bench.deployment.engine.cloud import CloudError
from bench.deployment.local_cloud.computed import Origin, answer, computed_outputs

Operation = Literal["create", "update", "delete"]


@dataclass(frozen=True)
class InjectedFault:
    """A failure on purpose: the `nth` (from 1) `operation` on a resource of `type` ("" for any type)
    is delayed by `delay_s` and, where `error` is given, refused with it."""

    operation: Operation
    nth: int = 1
    type: str = ""
    error: str = ""
    delay_s: float = 0.0


@dataclass(frozen=True)
class Record:
    """A resource as the cloud holds it. `outputs` include the inputs."""

    urn: str
    type: str
    id: str
    inputs: Mapping[str, Any]
    outputs: Mapping[str, Any]
    origin: Origin


class ResourceStore:
    """The resources of one account. Safe to call from several threads."""

    def __init__(self, faults: Sequence[InjectedFault] = (), entropy: bytes | None = None) -> None:
        """
        Args:
            faults: requests to delay or to refuse.
            entropy: seed of generated passwords; random by default.
        """
        self._entropy = entropy if entropy is not None else secrets.token_bytes(32)
        self._faults = tuple(faults)
        self._requests: dict[int, int] = {}
        self._records: dict[str, Record] = {}
        self._replaced: list[Record] = []
        self._made: Counter[str] = Counter()
        self._lock = threading.Lock()

    @property
    def records(self) -> Mapping[str, Record]:
        """The existing resources by URN; of one that is being replaced, the new one."""
        with self._lock:
            return dict(self._records)

    @property
    def replaced(self) -> tuple[Record, ...]:
        """Resources that a newer one of the same URN has replaced, and that nobody has deleted."""
        with self._lock:
            return tuple(self._replaced)

    @property
    def leftovers(self) -> tuple[str, ...]:
        """The URNs of all existing resources."""
        return (*self.records, *(record.urn for record in self.replaced))

    def create(self, urn: str, type_: str, inputs: Mapping[str, Any]) -> Record:
        """Make a resource, beside the one of this URN that it is to replace, if there is one.

        Ids derive from the URN and from how many there were of it, so that both engines and every run give the same.
        """
        self._fail_on_request("create", type_)
        with self._lock:
            number = self._made[urn] + 1
        digest = hashlib.sha256((urn if number == 1 else f"{urn}#{number}").encode()).hexdigest()
        origin = Origin(urn, digest, self._entropy, number)
        id_, computed = computed_outputs(type_, origin, inputs)
        record = Record(urn, type_, id_, dict(inputs), {**inputs, **computed}, origin)
        with self._lock:
            self._made[urn] = number
            old = self._records.pop(urn, None)
            if old is not None:
                self._replaced.append(old)
            self._records[urn] = record
        return record

    def read(self, urn: str, id_: str = "") -> Record | None:
        """The resource, or None where it is gone; where there may be two of a URN, the newer without `id_`."""
        with self._lock:
            newest = self._records.get(urn)
            if not id_ or (newest is not None and newest.id == id_):
                return newest
            return next((one for one in self._replaced if one.urn == urn and one.id == id_), None)

    def update(self, urn: str, inputs: Mapping[str, Any]) -> Record:
        """Give a resource new inputs; its id stays, its computed outputs follow the inputs.

        Raises:
            CloudError: there is no such resource, or a fault refuses.
        """
        old = self.read(urn)
        if old is None:
            raise CloudError(f"{urn} does not exist")
        self._fail_on_request("update", old.type)
        origin = _changed(old.origin)
        outputs = {**inputs, **computed_outputs(old.type, origin, inputs)[1]}
        record = replace(old, inputs=dict(inputs), outputs=outputs, origin=origin)
        with self._lock:
            self._records[urn] = record
        return record

    def computed_after(self, urn: str, inputs: Mapping[str, Any]) -> Mapping[str, Any]:
        """Computed outputs of a resource if it had these inputs; nothing where it is gone."""
        old = self.read(urn)
        return computed_outputs(old.type, _changed(old.origin), inputs)[1] if old is not None else {}

    def delete(self, urn: str, id_: str = "") -> None:
        """Remove a resource; one that is gone already is no error, as with AWS.

        Args:
            id_: which one, where there may be two of a URN. Revisions of a task definition share one: the older goes.
        """
        record = self.read(urn)
        self._fail_on_request("delete", record.type if record else "")
        with self._lock:
            old = next((one for one in self._replaced if one.urn == urn and one.id == id_), None)
            if old is not None:
                self._replaced.remove(old)
            elif not id_ or (urn in self._records and self._records[urn].id == id_):
                self._records.pop(urn, None)

    def invoke(self, token: str, args: Mapping[str, Any]) -> dict[str, Any]:
        return answer(token, args)

    def _fail_on_request(self, operation: Operation, type_: str) -> None:
        for fault in self._due_faults(operation, type_):
            if fault.delay_s:
                time.sleep(fault.delay_s)
            if fault.error:
                raise CloudError(fault.error)

    def _due_faults(self, operation: Operation, type_: str) -> list[InjectedFault]:
        """Count the request for each fault that it concerns, and find those whose turn it is."""
        due = []
        with self._lock:
            for index, fault in enumerate(self._faults):
                if fault.operation != operation or (fault.type and fault.type != type_):
                    continue
                self._requests[index] = self._requests.get(index, 0) + 1
                if self._requests[index] == fault.nth:
                    due.append(fault)
        return due


def _changed(origin: Origin) -> Origin:
    return replace(origin, revision=origin.revision + 1)
