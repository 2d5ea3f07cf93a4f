"""The file system, its access point, and who may mount it."""

from __future__ import annotations

import json
from typing import Any

import pytest

from bench.deployment.graph import Graph
from tests.pypiserver_stack.support.evaluation import evaluated, inputs

FILE_SYSTEM = "aws:efs/fileSystem:FileSystem"
ACCESS_POINT = "aws:efs/accessPoint:AccessPoint"
KEY = "arn:aws:kms:us-west-2:123456789012:key/1234abcd-12ab-34cd-56ef-1234567890ab"
MAINTENANCE = "arn:aws:iam::123456789012:role/maintenance"
CLIENT_ACTIONS = {f"elasticfilesystem:Client{what}" for what in ("Mount", "Write", "RootAccess")}


def test_the_file_system_as_it_is_by_default() -> None:
    file_system = inputs(FILE_SYSTEM)
    del file_system["tags"]
    assert file_system == {
        "encrypted": True,
        "performanceMode": "generalPurpose",
        "throughputMode": "elastic",
        "lifecyclePolicies": [
            {"transitionToIa": "AFTER_30_DAYS"},
            {"transitionToPrimaryStorageClass": "AFTER_1_ACCESS"},
        ],
    }


@pytest.mark.parametrize(
    ("days", "transition"), [("1", "AFTER_1_DAY"), ("7", "AFTER_7_DAYS"), ("365", "AFTER_365_DAYS"), ("never", None)]
)
def test_each_lifecycle_policy_holds_one_transition_and_the_way_back_is_always_open(
    days: str, transition: str | None
) -> None:
    policies = inputs(FILE_SYSTEM, f"efs_infrequent_access_after_days={days}")["lifecyclePolicies"]
    back = {"transitionToPrimaryStorageClass": "AFTER_1_ACCESS"}
    assert policies == ([{"transitionToIa": transition}, back] if transition else [back])


def test_settings_reach_the_file_system() -> None:
    changed = inputs(
        FILE_SYSTEM,
        "efs_throughput_mode=provisioned",
        "efs_provisioned_throughput_mibps=12.5",
        f"efs_kms_key_arn={KEY}",
    )
    assert (changed["throughputMode"], changed["provisionedThroughputInMibps"]) == ("provisioned", 12.5)
    assert changed["kmsKeyId"] == KEY
    assert inputs(FILE_SYSTEM, "efs_throughput_mode=bursting")["throughputMode"] == "bursting"


def test_the_folder_of_the_access_point_is_made_for_the_user_of_the_image() -> None:
    access_point = inputs(ACCESS_POINT)
    assert access_point["posixUser"] == {"uid": 9898, "gid": 9898}
    assert access_point["rootDirectory"] == {
        "path": "/packages",
        "creationInfo": {"ownerUid": 9898, "ownerGid": 9898, "permissions": "0755"},
    }


def test_the_root_is_taken_as_it_is() -> None:
    access_point = inputs(ACCESS_POINT, "access_point_path=/")
    assert access_point["rootDirectory"] == {"path": "/"}
    assert access_point["posixUser"] == {"uid": 9898, "gid": 9898}


def test_a_mount_goes_through_the_access_point_and_leaves_the_folder_to_it() -> None:
    graph = evaluated().graph
    (volume,) = graph.one("aws:ecs/taskDefinition:TaskDefinition").inputs["volumes"]
    assert volume["efsVolumeConfiguration"] == {
        "fileSystemId": graph.one(FILE_SYSTEM).id,
        "transitEncryption": "ENABLED",
        "authorizationConfig": {"accessPointId": graph.one(ACCESS_POINT).id, "iam": "ENABLED"},
    }


def test_each_subnet_has_a_mount_target() -> None:
    graph = evaluated().graph
    targets = graph.of_type("aws:efs/mountTarget:MountTarget")
    subnets = graph.one("aws:autoscaling/group:Group").inputs["vpcZoneIdentifiers"]
    assert sorted(target.inputs["subnetId"] for target in targets) == sorted(subnets)
    assert {target.inputs["fileSystemId"] for target in targets} == {graph.one(FILE_SYSTEM).id}


def statements(*overrides: str) -> list[dict[str, Any]]:
    graph = evaluated("stress", overrides).graph
    policy = graph.one("aws:efs/fileSystemPolicy:FileSystemPolicy")
    assert policy.inputs["fileSystemId"] == graph.one(FILE_SYSTEM).id
    # AWS's own check, that whoever sets the policy can change it again, stays on.
    assert "bypassPolicyLockoutSafetyCheck" not in policy.inputs
    found: list[dict[str, Any]] = json.loads(policy.inputs["policy"])["Statement"]
    return found


def role_arn(graph: Graph, name: str) -> str:
    (role,) = (role for role in graph.of_type("aws:iam/role:Role") if role.name == name)
    return str(role.outputs["arn"])


