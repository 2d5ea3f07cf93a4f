"""Names that AWS takes and nobody else has, whatever a component and its stack are called."""

from __future__ import annotations

import json
import re
import tempfile
from collections import Counter
from pathlib import Path

from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from bench.deployment.engine import StackConfig
from bench.deployment.engine.embedded import EmbeddedEngine
from bench.deployment.graph import Graph
from bench.deployment.local_cloud import LocalCloud
from pypiserver_stack.common.resource_names import resource_name
from pypiserver_stack.settings.groups.general import NAME
from tests.pypiserver_stack.support import invariants

# Everything that has a name, twice in one program.
PROGRAM = """
import json

import pulumi

from pypiserver_stack.server import PypiServer
from pypiserver_stack.settings import read_settings

for number, name in enumerate(json.loads(pulumi.Config().require("names"))):
    PypiServer(
        name,
        read_settings(
            {
                "zone_id": "Z0123456789ABCDEFGHIJ",
                "dns_names": [f"index-{number}"],
                "dns_role_arn": "arn:aws:iam::210987654321:role/dns",
                "waf_enabled": True,
                "flow_logs_enabled": True,
                "nat_gateways": "none",
                "image": "123456789012.dkr.ecr.us-west-2.amazonaws.com/pypiserver:v2.4.2",
                "alarm_emails": ["ops@example.org"],
                "scaling_requests_per_task_per_min": 600,
                "scheduled_scaling": [{"name": "night", "schedule": "cron(0 20 * * ? *)", "task_min_count": 2}],
                "instance_extra_policy": {
                    "Version": "2012-10-17",
                    "Statement": [{"Effect": "Allow", "Action": "sqs:SendMessage", "Resource": "*"}],
                },
            }
        ),
    )
"""
AWKWARD = ("internal", "internal-wheels", "aws", "AWS index", "ecs_1", "sg-wheels", "2nd", "x", "Ä", "-", "a" * 150)
# Of letters, digits and hyphens, which every service takes; what has a path or a stack in it is looked at for length.
PLAIN = re.compile(r"[a-z][a-z0-9-]*", re.ASCII)
KEPT_BY_AWS = ("aws", "ecs", "fargate", "internal-", "sg-", "xn--", "sthree-", "amzn-s3-demo-")
WITH_MORE_IN_THEM = ("aws:cloudwatch/queryDefinition:QueryDefinition", "aws:route53/record:Record")

components = st.sampled_from(AWKWARD) | st.text(
    st.characters(exclude_categories=["Cs", "Cc"], exclude_characters=":$"), min_size=1, max_size=120
)


@given(components)
def test_any_name_is_made_one_that_aws_takes(component: str) -> None:
    name = resource_name(component)
    assert re.fullmatch(NAME, name)
    assert not f"{name}-".startswith(KEPT_BY_AWS)
    assert name == resource_name(component)


def test_a_name_that_aws_takes_stays_as_it_is() -> None:
    assert resource_name("pypiserver") == "pypiserver"
    assert resource_name("internals") == "internals"


def test_what_had_to_be_changed_is_told_apart() -> None:
    assert resource_name("Team Index") == "team-index-be7bec"
    assert resource_name("2nd") == "pypi-2nd-c21365"
    assert resource_name("a" * 150) != resource_name("a" * 151)
    names = [resource_name(name) for name in (*AWKWARD, "team index", "Team Index", "team_index")]
    assert len(set(names)) == len(names)


def graph(stack: str, names: list[str]) -> Graph:
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "__main__.py").write_text(PROGRAM)
        config = StackConfig("foreign", stack, {"foreign:names": json.dumps(names)})
        return EmbeddedEngine(LocalCloud(), Path(folder)).up(config).graph


def named(found: Graph) -> list[tuple[str, str]]:
    keys = ("name", *invariants.OTHER_NAMES)
    return [
        (resource.type, str(resource.outputs[key]))
        for resource in found
        for key in keys
        if resource.id and key in resource.outputs and key != "ruleName" and "/record:" not in resource.type
    ]


# Each example is four deployments.
@settings(
    max_examples=4,
    phases=[Phase.explicit, Phase.reuse, Phase.generate],
    suppress_health_check=[HealthCheck.too_slow],
)
@given(
    st.lists(components, min_size=2, max_size=2, unique=True),
    st.lists(st.from_regex(r"[A-Za-z0-9_.-]{1,100}", fullmatch=True), min_size=2, max_size=2, unique=True),
)
def test_two_components_in_two_stacks_of_one_account(names: list[str], stacks: list[str]) -> None:
    graphs = [graph(stack, names) for stack in stacks]
    for found in graphs:
        assert len(found.of_type("pypiserver:index:PypiServer")) == 2
        assert invariants.names_too_long(found) == []
        for type_, name in named(found):
            if type_ not in WITH_MORE_IN_THEM:
                assert PLAIN.fullmatch(name), (type_, name)
                assert not name.startswith(KEPT_BY_AWS), (type_, name)
    counts = Counter(one for found in graphs for one in named(found))
    assert [one for one, count in counts.items() if count > 1] == []
