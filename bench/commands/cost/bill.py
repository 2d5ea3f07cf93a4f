"""The bill of a deployment, from its resources and list prices: what each costs by itself, and what usage adds."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict

import yaml

from bench.commands.cost.model import Bill, BillLine, Quantities, Totals
from bench.common.failures import UsageError
from bench.deployment.engine import Deployment, StackConfig
from bench.deployment.engine.embedded import EmbeddedEngine
from bench.deployment.graph import Resource
from bench.deployment.local_cloud import LocalCloud
from bench.deployment.stack_config import PROJECT_FOLDER, load_stack
from pypiserver_stack.hosts.user_data import decoded
from sizing.cost import HOURS_PER_MONTH, Line, Price, Usage, for_a_month, instance_price, line, total_usd
from sizing.instances import find

Charge = Callable[[Resource], Iterable[Line]]

# Of a request of pip, whose agent is long, and the 26 that CloudWatch adds to each.
ACCESS_LOG_LINE_BYTES = 700
# EC2's own metrics of an instance, when they come each minute.
DETAILED_METRICS = 7


def estimate(stack: str, overrides: Sequence[str], usage: Usage) -> Bill:
    """The bill of a stack, as its file and `overrides` configure it.

    Raises:
        UsageError: the program refuses its settings, the stack cannot be read, or a price is not known.
    """
    return bill_of(stack, evaluated(load_stack(PROJECT_FOLDER, stack, overrides)[0]), usage)


def bill_of(stack: str, deployment: Deployment, usage: Usage) -> Bill:
    """The bill of what the program makes of a stack."""
    capacity = deployment.outputs["capacity"]
    fixed = fixed_lines(deployment, capacity["instance_min_count"])
    usage_based = list(usage_lines(deployment, usage))

    def totals(instance_count: int) -> Totals:
        fixed_usd, usage_usd = total_usd(fixed_lines(deployment, instance_count)), total_usd(usage_based)
        return Totals(
            instance_count=instance_count,
            fixed_usd=fixed_usd,
            usage_based_usd=usage_usd,
            total_usd=fixed_usd + usage_usd,
        )

    return Bill(
        schema_version=1,
        stack=stack,
        profile=deployment.outputs["profile"],
        instance_type=capacity["instance_type"],
        price_region=fixed[0].price.region,
        usage=Quantities(**asdict(usage)),
        fixed=[_item(one) for one in fixed],
        usage_based=[_item(one) for one in usage_based],
        with_fewest_instances=totals(capacity["instance_min_count"]),
        with_most_instances=totals(capacity["instance_max_count"]),
    )


def _item(line: Line) -> BillLine:
    return BillLine(
        name=line.what,
        quantity=line.quantity,
        unit=line.price.unit,
        unit_price_usd=line.price.usd,
        usd=line.usd,
    )


def evaluated(config: StackConfig) -> Deployment:
    """The deployment that the program makes of a configuration, without AWS and without a Pulumi command.

    Raises:
        UsageError: it refuses the settings.
    """
    return EmbeddedEngine(LocalCloud(), PROJECT_FOLDER).up(config)


def _balancer(balancer: Resource) -> Iterator[Line]:
    yield for_a_month("balancer_hour", 1, "balancer")
    if not balancer.inputs["internal"]:
        yield for_a_month("public_address_hour", len(balancer.inputs["subnets"]), "public addresses")


def _endpoint(endpoint: Resource) -> Iterator[Line]:
    if endpoint.inputs["vpcEndpointType"] == "Interface":
        yield for_a_month("endpoint_hour", len(endpoint.inputs["subnetIds"]), "interface endpoints")


def _file_system(file_system: Resource) -> Iterator[Line]:
    if provisioned := file_system.inputs.get("provisionedThroughputInMibps"):
        yield line("files_provisioned_mibps_month", provisioned, "provisioned throughput")


def _alarm(alarm: Resource) -> Iterator[Line]:
    looked_at = [query for query in alarm.inputs.get("metricQueries", ()) if "metric" in query]
    yield line("alarm_month", len(looked_at) or 1, "alarms")


def _web_acl(acl: Resource) -> Iterator[Line]:
    yield line("web_acl_month", 1)
    yield line("web_acl_rule_month", len(acl.inputs["rules"]), "its rules")


FIXED: Mapping[str, Charge] = {
    "aws:lb/loadBalancer:LoadBalancer": _balancer,
    "aws:ec2/eip:Eip": lambda _: [for_a_month("public_address_hour", 1, "public addresses")],
    "aws:ec2/natGateway:NatGateway": lambda _: [for_a_month("nat_gateway_hour", 1, "NAT gateways")],
    "aws:ec2/vpcEndpoint:VpcEndpoint": _endpoint,
    "aws:efs/fileSystem:FileSystem": _file_system,
    "aws:cloudwatch/metricAlarm:MetricAlarm": _alarm,
    "aws:cloudwatch/dashboard:Dashboard": lambda _: [line("dashboard_month", 1)],
    "aws:secretsmanager/secret:Secret": lambda _: [line("secret_month", 1, "secrets")],
    "aws:kms/key:Key": lambda _: [line("key_month", 1)],
    "aws:wafv2/webAcl:WebAcl": _web_acl,
}
"""Charges for each resource, by Pulumi type, in the order of the bill; instances, whose number varies, are apart."""


def fixed_lines(deployment: Deployment, instance_count: int) -> list[Line]:
    """Cost of so many instances and of every other resource in a month without a request.

    Raises:
        UsageError: no price is known for the instance type.
    """
    lines = list(_instances(deployment, instance_count))
    for type_, charge in FIXED.items():
        for resource in deployment.graph.of_type(type_):
            lines += charge(resource)
    quantities: dict[tuple[str, Price], float] = {}
    for one in lines:
        quantities[one.what, one.price] = quantities.get((one.what, one.price), 0) + one.quantity
    return [Line(what, quantity, price) for (what, price), quantity in quantities.items()]


def usage_lines(deployment: Deployment, usage: Usage) -> Iterator[Line]:
    """Cost of usage. Each byte is counted as if no cache held it; traffic goes to the internet where it may."""
    graph = deployment.graph
    balancer = graph.one("aws:lb/loadBalancer:LoadBalancer")
    file_system = graph.one("aws:efs/fileSystem:FileSystem")
    yield line("files_gb_month", usage.stored_gb, "files")
    if file_system.inputs["throughputMode"] == "elastic":
        yield line("files_elastic_read_gb", usage.downloaded_gb, "files read")
        yield line("files_elastic_write_gb", usage.uploaded_gb, "files written")
    if graph.of_type("aws:backup/vault:Vault"):
        yield line("backup_gb_month", usage.stored_gb, "backups")
    # Of a capacity unit's measures it is the bytes that an index reaches first: one GB an hour.
    yield line("lcu_hour", usage.downloaded_gb + usage.uploaded_gb, "balancer's capacity units")
    yield line("logs_gb", usage.request_count * ACCESS_LOG_LINE_BYTES / 1e9, "access log")
    if graph.of_type("aws:wafv2/webAcl:WebAcl"):
        yield line("web_acl_million", usage.request_count / 1e6, "AWS WAF")
    if graph.of_type("aws:cloudfront/distribution:Distribution"):
        # What a balancer sends to it costs nothing.
        yield line("cloudfront_gb", usage.downloaded_gb)
        yield line("cloudfront_million", usage.request_count / 1e6, "requests to CloudFront")
    elif not balancer.inputs["internal"]:
        yield line("internet_gb", usage.downloaded_gb, "sent to the internet")


def _instances(deployment: Deployment, count: int) -> Iterator[Line]:
    name = deployment.outputs["capacity"]["instance_type"]
    price = instance_price(find(name))
    if price is None:
        raise UsageError(f"the price of {name} is not known: choose an instance_type of sizing/data/instances.toml")
    template = deployment.graph.one("aws:ec2/launchTemplate:LaunchTemplate").inputs
    yield Line("instances", count * HOURS_PER_MONTH, price)
    size_gb = sum(mapping["ebs"]["volumeSize"] for mapping in template["blockDeviceMappings"])
    yield line("disk_gb_month", count * size_gb, "their disks")
    metrics = count * DETAILED_METRICS if template["monitoring"]["enabled"] else 0
    yield line("metric_month", metrics + _agent_metrics(decoded(template["userData"]), count), "their metrics")


def _agent_metrics(user_data: str, instance_count: int) -> int:
    """The CloudWatch agent's: those of each instance, and the same over all of them for each aggregation."""
    written = {file["path"]: file["content"] for file in yaml.safe_load(user_data)["write_files"]}
    agent = json.loads(written["/etc/pypiserver/cloudwatch-agent.json"])["metrics"]
    measured = sum(len(of["measurement"]) for of in agent["metrics_collected"].values())
    return measured * (instance_count + len(agent["aggregation_dimensions"]))
