"""Each rule: cases in which it fires, and near ones in which it does not."""

from __future__ import annotations

import pytest

from bench.diagnosis.diagnose import RULES
from bench.diagnosis.finding import Finding
from tests.bench.diagnosis.firing import FIRE
from tests.bench.diagnosis.near_misses import NEAR_MISSES
from tests.bench.diagnosis.rule_case import Case

BY_NAME = {rule.__name__: rule for rule in RULES}


def found(given: Case) -> Finding | None:
    return BY_NAME[given.rule](given.given)


@pytest.mark.parametrize("given", FIRE, ids=str)
def test_it_fires(given: Case) -> None:
    finding = found(given)
    assert finding is not None
    assert finding.rule == given.rule
    assert given.summary in finding.summary
    assert set(given.in_evidence) <= set(finding.evidence)
    assert finding.share == pytest.approx(given.share, rel=0.01)


@pytest.mark.parametrize("given", NEAR_MISSES, ids=str)
def test_a_near_miss(given: Case) -> None:
    assert found(given) is None


def test_every_rule_has_both() -> None:
    assert {given.rule for given in FIRE} == {given.rule for given in NEAR_MISSES} == set(BY_NAME)
