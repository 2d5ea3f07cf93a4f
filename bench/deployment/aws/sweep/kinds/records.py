"""Records in the zones of Route 53, which take no tags: known by what they point at."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from bench.deployment.aws.sweep.clients import ServiceClients
from bench.deployment.aws.sweep.kind import ResourceKind
from bench.deployment.aws.sweep.lists import Lists
from bench.deployment.aws.sweep.resource import RunResource, Sighting

Tags = Mapping[str, str]

# Without it AWS lists those with RSA keys of up to 2048 bits.
_ALL_KEYS = {
    "keyTypes": ["RSA_1024", "RSA_2048", "RSA_3072", "RSA_4096", "EC_prime256v1", "EC_secp384r1", "EC_secp521r1"]
}


def _records(lists: Lists) -> Iterator[Sighting]:
    """Aliases of balancers and distributions, the CAA records of their names, and the proofs of certificates."""
    endpoints, proofs = _endpoints(lists), _proofs(lists)
    if not endpoints and not proofs:
        return
    for zone in lists.aws.listed("route53", "list_hosted_zones", "HostedZones"):
        arguments = {"HostedZoneId": zone["Id"]}
        records = list(lists.aws.listed("route53", "list_resource_record_sets", "ResourceRecordSets", **arguments))
        names = {one["Name"]: endpoints[_target(one)] for one in records if _target(one) in endpoints}
        for one in records:
            tags = endpoints.get(_target(one)) or proofs.get((_bare(one["Name"]), _target(one)))
            if one["Type"] == "CAA":
                tags = names.get(one["Name"])
            if tags is not None:
                yield Sighting(f"{one['Name']} {one['Type']}", tags, parent=zone["Id"].rpartition("/")[2])


def _target(record: Mapping[str, Any]) -> str:
    """What a record points at, in the spelling of none of the services."""
    values = record.get("ResourceRecords", ())
    target = record["AliasTarget"]["DNSName"] if "AliasTarget" in record else values[0]["Value"] if values else ""
    return _bare(str(target))


def _bare(host: str) -> str:
    return host.lower().rstrip(".").removeprefix("dualstack.")


def _endpoints(lists: Lists) -> dict[str, Tags]:
    """Tags by the host name of each balancer and distribution."""
    hosts = dict[str, Tags]()
    for balancer in lists.of("load balancer"):
        (found,) = lists.aws("elbv2").describe_load_balancers(LoadBalancerArns=[balancer.id])["LoadBalancers"]
        hosts[_bare(found["DNSName"])] = balancer.tags
    for distribution in lists.of("CloudFront distribution"):
        found = lists.aws("cloudfront").get_distribution(Id=distribution.id)["Distribution"]
        hosts[_bare(found["DomainName"])] = distribution.tags
    return hosts


def _proofs(lists: Lists) -> dict[tuple[str, str], Tags]:
    """Tags by the name and value of each record that proves a name to ACM.

    A name has the same record for every certificate of an account: as long as a certificate of somebody else has the
    name, the record stays.
    """
    ours = {certificate.id: certificate for certificate in lists.of("certificate")}
    if not ours:
        return {}
    needed = {
        name
        for region in lists.aws.regions
        for one in lists.aws.listed("acm", "list_certificates", "CertificateSummaryList", region, Includes=_ALL_KEYS)
        if one["CertificateArn"] not in ours
        for name in (one["DomainName"], *one.get("SubjectAlternativeNameSummaries", ()))
    }
    proofs = dict[tuple[str, str], Tags]()
    for certificate in ours.values():
        found = lists.aws("acm", certificate.region).describe_certificate(CertificateArn=certificate.id)["Certificate"]
        for option in found.get("DomainValidationOptions", ()):
            if "ResourceRecord" in option and option["DomainName"] not in needed:
                record = option["ResourceRecord"]
                proofs[_bare(record["Name"]), _bare(record["Value"])] = certificate.tags
    return proofs


def _record_set(aws: ServiceClients, record: RunResource) -> Any:
    name, type_ = record.id.split(" ")
    found = aws("route53").list_resource_record_sets(
        HostedZoneId=record.parent, StartRecordName=name, StartRecordType=type_, MaxItems="1"
    )["ResourceRecordSets"]
    return next((one for one in found if (one["Name"], one["Type"]) == (name, type_)), None)


def _remove_record(aws: ServiceClients, record: RunResource) -> None:
    changes = [{"Action": "DELETE", "ResourceRecordSet": _record_set(aws, record)}]
    aws("route53").change_resource_record_sets(HostedZoneId=record.parent, ChangeBatch={"Changes": changes})


RECORD = ResourceKind(
    "DNS record",
    _records,
    _record_set,
    _remove_record,
    "aws route53 change-resource-record-sets --hosted-zone-id {parent} --change-batch ... # DELETE {id}",
)
