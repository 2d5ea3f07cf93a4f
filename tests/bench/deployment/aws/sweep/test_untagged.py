"""What takes no tags, hides behind a parent, stands in the way or comes back."""

from __future__ import annotations

from bench.deployment.aws.sweep.clients import ServiceClients
from bench.deployment.aws.sweep.survey import survey
from tests.aws_stand_in import missing_operations
from tests.aws_stand_in.clients import client
from tests.aws_stand_in.inventory import inventory
from tests.bench.deployment.aws.sweep.small_account import make
from tests.bench.deployment.aws.sweep.support import (
    CURRENT,
    EXPIRED,
    InstantClock,
    is_due,
    stand_up,
    swept,
    usual_session,
)


def kinds() -> list[str]:
    return [one.kind for one in survey(ServiceClients(usual_session()), is_due).resources]


def test_a_stack_in_use_is_swept_whole() -> None:
    """With what its use has made: versions, backups, alarms of scaling, instances, deletion protection."""
    before = inventory()
    cloud = stand_up("stress", EXPIRED, "deletion_protection=true")
    records = {record.type: record for record in cloud.records.values()}
    bucket = records["aws:s3/bucket:Bucket"].id
    s3 = client("s3")
    s3.delete_bucket_policy(Bucket=bucket)  # it admits nobody to the stand-in, which speaks no TLS
    s3.put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": "Enabled"})
    for body in (b"one", b"other"):
        s3.put_object(Bucket=bucket, Key="log", Body=body)
    s3.delete_object(Bucket=bucket, Key="log")
    missing_operations.recovery_points["arn:aws:backup:us-west-2:123456789012:recovery-point:one"] = {
        "vault": records["aws:backup/vault:Vault"].id
    }
    group = records["aws:autoscaling/group:Group"].id
    for name in (f"TargetTracking-{group}-AlarmHigh-one", "TargetTracking-of-somebody-else"):
        client("cloudwatch").put_metric_alarm(
            AlarmName=name,
            MetricName="CapacityProviderReservation",
            Namespace="AWS/ECS/ManagedScaling",
            Statistic="Average",
            Period=60,
            EvaluationPeriods=1,
            Threshold=100,
            ComparisonOperator="GreaterThanThreshold",
        )
    (subnet, *_) = (record for record in cloud.records.values() if record.type == "aws:ec2/subnet:Subnet")
    client("ec2").create_network_interface(SubnetId=subnet.id)

    assert {"recovery point", "alarm", "network interface", "instance", "saved query"} <= set(kinds())
    assert swept() == ()
    assert cloud.leftovers == ()
    assert inventory() - before == {" cloudwatch TargetTracking-of-somebody-else"}


def test_logs_of_container_insights_are_removed_whenever_they_reappear() -> None:
    """AWS writes them again after the cluster is gone, and describes the gone cluster with its tags for a while."""
    name = f"/aws/ecs/containerinsights/pypiserver-{EXPIRED.run}/performance"
    logs = client("logs")
    ours = make(EXPIRED)
    logs.create_log_group(logGroupName=name)

    written = list[str]()

    def write_once_more() -> None:
        if not written:
            written.append(name)
            logs.create_log_group(logGroupName=name)

    assert swept(clock=InstantClock(meanwhile=write_once_more)) == ()
    assert written
    assert ours.gone()
    logs.create_log_group(logGroupName=name)
    assert kinds() == ["Container Insights log group"]
    assert swept() == ()
    assert ours.gone()


def test_logs_of_container_insights_of_others_are_left_alone() -> None:
    make(CURRENT)
    logs = client("logs")
    for cluster in (f"pypiserver-{CURRENT.run}", "unknown"):
        logs.create_log_group(logGroupName=f"/aws/ecs/containerinsights/{cluster}/performance")
    assert kinds() == []


def test_groups_that_name_each_other_are_removed() -> None:
    ours = make(EXPIRED)
    ec2 = client("ec2")
    groups = ec2.describe_security_groups(Filters=[{"Name": "tag-key", "Values": ["pypiserver-bench:run"]}])
    one, other = (group["GroupId"] for group in groups["SecurityGroups"])
    for group, source in ((one, other), (other, one)):
        rule = {"IpProtocol": "tcp", "FromPort": 80, "ToPort": 80, "UserIdGroupPairs": [{"GroupId": source}]}
        ec2.authorize_security_group_ingress(GroupId=group, IpPermissions=[rule])
    assert swept() == ()
    assert ours.gone()


def test_a_proof_that_somebody_elses_certificate_needs_stays() -> None:
    stand_up("HTTPS and a zone", EXPIRED)
    client("acm", "us-east-1").request_certificate(DomainName="pypi.example.com")
    assert swept() == ()
    zone = client("route53").list_hosted_zones()["HostedZones"][0]["Id"]
    records = client("route53").list_resource_record_sets(HostedZoneId=zone)["ResourceRecordSets"]
    assert [one["Type"] for one in records if one["Type"] not in ("NS", "SOA")] == ["CNAME"]


def test_a_key_that_waits_for_its_deletion_is_no_leftover() -> None:
    tags = [{"TagKey": key, "TagValue": value} for key, value in EXPIRED.as_tags().items()]
    key = client("kms").create_key(Tags=tags)["KeyMetadata"]["KeyId"]
    assert kinds() == ["KMS key"]
    assert swept() == ()
    assert client("kms").describe_key(KeyId=key)["KeyMetadata"]["KeyState"] == "PendingDeletion"
    assert kinds() == []