class NfsClient:
    """An NFS client, and what the policy of the file system says to it; what else IAM allows it is not looked at."""

    def __init__(self, role: str | None = None, access_point: str | None = None, *, tls: bool = True) -> None:
        self.role, self.access_point, self.tls = role, access_point, tls

    def may(self, policy: list[dict[str, Any]]) -> set[str]:
        """Actions allowed and not denied."""
        return self._actions(policy, "Allow") - self._actions(policy, "Deny")

    def must_not(self, policy: list[dict[str, Any]]) -> set[str]:
        """Actions denied, whatever the client's own policies allow."""
        return self._actions(policy, "Deny")

    def _actions(self, policy: list[dict[str, Any]], effect: str) -> set[str]:
        actions = set[str]()
        for statement in policy:
            principal = statement["Principal"]["AWS"]
            if statement["Effect"] == effect and principal in ("*", self.role) and self._meets(statement):
                action = statement["Action"]
                actions |= {action} if isinstance(action, str) else set(action)
        return actions

    def _meets(self, statement: dict[str, Any]) -> bool:
        met = {
            ("Bool", "aws:SecureTransport"): lambda value: value == str(self.tls).lower(),
            ("StringEquals", "elasticfilesystem:AccessPointArn"): lambda value: value == self.access_point,
            # Holds too where the client has no access point.
            ("StringNotEquals", "elasticfilesystem:AccessPointArn"): lambda value: value != self.access_point,
        }
        conditions = statement.get("Condition", {})
        return all(met[operator, key](value) for operator, keys in conditions.items() for key, value in keys.items())


def test_tasks_mount_through_their_access_point_and_nobody_else_mounts_anything() -> None:
    graph, policy = evaluated().graph, statements()
    ours = graph.one(ACCESS_POINT).outputs["arn"]
    tasks = role_arn(graph, "pypiserver-task")
    mount = CLIENT_ACTIONS - {"elasticfilesystem:ClientRootAccess"}

    assert NfsClient(tasks, ours).may(policy) == mount
    assert NfsClient(tasks, ours).must_not(policy) == {"elasticfilesystem:ClientRootAccess"}
    assert NfsClient(tasks, ours, tls=False).must_not(policy) == CLIENT_ACTIONS
    assert NfsClient(tasks).must_not(policy) == CLIENT_ACTIONS
    assert NfsClient(tasks, "another").must_not(policy) == CLIENT_ACTIONS
    assert NfsClient("administrator").must_not(policy) == CLIENT_ACTIONS
    assert NfsClient("administrator", ours).may(policy) == set()
    assert NfsClient(None, ours).may(policy) == set()
    assert NfsClient().must_not(policy) == CLIENT_ACTIONS


def test_the_role_of_maintenance_mounts_everything_over_tls_and_anonymous_clients_still_nothing() -> None:
    overrides = (f"efs_maintenance_role_arn={MAINTENANCE}",)
    graph, policy = evaluated("stress", overrides).graph, statements(*overrides)
    ours = graph.one(ACCESS_POINT).outputs["arn"]
    tasks = role_arn(graph, "pypiserver-task")

    assert NfsClient(MAINTENANCE).may(policy) == CLIENT_ACTIONS
    assert NfsClient(MAINTENANCE, tls=False).may(policy) == set()
    assert NfsClient(tasks, ours).may(policy) == CLIENT_ACTIONS - {"elasticfilesystem:ClientRootAccess"}
    assert NfsClient(tasks).may(policy) == set()
    assert NfsClient(None, ours).may(policy) == NfsClient().may(policy) == set()
    assert NfsClient(tls=False).must_not(policy) == CLIENT_ACTIONS


@pytest.mark.parametrize("overrides", [(), (f"efs_maintenance_role_arn={MAINTENANCE}",)], ids=["usual", "maintenance"])
def test_the_policy_is_about_clients_and_by_conditions_that_efs_applies_to_them(overrides: tuple[str, ...]) -> None:
    for statement in statements(*overrides):
        actions = statement["Action"]
        assert ({actions} if isinstance(actions, str) else set(actions)) <= CLIENT_ACTIONS
        keys = {key for conditions in statement.get("Condition", {}).values() for key in conditions}
        assert keys <= {"aws:SecureTransport", "elasticfilesystem:AccessPointArn"}
        assert statement["Resource"] == evaluated("stress", overrides).graph.one(FILE_SYSTEM).outputs["arn"]


def test_the_ids_are_exported() -> None:
    deployment = evaluated()
    assert deployment.outputs["file_system_id"] == deployment.graph.one(FILE_SYSTEM).id
    assert deployment.outputs["access_point_id"] == deployment.graph.one(ACCESS_POINT).id
