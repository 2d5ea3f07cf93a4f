"""Namespaces of a stack's configuration. A key that nobody reads would be ignored, so it is refused."""

from __future__ import annotations

import difflib
import inspect
import re
from collections.abc import Collection, Iterable, Mapping
from typing import Any

from bench.common.failures import UsageError

# The benchmark's own parameters in a stack file: `bench:clients` and the like.
BENCH = "bench"
_AWS = "aws"
_PULUMI = "pulumi"
# What Pulumi takes for every provider.
_OF_EVERY_PROVIDER = {"pluginDownloadURL", "version"}


def refuse_unknown_keys(keys: Iterable[str], project: str, source: str) -> None:
    """Refuse a namespace, or a setting of the AWS provider, that does not exist.

    Args:
        keys: with their namespaces.
        source: where they come from, for the message.

    Raises:
        UsageError: one of them would be ignored.
    """
    namespaces = (project, BENCH, _AWS, _PULUMI)
    for key in keys:
        namespace, _, name = key.partition(":")
        if namespace not in namespaces:
            hint = _hint(namespace, namespaces, "the namespaces are")
            raise UsageError(f"{source}: {key} has an unknown namespace; {hint}")
        if namespace == _AWS and name not in (settings := _provider_settings()):
            raise UsageError(
                f"{source}: {key} is not a setting of the AWS provider; {_hint(name, settings, 'it takes')}"
            )


def refuse_unknown_region(values: Mapping[str, Any]) -> None:
    """Refuse an `aws:region` that the AWS provider does not know.

    Raises:
        UsageError: there is no such region, and `aws:skipRegionValidation` does not say that it is a newer one.
    """
    region = values.get("aws:region")
    is_newer = str(values.get("aws:skipRegionValidation")).lower() == "true"
    if region is None or is_newer or region in (regions := _regions()):
        return
    hint = _hint(str(region), regions, "the regions are")
    raise UsageError(
        f"aws:region={region}: the AWS provider knows no such region; {hint} "
        "For a newer one set aws:skipRegionValidation to true"
    )


def _provider_settings() -> Collection[str]:
    from pulumi_aws import ProviderArgs  # takes a second, and not every stack file has settings of the provider

    names = list(inspect.signature(ProviderArgs.__init__).parameters)[1:]
    return {re.sub(r"_(.)", lambda letter: letter[1].upper(), name) for name in names} | _OF_EVERY_PROVIDER


def _regions() -> Collection[str]:
    from pulumi_aws import Region

    return [region.value for region in Region]


def _hint(word: str, known: Iterable[str], otherwise: str) -> str:
    nearest = difflib.get_close_matches(word, sorted(known), n=1)
    return f"did you mean {nearest[0]}?" if nearest else f"{otherwise} {', '.join(sorted(known))}."
