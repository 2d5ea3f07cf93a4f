"""A case of one rule: its evidence, and what the rule makes of it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from bench.diagnosis.evidence import Evidence
from bench.load.samples import Samples
from tests.bench.diagnosis.cases import evidence


@dataclass(frozen=True)
class Case:
    """Evidence for one rule."""

    rule: str
    name: str
    given: Evidence
    share: float = 0.0
    summary: str = ""
    """Part of it."""
    in_evidence: tuple[str, ...] = field(default=())

    def __str__(self) -> str:
        return f"{self.rule}: {self.name}"


def case(rule: str, name: str, samples: Samples | None = None, *of: Any, **fields: Any) -> Case:
    own = {key: fields.pop(key) for key in ("share", "summary", "in_evidence") if key in fields}
    return Case(rule, name, evidence(samples, *of, **fields), **own)
