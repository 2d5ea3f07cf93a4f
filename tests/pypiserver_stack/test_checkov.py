"""checkov has nothing against a deployment but what is written down with its reason, and sees what must not be."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest

from bench.deployment.graph import Graph, Resource
from bench.deployment.local_cloud.computed import RESOURCES
from tests.checkov.plan import UnknownArgumentError, address, rendered
from tests.checkov.scan import ScanReport, scanned
from tests.checkov.skipped import EVERY_STACK, SKIPPED, table
from tests.checkov.spoiled import SPOILS, spoiled, target
from tests.checkov.stacks import graphs
from tests.checkov.terraform_types import arguments, terraform_type
from tests.pypiserver_stack.support.evaluation import ROOT, evaluated

# Nothing is asked of these on their own; many count where a check connects resources.
NOT_LOOKED_AT = {
    "aws_acm_certificate_validation",
    "aws_appautoscaling_policy",
    "aws_appautoscaling_scheduled_action",
    "aws_appautoscaling_target",
    "aws_backup_plan",
    "aws_backup_selection",
    "aws_cloudfront_cache_policy",
    "aws_cloudfront_origin_request_policy",
    "aws_cloudwatch_dashboard",
    "aws_cloudwatch_log_delivery",
    "aws_cloudwatch_log_delivery_destination",
    "aws_cloudwatch_log_delivery_source",
    "aws_cloudwatch_query_definition",
    "aws_default_security_group",
    "aws_ecs_capacity_provider",
    "aws_ecs_cluster_capacity_providers",
    "aws_efs_file_system_policy",
    "aws_efs_mount_target",
    "aws_flow_log",
    "aws_iam_instance_profile",
    "aws_internet_gateway",
    "aws_lb_listener_rule",
    "aws_nat_gateway",
    "aws_route_table_association",
    "aws_s3_bucket_server_side_encryption_configuration",
    "aws_secretsmanager_secret_policy",
    "aws_secretsmanager_secret_version",
    "aws_sns_topic_subscription",
    "aws_vpc_endpoint",
    "aws_wafv2_web_acl_association",
}
SPOILED = "spoiled"


@pytest.fixture(scope="module")
def deployments() -> dict[str, Graph]:
    found = graphs()
    assert set(found) == set(EVERY_STACK)
    return {**found, SPOILED: spoiled(found["every-option"])}


@pytest.fixture(scope="module")
def report(deployments: dict[str, Graph], tmp_path_factory: pytest.TempPathFactory) -> ScanReport:
    plans = {name: rendered(graph) for name, graph in deployments.items()}
    return scanned(plans, tmp_path_factory.mktemp("plans"))


def test_what_is_found_is_written_down_with_its_reason(report: ScanReport) -> None:
    found = {result for result in report.failed if result.plan != SPOILED}
    assert {result for result in found if not any(skip.covers(result) for skip in SKIPPED)} == set()


@pytest.mark.parametrize("skip", SKIPPED, ids=lambda skip: f"{skip.check} {skip.resource}")
def test_nothing_is_skipped_that_is_not_found(skip: Any, report: ScanReport) -> None:
    assert {result.plan for result in report.failed if skip.covers(result)} == set(skip.plans)
    assert skip.reason.endswith(".")


@pytest.mark.parametrize("name", SPOILS)
def test_what_must_not_be_is_found(name: str, report: ScanReport, deployments: dict[str, Graph]) -> None:
    spoil = SPOILS[name]
    graph = deployments["every-option"]
    place = spoil.found_at or address(target(graph, spoil))
    of_check = [
        {result.plan for result in results if (result.check, result.resource) == (spoil.check, place)}
        for results in (report.passed, report.failed)
    ]
    assert "every-option" in of_check[0]
    assert SPOILED in of_check[1]
    assert SPOILED not in of_check[0]


def test_every_resource_is_read(report: ScanReport, deployments: dict[str, Graph]) -> None:
    of_aws = [resource for graph in deployments.values() for resource in graph if resource.type.startswith("aws:")]
    assert report.resource_count == len(of_aws)


def test_every_type_is_looked_at_but_those_that_nothing_is_asked_of(
    report: ScanReport, deployments: dict[str, Graph]
) -> None:
    used = {terraform_type(one.type) for graph in deployments.values() for one in graph if one.type[:4] == "aws:"}
    looked_at = {result.resource.partition(".")[0] for result in report.passed | report.failed}
    assert used - looked_at == NOT_LOOKED_AT
    assert len({result.check for result in report.passed}) > 80


def test_the_arguments_of_every_type_are_known() -> None:
    assert set(arguments()) == {terraform_type(type_) for type_ in RESOURCES if type_.startswith("aws:")}


def test_the_page_has_the_table_of_what_is_skipped() -> None:
    assert table() in (ROOT / "docs" / "security.md").read_text(), (
        "run `python -m tests.checkov.skipped` and put its table into the page"
    )


class TestPlan:
    def of(self, type_: str) -> dict[str, Any]:
        """What the plan of the stress stack has for the only resource of a type."""
        plan = rendered(evaluated().graph)
        (values,) = (one for one in plan["planned_values"]["root_module"]["resources"] if one["type"] == type_)
        (expressions,) = (one for one in plan["configuration"]["root_module"]["resources"] if one["type"] == type_)
        return {"values": values["values"], "expressions": expressions["expressions"]}

    def test_a_map_stays_and_a_block_is_a_list(self) -> None:
        balancer = self.of("aws_lb")["values"]
        assert balancer["tags"]["service"] == "pypiserver"
        assert [block["enabled"] for block in balancer["access_logs"]] == [True]

    def test_a_plural_is_terraforms_singular(self) -> None:
        values = self.of("aws_ecs_cluster")["values"]
        assert values["setting"] == [{"name": "containerInsights", "value": "enhanced"}]

    def test_what_only_aws_knows_is_a_reference(self) -> None:
        listener = self.of("aws_lb_listener")
        assert "load_balancer_arn" not in listener["values"]
        assert listener["expressions"]["load_balancer_arn"]["references"] == [
            "aws_lb.pypiserver",
            "aws_lb.pypiserver.arn",
        ]

    def test_a_reference_in_a_block(self) -> None:
        (logs,) = self.of("aws_lb")["expressions"]["access_logs"]
        assert "aws_s3_bucket.pypiserver-access-logs" in logs["bucket"]["references"]

    def test_a_policy_is_whole_and_refers_to_what_it_names(self) -> None:
        policy = self.of("aws_efs_file_system_policy")
        assert "Statement" in json.loads(policy["values"]["policy"])
        assert "aws_efs_file_system.pypiserver" in policy["expressions"]["policy"]["references"]

    def test_no_password_is_in_it(self) -> None:
        deployment = evaluated()
        plan = rendered(deployment.graph)
        resources = plan["planned_values"]["root_module"]["resources"]
        versions = [one["values"] for one in resources if one["type"] == "aws_secretsmanager_secret_version"]
        assert ["secret_string" in values for values in versions] == [False] * 3
        assert not any(deployment.outputs[output] in json.dumps(plan) for output in deployment.secret_outputs)

    def test_an_argument_that_terraform_does_not_know(self) -> None:
        system: Resource = evaluated().graph.one("aws:efs/fileSystem:FileSystem")
        wrong = replace(system, inputs={**system.inputs, "encryptedd": True})
        with pytest.raises(UnknownArgumentError, match="encryptedd"):
            rendered(Graph({wrong.urn: wrong}))
