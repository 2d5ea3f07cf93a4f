"""The ladder from the peer stack to ours. Which settings it has follows from the two stack files."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from bench.deployment.stack_config import PROJECT_FOLDER, load_stack
from pypiserver_stack.settings import Settings, read_settings

PEER = "peer"
OURS = "stress"

# What stands in front of the tasks comes first. The image's entry point takes neither another check of the password nor
# another index, so it goes before them; what spreads requests of unequal cost comes last, when the rest is in place.
ORDER = (
    "stickiness_enabled",
    "gunicorn_keepalive_s",
    "health_check_path",
    "entry_point",
    "authentication",
    "backend",
    "load_balancing_algorithm",
)


@dataclass(frozen=True)
class LadderStep:
    """One step: the peer stack with some of its settings changed to ours, one more than in the step before."""

    name: str
    setting: str | None
    """The one that is changed here; None for the peer stack as it is."""
    overrides: tuple[str, ...]
    """All that are changed so far, as `key=value`."""


def ladder() -> tuple[LadderStep, ...]:
    """Every step from the peer stack to ours, both included."""
    peer, ours = settings_of(PEER), settings_of(OURS)
    differing = [name for name in Settings.model_fields if getattr(peer, name) != getattr(ours, name)]
    steps = [LadderStep(PEER, None, ())]
    for setting in sorted(differing, key=ORDER.index):
        change = f"{setting}={_text(getattr(ours, setting))}"
        steps.append(LadderStep(change, setting, (*steps[-1].overrides, change)))
    return tuple(steps)


def settings_of(stack: str, overrides: Sequence[str] = ()) -> Settings:
    """Settings of a stack file, with overrides over it, and the defaults of the rest."""
    config, _ = load_stack(PROJECT_FOLDER, stack, overrides)
    prefix = f"{config.project}:"
    return read_settings({key.removeprefix(prefix): text for key, text in config.values.items()})


def _text(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)
