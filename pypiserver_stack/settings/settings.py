"""All settings in one model, from a stack's configuration or from another program.

A setting comes from the stack's configuration, else from the profile, else from its default; None means that it is
computed, or that there is none. All mistakes are reported at once, before any resource exists.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterator, Mapping
from typing import Any, get_args

import pulumi
from pydantic import ValidationError

from pypiserver_stack.settings.groups.backup import BackupSettings
from pypiserver_stack.settings.groups.balancer import BalancerSettings
from pypiserver_stack.settings.groups.capacity import CapacitySettings
from pypiserver_stack.settings.groups.cloudfront import CloudFrontSettings
from pypiserver_stack.settings.groups.credentials import CredentialSettings
from pypiserver_stack.settings.groups.general import GeneralSettings
from pypiserver_stack.settings.groups.hosts import HostSettings
from pypiserver_stack.settings.groups.monitoring import MonitoringSettings
from pypiserver_stack.settings.groups.names import NamesSettings
from pypiserver_stack.settings.groups.network import NetworkSettings
from pypiserver_stack.settings.groups.scaling import ScalingSettings
from pypiserver_stack.settings.groups.server import ServerSettings
from pypiserver_stack.settings.groups.storage import StorageSettings
from pypiserver_stack.settings.problems import Caution, Problem, SettingsError
from pypiserver_stack.settings.rules import cautions_between_groups, contradictions_between_groups
from pypiserver_stack.settings.types import Group, in_words, resolved, takes_output
from sizing.profiles import PROFILES


class Settings(
    GeneralSettings,
    CapacitySettings,
    ServerSettings,
    NetworkSettings,
    BalancerSettings,
    NamesSettings,
    CloudFrontSettings,
    HostSettings,
    StorageSettings,
    BackupSettings,
    CredentialSettings,
    ScalingSettings,
    MonitoringSettings,
):
    """What a deployment is configured with."""

    @property
    def warnings(self) -> tuple[str, ...]:
        """The sentence of every caution."""
        return tuple(caution.sentence for caution in self._all_cautions())

    @property
    def load_warnings(self) -> tuple[str, ...]:
        """The sentences of those cautions that a benchmark meets too."""
        return tuple(caution.sentence for caution in self._all_cautions() if caution.about == "load")

    @classmethod
    def from_config(cls, config: Mapping[str, Any]) -> Settings:
        """The settings that a stack's configuration asks for.

        Args:
            config: setting names without namespace, and their text as Pulumi passes it. Another program may give values
                instead of text, and Outputs for what exists already.

        Raises:
            SettingsError: with every mistake in `config`, not only the first.
        """
        problems = [Problem(key, config[key], _unknown_key(key)) for key in config if key not in cls.model_fields]
        name = config.get("profile", cls.model_fields["profile"].default)
        profile = PROFILES.get(name) if isinstance(name, str) else None
        if profile is None and isinstance(name, str):
            problems.append(Problem("profile", name, allowed("profile") + _nearest(name, PROFILES)))
        values = {**(profile.values if profile else {}), **{k: v for k, v in config.items() if k in cls.model_fields}}
        wrong = _wrong_values(values)
        problems += wrong
        told = {problem.setting for problem in wrong}
        # What is wrong falls back to its default, so that the rest can be checked against each other all the same.
        settings = cls.model_validate({k: v for k, v in values.items() if k not in told})
        problems += [problem for problem in settings._all_contradictions() if told.isdisjoint(_keys(problem))]
        if problems:
            raise SettingsError(problems)
        return settings

    def _all_cautions(self) -> Iterator[Caution]:
        for group in GROUPS:
            yield from group.cautions(self)
        yield from cautions_between_groups(self)

    def _all_contradictions(self) -> Iterator[Problem]:
        for group in GROUPS:
            yield from group.contradictions(self)
        yield from contradictions_between_groups(self)


GROUPS: tuple[type[Group], ...] = Settings.__bases__
"""In the order of the documentation."""


def allowed(key: str) -> str:
    """In words, which values a setting takes."""
    return in_words(_SCHEMA["properties"][key], _DEFINITIONS)


_SCHEMA = Settings.model_json_schema()
_DEFINITIONS = _SCHEMA.get("$defs", {})


def _keys(problem: Problem) -> set[str]:
    return {problem.setting, *problem.others}


def _wrong_values(values: Mapping[str, object]) -> list[Problem]:
    fields = Settings.model_fields
    outputs = [
        key
        for key, value in values.items()
        if isinstance(value, pulumi.Output) and not takes_output(fields[key].annotation)
    ]
    try:
        Settings.model_validate({key: value for key, value in values.items() if key not in outputs})
    except ValidationError as error:
        problems = [_problem(detail["loc"], detail["input"], values) for detail in error.errors()]
        return [*map(_output, outputs), *{problem.key: problem for problem in problems}.values()]
    return list(map(_output, outputs))


def _output(key: str) -> Problem:
    takes = "takes no output: what is made depends on it, so it has to be known before"
    items = get_args(Settings.model_fields[key].annotation) if key in Settings.model_fields else ()
    if any(map(takes_output, items)):
        takes += "; a list of outputs will do"
    return Problem(key, "(an output)", takes)


def _problem(location: tuple[int | str, ...], found: object, values: Mapping[str, object]) -> Problem:
    """What is wrong: the setting, or in a list of objects the part of an object."""
    key = str(location[0])
    if isinstance(found, pulumi.Output):
        return _output("".join([key, *(f"[{part}]" if isinstance(part, int) else f".{part}" for part in location[1:])]))
    setting = resolved(_SCHEMA["properties"][key], _DEFINITIONS)
    entry = resolved(setting.get("items", {}), _DEFINITIONS)
    match location[1:]:
        case (int() as index, str() as part, *_) if "properties" in entry:
            known = entry["properties"]
            if part not in known:
                return Problem(f"{key}[{index}].{part}", found, f"there is no such part{_nearest(part, known)}")
            value = None if isinstance(found, Mapping) else found  # where it is missing, the object was found
            return Problem(f"{key}[{index}].{part}", value, in_words(known[part], _DEFINITIONS))
    return Problem(key, values[key], allowed(key))


def _unknown_key(key: str) -> str:
    return f"there is no such setting{_nearest(key, Settings.model_fields)}"


def _nearest(word: str, known: Mapping[str, object]) -> str:
    close = difflib.get_close_matches(word, known, n=1)
    return f"; did you mean {close[0]}?" if close else ""
