"""All rules applied to the evidence of a load, and their findings ranked."""

from __future__ import annotations

from collections.abc import Callable

from bench.diagnosis.evidence import Evidence
from bench.diagnosis.finding import Finding
from bench.diagnosis.rules.authentication import authentication
from bench.diagnosis.rules.cookie import cookie
from bench.diagnosis.rules.cpu_credits import cpu_credits
from bench.diagnosis.rules.efs import efs
from bench.diagnosis.rules.generator import generator
from bench.diagnosis.rules.index import index
from bench.diagnosis.rules.iowait import iowait
from bench.diagnosis.rules.keep_alive import keep_alive
from bench.diagnosis.rules.memory import memory
from bench.diagnosis.rules.slow_task import slow_task
from bench.diagnosis.rules.swap import swap
from bench.diagnosis.rules.unhealthy import unhealthy

MOST_FINDINGS = 5

Rule = Callable[[Evidence], Finding | None]
RULES: tuple[Rule, ...] = (
    authentication,
    index,
    cookie,
    slow_task,
    swap,
    memory,
    iowait,
    cpu_credits,
    efs,
    keep_alive,
    unhealthy,
    generator,
)


def diagnose(evidence: Evidence) -> list[Finding]:
    """What stood out, what explains most first; empty where nothing did."""
    if not len(evidence.samples):
        return []
    findings = [finding for rule in RULES if (finding := rule(evidence)) is not None]
    return sorted(findings, key=lambda finding: finding.share, reverse=True)[:MOST_FINDINGS]
