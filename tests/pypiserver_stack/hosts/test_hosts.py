"""Hosts as recorded: launch template, group, capacity provider, and what the role of the instances may do."""

from __future__ import annotations

import json
from pathlib import PurePosixPath
from typing import Any

import pytest

from bench.common.failures import UsageError
from bench.deployment.local_cloud import LocalCloud
from bench.deployment.local_processes.reconcile import desired_state
from pypiserver_stack.settings import warning_sentences
from tests.pypiserver_stack.support.evaluation import evaluated, inputs, user_data
from tests.pypiserver_stack.support.plain_settings import plain_settings

TEMPLATE = "aws:ec2/launchTemplate:LaunchTemplate"
GROUP = "aws:autoscaling/group:Group"


def test_a_host_gives_no_credentials_to_who_is_not_on_it() -> None:
    template = inputs(TEMPLATE)
    assert template["metadataOptions"] == {
        "httpEndpoint": "enabled",
        "httpTokens": "required",
        "httpPutResponseHopLimit": 1,
    }
    assert "keyName" not in template


def test_a_template_fits_types_that_cannot_be_optimised_for_ebs() -> None:
    # EC2 refuses it for T2; the others that ECS runs on are so by themselves.
    assert "ebsOptimized" not in inputs(TEMPLATE)


def test_the_disk_is_encrypted_and_as_large_as_it_is_set() -> None:
    (disk,) = inputs(TEMPLATE)["blockDeviceMappings"]
    assert disk["ebs"] == {"encrypted": "true", "volumeType": "gp3", "volumeSize": 30, "deleteOnTermination": "true"}
    key = "arn:aws:kms:us-west-2:123456789012:key/0a1b"
    (disk,) = inputs(TEMPLATE, "root_volume_gb=50", f"root_volume_kms_key_arn={key}")["blockDeviceMappings"]
    assert (disk["ebs"]["volumeSize"], disk["ebs"]["kmsKeyId"], disk["ebs"]["encrypted"]) == (50, key, "true")


def test_the_image_is_the_newest_or_the_one_that_is_set() -> None:
    assert inputs(TEMPLATE)["imageId"] == "ami-0123456789abcdef0"
    assert inputs(TEMPLATE, "ami_id=ami-0fedcba9876543210")["imageId"] == "ami-0fedcba9876543210"


@pytest.mark.parametrize(
    ("instance_type", "overrides", "credits"),
    [
        ("t3.large", (), {"cpuCredits": "unlimited"}),
        ("t3.large", ("cpu_credits=standard",), {"cpuCredits": "standard"}),
        ("c6a.xlarge", (), None),
    ],
)
def test_only_burstable_instances_have_credits(
    instance_type: str, overrides: tuple[str, ...], credits: dict[str, str] | None
) -> None:
    template = inputs(TEMPLATE, f"instance_type={instance_type}", "instance_max_count=20", *overrides)
    assert template.get("creditSpecification") == credits


def test_detailed_monitoring_is_a_setting() -> None:
    assert inputs(TEMPLATE)["monitoring"] == {"enabled": False}
    assert inputs(TEMPLATE, "detailed_monitoring_enabled=true")["monitoring"] == {"enabled": True}


def test_on_demand_unless_spot_is_wanted() -> None:
    group = inputs(GROUP)
    assert "mixedInstancesPolicy" not in group
    assert group["capacityRebalance"] is False
    spot = inputs(GROUP, "spot_enabled=true", "spot_on_demand_base_count=2")
    assert "launchTemplate" not in spot
    policy = spot["mixedInstancesPolicy"]
    template = evaluated("stress", ("spot_enabled=true", "spot_on_demand_base_count=2")).graph.one(TEMPLATE)
    assert policy["launchTemplate"] == {
        "launchTemplateSpecification": {"launchTemplateId": template.id, "version": "1"},
        "overrides": [{"instanceType": "c6a.xlarge"}],
    }
    assert policy["instancesDistribution"] == {
        "onDemandBaseCapacity": 2,
        "onDemandPercentageAboveBaseCapacity": 0,
        "spotAllocationStrategy": "price-capacity-optimized",
    }
    assert spot["capacityRebalance"] is True
    # The template must not ask for Spot itself: AWS refuses that together with a mixed instances policy.
    assert "instanceMarketOptions" not in template.inputs


