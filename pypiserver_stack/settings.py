"""Every setting once: its name, type, unit, default, bounds and meaning.

A setting comes from the stack's configuration, else from the profile, else from the default here; None means that
sizing computes it. All mistakes are reported at once, before any resource exists.
"""

from __future__ import annotations

import difflib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Literal

import pulumi
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from sizing.profiles import PROFILES

Count = Annotated[int, Field(ge=1, le=1000)]


@dataclass(frozen=True)
class Problem:
    """One mistake: the key, the value it has, and what is allowed instead."""

    key: str
    value: object
    allowed: str

    def __str__(self) -> str:
        return f"{self.key} = {self.value!r}: {self.allowed}"


class ConfigurationError(pulumi.RunError):
    """What is configured cannot be deployed. Pulumi prints a RunError as one sentence, without a traceback."""


class SettingsError(ConfigurationError):
    """The configuration holds mistakes; `problems` names them all."""

    def __init__(self, problems: Sequence[Problem]) -> None:
        self.problems = tuple(problems)
        super().__init__("; ".join(str(problem) for problem in self.problems))


class Settings(BaseModel):
    """What a deployment is configured with. Satisfies `sizing.SizingSettings`."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    profile: str = Field(
        default="medium",
        description="Named set of values that every setting below overrides.",
        json_schema_extra={"enum": list(PROFILES)},
    )

    instance_type: str = Field(
        default="t3.small", pattern=r"^[a-z0-9-]+\.[a-z0-9-]+$", description="EC2 instance type of the hosts."
    )
    instance_min_count: Count = Field(default=2, description="Fewest instances in the Auto Scaling group.")
    instance_max_count: Count | None = Field(
        default=None,
        description="Most instances; computed: what the most tasks need, at least one more than the fewest.",
    )

    container_memory_mb: int = Field(
        default=512, ge=128, le=65536, description="Hard memory limit of a task in MB; above it ECS kills the task."
    )
    container_memory_reservation_mb: Annotated[int, Field(ge=64, le=65536)] | None = Field(
        default=None, description="Memory in MB that placement sets aside for a task; computed: 75 % of the limit."
    )
    container_cpu_units: Annotated[int, Field(ge=128, le=65536)] | None = Field(
        default=None, description="CPU units (1024 = one vCPU) of a task; computed: 150 per worker and 40."
    )
    gunicorn_workers: Annotated[int, Field(ge=1, le=16)] | None = Field(
        default=None, description="gunicorn worker processes of a task; computed: one per 128 MB, 2 to 8."
    )
    task_min_count: Count | None = Field(
        default=None, description="Fewest tasks of the service; computed: what the fewest instances hold."
    )
    task_max_count: Count | None = Field(
        default=None, description="Most tasks of the service; computed: twice the fewest."
    )

    backend: Literal["simple-dir"] = Field(
        default="simple-dir",
        description="How the index is read. simple-dir: pypiserver's own, walks the directory each time.",
    )
    authentication: Literal["sha256", "htpasswd"] = Field(
        default="sha256",
        description=(
            "How a password is checked. sha256: constant-time comparison of digests of the generated password. "
            "htpasswd: bcrypt on every request, as the Terraform module does it; kept for comparison."
        ),
    )
    gunicorn_keepalive_s: Annotated[int, Field(ge=1, le=4000)] = Field(
        default=75, description="Seconds an idle connection stays open; outlives the balancer's idle timeout of 60 s."
    )

    stickiness_enabled: bool = Field(default=False, description="Bind a client that keeps cookies to one task.")
    load_balancing_algorithm: Literal["round_robin", "least_outstanding_requests", "weighted_random"] = Field(
        default="least_outstanding_requests", description="How the balancer picks a task for a request."
    )
    health_check_path: str = Field(
        default="/health",
        pattern=r"^/[A-Za-z0-9._~/-]*$",
        description="Path of the balancer's health check. pypiserver's `/` walks every package; `/health` is static.",
    )

    @classmethod
    def from_config(cls, config: Mapping[str, str]) -> Settings:
        """The settings that a stack's configuration asks for.

        Args:
            config: setting names without namespace, and their text as Pulumi passes it.

        Raises:
            SettingsError: with every mistake in `config`, not only the first.
        """
        problems = [Problem(key, config[key], _unknown_key(key)) for key in config if key not in cls.model_fields]
        name = config.get("profile", cls.model_fields["profile"].default)
        profile = PROFILES.get(name)
        if profile is None:
            problems.append(Problem("profile", name, allowed("profile") + _nearest(name, PROFILES)))
        values = {**(profile.values if profile else {}), **{k: v for k, v in config.items() if k in cls.model_fields}}
        wrong = _wrong_values(cls, values)
        problems.extend(wrong)
        # What is wrong falls back to its default, so that the rest can be checked against each other all the same.
        settings = cls.model_validate({k: v for k, v in values.items() if k not in {problem.key for problem in wrong}})
        problems.extend(_disordered_ranges(settings, except_for={problem.key for problem in wrong}))
        if problems:
            raise SettingsError(problems)
        return settings


def allowed(key: str) -> str:
    """In words, which values a setting takes."""
    schema = Settings.model_json_schema()["properties"][key]
    schema = next((option for option in schema.get("anyOf", ()) if option.get("type") != "null"), schema)
    if "const" in schema:
        return str(schema["const"])
    if "enum" in schema:
        return "one of " + ", ".join(schema["enum"])
    if schema["type"] == "integer":
        return f"a whole number from {schema['minimum']} to {schema['maximum']}"
    if schema["type"] == "boolean":
        return "true or false"
    return f"text that matches {schema['pattern']}" if "pattern" in schema else "text"


def _wrong_values(model: type[Settings], values: Mapping[str, object]) -> list[Problem]:
    try:
        model.model_validate(values)
    except ValidationError as error:
        keys = dict.fromkeys(str(detail["loc"][0]) for detail in error.errors())
        return [Problem(key, values[key], allowed(key)) for key in keys]
    return []


def _disordered_ranges(settings: Settings, except_for: set[str]) -> list[Problem]:
    pairs = (
        ("instance_min_count", "instance_max_count"),
        ("task_min_count", "task_max_count"),
        ("container_memory_reservation_mb", "container_memory_mb"),
    )
    problems = []
    for low_key, high_key in pairs:
        low, high = getattr(settings, low_key), getattr(settings, high_key)
        if low is not None and high is not None and low > high and except_for.isdisjoint((low_key, high_key)):
            problems.append(Problem(low_key, low, f"at most {high_key}, which is {high}"))
    return problems


def _unknown_key(key: str) -> str:
    return f"there is no such setting{_nearest(key, Settings.model_fields)}"


def _nearest(word: str, known: Mapping[str, object]) -> str:
    close = difflib.get_close_matches(word, known, n=1)
    return f"; did you mean {close[0]}?" if close else ""
