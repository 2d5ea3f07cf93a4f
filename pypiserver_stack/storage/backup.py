"""Backups of the file system: vault, plan and role."""

from __future__ import annotations

import pulumi
import pulumi_aws as aws

from pypiserver_stack.common.policies import ServiceRole
from pypiserver_stack.common.tags import Tags
from pypiserver_stack.settings.groups.backup import BackupSettings
from pypiserver_stack.storage.file_system import Storage


class Backup(pulumi.ComponentResource):
    """AWS Backup of one file system, and the role that backs it up and restores into it.

    The role restores into this file system and no other; docs/storage.md has what restoring takes.
    """

    def __init__(
        self,
        name: str,
        settings: BackupSettings,
        tags: Tags,
        storage: Storage,
        *,
        kms_key_arn: pulumi.Input[str] | None,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        super().__init__("pypiserver:index:Backup", name, None, opts)
        child = pulumi.ResourceOptions(parent=self)
        self.vault = aws.backup.Vault(
            name,
            kms_key_arn=kms_key_arn,
            force_destroy=settings.backup_force_destroy,
            tags=tags(name),
            # With another key it is another vault: not before the file system, which keeps its own, has taken that key.
            opts=pulumi.ResourceOptions(parent=self, depends_on=[storage.file_system]),
        )
        plan = aws.backup.Plan(
            name,
            rules=[
                {
                    "rule_name": "scheduled",
                    "target_vault_name": self.vault.name,
                    "schedule": settings.backup_schedule,
                    "lifecycle": {"delete_after": settings.backup_retention_days},
                    "recovery_point_tags": tags(name),
                }
            ],
            tags=tags(name),
            opts=child,
        )
        self.role = self._role(name, tags, storage, kms_key_arn)
        aws.backup.Selection(
            name,
            plan_id=plan.id,
            iam_role_arn=self.role.role.arn,
            resources=[storage.file_system.arn],
            # AWS Backup tries the role at once, and the role can do nothing before its policies.
            opts=pulumi.ResourceOptions(parent=self, depends_on=self.role.policies),
        )
        self.register_outputs({"vault_name": self.vault.name})

    def _role(self, name: str, tags: Tags, storage: Storage, kms_key_arn: pulumi.Input[str] | None) -> ServiceRole:
        role = ServiceRole(f"{name}-backup", "backup.amazonaws.com", self, tags)
        role.allow(
            f"{name}-back-up-and-restore",
            {
                "Action": [
                    "elasticfilesystem:Backup",
                    "elasticfilesystem:DescribeFileSystems",
                    "elasticfilesystem:DescribeTags",
                    "elasticfilesystem:Restore",
                ],
                "Resource": storage.file_system.arn,
            },
        )
        role.allow(f"{name}-see-vault", {"Action": "backup:DescribeBackupVault", "Resource": self.vault.arn})
        # A backup carries the tags of the file system and those of its rule, and without this AWS Backup makes none.
        role.allow(f"{name}-tag-backups", {"Action": "backup:TagResource", "Resource": _backups_beside(self.vault)})
        # It looks for what a selection means by tags, even where that names an ARN. The action knows no resources.
        role.allow(f"{name}-find-selected", {"Action": "tag:GetResources", "Resource": "*"})
        if kms_key_arn is not None:
            role.allow(
                f"{name}-use-key",
                {
                    "Action": ["kms:Decrypt", "kms:DescribeKey", "kms:GenerateDataKey"],
                    "Resource": kms_key_arn,
                },
            )
            role.allow(
                f"{name}-lend-key",
                {
                    "Action": "kms:CreateGrant",
                    "Resource": kms_key_arn,
                    "Condition": {"Bool": {"kms:GrantIsForAWSResource": "true"}},
                },
            )
        return role


def _backups_beside(vault: aws.backup.Vault) -> pulumi.Output[str]:
    """The ARNs of recovery points, which name no vault, in the vault's account and region."""
    return vault.arn.apply(lambda arn: f"{arn.partition(':backup-vault:')[0]}:recovery-point:*")
