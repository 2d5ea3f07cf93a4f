"""The cycle on AWS, through the command line, the real Pulumi engine and real requests; AWS itself is stood in for."""

from __future__ import annotations

import json
import os
import re
import signal
from datetime import UTC, datetime
from pathlib import Path

import psutil
import pytest
from moto.core.exceptions import JsonRESTError
from moto.ecs.models import ecs_backends
from moto.efs.models import EFSBackend

from bench.deployment.graph import Graph
from bench.deployment.local_cloud import ACCOUNT_ID, REGION, InjectedFault, Record
from tests.aws_stand_in import hosts
from tests.bench.command_line import alive
from tests.bench.commands.aws.conftest import REACHED, SMALL, AwsBench, MakeAwsBench, wait_for
from tests.evaluation_cache import ROOT
from tests.thorough import thorough

pytestmark = pytest.mark.engine

TABLE = (ROOT / "docs" / "metrics.md").read_text().partition("## The metrics")[2]
METRICS = {name for row in re.findall(r"^\| (`.*?`) \|", TABLE, re.MULTILINE) for name in re.findall(r"`(\w+)`", row)}
"""The metrics of docs/metrics.md: each has a series, or the reason why not."""


def reports(bench: AwsBench, name: str) -> list[dict[str, object]]:
    """The reports of this name, the oldest first."""
    return [json.loads(path.read_text()) for path in sorted(bench.results.glob(f"*/{name}.json"))]


def secrets_of(bench: AwsBench) -> set[str]:
    """Every password that was generated, and the passphrase of the state."""
    assert bench.aws is not None
    made = [record for record in bench.aws.cloud.records.values() if record.type.startswith("random:")]
    passphrases = [path.read_text() for path in bench.stacks.glob("*/passphrase")]
    return {str(record.outputs["result"]) for record in made} | set(passphrases)


def test_up_load_twice_and_down_from_other_shells(aws_bench: AwsBench) -> None:
    status, output, errors = aws_bench.run("up", "monday", *REACHED)
    assert status == 0, errors
    assert "python -m bench load --stack monday" in output
    assert aws_bench.run("up", "monday", *REACHED)[2].endswith(
        "Error: there is a stack monday already: choose another name, or remove it with `python -m bench down monday`\n"
    )
    secrets = secrets_of(aws_bench)
    assert len(secrets) == 4
    assert_for_this_user_alone(aws_bench.stacks / "monday", secrets)
    said = [output, errors]
    for _ in range(2):
        status, output, errors = aws_bench.run("load", "--stack", "monday", *SMALL)
        assert status == 0, errors
        said += [output, errors]
    listed = aws_bench.run("status")[1]
    assert "| monday | up | 123456789012 | us-west-2 |" in listed
    first, second = reports(aws_bench, "report")
    assert first["stack"] == {"name": "monday", "profile": "tested", "engine": "pulumi", "target": "aws"}
    assert first["summary"]["requests"] == second["summary"]["requests"] == 30  # type: ignore[index]
    assert first["summary"]["failed"] == 0  # type: ignore[index]

    status, output, errors = aws_bench.run("down", "monday")
    assert status == 0, errors
    assert aws_bench.left_behind() == []
    assert aws_bench.run("down", "monday")[:2] == (2, "")
    said += [output, errors, *(path.read_text(errors="replace") for path in aws_bench.results.rglob("*.*"))]
    assert [secret for secret in secrets if any(secret in text for text in said)] == []


def assert_for_this_user_alone(folder: Path, secrets: set[str]) -> None:
    """The folder of a stack is closed to others, and its state holds no password in clear."""
    assert oct(folder.stat().st_mode & 0o777) == "0o700"
    passphrase = folder / "passphrase"
    assert oct(passphrase.stat().st_mode & 0o777) == "0o600"
    files = b"".join(path.read_bytes() for path in folder.rglob("*") if path.is_file() and path != passphrase)
    assert not [secret for secret in secrets if secret.encode() in files]


