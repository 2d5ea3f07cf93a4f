"""Names of the index in a Route 53 zone, their certificate and their records."""

from __future__ import annotations

from collections.abc import Sequence

import pulumi
import pulumi_aws as aws

from pypiserver_stack.common.tags import Tags
from pypiserver_stack.settings import ConfigurationError
from pypiserver_stack.settings.groups.names import NamesSettings

VALIDATION_TTL_S = 60
CAA_TTL_S = 3600
FIRST_NAME_MAX_LENGTH = 64  # of a certificate of ACM


class Zone:
    """The hosted zone, and the provider that reaches it, which may be in another account."""

    def __init__(self, name: str, settings: NamesSettings, *, certified: bool, parent: pulumi.Resource) -> None:
        assert settings.zone_id is not None, "asked for where there is a zone"
        self._name = name
        self._parent = parent
        self._proofs: list[pulumi.Output[str]] | None = None
        self.id: pulumi.Input[str] = settings.zone_id
        self._provider = (
            _dns_provider(name, settings.dns_role_arn, parent) if settings.dns_role_arn is not None else None
        )
        zone = aws.route53.get_zone_output(
            zone_id=self.id, opts=pulumi.InvokeOutputOptions(parent=parent, provider=self._provider)
        )
        zone_name = zone.name
        if certified:
            # All that is made in the zone has the names, so that nothing is where it is refused; hence an apply.
            zone_name = zone.apply(lambda found: _name_for_certificate(found, settings.dns_names[0]))
        self.names = {label: pulumi.Output.concat(label, ".", zone_name) for label in settings.dns_names}
        """The names in full, by what precedes the zone's."""
        self.caa_records = [
            aws.route53.Record(
                f"{name}-{label}-caa",
                zone_id=self.id,
                name=host,
                type="CAA",
                ttl=CAA_TTL_S,
                records=[f'0 issue "{issuer}"' for issuer in settings.issuers],
                opts=self.options(parent),
            )
            for label, host in self.names.items()
            if settings.issuers
        ]

    def options(
        self, parent: pulumi.Resource, depends_on: Sequence[pulumi.Resource] | None = None
    ) -> pulumi.ResourceOptions:
        """For a record in the zone."""
        return pulumi.ResourceOptions(parent=parent, provider=self._provider, depends_on=depends_on)

    def proofs(self, certificate: aws.acm.Certificate) -> list[pulumi.Output[str]]:
        """Records that prove to ACM that the names are ours: one for each name, shared by every certificate.

        They are the zone's and not the certificate's that asks first: where another came to be the first, the engine
        would make them under a new URN, and then delete the same records under the old one.
        """
        if self._proofs is None:
            self._proofs = [
                self._validation_record(f"{self._name}-{label}-validation", certificate, host).fqdn
                for label, host in self.names.items()
            ]
        return self._proofs

    def _validation_record(
        self, name: str, certificate: aws.acm.Certificate, host: pulumi.Output[str]
    ) -> aws.route53.Record:
        # ACM lists its options in no order, and only ACM knows which one is of this name, hence an apply.
        option = pulumi.Output.all(options=certificate.domain_validation_options, host=host).apply(
            lambda known: next(option for option in known["options"] if option["domain_name"] == known["host"])
        )
        return aws.route53.Record(
            name,
            zone_id=self.id,
            name=option["resource_record_name"],
            type=option["resource_record_type"],
            ttl=VALIDATION_TTL_S,
            records=[option["resource_record_value"]],
            # The same name has the same record for every certificate of an account, so one that is left over is this.
            allow_overwrite=True,
            opts=self.options(self._parent),
        )


