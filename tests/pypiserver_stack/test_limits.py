"""The largest values that settings take make no document larger than AWS takes it."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from bench.common.failures import UsageError
from bench.deployment.engine import StackConfig
from bench.deployment.engine.embedded import EmbeddedEngine
from bench.deployment.local_cloud import LocalCloud
from tests.pypiserver_stack.support.evaluation import evaluated
from tests.pypiserver_stack.support.limits import too_large

NAME = "service_name=" + "n" * 20
ACCOUNT = "arn:aws:iam::123456789012"
KEY = f"arn:aws:kms:us-west-2:123456789012:key/{'k' * 128}"
LARGEST = (
    NAME,
    "secret_readers=" + ",".join(f"{ACCOUNT}:role/{i:02}{'r' * 574}" for i in range(30)),
    f"secret_kms_key_arn={KEY}",
    f"efs_kms_key_arn={KEY}",
    f"efs_maintenance_role_arn={ACCOUNT}:role/{'r' * 576}",
    "image=123456789012.dkr.ecr.us-west-2.amazonaws.com/" + "i" * 203 + ":1",
    "alarm_emails=one@example.org",
    "alarm_runbook_url=https://example.org/" + "u" * 280,
    "flow_logs_enabled=true",
    "password_generations=1,2",
)


def extra_policy(size_characters: int) -> str:
    """One of so many characters without white space."""
    statement = {"Effect": "Allow", "Action": "sqs:SendMessage", "Resource": ""}
    document = {"Version": "2012-10-17", "Statement": [statement]}
    bare = len(json.dumps(document, separators=(",", ":")))
    statement["Resource"] = "r" * (size_characters - bare)
    return "instance_extra_policy=" + json.dumps(document, indent=4)


def test_what_the_stacks_own_policies_leave_is_all_that_a_policy_of_ones_own_may_take() -> None:
    with pytest.raises(UsageError, match="instance_extra_policy = 'a document of 10240 characters'") as error:
        evaluated("stress", (*LARGEST, extra_policy(10240)))
    (room,) = map(int, re.findall(r"at most (\d+) characters", str(error.value)))
    assert 8000 < room < 10240
    assert too_large(evaluated("stress", (*LARGEST, extra_policy(room))).graph) == []
    with pytest.raises(UsageError, match=f"a document of {room + 1} characters"):
        evaluated("stress", (*LARGEST, extra_policy(room + 1)))


PROGRAM = """
import pulumi
from pypiserver_stack.server import PypiServer
from pypiserver_stack.settings import read_settings

policy = pulumi.Output.from_input("x" * 10240)
PypiServer("index", read_settings({"allow_http": True, "instance_extra_policy": policy}))
"""


def test_a_policy_that_is_known_later_is_refused_then(tmp_path: Path) -> None:
    (tmp_path / "__main__.py").write_text(PROGRAM)
    (tmp_path / "Pulumi.yaml").write_text("name: theirs\nruntime: python\n")
    with pytest.raises(UsageError, match="a document of 10240 characters"):
        EmbeddedEngine(LocalCloud(), tmp_path).up(StackConfig("theirs", "dev", {}))
