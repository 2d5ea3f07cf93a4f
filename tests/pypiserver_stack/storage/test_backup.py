"""Backups: what is backed up, when, where to, and as whom."""

from __future__ import annotations

import json
from typing import Any

from bench.deployment.graph import Resource
from tests.pypiserver_stack.support.evaluation import evaluated, inputs

VAULT, PLAN, SELECTION = "aws:backup/vault:Vault", "aws:backup/plan:Plan", "aws:backup/selection:Selection"
KEY = "arn:aws:kms:us-west-2:123456789012:key/1234abcd-12ab-34cd-56ef-1234567890ab"


def role(*overrides: str) -> Resource:
    graph = evaluated("stress", overrides).graph
    (found,) = (role for role in graph.of_type("aws:iam/role:Role") if role.name == "pypiserver-backup")
    return found


def allowed(*overrides: str) -> dict[str, Any]:
    """Action to resource."""
    found: dict[str, Any] = {}
    for policy in evaluated("stress", overrides).graph.of_type("aws:iam/rolePolicy:RolePolicy"):
        if policy.inputs["role"] == role(*overrides).id:
            for statement in json.loads(policy.inputs["policy"])["Statement"]:
                actions = statement["Action"]
                found |= dict.fromkeys([actions] if isinstance(actions, str) else actions, statement["Resource"])
    return found


def test_the_file_system_is_backed_up_every_night_and_each_backup_kept_for_a_week() -> None:
    graph = evaluated().graph
    vault, plan, selection = graph.one(VAULT), graph.one(PLAN), graph.one(SELECTION)
    (rule,) = plan.inputs["rules"]
    tags = rule.pop("recoveryPointTags")
    assert rule == {
        "ruleName": "scheduled",
        "targetVaultName": vault.outputs["name"],
        "schedule": "cron(0 2 * * ? *)",
        # No cold storage: EFS backups there are kept for 90 days at least.
        "lifecycle": {"deleteAfter": 7},
    }
    assert tags["service"] == "pypiserver"
    assert selection.inputs["planId"] == plan.id
    assert selection.inputs["resources"] == [graph.one("aws:efs/fileSystem:FileSystem").outputs["arn"]]
    assert selection.inputs["iamRoleArn"] == role().outputs["arn"]
    assert evaluated().outputs["backup_vault_name"] == vault.outputs["name"]
    assert evaluated().outputs["backup_role_arn"] == role().outputs["arn"]


def test_settings_reach_the_plan_and_the_vault() -> None:
    (rule,) = inputs(PLAN, "backup_retention_days=35", "backup_schedule=cron(30 1 ? * SUN *)")["rules"]
    assert (rule["schedule"], rule["lifecycle"]) == ("cron(30 1 ? * SUN *)", {"deleteAfter": 35})
    assert inputs(VAULT)["forceDestroy"] is True  # the stress stack sets it
    assert inputs(VAULT, "backup_force_destroy=false")["forceDestroy"] is False
    assert "kmsKeyArn" not in inputs(VAULT)
    assert inputs(VAULT, f"efs_kms_key_arn={KEY}")["kmsKeyArn"] == KEY


def test_the_role_backs_up_and_restores_this_file_system_alone() -> None:
    graph = evaluated().graph
    files = graph.one("aws:efs/fileSystem:FileSystem").outputs["arn"]
    assert json.loads(role().inputs["assumeRolePolicy"])["Statement"][0]["Principal"] == {
        "Service": "backup.amazonaws.com"
    }
    assert allowed() == {
        "elasticfilesystem:Backup": files,
        "elasticfilesystem:DescribeFileSystems": files,
        "elasticfilesystem:DescribeTags": files,
        "elasticfilesystem:Restore": files,
        "backup:DescribeBackupVault": graph.one(VAULT).outputs["arn"],
        "backup:TagResource": "arn:aws:backup:us-west-2:123456789012:recovery-point:*",
        "tag:GetResources": "*",
    }


def test_with_a_key_of_ones_own_the_role_may_use_it_and_no_other() -> None:
    kms = {action: on for action, on in allowed(f"efs_kms_key_arn={KEY}").items() if action.startswith("kms:")}
    assert kms == dict.fromkeys(["kms:Decrypt", "kms:DescribeKey", "kms:GenerateDataKey", "kms:CreateGrant"], KEY)


def test_the_selection_is_made_once_its_role_may_do_something() -> None:
    graph = evaluated().graph
    policies = {
        policy.urn for policy in graph.of_type("aws:iam/rolePolicy:RolePolicy") if policy.inputs["role"] == role().id
    }
    assert len(policies) == 4
    assert policies <= set(graph.one(SELECTION).dependencies)


def test_without_backups_there_is_nothing_of_them() -> None:
    deployment = evaluated("stress", ("backup_enabled=false",))
    assert not [resource.urn for resource in deployment.graph if "backup" in resource.urn.lower()]
    assert deployment.outputs.get("backup_vault_name") is deployment.outputs.get("backup_role_arn") is None
