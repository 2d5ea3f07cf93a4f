"""Contradictions and cautions of settings, those between groups among them. A group's own are in its file."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from ipaddress import IPv4Network
from typing import Literal

from pypiserver_stack.settings.groups.hosts import BURSTABLE
from pypiserver_stack.settings.groups.names import AMAZON
from pypiserver_stack.settings.groups.server import STOP_TIMEOUT_S
from pypiserver_stack.settings.private_ecr import repository
from pypiserver_stack.settings.problems import Caution, Problem, as_configured
from pypiserver_stack.settings.settings import GROUPS, Settings
from sizing.counted import counted


def contradictions(settings: Settings) -> Iterator[Problem]:
    """Every mistake that only several settings together show."""
    for group in GROUPS:
        yield from group.contradictions(settings)
    for rule in RULES:
        yield from rule(settings)


def warning_sentences(settings: Settings, about: Literal["load", "operation"] | None = None) -> tuple[str, ...]:
    """The sentences of the cautions about one subject, or about both."""
    return tuple(caution.sentence for caution in _cautions(settings) if about in (None, caution.about))


def _cautions(settings: Settings) -> Iterator[Caution]:
    for group in GROUPS:
        yield from group.cautions(settings)
    yield from _server_hangs_up_first(settings)


# Given to a Spot instance, in seconds.
_SPOT_NOTICE_S = 120


def _a_network_without_nat_takes_its_image_from_ecr(settings: Settings) -> Iterator[Problem]:
    if settings.nat_gateways == "none" and not settings.subnets_given and not repository(settings.image):
        allowed = (
            "takes an image from a private ECR registry (ACCOUNT.dkr.ecr.REGION.amazonaws.com/...), which {} is not: "
            "without NAT neither Docker Hub nor any other registry can be reached; set image, or nat_gateways to one"
        )
        yield settings.refused("nat_gateways", allowed.format(settings.image), "image")


# In each private subnet: what AWS keeps, a mount target, an endpoint for each service, what a balancer must find free.
_ADDRESSES_NOT_FOR_INSTANCES = 5 + 1 + 12 + 8


def _the_own_vpc_holds_the_instances(settings: Settings) -> Iterator[Problem]:
    if settings.subnets_given:
        return
    most = settings.instance_max_count or settings.instance_min_count + 1
    # A private subnet is a quarter of the VPC.
    in_a_zone = IPv4Network(settings.vpc_cidr).num_addresses // 4 - _ADDRESSES_NOT_FOR_INSTANCES
    room = settings.availability_zone_count * in_a_zone
    if most > room:
        zones = counted(settings.availability_zone_count, "zone")
        allowed = f"holds at most {counted(room, 'instance')} in {zones}, and there may be {most}"
        others = ("instance_max_count", "instance_min_count", "availability_zone_count")
        yield settings.refused("vpc_cidr", f"{allowed}: take a larger range", *others)


def _credits_are_of_burstable_instances(settings: Settings) -> Iterator[Problem]:
    """AWS launches no instance with a credit specification that its type cannot have."""
    if settings.cpu_credits is not None and not BURSTABLE.match(settings.instance_type):
        allowed = f"not set, for instance_type {settings.instance_type} has no CPU credits"
        yield settings.refused("cpu_credits", allowed, "instance_type")


def _some_instances_are_spot(settings: Settings) -> Iterator[Problem]:
    """Spot that only the base would use."""
    most = settings.instance_max_count
    if settings.spot_enabled and most is not None and settings.spot_on_demand_base_count >= most:
        allowed = f"below instance_max_count, which is {most}, or no instance would be a Spot one"
        yield settings.refused("spot_on_demand_base_count", allowed, "spot_enabled", "instance_max_count")


def _a_spot_instance_has_time_to_drain(settings: Settings) -> Iterator[Problem]:
    """A Spot instance is gone two minutes after its notice; by then its tasks must be drained and stopped."""
    most_s = _SPOT_NOTICE_S - STOP_TIMEOUT_S - 1
    if settings.spot_enabled and settings.deregistration_delay_s > most_s:
        allowed = f"at most {most_s} with spot_enabled, so that a task has ended when its instance goes"
        yield settings.refused("deregistration_delay_s", allowed, "spot_enabled")


def _two_passwords(settings: Settings) -> Iterator[Problem]:
    """Only our own check knows more than one generated password."""
    if len(settings.password_generations) > 1 and settings.authentication != "sha256":
        yield Problem(
            "password_generations",
            list(settings.password_generations),
            f"two are accepted with authentication sha256 only, which is {settings.authentication}",
            frozenset(["authentication"]),
        )


def _roles_have_secrets(settings: Settings) -> Iterator[Problem]:
    """Readers of a secret that there is with the generated credentials of roles only."""
    for key in ("read_secret_readers", "upload_secret_readers"):
        if getattr(settings, key) and settings.authentication != "sha256":
            allowed = f"takes authentication sha256, which is {settings.authentication}: there is no such secret"
            yield settings.refused(key, allowed, "authentication")


def _a_distribution_has_what_it_needs(settings: Settings) -> Iterator[Problem]:
    """Settings that open the balancer to others, let edges serve the wrong files, or leave them nothing to cache."""
    if not settings.cloudfront_enabled:
        return

    def refused(key: str, allowed: str, *others: str) -> Problem:
        return settings.refused(key, allowed, "cloudfront_enabled", *others)

    if settings.zone_id is None:
        yield refused(
            "cloudfront_enabled",
            "takes a zone: set zone_id, in which the distribution's names and its certificate of us-east-1 are made",
            "zone_id",
        )
    elif settings.certificate_issuers and AMAZON.isdisjoint(settings.certificate_issuers):
        yield refused(
            "certificate_issuers",
            "must hold amazon.com with cloudfront_enabled, whose certificate is made in the zone in any case",
        )
    if settings.balancer_scheme == "internal":
        yield refused("balancer_scheme", "internet-facing, or left out, with cloudfront_enabled, which must reach it")
    if settings.allowed_cidrs is not None:
        yield refused(
            "allowed_cidrs",
            "left out with cloudfront_enabled: the balancer takes CloudFront alone, and CloudFront takes everybody",
        )
    if settings.overwrite or settings.removal_enabled:
        yield refused(
            "cloudfront_enabled",
            "takes overwrite false and removal_enabled false, which are "
            f"{as_configured(settings.overwrite)} and {as_configured(settings.removal_enabled)}: an edge would go on "
            "serving a file that was replaced or removed",
            "overwrite",
            "removal_enabled",
        )
    if settings.authentication != "sha256":
        yield refused(
            "authentication",
            "sha256 with cloudfront_enabled: other users can be removed while the edges go on serving them",
        )
    if settings.backend != "validated":
        yield refused(
            "backend",
            "validated with cloudfront_enabled: pypiserver's own does not say which files may be kept, so none are",
        )
    if settings.stickiness_enabled:
        yield refused(
            "stickiness_enabled", "false with cloudfront_enabled, whose edges would keep the cookie with the file"
        )


RULES: tuple[Callable[[Settings], Iterator[Problem]], ...] = (
    _a_network_without_nat_takes_its_image_from_ecr,
    _the_own_vpc_holds_the_instances,
    _credits_are_of_burstable_instances,
    _some_instances_are_spot,
    _a_spot_instance_has_time_to_drain,
    _two_passwords,
    _roles_have_secrets,
    _a_distribution_has_what_it_needs,
)


def _server_hangs_up_first(settings: Settings) -> Iterator[Caution]:
    if settings.gunicorn_keepalive_s <= settings.idle_timeout_s:
        sentence = (
            f"gunicorn_keepalive_s = {settings.gunicorn_keepalive_s} is not above idle_timeout_s = "
            f"{settings.idle_timeout_s}: the balancer answers 502 when it reuses a connection that a task just closed"
        )
        yield Caution(sentence, "load")