def test_files_of_a_host_are_found_whether_it_is_spot_or_not() -> None:
    spot, usual = (desired_state(evaluated("peer", o).graph).task.files for o in (("spot_enabled=true",), ()))
    assert spot.keys() == usual.keys()
    assert PurePosixPath("host/opt/pypiserver/htpasswd") in spot


def test_hosts_are_replaced_one_by_one_and_the_new_one_comes_first() -> None:
    group = inputs(GROUP)
    within = {"minHealthyPercentage": 100, "maxHealthyPercentage": 110}
    preferences = group["instanceRefresh"]["preferences"]
    assert group["instanceMaintenancePolicy"] == within
    assert {key: preferences[key] for key in within} == within
    # It would go back to the template that the group has been given already.
    assert "autoRollback" not in preferences
    assert preferences["instanceWarmup"] == str(group["defaultInstanceWarmup"]) == "120"


def test_an_update_waits_for_no_number_of_hosts() -> None:
    # It would wait for just as many as the state remembers, and ECS has changed their number since.
    assert inputs(GROUP)["waitForCapacityTimeout"] == "0"


def test_ecs_scales_and_drains_the_hosts() -> None:
    provider = inputs("aws:ecs/capacityProvider:CapacityProvider")["autoScalingGroupProvider"]
    assert provider["managedScaling"] == {
        "status": "ENABLED",
        "targetCapacity": 100,
        "minimumScalingStepSize": 1,
        "maximumScalingStepSize": 4,
        "instanceWarmupPeriod": 120,
    }
    assert (provider["managedDraining"], provider["managedTerminationProtection"]) == ("ENABLED", "ENABLED")
    # What the protection needs: managed scaling, above, and a group that protects from scaling in.
    assert inputs(GROUP)["protectFromScaleIn"] is True


def test_users_and_files_reach_the_host() -> None:
    config = user_data(
        "stress",
        'host_users=[{"name": "alice"}]',
        'host_extra_files=[{"path": "/etc/motd", "content": "welcome", "permissions": "0600"}]',
        'host_extra_commands=["echo a, b"]',
    )
    assert [user if isinstance(user, str) else user["name"] for user in config["users"]] == ["default", "alice"]
    assert config["write_files"][-1] == {"path": "/etc/motd", "content": "welcome", "permissions": "0600"}
    assert config["runcmd"][-1] == "echo a, b"