def test_a_run_makes_a_stack_and_removes_it(aws_bench: AwsBench) -> None:
    status, _, errors = aws_bench.run("run", "--target", "aws", *SMALL, *REACHED)
    assert status == 0, errors
    (report,) = reports(aws_bench, "report")
    assert report["stack"]["target"] == "aws"  # type: ignore[index]
    assert report["teardown"] == {"complete": True, "leftovers": []}
    facts = {fact["name"]: fact["value"] for fact in report["facts"]}  # type: ignore[attr-defined]
    assert facts["targets"] == "12 healthy"
    assert facts["server files"].endswith(", as deployed")
    (metrics,) = reports(aws_bench, "metrics")
    series = metrics["series"]
    assert {one["metric"] for one in series} == METRICS  # type: ignore[attr-defined]
    assert all(one["values"] or one["absence"] for one in series)  # type: ignore[attr-defined]
    assert aws_bench.left_behind() == []


@pytest.mark.thorough
def test_everything_carries_the_tags_of_its_run(aws_bench: AwsBench) -> None:
    assert aws_bench.run("up", "one", *REACHED, "--expires", "90m", "-c", 'tags={"team": "ci"}')[0] == 0
    assert aws_bench.run("up", "two", *REACHED)[0] == 0
    assert aws_bench.aws is not None
    tagged = [record.inputs["tags"] for record in aws_bench.aws.cloud.records.values() if "tags" in record.inputs]
    runs = {tags["pypiserver-bench:run"].rpartition("-")[0] for tags in tagged if isinstance(tags, dict)}
    assert runs == {"one", "two"}
    assert {tags["team"] for tags in tagged if "team" in tags} == {"ci"}
    assert aws_bench.run("down", "one")[0] == 0
    left = {urn.split("::")[0] for urn in aws_bench.aws.cloud.leftovers}
    assert {stack.split(":")[2].rpartition("-")[0] for stack in left} == {"two"}
    assert aws_bench.run("load", "--stack", "two", *SMALL)[0] == 0
    assert aws_bench.run("down", "two")[0] == 0
    assert aws_bench.left_behind() == []


@pytest.mark.parametrize(
    "type_", thorough("aws:ec2/vpc:Vpc", "aws:lb/listener:Listener", "aws:ecs/service:Service"), ids=str
)
def test_what_cannot_be_made_is_named_and_the_rest_removed(make_aws_bench: MakeAwsBench, type_: str) -> None:
    bench = make_aws_bench(InjectedFault("create", type=type_, error="LimitExceeded: there are enough"))
    status, output, _ = bench.run("up", "monday", *REACHED)
    assert status == 4
    assert "LimitExceeded: there are enough" in output
    assert bench.left_behind() == []


@pytest.mark.thorough
def test_tasks_that_do_not_come_up_are_explained(aws_bench: AwsBench, monkeypatch: pytest.MonkeyPatch) -> None:
    """ECS gives a deployment up whose tasks fail again and again."""

    def fail(graph: Graph, service: Record) -> None:
        (failing,) = ecs_backends[ACCOUNT_ID][REGION].services.values()
        failing.deployments[0] |= {"rolloutState": "FAILED", "rolloutStateReason": "tasks failed to start"}
        failing.events.append(
            {
                "message": "(service s) (task t) failed container health checks.",
                "id": "1",
                "createdAt": datetime.now(UTC),
            }
        )

    monkeypatch.setattr(hosts, "join", fail)
    status, output, errors = aws_bench.run("up", "monday", *REACHED)
    assert status == 4
    assert "does not become healthy: ECS gave the deployment of pypiserver" in output
    assert "tasks failed to start" in output
    assert "wait: instances registered 0 of 2, targets healthy 0 of 12" in errors
    (details,) = aws_bench.results.glob("*/health.txt")
    assert "failed container health checks" in details.read_text()
    assert aws_bench.left_behind() == []


