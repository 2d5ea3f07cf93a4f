"""AWS as the Pulumi engine sees it: the real providers, with the credentials of this shell."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from bench.common.run_mark import RUN_VARIABLE
from bench.deployment.aws.stacks.stack_folder import STACK_VARIABLE

# Pulumi's own variable: providers that run already, under a debugger or in AWS's place.
_ATTACHED_PROVIDERS = "PULUMI_DEBUG_PROVIDERS"


@dataclass(frozen=True)
class _AwsProviders:
    environment: Mapping[str, str]
    cause: None = None
    """They tell the engine themselves what failed."""


class AwsCloud:
    """A `Cloud`: everything is made in the account and region of the configuration."""

    # A balancer takes three minutes to be made, a NAT gateway two, an Auto Scaling group waits for its instances.
    interrupt_patience_s = 900.0
    # Capacity providers and draining services may take 20 minutes each.
    destroy_timeout_s = 3600.0

    def __init__(self, stack_folder: Path) -> None:
        self._stack_folder = stack_folder

    @contextmanager
    def providers(self) -> Iterator[_AwsProviders]:
        attached = {_ATTACHED_PROVIDERS: os.environ[_ATTACHED_PROVIDERS]} if _ATTACHED_PROVIDERS in os.environ else {}
        yield _AwsProviders(
            {
                STACK_VARIABLE: str(self._stack_folder),
                # A command that is cut off in mid-flight loses what AWS is making: whoever cleans up after a killed
                # run lets it end.
                RUN_VARIABLE: "",
                **attached,
            }
        )

    @property
    def leftovers(self) -> tuple[str, ...]:
        """Empty: what exists in an account is asked of AWS itself, by tags."""
        return ()
