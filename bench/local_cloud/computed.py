"""What AWS would compute: ids, ARNs, DNS names and the answers to provider functions, per resource type."""

from __future__ import annotations

import base64
import hashlib
import hmac
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

import bcrypt

Inputs = Mapping[str, Any]
Computed = dict[str, Any]


class CloudError(Exception):
    """The cloud refuses an operation, as AWS would with an API error."""


@dataclass(frozen=True)
class Identity:
    """Where a resource's ids come from, and whose cloud it is in."""

    urn: str
    digest: str
    """64 hexadecimal digits, from the URN and the number: both engines and every run give the same ids."""
    region: str
    account: str
    entropy: bytes
    """What generated passwords come from."""
    number: int = 1
    """The how many-th of its URN it is: one that was replaced, or made again, gets other ids."""
    revision: int = 1
    """How often the resource was made or changed."""

    @property
    def name(self) -> str:
        """The resource's logical name: the last part of its URN."""
        return self.urn.rsplit("::", 1)[1]

    @property
    def physical_name(self) -> str:
        """The name AWS knows it by: the logical one with a suffix, as Pulumi names what is given no name."""
        return f"{self.name}-{self.digest[:7]}"

    def arn(self, service: str, path: str, *, regional: bool = True) -> str:
        """An ARN in this account."""
        return f"arn:aws:{service}:{self.region if regional else ''}:{self.account}:{path}"


def computed_outputs(type_: str, identity: Identity, inputs: Inputs) -> tuple[str, Computed]:
    """The id and the computed outputs of a resource of this type.

    Raises:
        CloudError: nobody has written down what AWS computes for this type.
    """
    compute = RESOURCES.get(type_)
    if compute is None:
        raise CloudError(
            f"the local cloud does not know the resource type {type_}: add it to bench/local_cloud/computed.py"
        )
    # A resource may be kept in another region than the stack's own.
    return compute(replace(identity, region=inputs.get("region", identity.region)), inputs)


def _hex_id(prefix: str) -> Callable[[Identity, Inputs], tuple[str, Computed]]:
    return lambda identity, inputs: (f"{prefix}-0{identity.digest[:16]}", {})


def _with_arn(prefix: str, service: str, path: str) -> Callable[[Identity, Inputs], tuple[str, Computed]]:
    def compute(identity: Identity, inputs: Inputs) -> tuple[str, Computed]:
        id_ = f"{prefix}-0{identity.digest[:16]}"
        return id_, {"arn": identity.arn(service, f"{path}/{id_}")}

    return compute


def _named(service: str, path: str, *, regional: bool = True) -> Callable[[Identity, Inputs], tuple[str, Computed]]:
    """A resource whose id is its name."""

    def compute(identity: Identity, inputs: Inputs) -> tuple[str, Computed]:
        name = inputs.get("name", identity.physical_name)
        return name, {"name": name, "arn": identity.arn(service, f"{path}{name}", regional=regional)}

    return compute


def _named_by_arn(service: str, path: str) -> Callable[[Identity, Inputs], tuple[str, Computed]]:
    """A resource whose id is its ARN."""

    def compute(identity: Identity, inputs: Inputs) -> tuple[str, Computed]:
        name = inputs.get("name", identity.physical_name)
        arn = identity.arn(service, f"{path}{name}")
        return arn, {"name": name, "arn": arn}

    return compute


def _association(identity: Identity, inputs: Inputs) -> tuple[str, Computed]:
    return f"{identity.name}-{identity.digest[:8]}", {}


