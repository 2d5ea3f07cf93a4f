"""Allowed values and defaults of settings, in words."""

from __future__ import annotations

from pypiserver_stack.settings.settings import Settings
from pypiserver_stack.settings.types import allowed_values

SCHEMA = Settings.model_json_schema()
DEFINITIONS = SCHEMA.get("$defs", {})


def allowed(key: str) -> str:
    """The values that a setting takes, in words."""
    return allowed_values(SCHEMA["properties"][key], DEFINITIONS)


def default(key: str) -> str:
    """The default of a setting, in words."""
    setting = Settings.model_fields[key]
    match setting.default:
        case None:
            return "computed" if "omputed" in (setting.description or "") else "none"
        case {}:
            return "none"
        case tuple() as items:
            return ", ".join(map(str, items)) or "none"
        case bool() as value:
            return str(value).lower()
        case value:
            return str(value)
