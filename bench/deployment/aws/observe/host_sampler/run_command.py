"""Shell scripts on instances, by SSM Run Command."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from botocore.exceptions import ClientError

from bench.deployment.aws.observe.absence import Absence, attempt
from bench.deployment.aws.session import AwsSession

_INSTANCES_A_CALL = 50
_ENDED = {"Success", "Cancelled", "TimedOut", "Failed"}
_PAUSE_S = 1.0
# SSM takes no shorter time-out for a command to reach an instance.
_DELIVERY_S = 30


@dataclass(frozen=True)
class RunCommand:
    """Runs scripts with the shell of instances, as root."""

    session: AwsSession
    clock: Callable[[], float]
    sleep: Callable[[float], object]

    def managed(self, instance_ids: Sequence[str]) -> dict[str, Absence | None]:
        """For each instance None where it takes commands, else the reason why not."""
        online = attempt("ssm", self._online, instance_ids)
        if isinstance(online, Absence):
            return dict.fromkeys(instance_ids, online)
        unmanaged = Absence("SSM does not manage the instance: its agent has not called in")
        return {one: None if one in online else unmanaged for one in instance_ids}

    def run(self, instance_ids: Sequence[str], script: str, *, limit_s: float) -> dict[str, str | Absence]:
        """The standard output of a script on each instance, of which SSM passes on 24,000 characters, or why it failed.

        Args:
            limit_s: how long it may take, with its delivery.
        """
        outputs: dict[str, str | Absence] = {}
        for start in range(0, len(instance_ids), _INSTANCES_A_CALL):
            part = instance_ids[start : start + _INSTANCES_A_CALL]
            sent = attempt("ssm", self._send, part, script, limit_s)
            if isinstance(sent, Absence):
                outputs |= dict.fromkeys(part, sent)
                continue
            deadline_s = self.clock() + limit_s
            for instance_id in part:
                outputs[instance_id] = self._output(sent, instance_id, deadline_s, limit_s)
        return outputs

    @cached_property
    def _ssm(self) -> Any:
        return self.session.client("ssm")

    def _online(self, instance_ids: Sequence[str]) -> set[str]:
        pages = self._ssm.get_paginator("describe_instance_information").paginate(
            Filters=[{"Key": "InstanceIds", "Values": list(instance_ids)}]
        )
        return {
            one["InstanceId"]
            for page in pages
            for one in page["InstanceInformationList"]
            if one.get("PingStatus") == "Online"
        }

    def _send(self, instance_ids: Sequence[str], script: str, limit_s: float) -> str:
        command = self._ssm.send_command(
            InstanceIds=list(instance_ids),
            DocumentName="AWS-RunShellScript",
            TimeoutSeconds=max(_DELIVERY_S, int(limit_s)),
            Parameters={"commands": [script], "executionTimeout": [str(int(limit_s))]},
        )["Command"]
        return str(command["CommandId"])

    def _output(self, command_id: str, instance_id: str, deadline_s: float, limit_s: float) -> str | Absence:
        while True:
            found = attempt("ssm", self._invocation, command_id, instance_id)
            if isinstance(found, Absence):
                return found
            if found.get("Status") in _ENDED:
                return _output_of(found)
            if self.clock() >= deadline_s:
                return Absence(f"SSM Run Command had not ended after {limit_s:.0f} s")
            self.sleep(_PAUSE_S)

    def _invocation(self, command_id: str, instance_id: str) -> Mapping[str, Any]:
        """Empty where SSM does not know yet that the command is for this instance."""
        try:
            found: Mapping[str, Any] = self._ssm.get_command_invocation(CommandId=command_id, InstanceId=instance_id)
        except ClientError as error:
            if error.response["Error"]["Code"] == "InvocationDoesNotExist":
                return {}
            raise
        return found


def _output_of(invocation: Mapping[str, Any]) -> str | Absence:
    if invocation["Status"] == "Success":
        return str(invocation["StandardOutputContent"])
    errors = invocation.get("StandardErrorContent", "").strip().splitlines()
    detail = invocation.get("StatusDetails", invocation["Status"])
    return Absence(": ".join(filter(None, [f"SSM Run Command ended with {detail}", errors[-1] if errors else ""])))
