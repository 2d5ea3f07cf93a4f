"""All rules together: what is shown, and in which order."""

from __future__ import annotations

import re

from hypothesis import example, given
from hypothesis import strategies as st

from bench.deployment import TaskFailures
from bench.diagnosis.diagnose import MOST_FINDINGS, RULES, diagnose
from bench.diagnosis.evidence import Evidence
from bench.load.health import GeneratorHealth
from tests.bench.deployment.local_processes.stacks import ROOT
from tests.bench.deployment.observe.test_local import documented
from tests.bench.diagnosis.cases import PEER, STRESS, evidence, requests, series
from tests.bench.tested_plan import TESTED_PLAN


def test_nothing_stands_out_in_a_run_that_went_well() -> None:
    healthy = evidence(
        requests(1530, service_s=0.3, server_s=0.0008, auth_s=0.00002),
        series("instance_cpu", 100, 100),
        series("instance_iowait", 0.5, 0),
        series("instance_swap", 0, 0),
        series("task_memory", 75, 78, subject="task-1"),
        series("healthy_targets", 2, 2, subject="balancer"),
        series("balancer_5xx", 0, 0, subject="balancer"),
        tasks_cpu_s={"task-1": 0.5, "task-2": 0.5},
    )
    assert diagnose(healthy) == []


def test_nothing_stands_out_where_nothing_was_sent() -> None:
    assert diagnose(evidence(requests(0), series("instance_iowait", 90))) == []


def test_five_are_shown_and_what_explains_most_comes_first() -> None:
    much = evidence(
        requests(600, service_s=4.0, server_s=0.2, auth_s=0.06, failed=60),
        series("instance_iowait", 50),
        series("instance_swap_io", 5),
        series("instance_swap", 700),
        series("instance_cpu_credits", 0.0),
        series("efs_percent_io_limit", 100),
        series("healthy_targets", 2, 1, subject="balancer"),
        settings=PEER,
        tasks_cpu_s={"task-1": 20.0, "task-2": 20.0},
        requests_by_task={"task-1": 540, "task-2": 60},
        failures=TaskFailures(oom_kills=("task-1 needed more memory than its limit",)),
    )
    findings = diagnose(much)
    shares = [finding.share for finding in findings]
    assert len(findings) == MOST_FINDINGS == 5
    assert shares == sorted(shares, reverse=True)


@example(values={}, times_s=[5.0, 5.0, 9.0, 9.0], count=15, failed=0, settings=None, cpu_s=63.4375)
@given(
    values=st.dictionaries(st.sampled_from(sorted(documented())), st.lists(st.floats(0, 1e13), min_size=1, max_size=4)),
    times_s=st.lists(st.floats(0, 60), min_size=4, max_size=4).map(sorted),
    count=st.integers(0, 90),
    failed=st.integers(0, 90),
    settings=st.sampled_from((None, STRESS, PEER)),
    cpu_s=st.one_of(st.none(), st.floats(0, 100)),
)
def test_no_evidence_is_an_error_or_a_share_that_cannot_be(
    values: dict[str, list[float]],
    times_s: list[float],
    count: int,
    failed: int,
    settings: object,
    cpu_s: float | None,
) -> None:
    auth_s, server_s, service_s, late_s = times_s
    strange = evidence(
        requests(
            count, service_s=service_s, server_s=server_s, auth_s=auth_s, late_s=late_s, failed=min(failed, count)
        ),
        *(series(metric, *some) for metric, some in values.items()),
        settings=settings,
        tasks_cpu_s={} if cpu_s is None else {"task-1": cpu_s},
        plan=TESTED_PLAN,
        generator=GeneratorHealth((late_s,), 10.0, late_s, failed),
    )
    for finding in diagnose(strange):
        assert 0 <= finding.share <= 1
        assert finding.evidence
        assert all(line and "nan" not in line.split() for line in finding.evidence)


def test_the_least_that_can_be_known_is_enough() -> None:
    assert diagnose(Evidence(requests(30))) == []


def test_every_rule_is_on_the_page() -> None:
    page = (ROOT / "docs" / "report.md").read_text()
    table = page.partition("| rule | fires where |\n|---|---|\n")[2].partition("\n\n")[0]
    named = re.findall(r"^\| `(\w+)` \|", table, flags=re.MULTILINE)
    assert named == [rule.__name__ for rule in RULES]
