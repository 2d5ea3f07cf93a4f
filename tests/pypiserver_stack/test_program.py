"""The program's resources, as recorded when it is evaluated: what they are given, and what they never are."""

from __future__ import annotations

import base64
import json
import re
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import yaml

from bench.engine import Deployment
from bench.engine.embedded import EmbeddedEngine
from bench.local_cloud.resources import LocalCloud
from bench.stack_config import load_stack
from sizing.profiles import PROFILES

ROOT = Path(__file__).parents[2]
STACKS = [path.name.split(".")[1] for path in sorted(ROOT.glob("Pulumi.*.yaml"))]
EVALUATIONS = [("stress", (f"profile={name}",)) for name in PROFILES] + [(stack, ()) for stack in STACKS]
# AWS takes no tags on these (random's password is not AWS's).
UNTAGGED = {
    "aws:appautoscaling/policy:Policy",
    "aws:ec2/routeTableAssociation:RouteTableAssociation",
    "aws:ecs/clusterCapacityProviders:ClusterCapacityProviders",
    "aws:efs/mountTarget:MountTarget",
    "aws:iam/rolePolicy:RolePolicy",
    "aws:iam/rolePolicyAttachment:RolePolicyAttachment",
    "aws:secretsmanager/secretVersion:SecretVersion",
    "random:index/randomPassword:RandomPassword",
}


@cache
def evaluated(stack: str = "stress", overrides: tuple[str, ...] = ()) -> Deployment:
    config, _ = load_stack(ROOT, stack, overrides)
    return EmbeddedEngine(LocalCloud(), ROOT).up(config)


def inputs(type_: str, *overrides: str) -> dict[str, Any]:
    return dict(evaluated("stress", overrides).graph.one(type_).inputs)


def container(*overrides: str, stack: str = "stress") -> dict[str, Any]:
    definition = evaluated(stack, overrides).graph.one("aws:ecs/taskDefinition:TaskDefinition")
    (only,) = json.loads(definition.inputs["containerDefinitions"])
    return dict(only)


def user_data(stack: str = "stress") -> dict[str, Any]:
    template = evaluated(stack).graph.one("aws:ec2/launchTemplate:LaunchTemplate")
    loaded: dict[str, Any] = yaml.safe_load(base64.b64decode(template.inputs["userData"]))
    return loaded


def variables(definition: dict[str, Any]) -> dict[str, str]:
    return {entry["name"]: entry["value"] for entry in definition["environment"]}


def test_the_tested_plan_reaches_every_resource_that_it_concerns() -> None:
    service = inputs("aws:ecs/service:Service")
    group = inputs("aws:autoscaling/group:Group")
    scaling = inputs("aws:appautoscaling/target:Target")
    template = inputs("aws:ec2/launchTemplate:LaunchTemplate")
    assert (service["desiredCount"], scaling["minCapacity"], scaling["maxCapacity"]) == (12, 12, 24)
    assert (group["minSize"], group["maxSize"], template["instanceType"]) == (2, 4, "c6a.xlarge")
    task = container()
    assert (task["cpu"], task["memory"], task["memoryReservation"]) == (640, 512, 384)
    assert variables(task)["GUNICORN_WORKERS"] == "4"


def test_settings_reach_the_balancer() -> None:
    changed = inputs(
        "aws:lb/targetGroup:TargetGroup",
        "stickiness_enabled=true",
        "load_balancing_algorithm=round_robin",
        "health_check_path=/",
    )
    assert changed["stickiness"] == {"enabled": True, "type": "lb_cookie", "cookieDuration": 86400}
    assert (changed["loadBalancingAlgorithmType"], changed["healthCheck"]["path"]) == ("round_robin", "/")


def test_the_server_outlives_the_balancers_idle_timeout() -> None:
    keepalive_s = int(variables(container())["GUNICORN_KEEPALIVE_S"])
    assert keepalive_s > inputs("aws:lb/loadBalancer:LoadBalancer")["idleTimeout"]


def test_ecs_agrees_with_the_plan_on_memory() -> None:
    (command,) = user_data()["runcmd"]
    memory_for_tasks_mb = evaluated().outputs["capacity"]["memory_for_tasks_mb"]
    assert f"ECS_RESERVED_MEMORY=$((total_mb - {memory_for_tasks_mb}))" in command


