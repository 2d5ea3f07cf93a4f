"""Settings that must be of the stack's own region and partition."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pulumi
import pulumi_aws as aws

from pypiserver_stack.common.invoke_options import invoke_options
from pypiserver_stack.settings import GROUPS, Settings, SettingsError
from pypiserver_stack.settings.description import SCHEMA
from pypiserver_stack.settings.private_ecr import repository
from pypiserver_stack.settings.problems import Problem

ARNS = tuple(key for group in GROUPS for key in group.model_fields if '"^arn:' in json.dumps(SCHEMA["properties"][key]))
"""Settings that hold ARNs, which name a partition and, but for those of IAM, a region."""


def refuse_other_regions(settings: Settings, opts: pulumi.ResourceOptions | None) -> None:
    """Hold the settings against the region that the stack is deployed to, before AWS does so half way.

    Raises:
        SettingsError: some are of another region or partition.
    """
    arns, images = list(_arns(settings)), list(_images(settings))
    if not arns and not images:
        return
    invoke = invoke_options(opts)
    region, partition = aws.get_region(opts=invoke).region, aws.get_partition(opts=invoke).partition
    problems = [Problem("image", image, f"in {region}, as the stack is") for image, of in images if of != region]
    for key, arn in arns:
        _, its_partition, _, its_region, *_ = arn.split(":")
        if its_partition != partition:
            problems.append(Problem(key, arn, f"of partition {partition}, as the stack in {region} is"))
        elif its_region not in ("", region):
            problems.append(Problem(key, arn, f"in {region}, as the stack is"))
    if problems:
        raise SettingsError(problems)


def _arns(settings: Settings) -> Iterator[tuple[str, str]]:
    """Setting and ARN. What another program gives as an Output has no text yet."""
    for key in ARNS:
        given = getattr(settings, key)
        for arn in given if isinstance(given, tuple) else [given]:
            if isinstance(arn, str):
                yield key, arn


def _images(settings: Settings) -> Iterator[tuple[str, str]]:
    """An image that has to be in the stack's region, and the region that it is in."""
    # With NAT an image may come from anywhere; the endpoints of a network without it are those of its own region.
    without_nat = settings.nat_gateways == "none" and not settings.subnets_given
    if without_nat and (private := repository(settings.image)):
        yield settings.image, private.region
