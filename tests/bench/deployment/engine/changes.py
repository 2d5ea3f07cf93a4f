"""The tables of docs/changes.md: what each change of a setting changes in a deployment."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator
from dataclasses import dataclass

from tests.bench.deployment.engine.whole_stack import KINDS, ROOT

PAGE = ROOT / "docs" / "changes.md"


@dataclass(frozen=True)
class DocumentedChange:
    """A row."""

    before: tuple[str, ...]
    """`key=value` of each setting, but for those that are not given."""
    after: tuple[str, ...]
    resources: tuple[tuple[str, str], ...]
    """Label and kind of change; a label that ends in `*` is for every resource of the type that is there before."""

    @property
    def settings(self) -> frozenset[str]:
        """The keys of what is changed."""
        return frozenset(setting.partition("=")[0] for setting in (*self.before, *self.after))

    def concerns(self, existing: Collection[str]) -> dict[str, str]:
        """Label to kind of change, for a stack that consists of the labels `existing`."""
        found: dict[str, str] = {}
        for label, kind in self.resources:
            if label.endswith(" *"):
                type_ = label.removesuffix(" *")
                found |= {one: kind for one in existing if one.split(" ")[0] == type_}
            else:
                found[label] = kind
        return found


def tables() -> tuple[tuple[DocumentedChange, ...], tuple[DocumentedChange, ...]]:
    """The changes that can be made together, and those that are made each by itself."""
    _, together, alone = PAGE.read_text("utf-8").split("\n## ")
    return tuple(_rows(together)), tuple(_rows(alone))


def _rows(section: str) -> Iterator[DocumentedChange]:
    _, _, *rows = re.findall(r"^\|(.*)\|$", section, re.MULTILINE)
    for row in rows:
        before, after, *labels = (cell.strip() for cell in row.split("|"))
        resources = [
            (label, kind) for kind, cell in zip(KINDS, labels, strict=True) for label in cell.split(", ") if label
        ]
        yield DocumentedChange(
            tuple(re.findall("`(.*?)`", before)), tuple(re.findall("`(.*?)`", after)), tuple(resources)
        )
