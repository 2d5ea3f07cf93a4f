"""What cloud-init and the shell make of the user data."""

from __future__ import annotations

import base64
import gzip
import json
import random
import subprocess
from typing import Any

import pytest
import yaml

from pypiserver_stack.hosts.user_data import WrittenFile, decoded, user_data
from pypiserver_stack.settings import ConfigurationError
from tests.pypiserver_stack.support.plain_settings import plain_settings

# What cloud-init and YAML could take for their own.
AWKWARD = "#cloud-config\n'single' \"double\" {{ braces }} ${dollar} \\ : - \t é\n  indented\n\n"
KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIB alice@example"


def rendered(files: tuple[WrittenFile, ...] = (), **config: Any) -> str:
    return user_data(plain_settings(config), 1248, cluster_name="pypiserver-0123456", files=files)


def cloud_config(files: tuple[WrittenFile, ...] = (), **config: Any) -> dict[str, Any]:
    text = decoded(rendered(files, **config))
    assert text.startswith("#cloud-config\n")
    loaded: dict[str, Any] = yaml.safe_load(text)
    return loaded


def written(config: dict[str, Any]) -> dict[str, str]:
    return {file["path"]: file["content"] for file in config["write_files"]}


def test_without_wishes_there_is_what_ecs_and_cloudwatch_need() -> None:
    config = cloud_config()
    assert config.keys() == {"packages", "write_files", "runcmd"}
    assert config["packages"] == ["amazon-cloudwatch-agent"]
    assert written(config)["/etc/ecs/ecs.config"] == ("ECS_CLUSTER=pypiserver-0123456\nECS_IMAGE_PULL_BEHAVIOR=once\n")
    reserve, metrics = config["runcmd"]
    assert "ECS_RESERVED_MEMORY" in reserve
    assert "file:/etc/pypiserver/cloudwatch-agent.json" in metrics


def test_a_spot_instance_is_drained_when_it_is_told_to_go() -> None:
    assert (
        "ECS_ENABLE_SPOT_INSTANCE_DRAINING=true\n" in written(cloud_config(spot_enabled="true"))["/etc/ecs/ecs.config"]
    )


def test_the_agent_reports_the_metrics_that_alarms_name_by_the_dimension_they_name() -> None:
    agent = json.loads(written(cloud_config())["/etc/pypiserver/cloudwatch-agent.json"])["metrics"]
    names = {name for part in agent["metrics_collected"].values() for name in part["measurement"]}
    assert names == {"mem_used_percent", "swap_used_percent", "cpu_usage_iowait"}
    assert agent["namespace"] == "CWAgent"
    assert agent["aggregation_dimensions"] == [["AutoScalingGroupName"]]
    assert agent["append_dimensions"]["AutoScalingGroupName"] == "${aws:AutoScalingGroupName}"


def test_the_host_keeps_back_all_but_the_memory_for_tasks(tmp_path: Any) -> None:
    reserve = cloud_config()["runcmd"][0]
    memory, settings = tmp_path / "meminfo", tmp_path / "ecs.config"
    memory.write_text("MemTotal:        1946624 kB\nMemFree:  12 kB\n")  # 1901 MB
    script = reserve.replace("/proc/meminfo", str(memory)).replace("/etc/ecs/ecs.config", str(settings))
    subprocess.run(["sh", "-c", script], check=True)
    assert settings.read_text() == "ECS_RESERVED_MEMORY=653\n"


def test_every_command_is_shell() -> None:
    for command in cloud_config(host_extra_commands=["for i in 1 2; do echo $i; done"])["runcmd"]:
        subprocess.run(["bash", "-n"], input=command, text=True, check=True)


def test_users_files_and_commands_arrive_as_they_were_given() -> None:
    config = cloud_config(
        files=({"path": "/etc/motd", "content": AWKWARD, "permissions": "0600"},),
        host_users=[{"name": "alice", "ssh_authorized_keys": [KEY], "sudo": True}, {"name": "bob"}],
        host_extra_commands=["echo 'a: b' # c", AWKWARD],
    )
    default, alice, bob = config["users"]
    assert default == "default"
    assert alice == {
        "name": "alice",
        "shell": "/bin/bash",
        "lock_passwd": True,
        "ssh_authorized_keys": [KEY],
        "sudo": "ALL=(ALL) NOPASSWD:ALL",
    }
    assert "sudo" not in bob
    *_, motd = config["write_files"]
    assert motd == {"path": "/etc/motd", "content": AWKWARD, "permissions": "0600"}
    assert config["runcmd"][2:] == ["echo 'a: b' # c", AWKWARD]


def noise(size_bytes: int) -> str:
    """Text that compresses to three quarters at the best."""
    return base64.b64encode(random.Random(1).randbytes(size_bytes * 3 // 4)).decode()


def test_it_is_compressed_only_where_it_must_be() -> None:
    small, large = (WrittenFile(path="/a", content=noise(size), permissions="0644") for size in (14_000, 17_000))
    as_it_is, compressed = base64.b64decode(rendered((small,))), base64.b64decode(rendered((large,)))
    assert as_it_is.startswith(b"#cloud-config")
    assert len(compressed) < 16384 < len(gzip.decompress(compressed))
    assert written(cloud_config((large,)))["/a"] == large["content"]
    # The same text, the same bytes: or every `pulumi up` would replace every host.
    assert rendered((large,)) == rendered((large,))


def test_more_than_ec2_takes_is_refused() -> None:
    with pytest.raises(ConfigurationError, match="EC2 takes 16384: make host_extra_files, "):
        rendered(({"path": "/a", "content": noise(24_000), "permissions": "0644"},))
