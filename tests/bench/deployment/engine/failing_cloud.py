"""A local cloud that refuses what a test tells it to refuse, and whatever comes or goes in the wrong order."""

from __future__ import annotations

import copy
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from bench.deployment.engine.cloud import CloudError
from bench.deployment.local_cloud import LocalCloud, Record

LIMIT = "the limit is reached"


class FailingCloud(LocalCloud):
    """Refuses to make what AWS takes only once beside the one that is to be replaced, and to delete what another
    resource refers to."""

    def __init__(self, *, refuses_first: bool = False) -> None:
        """
        Args:
            refuses_first: whether it refuses the first attempt to make each resource.
        """
        super().__init__()
        self._refuses_first = refuses_first
        self.refused: set[str] = set()
        """The URNs of the resources that it has refused to make."""

    def create(self, urn: str, type_: str, inputs: Mapping[str, Any]) -> Record:
        with self._lock:
            refuse = self._refuses_first and urn not in self.refused
            if refuse:
                self.refused.add(urn)
        if refuse:
            raise CloudError(LIMIT)
        for other in self._existing:
            if other.type == type_ and self._exclude_each_other(type_, inputs, other.inputs):
                raise CloudError(f"{other.urn} is in its place")
        return super().create(urn, type_, inputs)

    def delete(self, urn: str, id_: str = "") -> None:
        # Of two that share an id the older goes.
        older = next((one for one in self.replaced if (one.urn, one.id) == (urn, id_)), None)
        record = older or self.read(urn, id_)
        # Routes that lead to a gateway which is gone lead nowhere, until they are changed.
        if record is not None and record.type != "aws:ec2/natGateway:NatGateway":
            for other in self._existing:
                if other is not record and _refers(other, record):
                    raise CloudError(f"{other.urn} still refers to it")
        super().delete(urn, id_)

    @contextmanager
    def undone(self) -> Iterator[None]:
        """Whatever is made and deleted meanwhile, it is as before afterwards."""
        kept = {name: copy.copy(vars(self)[name]) for name in ("_records", "_replaced", "_made")}
        yield
        vars(self).update(kept)

    @property
    def _existing(self) -> tuple[Record, ...]:
        return (*self.records.values(), *self.replaced)

    def _exclude_each_other(self, type_: str, one: Mapping[str, Any], other: Mapping[str, Any]) -> bool:
        match type_:
            case "aws:ec2/natGateway:NatGateway":
                return bool(one["allocationId"] == other["allocationId"])
            case "aws:efs/mountTarget:MountTarget":
                return bool(one["fileSystemId"] == other["fileSystemId"] and self._zone(one) == self._zone(other))
            case "aws:lb/listener:Listener":
                targets = [{action.get("targetGroupArn") for action in of["defaultActions"]} for of in (one, other)]
                return one["loadBalancerArn"] != other["loadBalancerArn"] and bool((targets[0] & targets[1]) - {None})
        return False

    def _zone(self, mount_target: Mapping[str, Any]) -> str:
        (zone,) = {
            subnet.inputs["availabilityZone"] for subnet in self._existing if subnet.id == mount_target["subnetId"]
        }
        return str(zone)


def _refers(one: Record, other: Record) -> bool:
    # What the other was given itself is no name of its own, such as that of the bucket which it is a part of.
    ids = {other.id, other.outputs.get("arn", other.id)} - {*_texts(other.inputs)} - {"none"}
    return any(id_ in text for id_ in ids for text in _texts(one.inputs))


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        for item in value.values():
            yield from _texts(item)
    elif isinstance(value, list | tuple):
        for item in value:
            yield from _texts(item)
