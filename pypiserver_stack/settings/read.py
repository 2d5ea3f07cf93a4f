"""Settings from a stack's configuration or from another program, with every mistake in them reported at once.

A setting comes from the stack's configuration, else from the profile, else from its default.
"""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from typing import Any, get_args

import pulumi
from pydantic import ValidationError

from pypiserver_stack.settings.description import DEFINITIONS, SCHEMA, allowed
from pypiserver_stack.settings.problems import Problem, SettingsError
from pypiserver_stack.settings.rules import contradictions
from pypiserver_stack.settings.settings import Settings
from pypiserver_stack.settings.types import allowed_values, resolved, takes_output
from sizing.profiles import PROFILES

_FIELDS = Settings.model_fields


def read_settings(config: Mapping[str, Any]) -> Settings:
    """The settings of a stack's configuration.

    Args:
        config: names of settings without namespace, and their text as Pulumi passes it. Another program may give values
            instead of text, and Outputs for existing resources.

    Raises:
        SettingsError: with every mistake in `config`, not only the first.
    """
    problems = [Problem(key, config[key], _unknown_key(key)) for key in config if key not in _FIELDS]
    name = config.get("profile", _FIELDS["profile"].default)
    profile = PROFILES.get(name) if isinstance(name, str) else None
    if profile is None and isinstance(name, str):
        problems.append(Problem("profile", name, allowed("profile") + _nearest(name, PROFILES)))
    values = {**(profile.values if profile else {}), **{k: v for k, v in config.items() if k in _FIELDS}}
    wrong = _wrong_values(values)
    problems += wrong
    reported = {problem.setting for problem in wrong}
    # A wrong value falls back to its default, so that the rest can be checked against each other all the same.
    settings = Settings.model_validate({k: v for k, v in values.items() if k not in reported})
    problems += [
        problem for problem in contradictions(settings) if reported.isdisjoint({problem.setting, *problem.others})
    ]
    if problems:
        raise SettingsError(problems)
    return settings


def _wrong_values(values: Mapping[str, object]) -> list[Problem]:
    outputs = [
        key
        for key, value in values.items()
        if isinstance(value, pulumi.Output) and not takes_output(_FIELDS[key].annotation)
    ]
    problems = [_output(key) for key in outputs]
    try:
        Settings.model_validate({key: value for key, value in values.items() if key not in outputs})
    except ValidationError as error:
        found = [_problem(detail["loc"], detail["input"], values) for detail in error.errors()]
        problems += {problem.key: problem for problem in found}.values()
    return problems


def _output(key: str) -> Problem:
    takes = "takes no output: what is made depends on it, so it has to be known before"
    items = get_args(_FIELDS[key].annotation) if key in _FIELDS else ()
    if any(map(takes_output, items)):
        takes += "; a list of outputs will do"
    return Problem(key, "(an output)", takes)


def _problem(location: tuple[int | str, ...], found: object, values: Mapping[str, object]) -> Problem:
    """The mistake in a setting, or in a part of an object in a list."""
    key = str(location[0])
    if isinstance(found, pulumi.Output):
        return _output("".join([key, *(f"[{part}]" if isinstance(part, int) else f".{part}" for part in location[1:])]))
    setting = resolved(SCHEMA["properties"][key], DEFINITIONS)
    entry = resolved(setting.get("items", {}), DEFINITIONS)
    match location[1:]:
        case (int() as index, str() as part, *_) if "properties" in entry:
            known = entry["properties"]
            if part not in known:
                return Problem(f"{key}[{index}].{part}", found, f"there is no such part{_nearest(part, known)}")
            value = None if isinstance(found, Mapping) else found  # where the part is missing, the object was found
            return Problem(f"{key}[{index}].{part}", value, allowed_values(known[part], DEFINITIONS))
    return Problem(key, values[key], allowed(key))


def _unknown_key(key: str) -> str:
    return f"there is no such setting{_nearest(key, _FIELDS)}"


def _nearest(word: str, known: Mapping[str, object]) -> str:
    close = difflib.get_close_matches(word, known, n=1)
    return f"; did you mean {close[0]}?" if close else ""
