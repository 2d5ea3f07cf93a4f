"""The settings of the hosts: what they take, from a stack file and from another program, and what they refuse."""

from __future__ import annotations

import json
from typing import Any

import pulumi
import pytest

from pypiserver_stack.settings import SettingsError, allowed
from tests.pypiserver_stack.support.plain_settings import plain_settings

KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIB alice@example"
STATEMENT = {"Effect": "Allow", "Action": "s3:GetObject", "Resource": "arn:aws:s3:::wheels/*"}


def problems(**config: Any) -> dict[str, str]:
    with pytest.raises(SettingsError) as refused:
        plain_settings(config)
    return {problem.key: problem.allowed for problem in refused.value.problems}


def test_objects_come_as_json_or_as_they_are() -> None:
    users = [{"name": "alice", "ssh_authorized_keys": [KEY], "sudo": True}, {"name": "bob"}]
    from_stack_file = plain_settings({"host_users": json.dumps(users)})
    from_program = plain_settings({"host_users": users})
    assert from_stack_file.host_users == from_program.host_users
    alice, bob = from_program.host_users
    assert (alice.name, alice.ssh_authorized_keys, alice.sudo) == ("alice", (KEY,), True)
    assert (bob.ssh_authorized_keys, bob.sudo) == ((), False)


def test_a_file_may_have_content_that_is_not_known_yet() -> None:
    content = pulumi.Output.from_input("later")
    (file,) = plain_settings({"host_extra_files": [{"path": "/etc/motd", "content": content}]}).host_extra_files
    assert file.content is content
    assert file.permissions == "0644"


def test_commands_are_a_list_and_may_have_commas() -> None:
    commands = plain_settings({"host_extra_commands": '["echo a, b", "true"]'}).host_extra_commands
    assert commands == ("echo a, b", "true")
    assert problems(host_extra_commands="echo a, b") == {"host_extra_commands": "a list, each a shell command"}


def test_the_part_of_an_object_that_is_wrong_is_named() -> None:
    users = [{"name": "Alice"}, {"nam": "bob"}, {"name": "carol", "ssh_authorized_keys": ["a key"]}]
    name = "text that matches ^[a-z_][a-z0-9_-]{0,31}$"
    assert problems(host_users=json.dumps(users)) == {
        "host_users[0].name": name,
        "host_users[1].name": name,
        "host_users[1].nam": "there is no such part; did you mean name?",
        "host_users[2].ssh_authorized_keys": "a list, each a public SSH key",
    }
    files = [{"path": "etc/motd", "content": ""}, {"path": "/a/../b", "content": "", "permissions": "644"}]
    assert problems(host_extra_files=files) == {
        "host_extra_files[0].path": "an absolute path of a file",
        "host_extra_files[1].path": "an absolute path of a file",
        "host_extra_files[1].permissions": "four octal digits in quotes",
    }


def test_what_is_no_list_of_objects_is_told_what_one_is() -> None:
    assert problems(host_users="alice") == {"host_users": allowed("host_users")}
    assert allowed("host_users") == (
        "a list, each an object of name (text that matches ^[a-z_][a-z0-9_-]{0,31}$), ssh_authorized_keys (a list, "
        "each a public SSH key; may be left out), sudo (true or false; may be left out)"
    )


@pytest.mark.parametrize(
    ("key", "entries", "named"),
    [
        ("host_users", [{"name": "alice"}, {"name": "bob"}, {"name": "alice"}], "host_users[2].name"),
        ("host_users", [{"name": "ec2-user"}], "host_users[0].name"),
        ("host_users", [{"name": "root"}], "host_users[0].name"),
        (
            "host_extra_files",
            [{"path": "/a", "content": "1"}, {"path": "/a", "content": "2"}],
            "host_extra_files[1].path",
        ),
        ("host_extra_files", [{"path": "/etc/ecs/ecs.config", "content": ""}], "host_extra_files[0].path"),
        ("host_extra_files", [{"path": "/etc//ecs/ecs.config", "content": ""}], "host_extra_files[0].path"),
        ("host_extra_files", [{"path": "/etc/./ecs/ecs.config", "content": ""}], "host_extra_files[0].path"),
        ("host_extra_files", [{"path": "/opt/pypiserver/htpasswd", "content": ""}], "host_extra_files[0].path"),
    ],
)
def test_what_is_taken_is_refused(key: str, entries: list[dict[str, str]], named: str) -> None:
    assert list(problems(**{key: entries})) == [named]


@pytest.mark.parametrize(
    "document",
    [
        {"Version": "2012-10-17", "Statement": [STATEMENT]},
        {"Statement": STATEMENT},
        json.dumps({"Statement": [STATEMENT]}, indent=4),
    ],
)
def test_a_policy_comes_as_json_or_as_it_is(document: object) -> None:
    policy = plain_settings({"instance_extra_policy": document}).instance_extra_policy
    wanted = json.loads(document) if isinstance(document, str) else document
    assert policy == json.dumps(wanted, separators=(",", ":"))


@pytest.mark.parametrize(
    "document",
    [
        "s3:GetObject",
        "[]",
        "{}",
        {"Statement": []},
        {"Statement": [{**STATEMENT, "Effect": "allow"}]},
        {"Statement": [{**STATEMENT, "Principal": "*"}]},
        {"Statement": [{"Effect": "Allow", "Action": "s3:GetObject"}]},
        {"Statement": [{**STATEMENT, "NotAction": "s3:PutObject"}]},
        {"Statement": [STATEMENT], "Version": "2020-01-01"},
        {"Statement": [STATEMENT], "Statements": []},
    ],
)
def test_a_policy_that_iam_would_refuse_is_refused(document: object) -> None:
    assert problems(instance_extra_policy=document) == {"instance_extra_policy": allowed("instance_extra_policy")}


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("ami_id", "ami-123"),
        ("ami_id", "al2023"),
        ("root_volume_gb", "29"),
        ("root_volume_kms_key_arn", "alias/mine"),
        ("cpu_credits", "infinite"),
        ("spot_on_demand_base_count", "-1"),
    ],
)
def test_a_value_out_of_bounds_is_refused(key: str, value: str) -> None:
    assert problems(**{key: value}) == {key: allowed(key)}


def test_credits_are_of_burstable_instances() -> None:
    assert problems(instance_type="trn1.2xlarge", cpu_credits="standard") == {
        "cpu_credits": "not set, for instance_type trn1.2xlarge has no CPU credits"
    }
    for instance_type in ("t2.micro", "t3.small", "t3a.small", "t4g.small"):
        plain_settings({"instance_type": instance_type, "cpu_credits": "standard"})


def test_spot_that_only_the_base_would_use_is_refused() -> None:
    config = {"profile": "tested", "spot_enabled": "true"}
    assert plain_settings({**config, "spot_on_demand_base_count": "3"}).spot_enabled
    assert problems(**config, spot_on_demand_base_count="4") == {
        "spot_on_demand_base_count": "below instance_max_count, which is 4, or no instance would be a Spot one"
    }
    plain_settings({"profile": "tested", "spot_on_demand_base_count": "4"})


@pytest.mark.parametrize("name", ["aws-wheels", "ecs1", "fargate"])
def test_names_that_ecs_keeps_for_itself_are_refused(name: str) -> None:
    assert list(problems(service_name=name)) == ["service_name"]
