"""The local cloud whose resources exist in the stand-in of AWS too, with the ids that AWS gives them there.

The engine makes a resource here, boto3 finds it there; what either deletes is gone in both.
"""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from bench.deployment.engine.cloud import CloudError
from bench.deployment.local_cloud import InjectedFault, LocalCloud, Record
from tests.aws_stand_in import looked_up
from tests.aws_stand_in.mirror import Aws, Mirror
from tests.aws_stand_in.mirrors import (
    cloudfront,
    compute,
    edge,
    monitoring,
    network,
    scaling,
    security,
    security_groups,
    storage,
)

MIRRORS: Mapping[str, Mirror] = {
    **cloudfront.MIRRORS,
    **compute.MIRRORS,
    **edge.MIRRORS,
    **monitoring.MIRRORS,
    **network.MIRRORS,
    **scaling.MIRRORS,
    **security.MIRRORS,
    **security_groups.MIRRORS,
    **storage.MIRRORS,
}
IN_STATE_ONLY = {
    "aws:acm/certificateValidation:CertificateValidation": "it waits for a certificate; AWS holds nothing of the kind",
    "random:index/randomPassword:RandomPassword": "it is made on the machine that deploys, and kept in its state",
}
"""Types that AWS does not hold, and why: none of them is ever left behind there."""


class MirroredCloud(LocalCloud):
    """Behind an `aws_endpoint`. Updates reach AWS where something reads what they change."""

    def __init__(self, faults: Sequence[InjectedFault] = (), entropy: bytes | None = None) -> None:
        super().__init__(faults, entropy)
        self._aws = Aws()
        self._given: dict[tuple[str, str], Mapping[str, Any]] = {}
        # moto's backends are no more than dictionaries: one change at a time.
        self._changing = threading.RLock()

    @property
    def leftovers(self) -> tuple[str, ...]:
        """The URNs of everything that exists on AWS; what boto3 has deleted there is forgotten here."""
        with self._changing:
            for record in (*self.records.values(), *self.replaced):
                self._forget_if_deleted(record)
        existing = (*self.records.values(), *self.replaced)
        return tuple(record.urn for record in existing if record.type not in IN_STATE_ONLY)

    def create(self, urn: str, type_: str, inputs: Mapping[str, Any]) -> Record:
        with self._changing:
            record = super().create(urn, type_, inputs)
            if type_ in IN_STATE_ONLY:
                return record
            try:
                given = dict(MIRRORS[type_].make(self._aws, record))
            except (ClientError, BotoCoreError) as error:
                with self._lock:
                    del self._records[urn]
                raise CloudError(str(error)) from error
            id_ = given.pop("id", record.id)
            mirrored = replace(record, id=id_, outputs={**record.outputs, **given})
            self._given[urn, id_] = given
            with self._lock:
                self._records[urn] = mirrored
            return mirrored

    def read(self, urn: str, id_: str = "") -> Record | None:
        record = super().read(urn, id_)
        if record is not None:
            with self._changing:
                self._forget_if_deleted(record)
        return super().read(urn, id_)

    def update(self, urn: str, inputs: Mapping[str, Any]) -> Record:
        with self._changing:
            record = super().update(urn, inputs)
            given = self._given.get((urn, record.id), {})
            mirrored = replace(record, outputs={**record.outputs, **given})
            if record.type not in IN_STATE_ONLY:
                MIRRORS[record.type].change(self._aws, mirrored)
            with self._lock:
                self._records[urn] = mirrored
            return mirrored

    def computed_after(self, urn: str, inputs: Mapping[str, Any]) -> Mapping[str, Any]:
        record = super().read(urn)
        given = self._given.get((urn, record.id), {}) if record else {}
        return {**super().computed_after(urn, inputs), **given}

    def delete(self, urn: str, id_: str = "") -> None:
        with self._changing:
            doomed = super().read(urn, id_)
            super().delete(urn, id_)
            if doomed is None or doomed.type in IN_STATE_ONLY or not MIRRORS[doomed.type].exists(self._aws, doomed):
                return
            try:
                MIRRORS[doomed.type].remove(self._aws, doomed)
            except (ClientError, BotoCoreError) as error:
                with self._lock:
                    self._records[urn] = doomed
                raise CloudError(str(error)) from error

    def invoke(self, token: str, args: Mapping[str, Any]) -> dict[str, Any]:
        answer = super().invoke(token, args)
        with self._changing:
            looked_up.make(token, answer)
        return answer

    def missing_on_aws(self) -> tuple[str, ...]:
        """The URNs of what is here and not there: nothing, unless boto3 has deleted it since the last look."""
        return tuple(
            record.urn
            for record in (*self.records.values(), *self.replaced)
            if record.type not in IN_STATE_ONLY and not MIRRORS[record.type].exists(self._aws, record)
        )

    def _forget_if_deleted(self, record: Record) -> None:
        if record.type in IN_STATE_ONLY or MIRRORS[record.type].exists(self._aws, record):
            return
        with self._lock:
            if self._records.get(record.urn) is record:
                del self._records[record.urn]
            elif record in self._replaced:
                self._replaced.remove(record)