def test_user_data_that_ec2_would_not_take_is_refused_before_any_resource(monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[str] = []
    monkeypatch.setattr(LocalCloud, "create", lambda self, urn, *_: made.append(urn))
    content = "".join(chr(0x4E00 + i * 7919 % 20000) for i in range(20_000))
    with pytest.raises(UsageError, match=r"the user data of the hosts is .* and EC2 takes 16384"):
        evaluated("stress", (f"host_extra_files={json.dumps([{'path': '/a', 'content': content}])}",))
    assert made == []


def statements(role: str, *overrides: str) -> list[dict[str, Any]]:
    return [
        statement
        for policy in evaluated("stress", overrides).graph.of_type("aws:iam/rolePolicy:RolePolicy")
        if policy.inputs["role"].startswith(f"pypiserver-{role}-")
        for statement in json.loads(policy.inputs["policy"])["Statement"]
    ]


def actions(statement: dict[str, Any]) -> list[str]:
    return [statement["Action"]] if isinstance(statement["Action"], str) else statement["Action"]


# For these AWS knows no resource, or none that a stack could name.
WITHOUT_RESOURCE = {
    "cloudwatch:PutMetricData",
    "ec2:DescribeTags",
    "ecr:GetAuthorizationToken",
    "ecs:DiscoverPollEndpoint",
    "ssm:UpdateInstanceInformation",
}


def test_an_instance_may_be_one_of_its_own_cluster_and_no_other() -> None:
    graph = evaluated().graph
    cluster = graph.one("aws:ecs/cluster:Cluster").outputs["arn"]
    allowed = {action: s for s in statements("instance") for action in actions(s) if action.startswith("ecs:")}
    assert allowed.keys() == {
        "ecs:RegisterContainerInstance",
        "ecs:DeregisterContainerInstance",
        "ecs:DiscoverPollEndpoint",
        "ecs:Poll",
        "ecs:StartTelemetrySession",
        "ecs:SubmitAttachmentStateChanges",
        "ecs:SubmitContainerStateChange",
        "ecs:SubmitTaskStateChange",
        "ecs:UpdateContainerInstancesState",
    }
    assert allowed["ecs:RegisterContainerInstance"]["Resource"] == cluster
    assert allowed["ecs:Poll"]["Resource"] == cluster.replace(":cluster/", ":container-instance/") + "/*"
    assert allowed["ecs:Poll"]["Condition"] == {"ArnEquals": {"ecs:cluster": cluster}}


def test_an_instance_reports_metrics_and_can_be_reached_but_reads_no_parameters() -> None:
    may = {action: statement for statement in statements("instance") for action in actions(statement)}
    assert may["cloudwatch:PutMetricData"]["Condition"] == {"StringEquals": {"cloudwatch:namespace": "CWAgent"}}
    assert {"ec2:DescribeTags", "ssmmessages:OpenDataChannel", "ec2messages:GetMessages"} <= may.keys()
    assert not any(action.startswith(("ssm:Get", "ecr:", "logs:", "s3:", "secretsmanager:")) for action in may)
    assert not [one for one in evaluated().graph if "PolicyAttachment" in one.type]


def test_a_policy_of_ones_own_is_attached_as_it_is() -> None:
    document = {"Statement": [{"Effect": "Allow", "Action": "s3:GetObject", "Resource": "arn:aws:s3:::wheels/*"}]}
    override = f"instance_extra_policy={json.dumps(document)}"
    assert document["Statement"][0] in statements("instance", override)
    assert document["Statement"][0] not in statements("instance")


ECR = "123456789012.dkr.ecr.eu-west-1.amazonaws.com/docker-hub/pypiserver/pypiserver:v2.4.2"


@pytest.mark.parametrize("image", ["pypiserver/pypiserver:v2.4.2", ECR])
def test_no_action_is_a_wildcard_and_a_resource_only_where_aws_has_no_narrower(image: str) -> None:
    for role in ("instance", "execution", "task"):
        found = statements(role, f"image={image}")
        assert found
        for statement in found:
            assert not any("*" in action for action in actions(statement))
            if statement["Resource"] == "*":
                messages = {a for a in actions(statement) if a.startswith(("ssmmessages:", "ec2messages:"))}
                assert {*actions(statement)} - messages <= WITHOUT_RESOURCE


def test_a_private_image_is_pulled_from_its_own_repository_alone() -> None:
    may = {action: s["Resource"] for s in statements("execution", f"image={ECR}") for action in actions(s)}
    assert may["ecr:BatchGetImage"] == "arn:aws:ecr:eu-west-1:123456789012:repository/docker-hub/pypiserver/pypiserver"
    assert may["ecr:GetAuthorizationToken"] == "*"
    assert not any(action.startswith("ecr:") for s in statements("execution") for action in actions(s))


def test_the_capacity_is_exported_with_the_warning_about_it_and_the_advice() -> None:
    capacity = evaluated("stress", ("profile=medium", "cpu_credits=standard")).outputs["capacity"]
    assert (capacity["page_cache_memory_mb"], capacity["bound_by"], capacity["spare_places"]) == (449, "both", 3)
    assert (capacity["burstable_baseline_cpu_units"], capacity["cpu_units_reserved"]) == (409, 1920)
    (warning,) = capacity["warnings"]
    assert "throttled to 409 CPU units" in warning
    (advice,) = capacity["advice"]
    advised = evaluated("stress", ("profile=medium", "cpu_credits=standard", advice)).outputs["capacity"]
    assert (advised["warnings"], advised["advice"]) == ([], [])


def test_what_concerns_only_a_deployment_that_stays_up_is_no_warning_about_capacity() -> None:
    assert warning_sentences(plain_settings())
    assert evaluated().outputs["capacity"]["warnings"] == []
    (hangs_up_first,) = evaluated("stress", ("gunicorn_keepalive_s=60",)).outputs["capacity"]["warnings"]
    assert "502" in hangs_up_first


def test_a_group_that_cannot_hold_its_service_is_refused() -> None:
    with pytest.raises(UsageError, match="set instance_max_count to 4, or task_max_count to 18 or less"):
        evaluated("stress", ("instance_max_count=3",))
