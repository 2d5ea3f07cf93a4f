"""What AWS computes for topics."""

from __future__ import annotations

from collections.abc import Mapping

from bench.deployment.local_cloud.computed.ids import named_by_arn, uuid_of
from bench.deployment.local_cloud.computed.origin import Compute, Computed, Inputs, Origin


def _topic_subscription(origin: Origin, inputs: Inputs) -> tuple[str, Computed]:
    arn = f"{inputs['topic']}:{uuid_of(origin)}"
    return arn, {"arn": arn, "pendingConfirmation": inputs["protocol"] == "email"}


RESOURCES: Mapping[str, Compute] = {
    "aws:sns/topic:Topic": named_by_arn("sns", ""),
    "aws:sns/topicPolicy:TopicPolicy": lambda origin, inputs: (inputs["arn"], {"owner": origin.account}),
    "aws:sns/topicSubscription:TopicSubscription": _topic_subscription,
}
