"""The program's resources, as recorded when it is evaluated: what they are given, and what they never are."""

from __future__ import annotations

import base64
import io
import json
import re
import tarfile
from typing import Any

import pytest

from pypiserver_stack.settings import Settings
from pypiserver_stack.tasks.container_definition import GUNICORN_CONFIG, IMAGE_GUNICORN_CONFIG
from pypiserver_stack.tasks.server_files import without_comments
from sizing.profiles import PROFILES
from tests.pypiserver_stack.support.evaluation import ROOT, container, evaluated, inputs, user_data, variables
from tests.pypiserver_stack.support.prerequisites import depended_on

STACKS = [path.name.split(".")[1] for path in sorted(ROOT.glob("Pulumi.*.yaml"))]
NAMED = ("zone_id=Z0123456789ABCDEFGHIJ", "dns_names=pypi,wheels", "waf_enabled=true")
EVALUATIONS = [
    *(("stress", (f"profile={name}",)) for name in PROFILES),
    *((stack, ()) for stack in STACKS),
    ("stress", NAMED),
]
# AWS takes no tags on these (random's password is not AWS's), or its provider passes none on, as for a dashboard.
UNTAGGED = {
    "aws:acm/certificateValidation:CertificateValidation",
    "aws:appautoscaling/policy:Policy",
    "aws:appautoscaling/scheduledAction:ScheduledAction",
    "aws:backup/selection:Selection",
    "aws:cloudfront/cachePolicy:CachePolicy",
    "aws:cloudfront/originRequestPolicy:OriginRequestPolicy",
    "aws:cloudwatch/dashboard:Dashboard",
    "aws:cloudwatch/queryDefinition:QueryDefinition",
    "aws:ec2/route:Route",
    "aws:ec2/routeTableAssociation:RouteTableAssociation",
    "aws:ecs/clusterCapacityProviders:ClusterCapacityProviders",
    "aws:efs/fileSystemPolicy:FileSystemPolicy",
    "aws:efs/mountTarget:MountTarget",
    "aws:iam/rolePolicy:RolePolicy",
    "aws:route53/record:Record",
    "aws:s3/bucketLifecycleConfiguration:BucketLifecycleConfiguration",
    "aws:s3/bucketOwnershipControls:BucketOwnershipControls",
    "aws:s3/bucketPolicy:BucketPolicy",
    "aws:s3/bucketPublicAccessBlock:BucketPublicAccessBlock",
    "aws:s3/bucketServerSideEncryptionConfiguration:BucketServerSideEncryptionConfiguration",
    "aws:secretsmanager/secretPolicy:SecretPolicy",
    "aws:secretsmanager/secretVersion:SecretVersion",
    "aws:sns/topicPolicy:TopicPolicy",
    "aws:sns/topicSubscription:TopicSubscription",
    "aws:wafv2/webAclAssociation:WebAclAssociation",
    "random:index/randomPassword:RandomPassword",
}


def test_the_tested_plan_reaches_every_resource_that_it_concerns() -> None:
    service = inputs("aws:ecs/service:Service")
    group = inputs("aws:autoscaling/group:Group")
    scaling = inputs("aws:appautoscaling/target:Target")
    template = inputs("aws:ec2/launchTemplate:LaunchTemplate")
    assert (service["desiredCount"], scaling["minCapacity"], scaling["maxCapacity"]) == (12, 12, 24)
    assert (group["minSize"], group["maxSize"], template["instanceType"]) == (2, 4, "c6a.xlarge")
    task = container()
    assert (task["cpu"], task["memory"], task["memoryReservation"]) == (640, 512, 384)
    assert (variables(task)["GUNICORN_WORKERS"], variables(task)["GUNICORN_WORKER_CONNECTIONS"]) == ("4", "257")


def test_names_and_tags_are_the_settings() -> None:
    named = evaluated("stress", ("service_name=wheels", "environment=staging")).graph
    group = named.one("aws:lb/targetGroup:TargetGroup")
    assert group.name == "wheels"
    assert (group.inputs["tags"]["service"], group.inputs["tags"]["environment"]) == ("wheels", "staging")


