"""All settings in one model, from a stack's configuration or from another program.

A setting comes from the stack's configuration, else from the profile, else from its default; None means that it is
computed, or that there is none. All mistakes are reported at once, before any resource exists.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterator, Mapping
from typing import Any

from pydantic import ValidationError

from pypiserver_stack.settings.balancer import BalancerSettings
from pypiserver_stack.settings.capacity import CapacitySettings
from pypiserver_stack.settings.credentials import CredentialSettings
from pypiserver_stack.settings.general import GeneralSettings
from pypiserver_stack.settings.kinds import Group, in_words
from pypiserver_stack.settings.problems import Problem, SettingsError
from pypiserver_stack.settings.rules import contradictions_between_groups
from pypiserver_stack.settings.scaling import ScalingSettings
from pypiserver_stack.settings.server import ServerSettings
from sizing.profiles import PROFILES

GROUPS: tuple[type[Group], ...] = (
    GeneralSettings,
    CapacitySettings,
    ServerSettings,
    BalancerSettings,
    ScalingSettings,
    CredentialSettings,
)
"""In the order of the documentation."""


class Settings(
    GeneralSettings, CapacitySettings, ServerSettings, BalancerSettings, ScalingSettings, CredentialSettings
):
    """What a deployment is configured with."""

    @property
    def warnings(self) -> tuple[str, ...]:
        """What is allowed, and should be known."""
        return tuple(sentence for group in GROUPS for sentence in group.cautions(self))

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
        profile = PROFILES.get(name)
        if profile is None:
            problems.append(Problem("profile", name, allowed("profile") + _nearest(name, PROFILES)))
        values = {**(profile.values if profile else {}), **{k: v for k, v in config.items() if k in cls.model_fields}}
        wrong = _wrong_values(values)
        problems += wrong
        told = {problem.key for problem in wrong}
        # What is wrong falls back to its default, so that the rest can be checked against each other all the same.
        settings = cls.model_validate({k: v for k, v in values.items() if k not in told})
        problems += [problem for problem in settings._all_contradictions() if told.isdisjoint(_keys(problem))]
        if problems:
            raise SettingsError(problems)
        return settings

    def _all_contradictions(self) -> Iterator[Problem]:
        for group in GROUPS:
            yield from group.contradictions(self)
        yield from contradictions_between_groups(self)


def allowed(key: str) -> str:
    """In words, which values a setting takes."""
    return in_words(_SCHEMA["properties"][key])


_SCHEMA = Settings.model_json_schema()


def _keys(problem: Problem) -> set[str]:
    return {problem.key, *problem.others}


def _wrong_values(values: Mapping[str, object]) -> list[Problem]:
    try:
        Settings.model_validate(values)
    except ValidationError as error:
        keys = dict.fromkeys(str(detail["loc"][0]) for detail in error.errors())
        return [Problem(key, values[key], allowed(key)) for key in keys]
    return []


def _unknown_key(key: str) -> str:
    return f"there is no such setting{_nearest(key, Settings.model_fields)}"


def _nearest(word: str, known: Mapping[str, object]) -> str:
    close = difflib.get_close_matches(word, known, n=1)
    return f"; did you mean {close[0]}?" if close else ""
