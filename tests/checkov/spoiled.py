"""What must not happen to a deployment, and the check that has to see it."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from bench.deployment.graph import Graph, Resource

Inputs = dict[str, Any]


@dataclass(frozen=True)
class Spoil:
    """A change of one resource, and the check that fails after it."""

    check: str
    type: str
    change: Callable[[Inputs], Inputs | None]
    """The resource's inputs to what they become; None where it is not made at all."""
    name: str = "pypiserver"
    found_at: str = ""
    """Where the check says so, if not at the resource itself: `aws_vpc.net`."""


def given(**values: Any) -> Callable[[Inputs], Inputs]:
    """Inputs with other values; None takes one away."""
    return lambda inputs: {key: value for key, value in {**inputs, **values}.items() if value is not None}


def _nested(key: str, **values: Any) -> Callable[[Inputs], Inputs]:
    return lambda inputs: {**inputs, key: {**inputs[key], **values}}


def _container(**values: Any) -> Callable[[Inputs], Inputs]:
    def changed(inputs: Inputs) -> Inputs:
        containers = [{**one, **values} for one in json.loads(inputs["containerDefinitions"])]
        return {**inputs, "containerDefinitions": json.dumps(containers)}

    return changed


def _document(key: str, **statement: Any) -> Callable[[Inputs], Inputs]:
    """A policy that allows more."""
    document = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", **statement}]}
    return given(**{key: json.dumps(document)})


def _unencrypted_volume(inputs: Inputs) -> Inputs:
    (packages, *others) = inputs["volumes"]
    volume = {**packages["efsVolumeConfiguration"], "transitEncryption": "DISABLED"}
    return {**inputs, "volumes": [{**packages, "efsVolumeConfiguration": volume}, *others]}


_BALANCER = "aws:lb/loadBalancer:LoadBalancer"
_LISTENER = "aws:lb/listener:Listener"
_INGRESS = "aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule"
_ACCESS_POINT = "aws:efs/accessPoint:AccessPoint"
_BLOCK = "aws:s3/bucketPublicAccessBlock:BucketPublicAccessBlock"
_TASK = "aws:ecs/taskDefinition:TaskDefinition"
_LOGS = "pypiserver-access-logs"
_ALARMS = "pypiserver-alarms"


def _open_to_all(from_port: int, to_port: int) -> Callable[[Inputs], Inputs]:
    return given(
        cidrIpv4="0.0.0.0/0", referencedSecurityGroupId=None, fromPort=from_port, toPort=to_port, ipProtocol="tcp"
    )