def test_further_tags_are_on_everything_that_takes_tags() -> None:
    graph = evaluated("stress", ('tags={"team": "ci"}', "waf_enabled=true", "alarm_emails=a@example.com")).graph
    tagged = [resource for resource in graph if "tags" in resource.inputs]
    assert len({resource.type for resource in tagged}) > 20
    for resource in tagged:
        tags = resource.inputs["tags"]
        if resource.type == "aws:autoscaling/group:Group":
            tags = {tag["key"]: tag["value"] for tag in tags if tag["propagateAtLaunch"]}
        assert tags["team"] == "ci", resource.urn
    template = graph.one("aws:ec2/launchTemplate:LaunchTemplate").inputs
    assert [of["tags"]["team"] for of in template["tagSpecifications"]] == ["ci", "ci"]


def test_settings_reach_the_balancer() -> None:
    changed = inputs(
        "aws:lb/targetGroup:TargetGroup",
        "stickiness_enabled=true",
        "load_balancing_algorithm=round_robin",
        "health_check_path=/",
    )
    assert changed["stickiness"] == {"enabled": True, "type": "lb_cookie", "cookieDuration": 86400}
    assert (changed["loadBalancingAlgorithmType"], changed["healthCheck"]["path"]) == ("round_robin", "/")


def test_the_server_outlives_the_balancers_idle_timeout() -> None:
    keepalive_s = int(variables(container())["GUNICORN_KEEPALIVE_S"])
    assert keepalive_s > inputs("aws:lb/loadBalancer:LoadBalancer")["idleTimeout"]


def test_ecs_agrees_with_the_plan_on_memory() -> None:
    command, *_ = user_data()["runcmd"]
    memory_for_tasks_mb = evaluated().outputs["capacity"]["memory_for_tasks_mb"]
    assert f"ECS_RESERVED_MEMORY=$((total_mb - {memory_for_tasks_mb}))" in command


def test_the_task_definition_carries_the_server() -> None:
    definition = evaluated().graph.one("aws:ecs/taskDefinition:TaskDefinition")
    packed = base64.b64decode(variables(container())["SERVER_FILES"])
    with tarfile.open(fileobj=io.BytesIO(packed), mode="r:bz2") as archive:
        carried = {name: file.read() for name in archive.getnames() if (file := archive.extractfile(name))}
    folder = ROOT / "pypiserver_stack" / "container"
    ours = {str(path.relative_to(ROOT)): without_comments(path.read_text()).encode() for path in folder.rglob("*.py")}
    assert carried == {"pypiserver_stack/__init__.py": b"", **ours}
    # ECS's limit is on the whole of the request; the rest of it is a few hundred bytes.
    assert len(json.dumps(dict(definition.inputs))) < 64 * 1024
    task = container()
    assert (task["entryPoint"][:2], task["user"]) == (["python", "-c"], "9898:9898")
    assert task["command"] == [
        *("gunicorn", "--config", "pypiserver_stack/container/entry/gunicorn_config.py"),
        *("--bind", "0.0.0.0:8080", "pypiserver_stack.container.entry.wsgi:application"),
    ]


def test_a_task_needs_nothing_of_its_host() -> None:
    definition = evaluated().graph.one("aws:ecs/taskDefinition:TaskDefinition")
    assert [volume["name"] for volume in definition.inputs["volumes"]] == ["packages"]
    assert "placementConstraints" not in definition.inputs
    assert [file["path"] for file in user_data()["write_files"]] == [
        "/etc/ecs/ecs.config",
        "/etc/pypiserver/cloudwatch-agent.json",
    ]


def test_the_packages_are_mounted_where_the_image_has_nothing() -> None:
    (packages,) = container()["mountPoints"]
    assert (packages["containerPath"], packages["readOnly"]) == ("/srv/packages", False)
    assert variables(container())["PYPISERVER_PACKAGES"] == "/srv/packages"


