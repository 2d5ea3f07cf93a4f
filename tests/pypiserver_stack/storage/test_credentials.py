"""The secret, who may read it, what encrypts it, and which passwords stand in it."""

from __future__ import annotations

import json
from typing import Any

import pytest

from bench.deployment.engine import Deployment
from tests.pypiserver_stack.support.evaluation import container, evaluated, inputs

SECRET = "aws:secretsmanager/secret:Secret"
VERSION = "aws:secretsmanager/secretVersion:SecretVersion"
POLICY = "aws:secretsmanager/secretPolicy:SecretPolicy"
PASSWORD = "random:index/randomPassword:RandomPassword"

READERS = ("arn:aws:iam::123456789012:role/ci", "arn:aws:iam::123456789012:user/alice")
KEY = "arn:aws:kms:us-west-2:123456789012:key/1234abcd-12ab-34cd-56ef-1234567890ab"


def passwords(deployment: Deployment) -> dict[str, str]:
    """Name of the generating resource to what it generated."""
    return {resource.name: resource.outputs["result"] for resource in deployment.graph.of_type(PASSWORD)}


def secret_value(deployment: Deployment) -> dict[str, Any]:
    value: dict[str, Any] = json.loads(deployment.graph.one(VERSION).inputs["secretString"])
    return value


def statements(role: str, deployment: Deployment) -> list[dict[str, Any]]:
    """What a role may do with secrets and keys."""
    return [
        statement
        for policy in deployment.graph.of_type("aws:iam/rolePolicy:RolePolicy")
        if policy.inputs["role"].startswith(f"pypiserver-{role}-")
        for statement in json.loads(policy.inputs["policy"])["Statement"]
        if str(statement["Action"]).startswith(("secretsmanager:", "kms:"))
    ]


def test_a_new_stack_has_one_password_and_nobody_else_reads_it() -> None:
    deployment = evaluated("stress", ("secret_recovery_window_days=7",))
    generated = passwords(deployment)
    assert list(generated) == ["pypiserver"]
    only = generated["pypiserver"]
    assert len(only) == 32
    assert secret_value(deployment) == {"username": "pypiserver", "password": only, "accepted_passwords": [only]}
    assert deployment.outputs["password"] == only
    assert deployment.outputs["password_generations"] == [1]
    assert deployment.outputs["published_password_generation"] == 1
    secret = deployment.graph.one(SECRET).inputs
    assert secret["recoveryWindowInDays"] == 7
    assert secret.get("kmsKeyId") is None
    assert deployment.graph.of_type(POLICY) == ()
    assert [s["Action"] for s in statements("execution", deployment)] == ["secretsmanager:GetSecretValue"]


@pytest.mark.parametrize("stack", ["stress", "peer"])
def test_a_stack_for_tests_leaves_no_secret_behind(stack: str) -> None:
    assert evaluated(stack).graph.one(SECRET).inputs["recoveryWindowInDays"] == 0


def test_readers_may_read_this_secret_and_no_more() -> None:
    deployment = evaluated("stress", (f"secret_readers={','.join(READERS)}",))
    arn = deployment.graph.one(SECRET).outputs["arn"]
    policy = deployment.graph.one(POLICY).inputs
    assert policy["secretArn"] == arn
    assert policy["blockPublicPolicy"] is True
    assert json.loads(policy["policy"]) == {
        "Version": "2012-10-17",
        "Statement": [
            {
                "Effect": "Allow",
                "Principal": {"AWS": list(READERS)},
                "Action": ["secretsmanager:DescribeSecret", "secretsmanager:GetSecretValue"],
                "Resource": arn,
            }
        ],
    }


def test_tasks_may_decrypt_this_secret_and_nothing_else() -> None:
    deployment = evaluated("stress", (f"secret_kms_key_arn={KEY}",))
    secret = deployment.graph.one(SECRET)
    assert secret.inputs["kmsKeyId"] == KEY
    assert {
        "Effect": "Allow",
        "Action": "kms:Decrypt",
        "Resource": KEY,
        "Condition": {"StringEquals": {"kms:EncryptionContext:SecretARN": secret.outputs["arn"]}},
    } in statements("execution", deployment)
    # Where nothing is injected, there is nothing to read and to decrypt.
    assert statements("execution", evaluated("stress", (f"secret_kms_key_arn={KEY}", "authentication=bcrypt"))) == []


@pytest.mark.parametrize(
    ("generations", "published", "names", "announced"),
    [
        ("1,2", "1", ["pypiserver", "pypiserver-2"], "pypiserver"),
        ("1,2", "2", ["pypiserver", "pypiserver-2"], "pypiserver-2"),
        ("2", "2", ["pypiserver-2"], "pypiserver-2"),
        ("2,3", "2", ["pypiserver-2", "pypiserver-3"], "pypiserver-2"),
    ],
)
def test_each_generation_is_a_password_of_its_own(
    generations: str, published: str, names: list[str], announced: str
) -> None:
    overrides = (f"password_generations={generations}", f"published_password_generation={published}")
    deployment = evaluated("stress", overrides)
    generated = passwords(deployment)
    assert sorted(generated) == names
    assert len(set(generated.values())) == len(names)
    assert secret_value(deployment) == {
        "username": "pypiserver",
        "password": generated[announced],
        "accepted_passwords": [generated[name] for name in names],
    }
    assert deployment.outputs["password"] == generated[announced]
    assert deployment.outputs["password_generations"] == [int(number) for number in generations.split(",")]
    assert deployment.outputs["published_password_generation"] == int(published)


def test_no_password_is_in_clear_while_two_are_accepted() -> None:
    deployment = evaluated("stress", ("password_generations=1,2",))
    assert deployment.secret_outputs == {"password"}
    for password in passwords(deployment).values():
        holders = [resource for resource in deployment.graph if password in json.dumps(dict(resource.inputs))]
        assert [(holder.type, holder.secret_paths) for holder in holders] == [(VERSION, frozenset({"secretString"}))]


def test_tasks_get_the_very_version_that_was_written() -> None:
    deployment = evaluated("stress", ())  # as `container` asks for it: one cloud, one password
    arn, version = deployment.graph.one(SECRET).outputs["arn"], deployment.graph.one(VERSION).outputs["versionId"]
    # ARN:JSON-KEY:VERSION-STAGE:VERSION-ID, and no stage: what AWSPREVIOUS means changes under a task's feet.
    assert container()["secrets"] == [{"name": "PYPISERVER_CREDENTIALS", "valueFrom": f"{arn}:::{version}"}]


def test_a_deployment_ends_when_its_tasks_are_the_new_ones() -> None:
    assert inputs("aws:ecs/service:Service")["waitForSteadyState"] is True
