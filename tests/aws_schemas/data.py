"""The types that keep something: files, copies, secrets, logs, messages, rights."""

from __future__ import annotations

from tests.aws_schemas.compute import PROVIDERS_OWN
from tests.aws_schemas.mapped import Mapped, document, listed, same

DATA = {
    "aws:backup/plan:Plan": Mapped(
        "AWS::Backup::BackupPlan",
        below="BackupPlan",
        names={
            "name": "BackupPlanName",
            "tags": "^BackupPlanTags",
            "rules": "BackupPlanRule",
            "rules.completionWindow": "CompletionWindowMinutes",
            "rules.lifecycle.coldStorageAfter": "MoveToColdStorageAfterDays",
            "rules.lifecycle.deleteAfter": "DeleteAfterDays",
            "rules.schedule": "ScheduleExpression",
            "rules.scheduleExpressionTimezone": "ScheduleExpressionTimezone",
            "rules.startWindow": "StartWindowMinutes",
            "rules.targetVaultName": "TargetBackupVault",
        },
        values={"tags": same, "rules.recoveryPointTags": same},
    ),
    "aws:backup/selection:Selection": Mapped(
        "AWS::Backup::BackupSelection",
        below="BackupSelection",
        names={"name": "SelectionName", "planId": "^BackupPlanId"},
    ),
    "aws:backup/vault:Vault": Mapped(
        "AWS::Backup::BackupVault",
        names={"name": "BackupVaultName", "tags": "BackupVaultTags", "kmsKeyArn": "EncryptionKeyArn"},
        values={"tags": same},
        omitted={"forceDestroy": PROVIDERS_OWN},
    ),
    "aws:cloudwatch/dashboard:Dashboard": Mapped("AWS::CloudWatch::Dashboard"),
    "aws:cloudwatch/logGroup:LogGroup": Mapped(
        "AWS::Logs::LogGroup", names={"name": "LogGroupName"}, omitted={"skipDestroy": PROVIDERS_OWN}
    ),
    "aws:cloudwatch/metricAlarm:MetricAlarm": Mapped(
        "AWS::CloudWatch::Alarm",
        names={
            "name": "AlarmName",
            "evaluateLowSampleCountPercentiles": "EvaluateLowSampleCountPercentile",
            "metricQueries": "Metrics",
            "metricQueries.metric": "MetricStat",
            "okActions": "OKActions",
        },
        values={"dimensions": lambda named: [{"Name": name, "Value": value} for name, value in named.items()]},
    ),
    "aws:cloudwatch/queryDefinition:QueryDefinition": Mapped("AWS::Logs::QueryDefinition"),
    "aws:efs/accessPoint:AccessPoint": Mapped("AWS::EFS::AccessPoint", names={"tags": "AccessPointTags"}),
    "aws:efs/fileSystem:FileSystem": Mapped(
        "AWS::EFS::FileSystem",
        names={
            "tags": "FileSystemTags",
            "lifecyclePolicies.transitionToIa": "TransitionToIA",
            "protection": "FileSystemProtection",
            "protection.replicationOverwrite": "ReplicationOverwriteProtection",
        },
        omitted={"creationToken": "CloudFormation makes its own."},
    ),
    "aws:efs/fileSystemPolicy:FileSystemPolicy": Mapped(
        "AWS::EFS::FileSystem",
        names={"policy": "FileSystemPolicy"},
        values={"policy": document},
        omitted={"fileSystemId": "There it is a property of the file system."},
    ),
    "aws:efs/mountTarget:MountTarget": Mapped("AWS::EFS::MountTarget"),
    "aws:iam/role:Role": Mapped(
        "AWS::IAM::Role",
        names={"name": "RoleName", "assumeRolePolicy": "AssumeRolePolicyDocument"},
        values={"assumeRolePolicy": document},
        omitted={"forceDetachPolicies": PROVIDERS_OWN},
    ),
    "aws:iam/rolePolicy:RolePolicy": Mapped(
        "AWS::IAM::RolePolicy",
        names={"name": "PolicyName", "role": "RoleName", "policy": "PolicyDocument"},
        values={"policy": document},
    ),
    "aws:kms/alias:Alias": Mapped("AWS::KMS::Alias", names={"name": "AliasName"}),
    "aws:kms/key:Key": Mapped(
        "AWS::KMS::Key",
        names={"deletionWindowInDays": "PendingWindowInDays", "policy": "KeyPolicy", "isEnabled": "Enabled"},
        values={"policy": document},
    ),
    "aws:secretsmanager/secret:Secret": Mapped(
        "AWS::SecretsManager::Secret",
        names={"name": "Name"},
        omitted={
            "recoveryWindowInDays": "CloudFormation takes no other window than the default.",
            "forceOverwriteReplicaSecret": PROVIDERS_OWN,
        },
    ),
    "aws:secretsmanager/secretPolicy:SecretPolicy": Mapped(
        "AWS::SecretsManager::ResourcePolicy",
        names={"secretArn": "SecretId", "policy": "ResourcePolicy"},
        values={"policy": document},
    ),
    "aws:secretsmanager/secretVersion:SecretVersion": Mapped(
        "AWS::SecretsManager::Secret",
        omitted={
            "secretId": "There it is a property of the secret.",
            "versionStages": "CloudFormation moves them itself.",
        },
    ),
    "aws:sns/topic:Topic": Mapped("AWS::SNS::Topic", names={"name": "TopicName"}),
    "aws:sns/topicPolicy:TopicPolicy": Mapped(
        "AWS::SNS::TopicPolicy",
        names={"arn": "Topics", "policy": "PolicyDocument"},
        values={"arn": listed, "policy": document},
    ),
    "aws:sns/topicSubscription:TopicSubscription": Mapped("AWS::SNS::Subscription", names={"topic": "TopicArn"}),
}