@pytest.mark.thorough
def test_what_cannot_be_removed_is_named_and_removed_later(
    aws_bench: AwsBench, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refused(self: EFSBackend, *_: object) -> None:
        raise AccessDeniedError

    monkeypatch.setattr(EFSBackend, "delete_file_system", refused)
    status, output, _ = aws_bench.run("run", "--target", "aws", *SMALL, *REACHED)
    assert status == 5
    assert "AccessDeniedException" in output
    (name,) = [path.name for path in aws_bench.stacks.iterdir()]
    assert f"`python -m bench down {name}` goes on" in output
    assert [urn.rsplit("::", 2)[1].rpartition("$")[2] for urn in aws_bench.left_behind() if urn.startswith("urn:")] == [
        "aws:efs/fileSystem:FileSystem"
    ]
    monkeypatch.undo()
    assert aws_bench.run("down", name)[0] == 0
    assert aws_bench.left_behind() == []


class AccessDeniedError(JsonRESTError):
    def __init__(self) -> None:
        super().__init__("AccessDeniedException", "you may not")
        self.code = 403


@pytest.mark.parametrize("number", [signal.SIGINT, *thorough(signal.SIGTERM)], ids=str)
def test_interrupted_while_it_deploys(make_aws_bench: MakeAwsBench, number: signal.Signals) -> None:
    bench = make_aws_bench(InjectedFault("create", type="aws:ecs/cluster:Cluster", delay_s=3))
    process = bench.start("up", "monday", *REACHED)
    bench.follow_to(process, "deploy")
    wait_for(lambda: bench.aws is not None and len(bench.aws.cloud.records) > 5)
    process.send_signal(number)
    process.communicate()
    assert process.returncode == 130
    assert bench.left_behind() == []


def test_a_killed_command_has_its_stack_taken_down(make_aws_bench: MakeAwsBench) -> None:
    bench = make_aws_bench(InjectedFault("create", type="aws:ecs/cluster:Cluster", delay_s=3))
    process = bench.start("run", "--target", "aws", *SMALL, *REACHED)
    bench.follow_to(process, "deploy")
    wait_for(lambda: bench.aws is not None and len(bench.aws.cloud.records) > 5)
    os.kill(process.pid, signal.SIGKILL)
    process.communicate()
    wait_for(lambda: bench.left_behind() == [])


@pytest.mark.thorough
def test_killed_with_its_watchdog_the_stack_is_taken_down_by_hand(aws_bench: AwsBench) -> None:
    process = aws_bench.start("up", "monday", *REACHED)
    aws_bench.follow_to(process, "deploy")
    wait_for(lambda: aws_bench.aws is not None and len(aws_bench.aws.cloud.records) > 5)
    children = psutil.Process(process.pid).children()
    for child in (child for child in children if "watchdog" in " ".join(child.cmdline())):
        child.kill()
    os.kill(process.pid, signal.SIGKILL)
    process.communicate()
    assert "| monday | creating, interrupted |" in aws_bench.run("status")[1]
    status, output, errors = aws_bench.run("down", "monday")
    assert status == 0, output + errors
    assert aws_bench.left_behind() == []
    assert not any(map(alive, children))


@pytest.mark.thorough
def test_a_stack_that_is_in_use_is_left_alone(make_aws_bench: MakeAwsBench) -> None:
    bench = make_aws_bench(InjectedFault("create", type="aws:ecs/cluster:Cluster", delay_s=3))
    process = bench.start("up", "monday", *REACHED)
    bench.follow_to(process, "deploy")
    status, _, errors = bench.run("down", "monday")
    assert (status, errors.splitlines()[-1]) == (
        2,
        "Error: another command works on the stack monday: wait for it, or end it with Ctrl-C there",
    )
    process.communicate()
    assert process.returncode == 0
    assert bench.run("down", "monday")[0] == 0
    assert bench.left_behind() == []