def test_settings_reach_the_server() -> None:
    def answered(*overrides: str) -> dict[str, str]:
        return {name: value for name, value in variables(container(*overrides)).items() if name.startswith("PYPI")}

    assert answered() == {
        "PYPISERVER_PACKAGES": "/srv/packages",
        "PYPISERVER_BACKEND": Settings.model_fields["backend"].default,
        "PYPISERVER_AUTHENTICATION": "sha256",
        "PYPISERVER_UPLOAD_LIMIT_MB": "1024",
        "PYPISERVER_OVERWRITE": "false",
        "PYPISERVER_BUILDS": "false",
        "PYPISERVER_REMOVAL": "true",
        "PYPISERVER_SHARED_CACHE": "false",
        "PYPISERVER_TIMING_HEADERS": "true",
        "PYPISERVER_INDEX_MARGIN_S": "3",
    }
    changed = answered(
        "backend=validated",
        "authentication=htpasswd",
        'htpasswd_roles={"ci":"upload"}',
        "upload_limit_mb=7",
        "overwrite=true",
        "builds_allowed=true",
        "removal_enabled=false",
        "timing_headers=false",
        "index_margin_s=5",
    )
    assert changed == {
        "PYPISERVER_PACKAGES": "/srv/packages",
        "PYPISERVER_BACKEND": "validated",
        "PYPISERVER_AUTHENTICATION": "htpasswd",
        "PYPISERVER_HTPASSWD": "/srv/packages/.htpasswd",
        "PYPISERVER_HTPASSWD_ROLES": '{"ci": "upload"}',
        "PYPISERVER_UPLOAD_LIMIT_MB": "7",
        "PYPISERVER_OVERWRITE": "true",
        "PYPISERVER_BUILDS": "true",
        "PYPISERVER_REMOVAL": "false",
        "PYPISERVER_SHARED_CACHE": "false",
        "PYPISERVER_TIMING_HEADERS": "false",
        "PYPISERVER_INDEX_MARGIN_S": "5",
    }
    image = "mirror.example/pypiserver:v2.4.2@sha256:" + "0a" * 32
    assert container(f"image={image}")["image"] == image


def test_credentials_are_injected_where_they_are_checked_against_and_nowhere_else() -> None:
    variables = ["PYPISERVER_CREDENTIALS", "PYPISERVER_READ_CREDENTIALS", "PYPISERVER_UPLOAD_CREDENTIALS"]
    assert [entry["name"] for entry in container()["secrets"]] == variables
    assert "secrets" not in container("authentication=htpasswd")
    assert "secrets" not in container("authentication=bcrypt")


def test_bcrypt_comes_through_user_data() -> None:
    task = container("authentication=bcrypt")
    path = variables(task)["PYPISERVER_HTPASSWD"]
    (mount,) = (mount for mount in task["mountPoints"] if mount["containerPath"] == path)
    definition = evaluated("stress", ("authentication=bcrypt",)).graph.one("aws:ecs/taskDefinition:TaskDefinition")
    (host_path,) = (v["hostPath"] for v in definition.inputs["volumes"] if v["name"] == mount["sourceVolume"])
    assert host_path in {file["path"] for file in user_data("stress", "authentication=bcrypt")["write_files"]}
    assert mount["readOnly"]


def test_a_stop_has_time_to_be_orderly() -> None:
    """The balancer drains, then gunicorn finishes what it has, then ECS kills: each is given longer than it needs."""
    source = (ROOT / GUNICORN_CONFIG).read_text()
    (graceful_timeout_s,) = re.findall(r"^graceful_timeout = (\d+)$", source, re.MULTILINE)
    drain_s = inputs("aws:lb/targetGroup:TargetGroup")["deregistrationDelay"]
    assert int(graceful_timeout_s) < container()["stopTimeout"]
    # A Spot instance is gone two minutes after its notice.
    assert drain_s + container()["stopTimeout"] < 120


def test_what_tasks_need_to_stop_is_there_until_they_have_stopped() -> None:
    graph = evaluated().graph
    service = graph.one("aws:ecs/service:Service")
    urns = depended_on(graph, service.urn)
    needed = {graph.resources[urn].type for urn in urns}
    for resource in graph:
        kind = resource.type
        if ":Backup$" in resource.urn:
            continue
        if kind.startswith(("aws:ec2/", "aws:vpc/", "aws:efs/", "aws:iam/", "aws:lb/", "aws:autoscaling/")):
            assert resource.urn in urns, resource.urn
    assert "aws:ecs/clusterCapacityProviders:ClusterCapacityProviders" in needed
    assert service.inputs["forceDelete"] is True
    assert inputs("aws:autoscaling/group:Group")["forceDelete"] is True


