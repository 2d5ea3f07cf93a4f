"""What is true of every deployment: with every option on, and with random settings under a stack of any name."""

from __future__ import annotations

import re

import pytest
from cfnlint.schema.manager import PROVIDER_SCHEMA_MANAGER
from hypothesis import HealthCheck, Phase, given, settings

from bench.deployment.engine import Deployment, StackConfig
from bench.deployment.engine.embedded import EmbeddedEngine
from bench.deployment.local_cloud import REGION, LocalCloud
from bench.deployment.stack_config import load_stack
from pypiserver_stack.settings import Settings, read_settings
from tests.aws_schemas.table import MAPPED
from tests.pypiserver_stack.support import invariants, prerequisites
from tests.pypiserver_stack.support.evaluation import ROOT, evaluated
from tests.pypiserver_stack.support.every_option import EVALUATIONS
from tests.pypiserver_stack.support.limits import too_large
from tests.pypiserver_stack.support.random_settings import SWITCHES, stack_configs
from tests.pypiserver_stack.test_program import UNTAGGED


def untagged(deployment: Deployment) -> list[str]:
    return [
        resource.urn
        for resource in deployment.graph
        if resource.id and resource.type not in UNTAGGED and not resource.inputs.get("tags")
    ]


def violations(deployment: Deployment, config: StackConfig) -> list[str]:
    graph = deployment.graph
    return [
        *invariants.unresolved_references(graph, config),
        *invariants.open_to_the_public(graph),
        *invariants.unencrypted(graph),
        *invariants.names_too_long(graph),
        *invariants.refused_tags(graph),
        *too_large(graph),
        *invariants.secrets_in_clear(graph),
        *untagged(deployment),
        *prerequisites.missing(graph),
    ]


@pytest.mark.parametrize("name", EVALUATIONS)
def test_with_every_option(name: str) -> None:
    stack, overrides = EVALUATIONS[name]
    assert violations(evaluated(stack, overrides), load_stack(ROOT, stack, overrides)[0]) == []


# Each example is a whole deployment, of which few can be had, and shrinking would take hundreds.
@settings(
    max_examples=settings().max_examples // 2,
    phases=[Phase.explicit, Phase.reuse, Phase.generate],
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
@given(stack_configs())
def test_with_random_settings(config: StackConfig) -> None:
    # Refused by the program it would be an error: what is drawn is what is allowed.
    assert violations(EmbeddedEngine(LocalCloud(), ROOT).up(config), config) == []


def test_random_settings_are_of_all_kinds() -> None:
    on, off, other = set[str](), set[str](), set[str]()

    @settings(max_examples=300, phases=[Phase.generate], derandomize=True, suppress_health_check=list(HealthCheck))
    @given(stack_configs())
    def draw(config: StackConfig) -> None:
        drawn = read_settings({key.partition(":")[2]: value for key, value in config.values.items()})
        on.update(key for key in SWITCHES if getattr(drawn, key))
        off.update(key for key in SWITCHES if not getattr(drawn, key))
        other.update(drawn.model_fields_set)

    draw()
    # CloudFront is allowed beside half a dozen other settings alone.
    assert on == set(SWITCHES) - {"cloudfront_enabled"}
    assert off == set(SWITCHES)
    # Those that are allowed only beside certain values of others may be missing.
    assert len(Settings.model_fields.keys() - other) <= 8


def test_every_type_that_can_be_encrypted_is_in_a_table() -> None:
    of_encryption = re.compile("encrypt|kms", re.IGNORECASE)
    for type_, mapped in MAPPED.items():
        schema = PROVIDER_SCHEMA_MANAGER.get_resource_schema(REGION, mapped.type).schema
        part_of_another = any(reason.startswith("There it is a property") for reason in mapped.omitted.values())
        if not part_of_another and any(of_encryption.search(name) for name in schema["properties"]):
            assert type_ in {*invariants.ENCRYPTED, *invariants.ENCRYPTED_BY_AWS}, type_


def test_every_type_with_a_name_has_a_limit() -> None:
    for name in EVALUATIONS:
        for resource in evaluated(*EVALUATIONS[name]).graph:
            if resource.id and "name" in resource.outputs:
                assert resource.type in invariants.NAME_LIMITS, resource.type