def test_the_task_mounts_what_the_host_writes() -> None:
    definition = evaluated().graph.one("aws:ecs/taskDefinition:TaskDefinition")
    (folder,) = (volume["hostPath"] for volume in definition.inputs["volumes"] if "hostPath" in volume)
    written = {file["path"] for file in user_data()["write_files"]}
    assert {f"{folder}/{name}" for name in ("gunicorn.conf.py", "wsgi.py", "credentials.py")} <= written


def test_the_peer_is_run_as_the_module_runs_it() -> None:
    task = container(stack="peer")
    assert "entryPoint" not in task
    assert "secrets" not in task
    assert " ".join(task["command"]) == (
        "run -p 8080 --server gunicorn --backend simple-dir --authenticate download,list,update "
        "-P /data/.htpasswd /data/packages"
    )
    assert variables(task) == {"GUNICORN_WORKERS": "4", "GUNICORN_KEEPALIVE_S": "2"}
    files = {file["path"]: file["content"] for file in user_data("peer")["write_files"]}
    username, password_hash = files["/opt/pypiserver/htpasswd"].strip().split(":")
    assert username == "pypiserver"
    assert re.fullmatch(r"\$2[aby]\$10\$.{53}", password_hash)
    group = evaluated("peer").graph.one("aws:lb/targetGroup:TargetGroup").inputs
    assert group["stickiness"]["enabled"]
    assert (group["loadBalancingAlgorithmType"], group["healthCheck"]["path"]) == ("round_robin", "/")


@pytest.mark.parametrize(("stack", "overrides"), EVALUATIONS, ids=lambda value: str(value))
class TestEveryStackAndProfile:
    def test_everything_that_takes_tags_has_them(self, stack: str, overrides: tuple[str, ...]) -> None:
        for resource in evaluated(stack, overrides).graph:
            if ":index:" in resource.type or resource.type in UNTAGGED or resource.type.startswith("pulumi:"):
                continue
            given = resource.inputs.get("tags")
            if resource.type == "aws:autoscaling/group:Group":
                given = {tag["key"]: tag["value"] for tag in given or ()}
            assert given, resource.urn
            assert given["service"] == "pypiserver"
            assert given["stack"] == f"pypiserver/{stack}"

    def test_the_password_is_nowhere_but_in_inputs_marked_secret(self, stack: str, overrides: tuple[str, ...]) -> None:
        deployment = evaluated(stack, overrides)
        password = deployment.outputs["password"]
        assert deployment.secret_outputs == {"password"}
        holders = {resource.type for resource in deployment.graph if password in json.dumps(dict(resource.inputs))}
        assert holders == {"aws:secretsmanager/secretVersion:SecretVersion"}
        version = deployment.graph.one("aws:secretsmanager/secretVersion:SecretVersion")
        assert version.secret_paths == {"secretString"}

    def test_only_the_balancer_is_open_and_only_to_the_vpc(self, stack: str, overrides: tuple[str, ...]) -> None:
        graph = evaluated(stack, overrides).graph
        open_to = {
            (rule.inputs["cidrIpv4"], rule.inputs["fromPort"])
            for rule in graph.of_type("aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule")
            if "cidrIpv4" in rule.inputs
        }
        assert open_to == {(graph.one("aws:ec2/vpc:Vpc").inputs["cidrBlock"], 80)}
        assert graph.one("aws:lb/loadBalancer:LoadBalancer").inputs["internal"] is True

    def test_what_is_stored_is_encrypted(self, stack: str, overrides: tuple[str, ...]) -> None:
        graph = evaluated(stack, overrides).graph
        assert graph.one("aws:efs/fileSystem:FileSystem").inputs["encrypted"] is True
        definition = graph.one("aws:ecs/taskDefinition:TaskDefinition")
        (efs,) = (v["efsVolumeConfiguration"] for v in definition.inputs["volumes"] if "efsVolumeConfiguration" in v)
        assert efs["transitEncryption"] == "ENABLED"
        assert efs["authorizationConfig"]["iam"] == "ENABLED"
        (disk,) = graph.one("aws:ec2/launchTemplate:LaunchTemplate").inputs["blockDeviceMappings"]
        assert disk["ebs"]["encrypted"] == "true"