def _dns_provider(name: str, role_arn: pulumi.Input[str], parent: pulumi.Resource) -> aws.Provider:
    """A provider for a hosted zone in another account, which assumes a role as whoever deploys the stack.

    Pulumi gives what is configured as `aws:...` to its default provider alone: what says who deploys is passed on.
    """
    configured = pulumi.Config("aws")
    return aws.Provider(
        f"{name}-dns",
        profile=configured.get("profile"),
        shared_config_files=configured.get_object("sharedConfigFiles"),
        shared_credentials_files=configured.get_object("sharedCredentialsFiles"),
        access_key=configured.get_secret("accessKey"),
        secret_key=configured.get_secret("secretKey"),
        token=configured.get_secret("token"),
        # Each is assumed by the one before it: the role is to trust who makes everything else. A provider takes its
        # arguments as JSON, in which the names of a dictionary would stay as they are here.
        assume_roles=[
            *(configured.get_object("assumeRoles") or ()),
            aws.ProviderAssumeRoleArgs(role_arn=role_arn, session_name=name),
        ],
        # Without it this provider would look for one in the environment, where the stack need not have it from.
        region=aws.get_region_output(opts=pulumi.InvokeOutputOptions(parent=parent)).region,
        opts=pulumi.ResourceOptions(parent=parent),
    )


def _name_for_certificate(zone: aws.route53.GetZoneResult, first_label: str) -> str:
    """The zone's name.

    Raises:
        ConfigurationError: ACM would issue no certificate for the names in it, and say so after more than an hour.
    """
    if zone.private_zone:
        raise ConfigurationError(
            f"zone_id = {zone.zone_id!r}: {zone.name} is a private hosted zone, in which ACM cannot see that the names "
            "are yours: give a public one, or certificate_arn, without cloudfront_enabled"
        )
    first = f"{first_label}.{zone.name}"
    if len(first) > FIRST_NAME_MAX_LENGTH:
        raise ConfigurationError(
            f"dns_names: {first} has {len(first)} characters, and ACM takes at most {FIRST_NAME_MAX_LENGTH} for the "
            "first name of a certificate: put a shorter one first"
        )
    return zone.name


class Certificate(pulumi.ComponentResource):
    """A certificate of ACM for all names, which a record for each proves to be ours."""

    def __init__(
        self,
        name: str,
        tags: Tags,
        zone: Zone,
        *,
        region: str | None = None,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        super().__init__("pypiserver:index:Certificate", name, None, opts)
        first, *others = zone.names.values()
        certificate = aws.acm.Certificate(
            name,
            domain_name=first,
            subject_alternative_names=others,
            validation_method="DNS",
            region=region,
            tags=tags(name),
            # A zone above the names may name other authorities, and ACM gives up at once where it may not issue.
            opts=pulumi.ResourceOptions(parent=self, depends_on=zone.caa_records),
        )
        validation = aws.acm.CertificateValidation(
            name,
            certificate_arn=certificate.arn,
            validation_record_fqdns=zone.proofs(certificate),
            region=region,
            opts=pulumi.ResourceOptions(parent=self),
        )
        self.arn = validation.certificate_arn
        """Known once the certificate is issued: a listener takes no other."""
        self.register_outputs({"arn": self.arn})


class Records(pulumi.ComponentResource):
    """Every name as an alias of what clients are to reach."""

    def __init__(
        self,
        name: str,
        zone: Zone,
        *,
        dns_name: pulumi.Input[str],
        zone_id: pulumi.Input[str],
        ipv6: bool,
        after: Sequence[pulumi.Resource] = (),
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        """
        Args:
            dns_name, zone_id: of what they lead to, as AWS tells it; the zone is one of AWS's own.
            ipv6: whether that has IPv6 addresses too.
            after: what has to be as it is to be before a name leads there.
        """
        super().__init__("pypiserver:index:Records", name, None, opts)
        for label, host in zone.names.items():
            for kind in ("A", "AAAA") if ipv6 else ("A",):
                aws.route53.Record(
                    f"{name}-{label}-{kind.lower()}",
                    zone_id=zone.id,
                    name=host,
                    type=kind,
                    aliases=[
                        {
                            "name": dns_name,
                            "zone_id": zone_id,
                            "evaluate_target_health": False,  # there is nowhere else to send a client
                        }
                    ],
                    opts=zone.options(self, depends_on=after),
                )
        self.register_outputs({})
