"""Variants of a comparison: stacks, each with its overrides."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from bench.commands.compare.statistics.gate import GateLimits
from bench.commands.parameters import Options
from bench.common.failures import UsageError

Rival = Literal["limit", "devpi"]
"""What `--against` takes, and the name of the variant that it adds."""


@dataclass(frozen=True)
class StackVariant:
    """A stack file, and the settings that are put over it."""

    name: str
    stack: str
    overrides: tuple[str, ...] = ()
    """`key=value`, as `-c` takes them."""


@dataclass(frozen=True)
class CompareParameters:
    """Parameters of a comparison of stacks; a `UsageError` where they make no sense."""

    variants: Sequence[StackVariant]
    rounds: int
    against: Rival | None
    engine: Literal["auto", "pulumi", "embedded"]
    tasks: int | None
    """Of each stack; None: as many as this machine can run honestly."""
    options: Options
    limits: GateLimits | None
    """None: nothing is held against anybody."""

    def __post_init__(self) -> None:
        if len(self.variants) < 2 and self.against is None:
            raise UsageError(
                f"--stacks {self.variants[0].name}: one stack alone is no comparison: name another after a comma, "
                "or add --against limit or --against devpi"
            )


def parse_stacks(text: str, overrides: Sequence[str] = ()) -> tuple[StackVariant, ...]:
    """The variants of `--stacks`, such as `peer,stress:backend=simple-dir:gunicorn_keepalive_s=2`.

    A variant that is named twice is measured twice: how far apart two of the same are is worth knowing.

    Args:
        overrides: what is put over every stack; a variant's own come after them.

    Raises:
        UsageError: a name is missing, or an override is not KEY=VALUE.
    """
    variants: list[StackVariant] = []
    for part in text.split(","):
        stack, *words = (word.strip() for word in part.split(":"))
        own = _settings(words)
        if not stack or "=" in stack or any("=" not in setting for setting in own):
            raise UsageError(
                f"--stacks {text}: expected stacks with commas between them, each with its own settings behind colons, "
                "such as peer,stress:backend=simple-dir"
            )
        name = ":".join((stack, *own))
        times = sum(variant.name.split(" ")[0] == name for variant in variants)
        variants.append(StackVariant(f"{name} ({times + 1})" if times else name, stack, (*overrides, *own)))
    return tuple(variants)


def _settings(words: Sequence[str]) -> list[str]:
    """A word that sets nothing is the namespace of the one behind it, as in `bench:seed=7`."""
    settings: list[str] = []
    for word in words:
        if settings and "=" not in settings[-1]:
            settings[-1] += f":{word}"
        else:
            settings.append(word)
    return settings