SPOILS: Mapping[str, Spoil] = {
    "a file system in clear": Spoil("CKV_AWS_42", "aws:efs/fileSystem:FileSystem", given(encrypted=False)),
    "NFS in clear": Spoil("CKV_AWS_97", _TASK, _unencrypted_volume),
    "a container that writes everywhere": Spoil("CKV_AWS_336", _TASK, _container(readonlyRootFilesystem=False)),
    "an access point without a user": Spoil("CKV_AWS_330", _ACCESS_POINT, given(posixUser=None)),
    "a bucket's ACLs open": Spoil("CKV_AWS_53", _BLOCK, given(blockPublicAcls=False), _LOGS),
    "a bucket's policy open": Spoil("CKV_AWS_54", _BLOCK, given(blockPublicPolicy=False), _LOGS),
    "a public bucket": Spoil(
        "CKV2_AWS_6", _BLOCK, given(restrictPublicBuckets=False), _LOGS, "aws_s3_bucket.pypiserver-access-logs"
    ),
    "a bucket for everybody": Spoil(
        "CKV_AWS_70",
        "aws:s3/bucketPolicy:BucketPolicy",
        _document("policy", Principal="*", Action="s3:GetObject", Resource="*"),
        _LOGS,
    ),
    "IMDSv1": Spoil(
        "CKV_AWS_79", "aws:ec2/launchTemplate:LaunchTemplate", _nested("metadataOptions", httpTokens="optional")
    ),
    "SSH for everybody": Spoil("CKV_AWS_24", _INGRESS, _open_to_all(22, 22), "pypiserver-balancer-to-instances"),
    "a plaintext listener": Spoil("CKV_AWS_2", _LISTENER, given(protocol="HTTP", certificateArn=None, sslPolicy=None)),
    "plain HTTP that is not redirected": Spoil(
        "CKV2_AWS_20", _LISTENER, lambda inputs: None, "pypiserver-redirect", "aws_lb.pypiserver"
    ),
    "odd headers let through": Spoil("CKV_AWS_131", _BALANCER, given(dropInvalidHeaderFields=False)),
    "no access logs": Spoil("CKV_AWS_91", _BALANCER, _nested("accessLogs", enabled=False)),
    "a balancer that anybody deletes": Spoil("CKV_AWS_150", _BALANCER, given(enableDeletionProtection=False)),
    "a balancer without its web ACL": Spoil(
        "CKV2_AWS_28",
        "aws:wafv2/webAclAssociation:WebAclAssociation",
        lambda inputs: None,
        found_at="aws_lb.pypiserver",
    ),
    "a topic in clear": Spoil("CKV_AWS_26", "aws:sns/topic:Topic", given(kmsMasterKeyId=None), _ALARMS),
    "a topic for everybody": Spoil(
        "CKV_AWS_169",
        "aws:sns/topicPolicy:TopicPolicy",
        _document("policy", Principal={"AWS": "*"}, Action="sns:Publish", Resource="*"),
        _ALARMS,
    ),
    "a key that stays": Spoil("CKV_AWS_7", "aws:kms/key:Key", given(enableKeyRotation=False), _ALARMS),
    "a key for everybody": Spoil(
        "CKV_AWS_33",
        "aws:kms/key:Key",
        _document("policy", Principal={"AWS": "*"}, Action="kms:*", Resource="*"),
        _ALARMS,
    ),
    "a role that may do all": Spoil(
        "CKV_AWS_62",
        "aws:iam/rolePolicy:RolePolicy",
        _document("policy", Action="*", Resource="*"),
        "pypiserver-mount-packages",
    ),
    "a role that anybody assumes": Spoil(
        "CKV_AWS_60",
        "aws:iam/role:Role",
        _document("assumeRolePolicy", Principal={"AWS": "*"}, Action="sts:AssumeRole"),
        "pypiserver-task",
    ),
    "hosts with public addresses": Spoil(
        "CKV_AWS_130", "aws:ec2/subnet:Subnet", given(mapPublicIpOnLaunch=True), "pypiserver-private-0"
    ),
    "a VPC whose default group is open": Spoil(
        "CKV2_AWS_12",
        "aws:ec2/defaultSecurityGroup:DefaultSecurityGroup",
        given(ingress=[{"protocol": "-1", "fromPort": 0, "toPort": 0, "cidrBlocks": ["0.0.0.0/0"]}]),
        found_at="aws_vpc.pypiserver",
    ),
    "a VPC that nobody sees into": Spoil(
        "CKV2_AWS_11", "aws:ec2/flowLog:FlowLog", lambda inputs: None, found_at="aws_vpc.pypiserver"
    ),
    "packages that nobody backs up": Spoil(
        "CKV2_AWS_18",
        "aws:backup/selection:Selection",
        lambda inputs: None,
        found_at="aws_efs_file_system.pypiserver",
    ),
    "a vault with AWS's key": Spoil("CKV_AWS_166", "aws:backup/vault:Vault", given(kmsKeyArn=None)),
    "a secret with AWS's key": Spoil("CKV_AWS_149", "aws:secretsmanager/secret:Secret", given(kmsKeyId=None)),
    "logs with AWS's key": Spoil("CKV_AWS_158", "aws:cloudwatch/logGroup:LogGroup", given(kmsKeyId=None)),
}


def target(graph: Graph, spoil: Spoil) -> Resource:
    """The resource that is spoiled."""
    (found,) = (one for one in graph.of_type(spoil.type) if one.name == spoil.name)
    return found


def spoiled(graph: Graph) -> Graph:
    """The graph with everything in it that must not be."""
    resources = dict(graph.resources)
    for spoil in SPOILS.values():
        urn = target(graph, spoil).urn
        if (resource := resources.get(urn)) is None:
            continue
        changed = spoil.change(dict(resource.inputs))
        if changed is None:
            del resources[urn]
        else:
            resources[urn] = replace(resource, inputs=changed)
    return Graph(resources)
