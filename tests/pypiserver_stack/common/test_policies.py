"""Which services assume the roles, and for whom."""

from __future__ import annotations

import json

from tests.pypiserver_stack.support.evaluation import evaluated

OURS = {"StringEquals": {"aws:SourceAccount": "123456789012"}}


def test_a_service_that_says_for_whom_it_comes_assumes_a_role_for_this_account_alone() -> None:
    roles = evaluated("stress", ("flow_logs_enabled=true", "backup_enabled=true")).graph.of_type("aws:iam/role:Role")
    found = {}
    for role in roles:
        (statement,) = json.loads(role.inputs["assumeRolePolicy"])["Statement"]
        assert (statement["Effect"], statement["Action"]) == ("Allow", "sts:AssumeRole")
        found[role.name.removeprefix("pypiserver-")] = statement["Principal"]["Service"], statement.get("Condition")
    assert found == {
        "execution": ("ecs-tasks.amazonaws.com", OURS),
        "task": ("ecs-tasks.amazonaws.com", OURS),
        "flow-logs": ("vpc-flow-logs.amazonaws.com", OURS),
        # These do not say it, or not that anybody knows.
        "backup": ("backup.amazonaws.com", None),
        "instance": ("ec2.amazonaws.com", None),
    }
