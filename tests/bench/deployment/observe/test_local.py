"""Series of a stack that runs on this machine, and the page that names them."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from bench.common.run_mark import RUN_VARIABLE
from bench.deployment.local_processes import local_http
from bench.deployment.observe.local import observed
from bench.deployment.observe.series import Series
from bench.deployment.stack_config import load_stack
from tests.bench.deployment.local_processes.rolling_stack import RollingStack
from tests.bench.deployment.local_processes.stacks import ROOT, running, two_tasks
from tests.evaluation_cache import deployment_of

REQUESTS = 40


@pytest.fixture(scope="module")
def series(tmp_path_factory: pytest.TempPathFactory) -> list[Series]:
    deployment = deployment_of(load_stack(ROOT, "stress")[0])
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv(RUN_VARIABLE, "a test")
        with (
            running(two_tasks(deployment.graph), tmp_path_factory.mktemp("stack")) as stack,
            observed(stack, watch_memory=True) as observation,
        ):
            send(stack)
        return observation.series


def send(stack: RollingStack) -> None:
    for _ in range(REQUESTS):
        assert local_http.send("GET", stack.url.removeprefix("http://"), "/health", 20).status == 200


def documented(page: Path = ROOT / "docs" / "metrics.md") -> dict[str, str]:
    """Unit of each metric of the table."""
    rows = re.findall(r"^\| ((?:`\w+`(?:, )?)+) \| [\w ]+ \| ([^|]+) \|", page.read_text(), flags=re.MULTILINE)
    return {name: unit for names, unit in rows for name in re.findall(r"\w+", names)}


def test_every_metric_of_the_page_is_there_with_its_unit_and_no_other(series: list[Series]) -> None:
    assert {one.metric: one.unit for one in series} == documented()


def test_requests_of_the_tasks_are_those_that_were_sent(series: list[Series]) -> None:
    (all_requests,) = (one for one in series if one.metric == "balancer_requests")
    by_task = [one for one in series if one.metric == "task_requests"]
    assert len(by_task) == 2
    assert sum(rate for one in by_task for rate in one.values) == pytest.approx(sum(all_requests.values))
    assert sum(all_requests.values) > 0


def test_tasks_are_healthy_and_use_memory_and_processors(series: list[Series]) -> None:
    values = {(one.metric, one.subject): one.values for one in series}
    assert set(values["healthy_targets", "balancer"]) == {2}
    for task in ("task-1", "task-2"):
        assert min(values["task_memory", task]) > 10
        assert max(values["task_cpu", task]) > 0


def test_what_this_machine_cannot_have_says_why(series: list[Series]) -> None:
    absent = {one.metric: one.absence for one in series if not one.values}
    assert absent["efs_percent_io_limit"] == "packages lie on a local disk"
    assert absent["instance_cpu_credits"] == "this machine is no burstable instance"
