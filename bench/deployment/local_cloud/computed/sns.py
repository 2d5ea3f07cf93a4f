"""What AWS computes for topics."""

from __future__ import annotations

from collections.abc import Mapping

from bench.deployment.local_cloud.computed.identity import Compute, Computed, Identity, Inputs
from bench.deployment.local_cloud.computed.ids import named_by_arn, uuid_of


def _topic_subscription(identity: Identity, inputs: Inputs) -> tuple[str, Computed]:
    arn = f"{inputs['topic']}:{uuid_of(identity)}"
    return arn, {"arn": arn, "pendingConfirmation": inputs["protocol"] == "email"}


RESOURCES: Mapping[str, Compute] = {
    "aws:sns/topic:Topic": named_by_arn("sns", ""),
    "aws:sns/topicPolicy:TopicPolicy": lambda identity, inputs: (inputs["arn"], {"owner": identity.account}),
    "aws:sns/topicSubscription:TopicSubscription": _topic_subscription,
}
