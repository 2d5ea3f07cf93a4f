"""SNS topic of alarm notifications, and the key that encrypts its messages."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pulumi
import pulumi_aws as aws

from pypiserver_stack.common.policies import policy_document
from pypiserver_stack.common.tags import Tags


class AlarmTopic(pulumi.ComponentResource):
    """An encrypted topic that CloudWatch's alarms of this account may publish to, with the addresses that it notifies.

    The key is our own: AWS's key for SNS does not admit CloudWatch, and its messages would be lost without a word.
    """

    def __init__(
        self, name: str, emails: Sequence[str], tags: Tags, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        super().__init__("pypiserver:index:AlarmTopic", name, None, opts)
        child = pulumi.ResourceOptions(parent=self)
        logical_name = f"{name}-alarms"
        account = aws.get_caller_identity_output(opts=pulumi.InvokeOutputOptions(parent=self)).account_id
        key = aws.kms.Key(
            logical_name,
            description="Messages about alarms of the package index",
            enable_key_rotation=True,
            deletion_window_in_days=7,  # the least there is; nothing that it encrypts is kept
            policy=_key_policy(account),
            tags=tags(logical_name),
            opts=child,
        )
        topic = aws.sns.Topic(logical_name, kms_master_key_id=key.arn, tags=tags(logical_name), opts=child)
        policy = aws.sns.TopicPolicy(
            logical_name,
            arn=topic.arn,
            policy=_topic_policy(topic.arn, account),
            opts=child,
        )
        self.arn = policy.arn
        """Known once alarms may publish to the topic: CloudWatch drops what the topic refuses."""
        for address in emails:
            # Named after the address: a number would move when another address goes, and all would confirm again.
            aws.sns.TopicSubscription(
                f"{name}-{address}", topic=topic.arn, protocol="email", endpoint=address, opts=child
            )
        self.register_outputs({"topic_arn": self.arn})


def _from_alarms(account: pulumi.Input[str]) -> dict[str, Any]:
    """The condition that CloudWatch acts for an alarm of this account, and for nobody else's."""
    return {
        "StringEquals": {"aws:SourceAccount": account},
        "ArnLike": {"aws:SourceArn": pulumi.Output.concat("arn:*:cloudwatch:*:", account, ":alarm:*")},
    }


def _key_policy(account: pulumi.Input[str]) -> pulumi.Output[str]:
    return policy_document(
        {
            # Leaves it to the account's IAM policies who manages the key; without it nobody ever could.
            "Sid": "ManagedByThisAccount",
            "Effect": "Allow",
            "Principal": {"AWS": account},
            "Action": "kms:*",
            "Resource": "*",  # in a key's policy: this key
        },
        {
            "Sid": "UsedByAlarms",
            "Effect": "Allow",
            "Principal": {"Service": "cloudwatch.amazonaws.com"},
            "Action": ["kms:Decrypt", "kms:GenerateDataKey*"],
            "Resource": "*",
            "Condition": _from_alarms(account),
        },
    )


def _topic_policy(topic_arn: pulumi.Input[str], account: pulumi.Input[str]) -> pulumi.Output[str]:
    """Policy of the topic. It replaces the default one, which lets the whole account publish."""
    return policy_document(
        {
            "Sid": "PublishedToByAlarms",
            "Effect": "Allow",
            "Principal": {"Service": "cloudwatch.amazonaws.com"},
            "Action": "sns:Publish",
            "Resource": topic_arn,
            "Condition": _from_alarms(account),
        },
        {
            "Sid": "EncryptedOnTheWay",
            "Effect": "Deny",
            "Principal": "*",
            "Action": "sns:Publish",
            "Resource": topic_arn,
            "Condition": {"Bool": {"aws:SecureTransport": "false"}},
        },
    )
