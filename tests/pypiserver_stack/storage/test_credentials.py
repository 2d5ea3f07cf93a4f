"""The secret of each role, who may read it, what encrypts it, and which passwords stand in it."""

from __future__ import annotations

import json
from typing import Any

import pytest

from bench.deployment.engine import Deployment
from bench.deployment.graph import Resource
from tests.pypiserver_stack.support.evaluation import container, evaluated, inputs

SECRET = "aws:secretsmanager/secret:Secret"
VERSION = "aws:secretsmanager/secretVersion:SecretVersion"
POLICY = "aws:secretsmanager/secretPolicy:SecretPolicy"
PASSWORD = "random:index/randomPassword:RandomPassword"

SUFFIXES = {"admin": "", "read": "-read", "upload": "-upload"}
READERS = ("arn:aws:iam::123456789012:role/ci", "arn:aws:iam::123456789012:user/alice")
KEY = "arn:aws:kms:us-west-2:123456789012:key/1234abcd-12ab-34cd-56ef-1234567890ab"


def passwords(deployment: Deployment) -> dict[str, str]:
    """Name of the generating resource to what it generated."""
    return {resource.name: resource.outputs["result"] for resource in deployment.graph.of_type(PASSWORD)}


def secret(deployment: Deployment, role: str = "admin") -> Resource:
    """The secret of a role."""
    (found,) = [one for one in deployment.graph.of_type(SECRET) if one.name == f"pypiserver{SUFFIXES[role]}"]
    return found


def version(deployment: Deployment, role: str = "admin") -> Resource:
    """The only version of that secret."""
    arn = secret(deployment, role).outputs["arn"]
    (found,) = [one for one in deployment.graph.of_type(VERSION) if one.inputs["secretId"] == arn]
    return found


def secret_value(deployment: Deployment, role: str = "admin") -> dict[str, Any]:
    value: dict[str, Any] = json.loads(version(deployment, role).inputs["secretString"])
    return value


def exported(deployment: Deployment, role: str) -> tuple[str, str, str]:
    """What the stack exports of a role: user name, password and secret."""
    prefix = "" if role == "admin" else f"{role}_"
    username, password, arn = (
        deployment.outputs[f"{prefix}{key}"] for key in ("username", "password", "credentials_secret_arn")
    )
    return username, password, arn


def statements(role: str, deployment: Deployment) -> list[dict[str, Any]]:
    """What a role may do with secrets and keys."""
    return [
        statement
        for policy in deployment.graph.of_type("aws:iam/rolePolicy:RolePolicy")
        if policy.inputs["role"].startswith(f"pypiserver-{role}-")
        for statement in json.loads(policy.inputs["policy"])["Statement"]
        if str(statement["Action"]).startswith(("secretsmanager:", "kms:"))
    ]


def test_a_new_stack_has_a_password_for_each_role_and_nobody_else_reads_them() -> None:
    deployment = evaluated("stress", ("secret_recovery_window_days=7",))
    generated = passwords(deployment)
    assert sorted(generated) == ["pypiserver", "pypiserver-read", "pypiserver-upload"]
    assert len(set(generated.values())) == 3
    for role, suffix in SUFFIXES.items():
        name = f"pypiserver{suffix}"
        only = generated[name]
        assert len(only) == 32
        assert secret_value(deployment, role) == {"username": name, "password": only, "accepted_passwords": [only]}
        assert exported(deployment, role) == (name, only, secret(deployment, role).outputs["arn"])
        assert secret(deployment, role).inputs["recoveryWindowInDays"] == 7
        assert secret(deployment, role).inputs.get("kmsKeyId") is None
    assert deployment.outputs["password_generations"] == [1]
    assert deployment.outputs["published_password_generation"] == 1
    assert deployment.graph.of_type(POLICY) == ()
    (statement,) = statements("execution", deployment)
    assert statement["Action"] == "secretsmanager:GetSecretValue"
    assert statement["Resource"] == [secret(deployment, role).outputs["arn"] for role in SUFFIXES]


@pytest.mark.parametrize("authentication", ["htpasswd", "bcrypt"])
def test_without_our_own_check_there_is_one_credential_and_none_for_a_role(authentication: str) -> None:
    deployment = evaluated("stress", (f"authentication={authentication}",))
    assert list(passwords(deployment)) == ["pypiserver"]
    assert deployment.outputs["username"] == "pypiserver"
    assert not [key for key in deployment.outputs if key.startswith(("read_", "upload_"))]
    assert len(deployment.graph.of_type(SECRET)) == 1