def test_a_changed_template_replaces_hosts_that_are_protected_from_scaling_in() -> None:
    group = inputs("aws:autoscaling/group:Group")
    provider = inputs("aws:ecs/capacityProvider:CapacityProvider")["autoScalingGroupProvider"]
    assert group["protectFromScaleIn"] is True
    assert provider["managedTerminationProtection"] == "ENABLED"
    assert group["instanceRefresh"]["preferences"]["scaleInProtectedInstances"] == "Refresh"
    assert group["launchTemplate"]["version"] == "1"
    # Of a zone that is left, too.
    assert group["instanceRefresh"]["triggers"] == ["vpc_zone_identifier"]


def test_a_full_service_can_be_deployed() -> None:
    service = inputs("aws:ecs/service:Service")
    assert service["deploymentMinimumHealthyPercent"] < 100 < service["deploymentMaximumPercent"]
    assert service["deploymentCircuitBreaker"] == {"enable": True, "rollback": True}


def allowed(role: str) -> dict[str, Any]:
    """Action to resource, over the inline policies of a role."""
    found: dict[str, Any] = {}
    for policy in evaluated().graph.of_type("aws:iam/rolePolicy:RolePolicy"):
        if policy.inputs["role"].startswith(f"pypiserver-{role}-"):
            for statement in json.loads(policy.inputs["policy"])["Statement"]:
                actions = statement["Action"]
                found |= dict.fromkeys([actions] if isinstance(actions, str) else actions, statement["Resource"])
    return found


def test_roles_may_do_what_they_must_and_no_more() -> None:
    graph = evaluated().graph
    secrets = sorted(graph.of_type("aws:secretsmanager/secret:Secret"), key=lambda secret: secret.name)
    files = graph.one("aws:efs/fileSystem:FileSystem")
    log = f"{graph.one('aws:cloudwatch/logGroup:LogGroup').outputs['arn']}:log-stream:*"
    assert allowed("execution") == {
        "secretsmanager:GetSecretValue": [secret.outputs["arn"] for secret in secrets],
        "logs:CreateLogStream": log,
        "logs:PutLogEvents": log,
    }
    assert allowed("task") == {
        "elasticfilesystem:ClientMount": files.outputs["arn"],
        "elasticfilesystem:ClientWrite": files.outputs["arn"],
    }


def test_hosts_reach_the_services_and_the_file_system() -> None:
    graph = evaluated().graph
    hosts = graph.one("aws:autoscaling/group:Group")
    (group,) = graph.one("aws:ec2/launchTemplate:LaunchTemplate").inputs["vpcSecurityGroupIds"]
    ports = {
        (rule.inputs["fromPort"], rule.inputs.get("cidrIpv4"))
        for rule in graph.of_type("aws:vpc/securityGroupEgressRule:SecurityGroupEgressRule")
        if rule.inputs["securityGroupId"] == group
    }
    assert ports == {(443, "0.0.0.0/0"), (2049, None)}
    assert len(hosts.inputs["vpcZoneIdentifiers"]) == 2


def test_the_peer_is_run_as_the_module_runs_it() -> None:
    task = container(stack="peer")
    assert "entryPoint" not in task
    assert "secrets" not in task
    assert "user" not in task
    assert " ".join(task["command"]) == (
        "run -p 8080 --server gunicorn --backend simple-dir --authenticate download,list,update "
        "-P /data/.htpasswd /data/packages"
    )
    assert variables(task) == {"GUNICORN_WORKERS": "4", "GUNICORN_KEEPALIVE_S": "2"}
    files = {file["path"]: file["content"] for file in user_data("peer")["write_files"]}
    username, password_hash = files["/opt/pypiserver/htpasswd"].strip().split(":")
    assert username == "pypiserver"
    assert re.fullmatch(r"\$2a\$10\$.{53}", password_hash)
    assert files["/opt/pypiserver/gunicorn.conf.py"] == IMAGE_GUNICORN_CONFIG.read_text("utf-8")
    volumes = evaluated("peer").graph.one("aws:ecs/taskDefinition:TaskDefinition").inputs["volumes"]
    host_paths = {volume["name"]: volume.get("hostPath") for volume in volumes}
    assert {mount["containerPath"]: host_paths[mount["sourceVolume"]] for mount in task["mountPoints"]} == {
        "/data/packages": None,
        "/data/.htpasswd": "/opt/pypiserver/htpasswd",
        "/data/gunicorn.conf.py": "/opt/pypiserver/gunicorn.conf.py",
    }
    group = evaluated("peer").graph.one("aws:lb/targetGroup:TargetGroup").inputs
    assert group["stickiness"]["enabled"]
    assert (group["loadBalancingAlgorithmType"], group["healthCheck"]["path"]) == ("round_robin", "/")


