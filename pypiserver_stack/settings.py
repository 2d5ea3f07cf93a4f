"""Every setting once: its name, type, unit, default, bounds and meaning.

A setting comes from the stack's configuration, else from the profile, else from the default here; None means that
sizing computes it. All mistakes are reported at once, before any resource exists.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Literal

import pulumi
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError

from sizing.profiles import PROFILES

Count = Annotated[int, Field(ge=1, le=1000)]

_IMAGE = re.compile(
    r"([a-z0-9.-]+(:\d+)?/)?[a-z0-9._/-]+:(?!latest(@|$))\w[\w.-]{0,127}(@sha256:[0-9a-f]{64})?", re.ASCII
)


def _names_a_version(image: str) -> str:
    if not _IMAGE.fullmatch(image):
        raise ValueError(image)
    return image


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

    image: Annotated[str, AfterValidator(_names_a_version)] = Field(
        default="pypiserver/pypiserver:v2.4.2",
        description=(
            "Container image of the tasks, by tag, and better by digest too: a tag can be moved to another image, "
            "a digest cannot."
        ),
        json_schema_extra={"takes": "NAME:TAG or NAME:TAG@sha256:DIGEST, where TAG is not latest"},
    )
    entry_point: Literal["gunicorn", "image"] = Field(
        default="gunicorn",
        description=(
            "What starts in the task. gunicorn: our server, with gevent patched before anything is imported. image: "
            "the image's own entry point, as the Terraform module uses it, which reads nothing of the settings from "
            "upload_limit_mb to index_margin_s but overwrite; kept for comparison."
        ),
    )
    authentication: Literal["sha256", "htpasswd", "bcrypt"] = Field(
        default="sha256",
        description=(
            "How a password is checked. sha256: constant-time comparison of digests of the generated password. "
            "htpasswd: your own file `.htpasswd` in the folder of the packages, checked once per password and "
            "remembered. bcrypt: the generated password by bcrypt on every request, as the Terraform module does it; "
            "kept for comparison."
        ),
    )
    backend: Literal["simple-dir", "validated"] = Field(
        default="validated",
        description=(
            "How the index is read. simple-dir: pypiserver's own, walks the directory each time. validated: held in "
            "memory, and trusted while the directory proves unchanged."
        ),
    )
    upload_limit_mb: Annotated[int, Field(ge=1, le=65536)] = Field(
        default=1024,
        description="Largest upload in MB; above it the answer is 413. The largest wheels there are have about 900 MB.",
    )
    overwrite: bool = Field(
        default=False,
        description="Whether an upload may replace a file. While it may not, clients may keep what they downloaded.",
    )
    timing_headers: bool = Field(
        default=True,
        description="Tell in `Server-Timing` and `X-Served-By` what an answer cost and which task gave it.",
    )
    index_margin_s: Annotated[int, Field(ge=1, le=60)] = Field(
        default=3,
        description=(
            "Seconds for which a changed directory is read anew each time before the validated backend trusts it: "
            "2 for file systems whose timestamps are that coarse, 1 for a file server that sets its clock."
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

    @property
    def warnings(self) -> tuple[str, ...]:
        """What is allowed, and should be known."""
        if "@" in self.image:
            return ()
        return (
            f"image {self.image} is not pinned by digest, so its tag may come to mean another image: see "
            "docs/configuration.md for the command that prints the digest",
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
        told = {problem.key for problem in wrong}
        # What is wrong falls back to its default, so that the rest can be checked against each other all the same.
        settings = cls.model_validate({k: v for k, v in values.items() if k not in told})
        problems.extend(_disordered_ranges(settings, told) + _unsupported_by_the_image(settings, told))
        if problems:
            raise SettingsError(problems)
        return settings


def allowed(key: str) -> str:
    """In words, which values a setting takes."""
    schema = Settings.model_json_schema()["properties"][key]
    schema = next((option for option in schema.get("anyOf", ()) if option.get("type") != "null"), schema)
    if "takes" in schema:
        return str(schema["takes"])
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


def _disordered_ranges(settings: Settings, told: set[str]) -> list[Problem]:
    pairs = (
        ("instance_min_count", "instance_max_count"),
        ("task_min_count", "task_max_count"),
        ("container_memory_reservation_mb", "container_memory_mb"),
    )
    problems = []
    for low_key, high_key in pairs:
        low, high = getattr(settings, low_key), getattr(settings, high_key)
        if low is not None and high is not None and low > high and told.isdisjoint((low_key, high_key)):
            problems.append(Problem(low_key, low, f"at most {high_key}, which is {high}"))
    return problems


def _unsupported_by_the_image(settings: Settings, told: set[str]) -> list[Problem]:
    needed = {"authentication": "bcrypt", "backend": "simple-dir"}
    actual = {key: getattr(settings, key) for key in needed}
    if settings.entry_point != "image" or actual == needed or not told.isdisjoint(needed):
        return []
    return [
        Problem(
            "entry_point",
            "image",
            "takes authentication bcrypt and backend simple-dir, which are {authentication} and {backend}".format(
                **actual
            ),
        )
    ]


def _unknown_key(key: str) -> str:
    return f"there is no such setting{_nearest(key, Settings.model_fields)}"


def _nearest(word: str, known: Mapping[str, object]) -> str:
    close = difflib.get_close_matches(word, known, n=1)
    return f"; did you mean {close[0]}?" if close else ""