@pytest.mark.parametrize("stack", ["stress", "peer"])
def test_a_stack_for_tests_leaves_no_secret_behind(stack: str) -> None:
    assert {one.inputs["recoveryWindowInDays"] for one in evaluated(stack).graph.of_type(SECRET)} == {0}


@pytest.mark.parametrize(
    ("setting", "role"),
    [("secret_readers", "admin"), ("read_secret_readers", "read"), ("upload_secret_readers", "upload")],
)
def test_readers_may_read_the_secret_of_their_role_and_no_more(setting: str, role: str) -> None:
    deployment = evaluated("stress", (f"{setting}={','.join(READERS)}",))
    arn = secret(deployment, role).outputs["arn"]
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


def test_tasks_may_decrypt_these_secrets_and_nothing_else() -> None:
    deployment = evaluated("stress", (f"secret_kms_key_arn={KEY}",))
    assert {one.inputs["kmsKeyId"] for one in deployment.graph.of_type(SECRET)} == {KEY}
    arns = [secret(deployment, role).outputs["arn"] for role in SUFFIXES]
    assert {
        "Effect": "Allow",
        "Action": "kms:Decrypt",
        "Resource": KEY,
        "Condition": {"StringEquals": {"kms:EncryptionContext:SecretARN": arns}},
    } in statements("execution", deployment)
    # Where nothing is injected, there is nothing to read and to decrypt.
    assert statements("execution", evaluated("stress", (f"secret_kms_key_arn={KEY}", "authentication=bcrypt"))) == []


@pytest.mark.parametrize(
    ("generations", "published", "suffixes", "announced"),
    [
        ("1,2", "1", ["", "-2"], ""),
        ("1,2", "2", ["", "-2"], "-2"),
        ("2", "2", ["-2"], "-2"),
        ("2,3", "2", ["-2", "-3"], "-2"),
    ],
)
def test_each_generation_is_a_password_of_its_own_for_each_role(
    generations: str, published: str, suffixes: list[str], announced: str
) -> None:
    overrides = (f"password_generations={generations}", f"published_password_generation={published}")
    deployment = evaluated("stress", overrides)
    generated = passwords(deployment)
    assert len(set(generated.values())) == len(generated) == 3 * len(suffixes)
    for role, suffix in SUFFIXES.items():
        username = f"pypiserver{suffix}"
        assert secret_value(deployment, role) == {
            "username": username,
            "password": generated[f"{username}{announced}"],
            "accepted_passwords": [generated[f"{username}{number}"] for number in suffixes],
        }
        assert exported(deployment, role)[1] == generated[f"{username}{announced}"]
    assert deployment.outputs["password_generations"] == [int(number) for number in generations.split(",")]
    assert deployment.outputs["published_password_generation"] == int(published)


def test_no_password_is_in_clear_while_two_are_accepted() -> None:
    deployment = evaluated("stress", ("password_generations=1,2",))
    assert deployment.secret_outputs == {"password", "read_password", "upload_password"}
    assert len(passwords(deployment)) == 6
    for password in passwords(deployment).values():
        holders = [resource for resource in deployment.graph if password in json.dumps(dict(resource.inputs))]
        assert [(holder.type, holder.secret_paths) for holder in holders] == [(VERSION, frozenset({"secretString"}))]


def test_tasks_get_the_very_versions_that_were_written() -> None:
    deployment = evaluated("stress", ())  # as `container` asks for it: one cloud, one password

    def injected(role: str) -> str:
        return f"{secret(deployment, role).outputs['arn']}:::{version(deployment, role).outputs['versionId']}"

    # ARN:JSON-KEY:VERSION-STAGE:VERSION-ID, and no stage: what AWSPREVIOUS means changes under a task's feet.
    assert container()["secrets"] == [
        {"name": "PYPISERVER_CREDENTIALS", "valueFrom": injected("admin")},
        {"name": "PYPISERVER_READ_CREDENTIALS", "valueFrom": injected("read")},
        {"name": "PYPISERVER_UPLOAD_CREDENTIALS", "valueFrom": injected("upload")},
    ]


def test_a_deployment_ends_when_its_tasks_are_the_new_ones() -> None:
    assert inputs("aws:ecs/service:Service")["waitForSteadyState"] is True
