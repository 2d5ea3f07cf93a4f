"""Random settings that are allowed together, drawn from what the settings' own schema says of each."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from random import Random
from typing import Any

from hypothesis import strategies as st

from bench.deployment.engine import StackConfig
from bench.deployment.local_cloud import REGION
from bench.deployment.stack_config import STACK_NAME, load_stack
from pypiserver_stack.hosts.plan import plan_capacity
from pypiserver_stack.ingress.names import FIRST_NAME_MAX_LENGTH
from pypiserver_stack.settings import ConfigurationError, Settings, read_settings
from pypiserver_stack.settings.groups.capacity import CapacitySettings
from pypiserver_stack.settings.problems import SettingsError
from pypiserver_stack.settings.types import resolved
from sizing.instances import catalogue
from tests.pypiserver_stack.support.evaluation import ROOT
from tests.pypiserver_stack.support.every_option import OPTIONS

_SCHEMA = Settings.model_json_schema()
_BASE = load_stack(ROOT, "stress")[0]
_SETTINGS_AT_ONCE = 12
_ZONE_NAME = "example.com"
"""Name of every zone in the local cloud."""


def _examples(key: str) -> list[str]:
    """What the options have for a setting: where its schema says no more than words, these are what is known of it."""
    overrides = (override.partition("=") for overrides in OPTIONS.values() for override in overrides)
    return [value for name, _, value in overrides if name == key]


def _values(schema: Mapping[str, Any], examples: list[str]) -> st.SearchStrategy[Any]:
    schema = resolved(schema, _SCHEMA["$defs"])
    if "enum" in schema:
        return st.sampled_from(schema["enum"])
    match schema:
        case {"type": "boolean"}:
            return st.booleans()
        case {"type": "integer", "minimum": low, "maximum": high}:
            return st.integers(low, min(high, 20 * max(low, 1))) | st.integers(low, high)
        case {"type": "number", "minimum": low, "maximum": high}:
            return st.integers(int(low) + 1, int(high))
        case {"type": "string", "pattern": pattern}:
            whole = re.compile(pattern, re.ASCII)
            drawn = st.from_regex(whole, fullmatch=True).map(_in_the_region)
            drawn = drawn.filter(lambda text: len(text) <= schema.get("maxLength", 300))
            return st.sampled_from(examples) | drawn if examples else drawn
        case {"type": "array", "items": {"type": "string", "pattern": _} | {"enum": _} as items}:
            least, most = schema.get("minItems", 0), min(4, schema.get("maxItems", 4))
            return st.lists(_values(items, []), min_size=least, max_size=most, unique=True)
    return st.sampled_from(examples)


def _in_the_region(text: str) -> str:
    """An ARN as it would be in the stack's partition and region; any other text as it is."""
    parts = text.split(":")
    if parts[0] == "arn" and len(parts) > 5:
        parts[1], parts[3] = "aws", parts[3] and REGION
    return ":".join(parts)


def _text(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value)


_SIZES = {*CapacitySettings.__annotations__, "deployment_minimum_healthy_percent", "deployment_maximum_percent"}
_SETTINGS = {key: _values(schema, _examples(key)).map(_text) for key, schema in _SCHEMA["properties"].items()}


# Any other type is asked of AWS.
_SETTINGS["instance_type"] = st.sampled_from(sorted(catalogue()))
# The name of the zone, which the program learns from AWS, comes behind the first one, and both stand in a certificate.
_SETTINGS["dns_names"] = _SETTINGS["dns_names"].filter(
    lambda names: len(f"{json.loads(names)[0]}.{_ZONE_NAME}") <= FIRST_NAME_MAX_LENGTH
)
SWITCHES = sorted(key for key, schema in _SCHEMA["properties"].items() if schema.get("type") == "boolean")
_ENTRANCES: tuple[dict[str, str], ...] = (
    {},
    {"allow_http": "false", "zone_id": "Z0123456789ABCDEFGHIJ"},
    {"allow_http": "false", "certificate_arn": _examples("certificate_arn")[0]},
)
"""How a client gets in: what else is switched depends on it."""


@st.composite
def stack_configs(draw: st.DrawFn) -> StackConfig:
    """A stack with any name, every switch on or off, a few other settings, and of all of them no two that are refused
    together: the program takes it."""
    switched = {key: draw(_SETTINGS[key]) for key in SWITCHES}
    # Hypothesis's own choice favours a few keys so much that hundreds of draws leave others out. No two draws have the
    # same switches, nearly.
    chance = Random(repr(switched))
    keys = chance.sample(sorted(_SETTINGS), chance.randint(4, _SETTINGS_AT_ONCE))
    others = {key: draw(_SETTINGS[key]) for key in keys}
    name = draw(st.from_regex(STACK_NAME, fullmatch=True))
    entrance = draw(st.sampled_from(_ENTRANCES))
    return StackConfig(_BASE.project, name, _allowed({**switched, **others}, entrance))


def _allowed(values: dict[str, str], entrance: dict[str, str]) -> dict[str, str]:
    """The stack's own settings with those of `values` that are allowed together."""
    while True:
        own = {key.partition(":")[2]: value for key, value in _BASE.values.items()}
        together = {**own, **values, **entrance}
        try:
            settings = read_settings(together)
            plan_capacity(settings)
        except ConfigurationError as refused:
            problems = refused.problems if isinstance(refused, SettingsError) else ()
            named = {key for problem in problems for key in (problem.setting, *problem.others)}
            if not values:
                raise
            # A refusal of sizes is a sentence, and may tell the way out alone: then all that was drawn of them goes.
            reported = {key for key in values if key in str(refused)}
            wrong = values.keys() & named or reported or values.keys() & _SIZES or values.keys()
            values = {key: value for key, value in values.items() if key not in wrong}
        else:
            return {f"{_BASE.project}:{key}": value for key, value in together.items()}
