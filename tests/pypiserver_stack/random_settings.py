"""Random settings that are allowed together, drawn from what the settings' own schema says of each."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

from hypothesis import strategies as st

from bench.engine import StackConfig
from bench.stack_config import load_stack
from pypiserver_stack.settings import Settings
from pypiserver_stack.settings.kinds import resolved
from pypiserver_stack.settings.problems import SettingsError
from tests.pypiserver_stack.evaluation import ROOT
from tests.pypiserver_stack.every_option import OPTIONS

_SCHEMA = Settings.model_json_schema()
_BASE = load_stack(ROOT, "stress")[0]
_SETTINGS_AT_ONCE = 12


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
            drawn = st.from_regex(whole, fullmatch=True).filter(lambda text: len(text) <= schema.get("maxLength", 300))
            return st.sampled_from(examples) | drawn if examples else drawn
        case {"type": "array", "items": {"type": "string", "pattern": _} | {"enum": _} as items}:
            least, most = schema.get("minItems", 0), min(4, schema.get("maxItems", 4))
            return st.lists(_values(items, []), min_size=least, max_size=most, unique=True)
    return st.sampled_from(examples)


def _text(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value)


_SETTINGS = {key: _values(schema, _examples(key)).map(_text) for key, schema in _SCHEMA["properties"].items()}


@st.composite
def stack_configs(draw: st.DrawFn) -> StackConfig:
    """A stack with any name, a few random settings, and of those no two that are refused together."""
    keys = draw(st.lists(st.sampled_from(sorted(_SETTINGS)), max_size=_SETTINGS_AT_ONCE, unique=True))
    values = {key: draw(_SETTINGS[key]) for key in keys}
    name = draw(st.from_regex(r"[A-Za-z0-9_.-]{1,100}", fullmatch=True))
    return StackConfig(_BASE.project, name, _allowed(values))


def _allowed(values: dict[str, str]) -> dict[str, str]:
    while True:
        together = {**_BASE.values, **{f"{_BASE.project}:{key}": value for key, value in values.items()}}
        try:
            Settings.from_config({key.partition(":")[2]: value for key, value in together.items()})
        except SettingsError as error:
            wrong = {key for problem in error.problems for key in (problem.setting, *problem.others)}
            # What is left of it is the stack's own, which is allowed: this ends.
            values = {key: value for key, value in values.items() if key not in wrong}
        else:
            return together
