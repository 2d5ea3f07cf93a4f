"""An SSM that runs commands with the shell of this machine, each instance in a folder of its own."""

from __future__ import annotations

import os
import signal
import subprocess
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from bench.deployment.aws.observe.host_sampler import sampler
from tests.bench.deployment.aws.recorded_aws import Answer, AwsRefusal

# What the scripts need of systemd: a process that outlives the command, and an end for it.
_SYSTEMD_RUN = """#!/bin/bash
while [[ $1 == --* ]]; do shift; done
setsid "$@" </dev/null >/dev/null 2>&1 &
echo $! >"$UNIT_PID"
"""
_SYSTEMCTL = """#!/bin/bash
[[ -f $UNIT_PID ]] && kill -- "-$(<"$UNIT_PID")" && rm "$UNIT_PID"
"""
OUTPUT_LIMIT = 24_000


@dataclass
class ShellSsm:
    """Instances by id, each with the folder that stands for its disk."""

    folder: Path
    managed: tuple[str, ...]
    pending_answers: int = 1
    """How often an invocation is not known, and then in progress, before it has ended."""
    lost_characters: int = 0
    """Characters that each long answer is short of."""
    scripts: list[str] = field(default_factory=list)
    _outcomes: dict[tuple[str, str], dict[str, Any]] = field(default_factory=dict)
    _asked: dict[tuple[str, str], int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        (self.folder / "bin").mkdir()
        for name, text in (("systemd-run", _SYSTEMD_RUN), ("systemctl", _SYSTEMCTL)):
            path = self.folder / "bin" / name
            path.write_text(text)
            path.chmod(0o755)

    @property
    def answers(self) -> dict[str, Answer]:
        return {
            "ssm:DescribeInstanceInformation": self._information,
            "ssm:SendCommand": self._send,
            "ssm:GetCommandInvocation": self._invocation,
        }

    def disk(self, instance_id: str) -> Path:
        return self.folder / instance_id

    def sampler_folder(self, instance_id: str) -> Path:
        return self.disk(instance_id) / sampler.FOLDER.lstrip("/")

    def end(self) -> None:
        """End what still runs on the instances."""
        for path in self.folder.glob("*/unit.pid"):
            with suppress(ProcessLookupError):
                os.killpg(int(path.read_text()), signal.SIGKILL)

    def _information(self, parameters: Mapping[str, Any]) -> Mapping[str, Any]:
        asked = parameters["Filters"][0]["Values"]
        online = [{"InstanceId": one, "PingStatus": "Online"} for one in asked if one in self.managed]
        return {"InstanceInformationList": online}

    def _send(self, parameters: Mapping[str, Any]) -> Mapping[str, Any]:
        assert parameters["DocumentName"] == "AWS-RunShellScript"
        assert len(parameters["InstanceIds"]) <= 50
        script = "\n".join(parameters["Parameters"]["commands"])
        self.scripts.append(script)
        command_id = f"{len(self.scripts):036d}"
        for instance_id in parameters["InstanceIds"]:
            self._outcomes[command_id, instance_id] = self._run(instance_id, script)
        return {"Command": {"CommandId": command_id}}

    def _run(self, instance_id: str, script: str) -> dict[str, Any]:
        disk = self.disk(instance_id)
        self.sampler_folder(instance_id).parent.mkdir(parents=True, exist_ok=True)
        here = script.replace(sampler.FOLDER, str(self.sampler_folder(instance_id)))
        environment = {
            **os.environ,
            "PATH": f"{self.folder / 'bin'}:{os.environ['PATH']}",
            "UNIT_PID": str(disk / "unit.pid"),
        }
        done = subprocess.run(["bash", "-c", here], env=environment, capture_output=True, text=True, timeout=60)
        output = done.stdout[:OUTPUT_LIMIT]
        if len(output) > 50:
            output = output[: len(output) - self.lost_characters]
        return {
            "Status": "Failed" if done.returncode else "Success",
            "StatusDetails": "Failed" if done.returncode else "Success",
            "ResponseCode": done.returncode,
            "StandardOutputContent": output,
            "StandardErrorContent": done.stderr,
        }

    def _invocation(self, parameters: Mapping[str, Any]) -> Mapping[str, Any] | AwsRefusal:
        key = parameters["CommandId"], parameters["InstanceId"]
        self._asked[key] = self._asked.get(key, 0) + 1
        if self._asked[key] <= self.pending_answers:
            return AwsRefusal("InvocationDoesNotExist")
        if self._asked[key] <= 2 * self.pending_answers:
            return {"Status": "InProgress"}
        return self._outcomes[key]
