"""A local cloud that refuses what a test tells it to refuse, and keeps an eye on the order in which things go."""

from __future__ import annotations

import copy
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from bench.local_cloud.resources import CloudError, LocalCloud, Record

LIMIT = "the limit is reached"


class FailingCloud(LocalCloud):
    """Refuses to make a resource the first time, and to delete one that another refers to."""

    def __init__(self) -> None:
        super().__init__()
        self.refused: list[str] = []
        """The URNs of what it has refused to make."""
        self.patience = 0
        """How many more it refuses to make."""

    def create(self, urn: str, type_: str, inputs: Mapping[str, Any]) -> Record:
        with self._lock:
            refuse = self.patience > 0 and urn not in self.refused
            if refuse:
                self.patience -= 1
                self.refused.append(urn)
        if refuse:
            raise CloudError(LIMIT)
        return super().create(urn, type_, inputs)

    def delete(self, urn: str, id_: str = "") -> None:
        record = self.read(urn, id_)
        if record is not None:
            for other in (*self.records.values(), *self.replaced):
                if other is not record and _refers(other, record):
                    raise CloudError(f"{other.urn} still refers to it")
        super().delete(urn, id_)

    @contextmanager
    def undone(self) -> Iterator[None]:
        """Whatever is made and deleted meanwhile, it is as before afterwards."""
        kept = {name: copy.copy(vars(self)[name]) for name in ("_records", "_replaced", "_made")}
        yield
        vars(self).update(kept)


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
