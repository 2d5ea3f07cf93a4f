"""The page for who comes from the Terraform module names everything that it has, and nothing that is not here."""

from __future__ import annotations

import re
from pathlib import Path

from pypiserver_stack.settings import Settings
from tests.pypiserver_stack.support.evaluation import evaluated

PAGE = (Path(__file__).parents[3] / "docs" / "migrating-from-terraform.md").read_text("utf-8")
# Of infrahouse/pypiserver/aws 2.3.0.
INPUTS = [
    "ami_id",
    "asg_instance_type",
    "asg_min_size",
    "asg_max_size",
    "asg_subnets",
    "load_balancer_subnets",
    "zone_id",
    "dns_names",
    "environment",
    "service_name",
    "secret_readers",
    "users",
    "extra_instance_profile_permissions",
    "cloudinit_extra_commands",
    "extra_files",
    "access_log_force_destroy",
    "backups_force_destroy",
    "enable_efs_backup",
    "backup_retention_days",
    "backup_schedule",
    "efs_throughput_mode",
    "efs_provisioned_throughput_in_mibps",
    "efs_lifecycle_policy",
    "efs_burst_credit_threshold",
    "enable_cloudwatch_dashboard",
    "alarm_emails",
    "alarm_topic_arns",
    "docker_image_tag",
    "container_memory",
    "container_memory_reservation",
    "container_cpu",
    "gunicorn_workers",
    "task_min_count",
    "task_max_count",
]
OUTPUTS = [
    "pypi_server_urls",
    "pypi_username",
    "pypi_password",
    "pypi_user_secret",
    "pypi_user_secret_arn",
    "pypi_load_balancer_arn",
    "ecs_service_arn",
    "ecs_cluster_name",
    "ecs_service_name",
    "asg_name",
    "cloudwatch_alarm_sns_topic_arn",
    "cloudwatch_alarm_arns",
    "task_min_count",
    "capacity_info",
    "cloudwatch_dashboard_url",
]


# What the module's inputs are by default, of those that are neither required, nor empty, nor computed.
DEFAULTS = {
    "asg_instance_type": "t3.small",
    "dns_names": ("pypiserver",),
    "environment": "development",
    "service_name": "pypiserver",
    "access_log_force_destroy": False,
    "backups_force_destroy": False,
    "enable_efs_backup": True,
    "backup_retention_days": 7,
    "backup_schedule": "cron(0 2 * * ? *)",
    "efs_throughput_mode": "elastic",
    "efs_lifecycle_policy": 30,
    "efs_burst_credit_threshold": 1e12,
    "enable_cloudwatch_dashboard": True,
    "docker_image_tag": "latest",
    "container_memory": 512,
}


def rows(heading: str) -> dict[str, str]:
    """First column to second, of the table below a heading; a row may name several."""
    section = PAGE.partition(f"## {heading}\n")[2].partition("\n## ")[0]
    cells = [line.split("|")[1:3] for line in section.splitlines() if line.startswith("| `")]
    return {name: there for here, there in cells for name in re.findall(r"`(\w+)`", here)}


def test_every_input_has_a_setting() -> None:
    settings = rows("Inputs")
    assert list(settings) == INPUTS
    for name, cell in settings.items():
        assert re.findall(r"`(\w+)`", cell)[0] in Settings.model_fields, name


def test_defaults_that_differ_are_told() -> None:
    defaults = {name: Settings.model_fields[re.findall(r"`(\w+)`", cell)[0]] for name, cell in rows("Inputs").items()}
    differing = [name for name, default in DEFAULTS.items() if defaults[name].default != default]
    assert differing == ["docker_image_tag"]
    assert "| `docker_image_tag` | `image` | name and tag, better with a digest; never `latest` |" in PAGE


def test_every_output_has_an_export() -> None:
    exports = rows("Outputs")
    assert list(exports) == OUTPUTS
    made = evaluated("stress", ("alarm_emails=ops@example.com",)).outputs
    for name, cell in exports.items():
        assert re.findall(r"`(\w+)`", cell)[0] in made, name