@pytest.mark.parametrize(("stack", "overrides"), EVALUATIONS, ids=lambda value: str(value))
class TestEveryStackAndProfile:
    def test_everything_that_takes_tags_has_them(self, stack: str, overrides: tuple[str, ...]) -> None:
        for resource in evaluated(stack, overrides).graph:
            if ":index:" in resource.type or resource.type in UNTAGGED or resource.type.startswith("pulumi:"):
                continue
            given = resource.inputs.get("tags")
            if resource.type == "aws:autoscaling/group:Group":
                given = {tag["key"]: tag["value"] for tag in given or ()}
            assert given, resource.urn
            assert (given["service"], given["environment"]) == ("pypiserver", "development")
            assert given["stack"] == f"pypiserver/{stack}"

    def test_passwords_are_nowhere_but_in_inputs_marked_secret(self, stack: str, overrides: tuple[str, ...]) -> None:
        deployment = evaluated(stack, overrides)
        per_role = {"read_password", "upload_password"} if "secrets" in container(*overrides, stack=stack) else set()
        assert deployment.secret_outputs == {"password", *per_role}
        for output in deployment.secret_outputs:
            password = deployment.outputs[output]
            holders = [resource for resource in deployment.graph if password in json.dumps(dict(resource.inputs))]
            assert [holder.type for holder in holders] == ["aws:secretsmanager/secretVersion:SecretVersion"]
            assert holders[0].secret_paths == {"secretString"}

    def test_only_the_balancer_is_open_and_over_plain_http_only_to_the_vpc(
        self, stack: str, overrides: tuple[str, ...]
    ) -> None:
        graph = evaluated(stack, overrides).graph
        open_ports = {
            (rule.inputs["securityGroupId"], cidr, rule.inputs["fromPort"])
            for rule in graph.of_type("aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule")
            if (cidr := rule.inputs.get("cidrIpv4") or rule.inputs.get("cidrIpv6"))
        }
        balancer = graph.one("aws:lb/loadBalancer:LoadBalancer").inputs
        (group,) = balancer["securityGroups"]
        assert balancer["internal"] is True
        if overrides == NAMED:
            everybody = {(group, cidr, port) for cidr in ("0.0.0.0/0", "::/0") for port in (80, 443)}
            assert open_ports == everybody
        else:
            assert open_ports == {(group, graph.one("aws:ec2/vpc:Vpc").inputs["cidrBlock"], 80)}

    def test_what_is_stored_is_encrypted(self, stack: str, overrides: tuple[str, ...]) -> None:
        graph = evaluated(stack, overrides).graph
        assert graph.one("aws:efs/fileSystem:FileSystem").inputs["encrypted"] is True
        definition = graph.one("aws:ecs/taskDefinition:TaskDefinition")
        (efs,) = (v["efsVolumeConfiguration"] for v in definition.inputs["volumes"] if "efsVolumeConfiguration" in v)
        assert efs["transitEncryption"] == "ENABLED"
        assert efs["authorizationConfig"]["iam"] == "ENABLED"
        (disk,) = graph.one("aws:ec2/launchTemplate:LaunchTemplate").inputs["blockDeviceMappings"]
        assert disk["ebs"]["encrypted"] == "true"
        encryption = "aws:s3/bucketServerSideEncryptionConfiguration:BucketServerSideEncryptionConfiguration"
        encrypted = {part.inputs["bucket"] for part in graph.of_type(encryption)}
        assert {bucket.id for bucket in graph.of_type("aws:s3/bucket:Bucket")} == encrypted
