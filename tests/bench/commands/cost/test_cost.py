"""A bill has what the resources cost, and no type of resource is on none of the lists."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner

from bench.cli import cli
from bench.commands.cost import bill
from bench.commands.cost.bill import FIXED, bill_of, fixed_lines, usage_lines
from bench.commands.cost.blocks import bill_blocks
from bench.commands.cost.model import Bill
from bench.common.failures import UsageError
from bench.deployment.engine import Deployment
from bench.report.formats.markdown import markdown_text
from sizing.cost import HOURS_PER_MONTH, Line, Usage, prices
from tests.aws_schemas.table import MAPPED, NOT_IN_CLOUDFORMATION
from tests.pypiserver_stack.support.evaluation import ROOT, evaluated
from tests.pypiserver_stack.support.every_option import EVALUATIONS
from tools.docs.cost_tables import page_tables

PAGE = ROOT / "docs" / "cost.md"
CERTIFICATE = "certificate_arn=arn:aws:acm:us-west-2:123456789012:certificate/1234abcd-12ab-34cd-56ef-1234567890ab"
USAGE = Usage(stored_gb=20, downloaded_gb=40, uploaded_gb=2, request_count=3_000_000)

INSTANCES = {"aws:autoscaling/group:Group", "aws:ec2/launchTemplate:LaunchTemplate"}
# Charged for what goes in, comes out or is kept.
BY_USAGE = {
    "aws:backup/vault:Vault",
    "aws:cloudfront/distribution:Distribution",
    "aws:cloudwatch/logDelivery:LogDelivery",
    "aws:cloudwatch/logGroup:LogGroup",
    "aws:ec2/flowLog:FlowLog",
    "aws:lb/loadBalancer:LoadBalancer",
    "aws:s3/bucket:Bucket",
    "aws:sns/topic:Topic",
}
FREE = {
    "aws:acm/certificate:Certificate",  # a public one that is not exported
    "aws:acm/certificateValidation:CertificateValidation",
    "aws:appautoscaling/policy:Policy",  # but for the alarms that it makes
    "aws:appautoscaling/scheduledAction:ScheduledAction",
    "aws:appautoscaling/target:Target",
    "aws:backup/plan:Plan",
    "aws:backup/selection:Selection",
    "aws:cloudfront/cachePolicy:CachePolicy",
    "aws:cloudfront/originRequestPolicy:OriginRequestPolicy",
    "aws:cloudwatch/logDeliveryDestination:LogDeliveryDestination",
    "aws:cloudwatch/logDeliverySource:LogDeliverySource",
    "aws:cloudwatch/queryDefinition:QueryDefinition",
    "aws:ec2/defaultSecurityGroup:DefaultSecurityGroup",
    "aws:ec2/egressOnlyInternetGateway:EgressOnlyInternetGateway",
    "aws:ec2/internetGateway:InternetGateway",
    "aws:ec2/route:Route",
    "aws:ec2/routeTable:RouteTable",
    "aws:ec2/routeTableAssociation:RouteTableAssociation",
    "aws:ec2/securityGroup:SecurityGroup",
    "aws:ec2/subnet:Subnet",
    "aws:ec2/vpc:Vpc",
    "aws:ecs/capacityProvider:CapacityProvider",
    "aws:ecs/cluster:Cluster",  # but for Container Insights
    "aws:ecs/clusterCapacityProviders:ClusterCapacityProviders",
    "aws:ecs/service:Service",
    "aws:ecs/taskDefinition:TaskDefinition",
    "aws:efs/accessPoint:AccessPoint",
    "aws:efs/fileSystemPolicy:FileSystemPolicy",
    "aws:efs/mountTarget:MountTarget",
    "aws:iam/instanceProfile:InstanceProfile",
    "aws:iam/role:Role",
    "aws:iam/rolePolicy:RolePolicy",
    "aws:kms/alias:Alias",
    "aws:lb/listener:Listener",
    "aws:lb/listenerRule:ListenerRule",
    "aws:lb/targetGroup:TargetGroup",
    "aws:route53/record:Record",  # alias and validation records; the zone is charged to who has it
    "aws:s3/bucketLifecycleConfiguration:BucketLifecycleConfiguration",
    "aws:s3/bucketOwnershipControls:BucketOwnershipControls",
    "aws:s3/bucketPolicy:BucketPolicy",
    "aws:s3/bucketPublicAccessBlock:BucketPublicAccessBlock",
    "aws:s3/bucketServerSideEncryptionConfiguration:BucketServerSideEncryptionConfiguration",
    "aws:secretsmanager/secretPolicy:SecretPolicy",
    "aws:secretsmanager/secretVersion:SecretVersion",
    "aws:sns/topicPolicy:TopicPolicy",
    "aws:sns/topicSubscription:TopicSubscription",
    "aws:vpc/securityGroupEgressRule:SecurityGroupEgressRule",
    "aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule",
    "aws:wafv2/webAclAssociation:WebAclAssociation",
}


def fixed(deployment: Deployment, instance_count: int = 2) -> dict[str, Line]:
    return {one.what: one for one in fixed_lines(deployment, instance_count)}


def test_of_every_type_in_use_it_is_known_whether_it_costs() -> None:
    types = {type_ for type_ in {**MAPPED, **NOT_IN_CLOUDFORMATION} if type_.startswith("aws:")}
    assert types == INSTANCES | FIXED.keys() | BY_USAGE | FREE


def test_fixed_cost_is_counted_from_the_resources() -> None:
    lines = fixed(evaluated("stress", ("balancer_scheme=internet-facing", CERTIFICATE)))
    assert {what: (one.quantity, round(one.usd, 2)) for what, one in lines.items()} == {
        "instances": (1460, 223.38),
        "their disks": (60, 4.80),
        "their metrics": (9, 2.70),
        "balancer": (730, 16.43),
        "public addresses": (3 * 730, 10.95),  # one of the NAT gateway, one in each zone of the balancer
        "NAT gateways": (730, 32.85),
        "alarms": (10, 1.00),
        "dashboard": (1, 3.00),
        "secrets": (3, 1.20),
    }


def test_settings_that_add_to_the_fixed_cost() -> None:
    lines = fixed(
        evaluated(
            "stress",
            (
                "nat_gateways=one_per_zone",
                "root_volume_gb=50",
                "detailed_monitoring_enabled=true",
                "waf_enabled=true",
                "alarm_emails=ops@example.com",
                "alarms_off=host_swap,response_time",
                "efs_throughput_mode=provisioned",
                "efs_provisioned_throughput_mibps=12",
            ),
        )
    )
    assert {what: one.quantity for what, one in lines.items()} == {
        "instances": 2 * 730,
        "their disks": 2 * 50,
        "their metrics": 9 + 2 * 7,
        "balancer": 730,
        "public addresses": 2 * 730,
        "NAT gateways": 2 * 730,
        "provisioned throughput": 12,
        "alarms": 7,
        "dashboard": 1,
        "secrets": 3,
        "KMS key": 1,
        "web ACL of AWS WAF": 1,
        "its rules": 1,
    }


def test_settings_that_take_away_from_it() -> None:
    image = "image=123456789012.dkr.ecr.us-west-2.amazonaws.com/pypiserver:v2.4.2"
    lines = fixed(evaluated("stress", ("nat_gateways=none", image, "dashboard_enabled=false")))
    assert lines["interface endpoints"].quantity == 12 * 2 * 730
    assert not {"NAT gateways", "public addresses", "dashboard"} & lines.keys()


def test_more_hosts_cost_more_and_nothing_else_does() -> None:
    two, four = (fixed(evaluated("stress"), count) for count in (2, 4))
    assert [what for what in two if two[what] != four[what]] == ["instances", "their disks", "their metrics"]
    assert four["instances"].usd == 2 * two["instances"].usd
    assert four["their metrics"].quantity == 15


def test_use_is_charged_beside() -> None:
    overrides = ("waf_enabled=true", "balancer_scheme=internet-facing", CERTIFICATE)
    lines = {one.what: round(one.usd, 4) for one in usage_lines(evaluated("stress", overrides), USAGE)}
    assert lines == {
        "files": 6.0,
        "files read": 1.2,
        "files written": 0.12,
        "backups": 1.0,
        "balancer's capacity units": 0.336,
        "access log": 1.05,
        "AWS WAF": 1.8,
        "sent to the internet": 3.6,
    }


def test_what_cloudfront_sends_is_charged_in_the_place_of_what_the_balancer_sends() -> None:
    lines = {one.what: round(one.usd, 4) for one in usage_lines(evaluated(*EVALUATIONS["CloudFront"]), USAGE)}
    assert (lines["sent by CloudFront"], lines["requests to CloudFront"]) == (3.4, 3.0)
    assert "sent to the internet" not in lines


def test_without_elastic_throughput_backups_and_public_addresses_use_costs_less() -> None:
    overrides = ("efs_throughput_mode=bursting", "backup_enabled=false")
    whats = [one.what for one in usage_lines(evaluated("stress", overrides), USAGE)]
    assert whats == ["files", "balancer's capacity units", "access log"]


def test_the_page_has_the_tables() -> None:
    assert page_tables() in PAGE.read_text("utf-8"), (
        "run `python -m tools.docs.cost_page` and put its tables into docs/cost.md"
    )


def test_every_price_is_of_a_line_of_a_bill_or_of_a_sentence_of_a_page() -> None:
    source = Path(bill.__file__).read_text("utf-8")
    in_words = {name for name in prices() if f'"{name}"' not in source}
    assert in_words == {
        *("files_infrequent_gb_month", "insights_metric_month", "logs_gb_month", "surplus_credit_vcpu_hour"),
    }
    page = " ".join(PAGE.read_text("utf-8").split())
    of_ten_tasks = round(10 * (10 + 10) * prices()["insights_metric_month"].usd)
    assert f"ten for each task and each container, ten tasks would cost {of_ten_tasks} USD" in page
    surplus = round(1.6 * HOURS_PER_MONTH * prices()["surplus_credit_vcpu_hour"].usd)
    assert f"would add 1.6 vCPUs of 730 hours, {surplus} USD" in page
    assert "what is taken in costs more than a year of keeping it" in page
    assert prices()["logs_gb"].usd > 12 * prices()["logs_gb_month"].usd
    storage = " ".join((PAGE.parent / "storage.md").read_text("utf-8").split())
    infrequent, standard = (prices()[f"files_{of}gb_month"].usd for of in ("infrequent_", ""))
    assert f"costs ${infrequent:.3f} instead of ${standard:.2f} a GB" in storage


@pytest.fixture(scope="module")
def stress() -> Bill:
    return bill_of("stress", evaluated("stress"), USAGE)


def test_a_bill_adds_up(stress: Bill) -> None:
    fewest, most = stress.with_fewest_instances, stress.with_most_instances
    assert (fewest.instance_count, most.instance_count) == (2, 4)
    assert fewest.fixed_usd == pytest.approx(sum(line.usd for line in stress.fixed))
    for totals in (fewest, most):
        assert totals.usage_based_usd == pytest.approx(sum(line.usd for line in stress.usage_based))
        assert totals.total_usd == totals.fixed_usd + totals.usage_based_usd
    assert all(line.usd == line.quantity * line.unit_price_usd for line in (*stress.fixed, *stress.usage_based))


def test_the_table_ends_in_the_totals(stress: Bill) -> None:
    fewest, most = stress.with_fewest_instances, stress.with_most_instances
    lines = markdown_text(bill_blocks(stress)).splitlines()
    assert lines[0] == "| USD per month | quantity | unit | USD each | USD |"
    assert f"| **fixed, with 2 instances** |  |  |  | **{fewest.fixed_usd:,.2f}** |" in lines
    assert f"| **usage-based** |  |  |  | **{fewest.usage_based_usd:,.2f}** |" in lines
    assert lines[-4:-2] == [
        f"| **total, with 2 instances** |  |  |  | **{fewest.total_usd:,.2f}** |",
        f"| total, with 4 instances |  |  |  | {most.total_usd:,.2f} |",
    ]


def test_the_command_prints_the_bill_of_a_stack() -> None:
    result = CliRunner().invoke(cli, ["cost", "--stack", "peer", "-c", "waf_enabled=true", "--requests", "5e6"])
    assert result.exit_code == 0
    assert "| AWS WAF | 5 | million | 0.6 | 3.00 |" in result.stdout


def test_the_command_prints_json() -> None:
    result = CliRunner().invoke(cli, ["cost", "--stored-gb", "20", "--format", "json"])
    assert result.exit_code == 0
    bill = Bill.model_validate_json(result.stdout)
    assert (bill.schema_version, bill.stack, bill.usage.stored_gb) == (1, "stress", 20)


def test_a_setting_that_is_none_is_refused() -> None:
    with pytest.raises(UsageError, match="profile = 'huge': one of light, "):
        cli(["cost", "-c", "profile=huge"], standalone_mode=False)
