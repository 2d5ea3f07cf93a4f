"""Settings that together turn every option on: what is true of all resources is looked at with each of these."""

from __future__ import annotations

import json

from sizing.profiles import PROFILES
from tests.pypiserver_stack.support.evaluation import ROOT

_KEY = "arn:aws:kms:us-west-2:123456789012:key/1234abcd-12ab-34cd-56ef-1234567890ab"
_STACKS = [path.name.split(".")[1] for path in sorted(ROOT.glob("Pulumi.*.yaml"))]


def _sized(**values: int) -> tuple[str, ...]:
    return tuple(f"{key}={value}" for key, value in values.items())


OPTIONS = {
    "HTTPS and a zone": (
        "zone_id=Z0123456789ABCDEFGHIJ",
        "dns_names=pypi,packages",
        "dns_role_arn=arn:aws:iam::210987654321:role/dns",
        "certificate_issuers=amazon.com",
        "allow_http=false",
        "balancer_scheme=internet-facing",
        "allowed_cidrs=198.51.100.0/24,2001:db8::/32",
        "waf_enabled=true",
        "waf_rate_limit_per_5_min=50000",
        "ipv6_enabled=true",
        "alarm_certificate_days=21",
        "idle_timeout_s=70",
        "gunicorn_keepalive_s=90",
        "desync_mitigation_mode=defensive",
        "access_log_retention_days=30",
        "access_log_force_destroy=false",
        'tags={"cost-center": "42", "team": "Packages / CI"}',
    ),
    "a certificate": (
        "certificate_arn=arn:aws:acm:us-west-2:123456789012:certificate/1234abcd-12ab-34cd-56ef-1234567890ab",
        "allow_http=false",
        "stickiness_enabled=true",
        "load_balancing_algorithm=round_robin",
        "slow_start_s=60",
        "deregistration_delay_s=20",
        "health_check_path=/",
    ),
    "CloudFront": (
        "balancer_scheme=internet-facing",
        "cloudfront_enabled=true",
        "cloudfront_price_class=PriceClass_All",
        "cloudfront_max_ttl_s=3600",
        "removal_enabled=false",
        "zone_id=Z0123456789ABCDEFGHIJ",
        "dns_names=pypi,packages",
        "allow_http=false",
        "waf_enabled=true",
        "password_generations=1,2",
        "published_password_generation=2",
    ),
    "a given network": (
        "instance_subnet_ids=subnet-0123456789abcde00,subnet-0123456789abcde01",
        "balancer_subnet_ids=subnet-0123456789abcde30,subnet-0123456789abcde31",
        "resolver_addresses=10.20.0.2",
    ),
    "three zones without NAT": (
        "availability_zone_count=3",
        "nat_gateways=none",
        "image=123456789012.dkr.ecr.us-west-2.amazonaws.com/pypiserver:v2.4.2",
        "vpc_cidr=10.20.0.0/16",
        "flow_logs_enabled=true",
        "flow_logs_retention_days=7",
    ),
    "storage and copies": (
        "efs_throughput_mode=provisioned",
        "efs_provisioned_throughput_mibps=12",
        "efs_infrequent_access_after_days=14",
        f"efs_kms_key_arn={_KEY}",
        "efs_maintenance_role_arn=arn:aws:iam::123456789012:role/maintenance",
        "access_point_path=/wheels",
        "backup_enabled=true",
        "backup_retention_days=35",
        "backup_schedule=cron(30 3 ? * SUN *)",
        "backup_force_destroy=false",
        "deletion_protection=true",
    ),
    "no copies, bursting": ("backup_enabled=false", "efs_throughput_mode=bursting", "dashboard_enabled=false"),
    "watching": (
        "alarm_emails=one@example.org,two@example.org",
        "alarm_topic_arns=arn:aws:sns:us-west-2:123456789012:incidents",
        "alarms_off=service_cpu",
        "alarm_runbook_url=https://example.org/runbook",
        *_sized(alarm_memory_percent=70, alarm_cpu_percent=75, alarm_host_swap_percent=20),
        *_sized(alarm_efs_io_limit_percent=70, alarm_efs_burst_credit_bytes=500_000_000_000),
        *_sized(alarm_response_time_p95_s=3, alarm_target_5xx_count=7, alarm_balancer_5xx_count=7),
        "container_insights=disabled",
        "log_retention_days=30",
        f"log_kms_key_arn={_KEY}",
    ),
    "scaling": (
        "scaling_cpu_percent=50",
        "scaling_requests_per_task_per_min=600",
        "scaling_memory_percent=80",
        *_sized(scale_out_cooldown_s=30, scale_in_cooldown_s=600, health_check_grace_period_s=90),
        *_sized(deployment_minimum_healthy_percent=60, deployment_maximum_percent=150),
        "wait_for_steady_state=true",
        "scheduled_scaling="
        + json.dumps([{"name": "ci-peak", "schedule": "cron(0 8 ? * MON *)", "task_min_count": 16}]),
    ),
    "hosts": (
        "instance_type=t3.xlarge",
        "cpu_credits=unlimited",
        "spot_enabled=true",
        "spot_on_demand_base_count=1",
        "ami_id=ami-0fedcba9876543210",
        "root_volume_gb=60",
        f"root_volume_kms_key_arn={_KEY}",
        "detailed_monitoring_enabled=true",
        "host_users="
        + json.dumps([{"name": "admin", "ssh_authorized_keys": ["ssh-ed25519 " + "A" * 68], "sudo": True}]),
        "host_extra_files=" + json.dumps([{"path": "/etc/motd", "content": "hello", "permissions": "0644"}]),
        "host_extra_commands=" + json.dumps(["systemctl enable --now chronyd"]),
        "instance_extra_policy="
        + json.dumps(
            {
                "Version": "2012-10-17",
                "Statement": [{"Effect": "Allow", "Action": "sqs:SendMessage", "Resource": "arn:aws:sqs:*:*:hosts"}],
            }
        ),
    ),
    "sizes": _sized(
        instance_min_count=3,
        instance_max_count=9,
        container_memory_mb=1024,
        container_memory_reservation_mb=900,
        container_cpu_units=600,
        gunicorn_workers=3,
        task_min_count=6,
        task_max_count=12,
    ),
    "credentials": (
        "secret_readers=arn:aws:iam::123456789012:role/platform",
        "read_secret_readers=arn:aws:iam::123456789012:role/ci",
        "upload_secret_readers=arn:aws:iam::123456789012:role/release",
        f"secret_kms_key_arn={_KEY}",
        "secret_recovery_window_days=30",
        "password_generations=1,2",
        "published_password_generation=2",
    ),
    "names": ("service_name=wheels", "environment=staging"),
    "server": (
        "authentication=htpasswd",
        'htpasswd_roles={"alice": "admin", "ci": "upload"}',
        "backend=simple-dir",
        "upload_limit_mb=64",
        "overwrite=true",
        "builds_allowed=true",
        "timing_headers=false",
        "index_margin_s=5",
    ),
    "as the Terraform module": ("entry_point=image", "authentication=bcrypt", "backend=simple-dir"),
}

EVALUATIONS: dict[str, tuple[str, tuple[str, ...]]] = {
    **{stack: (stack, ()) for stack in _STACKS},
    **{f"profile {name}": ("stress", (f"profile={name}",)) for name in PROFILES},
    **{name: ("stress", overrides) for name, overrides in OPTIONS.items()},
}
"""A stack and overrides, by what they are about."""
