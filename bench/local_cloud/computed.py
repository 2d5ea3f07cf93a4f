"""What AWS would compute: ids, ARNs, DNS names and the answers to provider functions, per resource type."""

from __future__ import annotations

import base64
import hashlib
import hmac
from collections.abc import Callable, Mapping
from dataclasses import dataclass
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
    """64 hexadecimal digits, from the URN alone: both engines and every run give the same ids."""
    region: str
    account: str
    entropy: bytes
    """What generated passwords come from."""

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
    return compute(identity, inputs)


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
        hmac.digest(identity.entropy, f"{identity.urn}/{block}".encode(), hashlib.sha256)
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


def _launch_template(identity: Identity, inputs: Inputs) -> tuple[str, Computed]:
    id_ = f"lt-0{identity.digest[:16]}"
    name = inputs.get("name", identity.physical_name)
    return id_, {"name": name, "arn": identity.arn("ec2", f"launch-template/{id_}"), "latestVersion": 1}


def _service(identity: Identity, inputs: Inputs) -> tuple[str, Computed]:
    name = inputs.get("name", identity.physical_name)
    arn = identity.arn("ecs", f"service/{inputs['cluster'].rsplit('/', 1)[-1]}/{name}")
    return arn, {"name": name, "arn": arn}


def _task_definition(identity: Identity, inputs: Inputs) -> tuple[str, Computed]:
    arn = identity.arn("ecs", f"task-definition/{inputs['family']}:1")
    return inputs["family"], {"arn": arn, "revision": 1}


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


RESOURCES: Mapping[str, Callable[[Identity, Inputs], tuple[str, Computed]]] = {
    "aws:appautoscaling/policy:Policy": _named_by_arn("autoscaling", "scalingPolicy:"),
    "aws:appautoscaling/scheduledAction:ScheduledAction": _scheduled_action,
    "aws:appautoscaling/target:Target": lambda identity, inputs: (inputs["resourceId"], {}),
    "aws:autoscaling/group:Group": _named("autoscaling", "autoScalingGroup:autoScalingGroupName/"),
    "aws:cloudwatch/logGroup:LogGroup": _named("logs", "log-group:"),
    "aws:ec2/eip:Eip": _hex_id("eipalloc"),
    "aws:ec2/internetGateway:InternetGateway": _with_arn("igw", "ec2", "internet-gateway"),
    "aws:ec2/launchTemplate:LaunchTemplate": _launch_template,
    "aws:ec2/natGateway:NatGateway": _hex_id("nat"),
    "aws:ec2/routeTable:RouteTable": _with_arn("rtb", "ec2", "route-table"),
    "aws:ec2/routeTableAssociation:RouteTableAssociation": _association,
    "aws:ec2/securityGroup:SecurityGroup": _with_arn("sg", "ec2", "security-group"),
    "aws:ec2/subnet:Subnet": _with_arn("subnet", "ec2", "subnet"),
    "aws:ec2/vpc:Vpc": _with_arn("vpc", "ec2", "vpc"),
    "aws:ecs/capacityProvider:CapacityProvider": _named_by_arn("ecs", "capacity-provider/"),
    "aws:ecs/cluster:Cluster": _named_by_arn("ecs", "cluster/"),
    "aws:ecs/clusterCapacityProviders:ClusterCapacityProviders": lambda identity, inputs: (inputs["clusterName"], {}),
    "aws:ecs/service:Service": _service,
    "aws:ecs/taskDefinition:TaskDefinition": _task_definition,
    "aws:efs/accessPoint:AccessPoint": _with_arn("fsap", "elasticfilesystem", "access-point"),
    "aws:efs/fileSystem:FileSystem": _file_system,
    "aws:efs/mountTarget:MountTarget": _hex_id("fsmt"),
    "aws:iam/instanceProfile:InstanceProfile": _named("iam", "instance-profile/", regional=False),
    "aws:iam/role:Role": _named("iam", "role/", regional=False),
    "aws:iam/rolePolicy:RolePolicy": lambda identity, inputs: (f"{inputs['role']}:{identity.physical_name}", {}),
    "aws:iam/rolePolicyAttachment:RolePolicyAttachment": _association,
    "aws:lb/listener:Listener": _listener,
    "aws:lb/loadBalancer:LoadBalancer": _load_balancer,
    "aws:lb/targetGroup:TargetGroup": _target_group,
    "aws:secretsmanager/secret:Secret": _secret,
    "aws:secretsmanager/secretPolicy:SecretPolicy": lambda identity, inputs: (inputs["secretArn"], {}),
    "aws:secretsmanager/secretVersion:SecretVersion": _secret_version,
    "aws:vpc/securityGroupEgressRule:SecurityGroupEgressRule": _with_arn("sgr", "ec2", "security-group-rule"),
    "aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule": _with_arn("sgr", "ec2", "security-group-rule"),
    "random:index/randomPassword:RandomPassword": _random_password,
}


def answer(token: str, region: str, args: Mapping[str, Any]) -> Computed:
    """What a provider function answers.

    Raises:
        CloudError: nobody has written an answer for this function, or AWS would refuse its arguments.
    """
    if token == "aws:index/getRegion:getRegion":
        return {"id": region, "name": region, "region": region}
    if token == "aws:index/getAvailabilityZones:getAvailabilityZones":
        return {"id": region, "region": region, "names": [f"{region}{zone}" for zone in "abc"]}
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