def _random_password(identity: Identity, inputs: Inputs) -> tuple[str, Computed]:
    alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"
    stream = b"".join(
        hmac.digest(identity.entropy, f"{identity.digest}/{block}".encode(), hashlib.sha256)
        for block in range(1 + inputs["length"] // 8)
    )
    # Four bytes a character: the modulo then favours no letter by more than one in 69 million.
    numbers = (int.from_bytes(stream[4 * i : 4 * i + 4]) for i in range(inputs["length"]))
    result = "".join(alphabet[number % len(alphabet)] for number in numbers)
    salt = b"$2a$10$" + base64.b64encode(hashlib.sha256(stream).digest()[:16], altchars=b"./")[:21] + b"u"
    return "none", {"result": result, "bcryptHash": bcrypt.hashpw(result.encode(), salt).decode()}


def _secret_version(identity: Identity, inputs: Inputs) -> tuple[str, Computed]:
    # Another value is another version. Keyed, because the id is no secret.
    text = f"{identity.urn}/{inputs['secretString']}"
    version = hmac.digest(identity.entropy, text.encode(), hashlib.sha256).hex()[:32]
    return f"{inputs['secretId']}|{version}", {"versionId": version, "arn": inputs["secretId"]}


def _secret(identity: Identity, inputs: Inputs) -> tuple[str, Computed]:
    name = inputs.get("name", identity.physical_name)
    arn = identity.arn("secretsmanager", f"secret:{name}-{identity.digest[7:13]}")
    return arn, {"name": name, "arn": arn}


def _load_balancer(identity: Identity, inputs: Inputs) -> tuple[str, Computed]:
    name = inputs.get("name", identity.physical_name)
    suffix = f"app/{name}/{identity.digest[:16]}"
    arn = identity.arn("elasticloadbalancing", f"loadbalancer/{suffix}")
    internal = "internal-" if inputs.get("internal") else ""
    return arn, {
        "name": name,
        "arn": arn,
        "arnSuffix": suffix,
        "dnsName": f"{internal}{name}-{int(identity.digest[:8], 16)}.{identity.region}.elb.amazonaws.com",
        "zoneId": f"Z{identity.digest[:13].upper()}",
    }


def _target_group(identity: Identity, inputs: Inputs) -> tuple[str, Computed]:
    name = inputs.get("name", identity.physical_name)
    suffix = f"targetgroup/{name}/{identity.digest[:16]}"
    arn = identity.arn("elasticloadbalancing", suffix)
    return arn, {"name": name, "arn": arn, "arnSuffix": suffix}


def _listener(identity: Identity, inputs: Inputs) -> tuple[str, Computed]:
    arn = f"{inputs['loadBalancerArn']}/{identity.digest[:16]}".replace(":loadbalancer/", ":listener/")
    return arn, {"arn": arn}


def _listener_rule(identity: Identity, inputs: Inputs) -> tuple[str, Computed]:
    arn = f"{inputs['listenerArn']}/{identity.digest[:16]}".replace(":listener/", ":listener-rule/")
    return arn, {"arn": arn}


def _distribution(identity: Identity, inputs: Inputs) -> tuple[str, Computed]:
    id_ = f"E{identity.digest[:13].upper()}"
    return id_, {
        "arn": identity.arn("cloudfront", f"distribution/{id_}", regional=False),
        "domainName": f"d{identity.digest[:13]}.cloudfront.net",
        "hostedZoneId": "Z2FDTNDATAQYW2",  # that of every distribution
        "status": "Deployed",
    }


def _cloudfront_policy(path: str) -> Callable[[Identity, Inputs], tuple[str, Computed]]:
    def compute(identity: Identity, inputs: Inputs) -> tuple[str, Computed]:
        id_ = _uuid(identity)
        name = inputs.get("name", identity.physical_name)
        return id_, {"name": name, "arn": identity.arn("cloudfront", f"{path}/{id_}", regional=False)}

    return compute


def _log_delivery(identity: Identity, inputs: Inputs) -> tuple[str, Computed]:
    id_ = identity.digest[:16]
    return id_, {"arn": identity.arn("logs", f"delivery:{id_}")}


def _bucket(identity: Identity, inputs: Inputs) -> tuple[str, Computed]:
    name = inputs.get("bucket", identity.physical_name)
    return name, {
        "bucket": name,
        "arn": f"arn:aws:s3:::{name}",
        "bucketDomainName": f"{name}.s3.amazonaws.com",
        "bucketRegionalDomainName": f"{name}.s3.{identity.region}.amazonaws.com",
    }


def _of_bucket(identity: Identity, inputs: Inputs) -> tuple[str, Computed]:
    """A part of a bucket's configuration, known by the bucket's name."""
    return inputs["bucket"], {}


def _certificate(identity: Identity, inputs: Inputs) -> tuple[str, Computed]:
    arn = identity.arn("acm", f"certificate/{uuid.UUID(identity.digest[:32])}")
    hosts = [inputs["domainName"], *inputs.get("subjectAlternativeNames", ())]
    # As with AWS, the same name has the same record for each certificate of an account; they come in no useful order.
    options = [
        {
            "domainName": host,
            "resourceRecordName": f"_{_hash(identity.account, host)}.{host}.",
            "resourceRecordType": "CNAME",
            "resourceRecordValue": f"_{_hash(host, identity.account)}.acm-validations.aws.",
        }
        for host in reversed(hosts)
    ]
    return arn, {"arn": arn, "domainValidationOptions": options, "status": "PENDING_VALIDATION"}


def _hash(*parts: str) -> str:
    return hashlib.sha256("/".join(parts).encode()).hexdigest()[:32]


def _certificate_validation(identity: Identity, inputs: Inputs) -> tuple[str, Computed]:
    return "2026-01-01 00:00:00 +0000 UTC", {}


def _record(identity: Identity, inputs: Inputs) -> tuple[str, Computed]:
    host = inputs["name"].rstrip(".")
    return f"{inputs['zoneId']}_{host}_{inputs['type']}", {"fqdn": host}


def _web_acl(identity: Identity, inputs: Inputs) -> tuple[str, Computed]:
    name = inputs.get("name", identity.physical_name)
    id_ = str(uuid.UUID(identity.digest[:32]))
    scope = "global" if inputs["scope"] == "CLOUDFRONT" else "regional"
    return id_, {"name": name, "arn": identity.arn("wafv2", f"{scope}/webacl/{name}/{id_}"), "capacity": 2}


def _launch_template(identity: Identity, inputs: Inputs) -> tuple[str, Computed]:
    id_ = f"lt-0{identity.digest[:16]}"
    name = inputs.get("name", identity.physical_name)
    return id_, {"name": name, "arn": identity.arn("ec2", f"launch-template/{id_}"), "latestVersion": identity.revision}


def _service(identity: Identity, inputs: Inputs) -> tuple[str, Computed]:
    name = inputs.get("name", identity.physical_name)
    arn = identity.arn("ecs", f"service/{inputs['cluster'].rsplit('/', 1)[-1]}/{name}")
    return arn, {"name": name, "arn": arn}


def _task_definition(identity: Identity, inputs: Inputs) -> tuple[str, Computed]:
    arn = identity.arn("ecs", f"task-definition/{inputs['family']}:{identity.number}")
    return inputs["family"], {"arn": arn, "revision": identity.number}


def _dashboard(identity: Identity, inputs: Inputs) -> tuple[str, Computed]:
    name = inputs["dashboardName"]
    return name, {"dashboardArn": f"arn:aws:cloudwatch::{identity.account}:dashboard/{name}"}


def _kms_key(identity: Identity, inputs: Inputs) -> tuple[str, Computed]:
    id_ = _uuid(identity)
    return id_, {"keyId": id_, "arn": identity.arn("kms", f"key/{id_}")}


def _metric_alarm(identity: Identity, inputs: Inputs) -> tuple[str, Computed]:
    name = inputs.get("name", identity.physical_name)
    return name, {"name": name, "arn": identity.arn("cloudwatch", f"alarm:{name}")}


def _query_definition(identity: Identity, inputs: Inputs) -> tuple[str, Computed]:
    id_ = _uuid(identity)
    return id_, {"queryDefinitionId": id_}


def _topic_subscription(identity: Identity, inputs: Inputs) -> tuple[str, Computed]:
    arn = f"{inputs['topic']}:{_uuid(identity)}"
    return arn, {"arn": arn, "pendingConfirmation": inputs["protocol"] == "email"}


def _backup_plan(identity: Identity, inputs: Inputs) -> tuple[str, Computed]:
    id_ = _uuid(identity)
    arn = identity.arn("backup", f"backup-plan:{id_}")
    return id_, {"name": inputs.get("name", identity.physical_name), "arn": arn}


def _backup_selection(identity: Identity, inputs: Inputs) -> tuple[str, Computed]:
    return _uuid(identity), {"name": inputs.get("name", identity.physical_name)}


def _uuid(identity: Identity) -> str:
    return str(uuid.UUID(identity.digest[:32]))


def _scheduled_action(identity: Identity, inputs: Inputs) -> tuple[str, Computed]:
    name = inputs.get("name", identity.physical_name)
    namespace, resource = inputs["serviceNamespace"], inputs["resourceId"]
    path = f"scheduledAction:{identity.digest[:32]}:resource/{namespace}/{resource}:scheduledActionName/{name}"
    return f"{name}-{namespace}-{resource}", {"name": name, "arn": identity.arn("autoscaling", path)}


def _file_system(identity: Identity, inputs: Inputs) -> tuple[str, Computed]:
    id_ = f"fs-0{identity.digest[:16]}"
    return id_, {
        "arn": identity.arn("elasticfilesystem", f"file-system/{id_}"),
        "dnsName": f"{id_}.efs.{identity.region}.amazonaws.com",
    }


def _route(identity: Identity, inputs: Inputs) -> tuple[str, Computed]:
    destination = inputs.get("destinationCidrBlock") or inputs["destinationIpv6CidrBlock"]
    return f"r-{inputs['routeTableId']}{destination}", {"state": "active", "origin": "CreateRoute"}


def _vpc(identity: Identity, inputs: Inputs) -> tuple[str, Computed]:
    id_ = f"vpc-0{identity.digest[:16]}"
    computed = {
        "arn": identity.arn("ec2", f"vpc/{id_}"),
        "defaultSecurityGroupId": f"sg-0{identity.digest[:16]}",
    }
    if inputs.get("assignGeneratedIpv6CidrBlock"):
        computed["ipv6CidrBlock"] = f"2600:1f14:{identity.digest[:4]}:{identity.digest[4:6]}00::/56"
    return id_, computed


def _vpc_endpoint(identity: Identity, inputs: Inputs) -> tuple[str, Computed]:
    id_ = f"vpce-0{identity.digest[:16]}"
    computed = {"arn": identity.arn("ec2", f"vpc-endpoint/{id_}")}
    if inputs.get("vpcEndpointType", "Gateway") == "Gateway":
        computed["prefixListId"] = f"pl-{identity.digest[:8]}"
    return id_, computed


RESOURCES: Mapping[str, Callable[[Identity, Inputs], tuple[str, Computed]]] = {
    "aws:acm/certificate:Certificate": _certificate,
    "aws:acm/certificateValidation:CertificateValidation": _certificate_validation,
    "aws:appautoscaling/policy:Policy": _named_by_arn("autoscaling", "scalingPolicy:"),
    "aws:appautoscaling/scheduledAction:ScheduledAction": _scheduled_action,
    "aws:appautoscaling/target:Target": lambda identity, inputs: (inputs["resourceId"], {}),
    "aws:autoscaling/group:Group": _named("autoscaling", "autoScalingGroup:autoScalingGroupName/"),
    "aws:backup/plan:Plan": _backup_plan,
    "aws:backup/selection:Selection": _backup_selection,
    "aws:backup/vault:Vault": _named("backup", "backup-vault:"),
    "aws:cloudfront/cachePolicy:CachePolicy": _cloudfront_policy("cache-policy"),
    "aws:cloudfront/distribution:Distribution": _distribution,
    "aws:cloudfront/originRequestPolicy:OriginRequestPolicy": _cloudfront_policy("origin-request-policy"),
    "aws:cloudwatch/dashboard:Dashboard": _dashboard,
    "aws:cloudwatch/logDelivery:LogDelivery": _log_delivery,
    "aws:cloudwatch/logDeliveryDestination:LogDeliveryDestination": _named("logs", "delivery-destination:"),
    "aws:cloudwatch/logDeliverySource:LogDeliverySource": _named("logs", "delivery-source:"),
    "aws:cloudwatch/logGroup:LogGroup": _named("logs", "log-group:"),
    "aws:cloudwatch/metricAlarm:MetricAlarm": _metric_alarm,
    "aws:cloudwatch/queryDefinition:QueryDefinition": _query_definition,
    "aws:ec2/defaultSecurityGroup:DefaultSecurityGroup": _with_arn("sg", "ec2", "security-group"),
    "aws:ec2/egressOnlyInternetGateway:EgressOnlyInternetGateway": _hex_id("eigw"),
    "aws:ec2/eip:Eip": _hex_id("eipalloc"),
    "aws:ec2/flowLog:FlowLog": _with_arn("fl", "ec2", "vpc-flow-log"),
    "aws:ec2/internetGateway:InternetGateway": _with_arn("igw", "ec2", "internet-gateway"),
    "aws:ec2/launchTemplate:LaunchTemplate": _launch_template,
    "aws:ec2/natGateway:NatGateway": _hex_id("nat"),
    "aws:ec2/route:Route": _route,
    "aws:ec2/routeTable:RouteTable": _with_arn("rtb", "ec2", "route-table"),
    "aws:ec2/routeTableAssociation:RouteTableAssociation": _association,
    "aws:ec2/securityGroup:SecurityGroup": _with_arn("sg", "ec2", "security-group"),
    "aws:ec2/subnet:Subnet": _with_arn("subnet", "ec2", "subnet"),
    "aws:ec2/vpc:Vpc": _vpc,
    "aws:ec2/vpcEndpoint:VpcEndpoint": _vpc_endpoint,
    "aws:ecs/capacityProvider:CapacityProvider": _named_by_arn("ecs", "capacity-provider/"),
    "aws:ecs/cluster:Cluster": _named_by_arn("ecs", "cluster/"),
    "aws:ecs/clusterCapacityProviders:ClusterCapacityProviders": lambda identity, inputs: (inputs["clusterName"], {}),
    "aws:ecs/service:Service": _service,
    "aws:ecs/taskDefinition:TaskDefinition": _task_definition,
    "aws:efs/accessPoint:AccessPoint": _with_arn("fsap", "elasticfilesystem", "access-point"),
    "aws:efs/fileSystem:FileSystem": _file_system,
    "aws:efs/fileSystemPolicy:FileSystemPolicy": lambda identity, inputs: (inputs["fileSystemId"], {}),
    "aws:efs/mountTarget:MountTarget": _hex_id("fsmt"),
    "aws:iam/instanceProfile:InstanceProfile": _named("iam", "instance-profile/", regional=False),
    "aws:iam/role:Role": _named("iam", "role/", regional=False),
    "aws:iam/rolePolicy:RolePolicy": lambda identity, inputs: (f"{inputs['role']}:{identity.physical_name}", {}),
    "aws:iam/rolePolicyAttachment:RolePolicyAttachment": _association,
    "aws:kms/key:Key": _kms_key,
    "aws:lb/listener:Listener": _listener,
    "aws:lb/listenerRule:ListenerRule": _listener_rule,
    "aws:lb/loadBalancer:LoadBalancer": _load_balancer,
    "aws:lb/targetGroup:TargetGroup": _target_group,
    "aws:route53/record:Record": _record,
    "aws:s3/bucket:Bucket": _bucket,
    "aws:s3/bucketLifecycleConfiguration:BucketLifecycleConfiguration": _of_bucket,
    "aws:s3/bucketOwnershipControls:BucketOwnershipControls": _of_bucket,
    "aws:s3/bucketPolicy:BucketPolicy": _of_bucket,
    "aws:s3/bucketPublicAccessBlock:BucketPublicAccessBlock": _of_bucket,
    "aws:s3/bucketServerSideEncryptionConfiguration:BucketServerSideEncryptionConfiguration": _of_bucket,
    "aws:secretsmanager/secret:Secret": _secret,
    "aws:secretsmanager/secretPolicy:SecretPolicy": lambda identity, inputs: (inputs["secretArn"], {}),
    "aws:secretsmanager/secretVersion:SecretVersion": _secret_version,
    "aws:sns/topic:Topic": _named_by_arn("sns", ""),
    "aws:sns/topicPolicy:TopicPolicy": lambda identity, inputs: (inputs["arn"], {"owner": identity.account}),
    "aws:sns/topicSubscription:TopicSubscription": _topic_subscription,
    "aws:vpc/securityGroupEgressRule:SecurityGroupEgressRule": _with_arn("sgr", "ec2", "security-group-rule"),
    "aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule": _with_arn("sgr", "ec2", "security-group-rule"),
    "aws:wafv2/webAcl:WebAcl": _web_acl,
    "aws:wafv2/webAclAssociation:WebAclAssociation": lambda identity, inputs: (
        f"{inputs['webAclArn']},{inputs['resourceArn']}",
        {},
    ),
    "random:index/randomPassword:RandomPassword": _random_password,
}


def answer(token: str, region: str, account: str, args: Mapping[str, Any]) -> Computed:
    """What a provider function answers.

    Raises:
        CloudError: nobody has written an answer for this function, or AWS would refuse its arguments.
    """
    if token == "aws:index/getCallerIdentity:getCallerIdentity":
        return {"id": account, "accountId": account, "userId": account, "arn": f"arn:aws:iam::{account}:root"}
    if token == "aws:index/getRegion:getRegion":
        return {"id": region, "name": region, "region": region}
    if token == "aws:index/getAvailabilityZones:getAvailabilityZones":
        return {"id": region, "region": region, "names": [f"{region}{zone}" for zone in "abc"]}
    if token == "aws:ec2/getManagedPrefixList:getManagedPrefixList":
        return _managed_prefix_list(args["name"], region)
    if token == "aws:ec2/getSubnet:getSubnet":
        return _subnet(args["id"], region)
    if token == "aws:ec2/getVpc:getVpc":
        return _found_vpc(args["id"])
    if token == "aws:index/getCallerIdentity:getCallerIdentity":
        return {"id": account, "accountId": account, "arn": f"arn:aws:iam::{account}:user/local", "userId": "AIDALOCAL"}
    if token == "aws:route53/getZone:getZone":
        zone = args["zoneId"]
        return {"id": zone, "zoneId": zone, "name": "example.com", "arn": f"arn:aws:route53:::hostedzone/{zone}"}
    if token == "aws:ssm/getParameter:getParameter":
        return {"id": args["name"], "name": args["name"], "value": "ami-0123456789abcdef0"}
    if token == "aws:ec2/getInstanceType:getInstanceType":
        return _instance_type(args["instanceType"])
    raise CloudError(
        f"the local cloud has no answer for the function {token}: add one to bench/local_cloud/computed.py"
    )


def _instance_type(name: str) -> Computed:
    # The program asks only for what the catalogue lacks, and there is nobody here to know more.
    raise CloudError(f"AWS cannot be asked about {name} from here")


def _managed_prefix_list(name: str, region: str) -> Computed:
    if not name.startswith("com.amazonaws."):
        raise CloudError(f"there is no managed prefix list {name}")
    id_ = f"pl-{_hash(name)[:8]}"
    arn = f"arn:aws:ec2:{region}:aws:prefix-list/{id_}"
    return {"id": id_, "name": name, "arn": arn, "addressFamily": "IPv4", "maxEntries": 0, "ownerId": "AWS"}


def _subnet(id_: str, region: str) -> Computed:
    """Whichever is asked about exists; the last digit of its id says which of three zones it is in."""
    number = int(id_[-2:], 16)
    return {
        "id": id_,
        "vpcId": "vpc-0123456789abcdef0",
        "availabilityZone": f"{region}{'abc'[number % 16 % 3]}",
        "cidrBlock": f"10.20.{number}.0/24",
        "ipv6CidrBlock": f"2600:1f14:14:a{number:02x}::/64",
    }


def _found_vpc(id_: str) -> Computed:
    return {
        "id": id_,
        "cidrBlock": "10.20.0.0/16",
        "ipv6CidrBlockAssociations": [
            {
                "associationId": "vpc-cidr-assoc-0123456789abcdef0",
                "ipSource": "amazon",
                "ipv6AddressAttribute": "public",
                "ipv6CidrBlock": "2600:1f14:14:a00::/56",
                "ipv6Pool": "Amazon",
                "networkBorderGroup": "us-west-2",
                "state": "associated",
            }
        ],
        "enableDnsHostnames": True,
        "enableDnsSupport": True,
    }
