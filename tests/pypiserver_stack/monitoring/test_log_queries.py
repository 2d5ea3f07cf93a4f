"""Logs: how long they are kept, and the queries that are saved over them."""

from __future__ import annotations

import json
import re
import subprocess
import sys

import pytest

from pypiserver_stack.monitoring.log_queries import queries
from tests.pypiserver_stack.support.evaluation import container, evaluated, inputs
from tests.pypiserver_stack.support.plain_settings import plain_settings

GROUP, QUERY = "aws:cloudwatch/logGroup:LogGroup", "aws:cloudwatch/queryDefinition:QueryDefinition"
KEY = "arn:aws:kms:us-west-2:123456789012:key/0a1b2c3d"
# The words of Logs Insights that the queries use.
WORDS = {"fields", "filter", "stats", "sort", "limit", "by", "as", "and", "or", "not", "like", "desc", "asc"}
FUNCTIONS = {"coalesce", "count", "ispresent", "latest", "max", "pct", "sum"}


def test_logs_are_kept_for_a_year() -> None:
    given = inputs(GROUP)
    assert given["retentionInDays"] == 365
    assert "kmsKeyId" not in given


def test_retention_and_key_are_settings() -> None:
    given = inputs(GROUP, "log_retention_days=30", f"log_kms_key_arn={KEY}")
    assert (given["retentionInDays"], given["kmsKeyId"]) == (30, KEY)


@pytest.mark.parametrize("insights", ["enhanced", "enabled", "disabled"])
def test_container_insights_is_a_setting(insights: str) -> None:
    (setting,) = inputs("aws:ecs/cluster:Cluster", f"container_insights={insights}")["settings"]
    assert setting == {"name": "containerInsights", "value": insights}


def test_container_insights_is_enhanced() -> None:
    assert inputs("aws:ecs/cluster:Cluster")["settings"][0]["value"] == "enhanced"


def test_queries_are_saved_for_the_log_of_the_tasks() -> None:
    graph = evaluated().graph
    group = container()["logConfiguration"]["options"]["awslogs-group"]
    saved = {query.inputs["name"]: query.inputs for query in graph.of_type(QUERY)}
    assert set(saved) == {
        f"{group}/{name}"
        for name in ("slow-requests", "errors", "requests-of-each-task", "who-uploads", "who-is-refused")
    }
    for given in saved.values():
        assert given["logGroupNames"] == [group]


def test_the_image_writes_no_log_that_could_be_asked() -> None:
    assert list(evaluated("peer").graph.of_type(QUERY)) == []


def test_slow_is_what_the_alarm_calls_slow() -> None:
    assert "| filter waited_s > 2\n" in queries(plain_settings(), "/health")["slow-requests"]
    slower = queries(plain_settings({"alarm_response_time_p95_s": "0.5"}), "/health")
    assert "| filter waited_s > 0.5\n" in slower["slow-requests"]


def test_health_checks_are_not_counted() -> None:
    query = queries(plain_settings(), "/")["requests-of-each-task"]
    assert "path != '/'\n" in query or query.endswith("path != '/'"), query


@pytest.fixture(scope="module")
def access_log_fields() -> set[str]:
    """What a line has that the task's own logger writes about a request that was answered from the index."""
    program = """
import types, datetime
from pypiserver_stack.container.http.access_log import AccessLogger
from pypiserver_stack.container.http.timing import Timing
timing = Timing()
timing.update(auth_s=0.0, index_s=0.0, file_s=0.0)
timing.header()
logger = AccessLogger.__new__(AccessLogger)
logger._task, logger._lost_lines, logger._stdout = "task", 0, 1
logger.access(types.SimpleNamespace(status="200 OK", sent=1), types.SimpleNamespace(uri="/", method="GET"),
              {"pypiserver.timing": timing}, datetime.timedelta(seconds=1))
"""
    command = [sys.executable, "-W", "ignore", "-c", program]
    ran = subprocess.run(command, capture_output=True)
    assert ran.returncode == 0, ran.stderr.decode()
    return set(json.loads(ran.stdout))


def names_in(query: str) -> set[str]:
    """The fields that a query reads, without those that it makes itself."""
    bare = re.sub(r"'[^']*'|/\(\?i\)[^/]*/", "", query)
    made = set(re.findall(r"\bas (\w+)", bare))
    return set(re.findall(r"@?\b[a-z_]\w*", bare)) - made - WORDS - FUNCTIONS


@pytest.mark.parametrize("name", queries(plain_settings(), "/health"))
def test_queries_read_what_the_access_log_writes(name: str, access_log_fields: set[str]) -> None:
    read = names_in(queries(plain_settings(), "/health")[name])
    assert read
    assert read <= access_log_fields | {"@timestamp", "@message"}


def test_a_field_that_is_not_written_is_found(access_log_fields: set[str]) -> None:
    assert names_in("fields @timestamp, duration_ms as d | filter d > 2") - access_log_fields == {
        "@timestamp",
        "duration_ms",
    }


@pytest.mark.parametrize("name", queries(plain_settings(), "/health"))
def test_queries_are_commands_with_pipes_between(name: str) -> None:
    query = queries(plain_settings(), "/health")[name]
    commands = query.split("\n| ")
    assert len(query) <= 10_000
    assert {command.split()[0] for command in commands} <= {"fields", "filter", "stats", "sort", "limit"}
    for command in commands:
        if command.startswith("sort "):
            assert command.split()[1] in "\n".join(commands[: commands.index(command)])
