"""Settings of alarms, dashboard and logs."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Any, Literal, get_args

from pydantic import Field

from pypiserver_stack.settings.problems import Caution, Problem
from pypiserver_stack.settings.types import LISTED, Group, KmsKeyArn, LogRetentionDays, arn

AlarmName = Literal[
    "no_running_task",
    "unhealthy_targets",
    "target_5xx",
    "balancer_5xx",
    "response_time",
    "service_memory",
    "service_cpu",
    "host_swap",
    "cpu_credits",
    "efs_io_limit",
    "efs_burst_credits",
    "certificate_expiry",
]
ALARM_NAMES: tuple[AlarmName, ...] = get_args(AlarmName)

# An alarm takes so many actions for a change of its state, and one of them is the topic of `alarm_emails`.
ACTIONS_OF_AN_ALARM = 5

EmailAddress = Annotated[
    str,
    Field(pattern=r"^[^@\s,]+@[^@\s,]+\.[^@\s,]+$", max_length=320, json_schema_extra={"takes": "an e-mail address"}),
]
# Alarms publish to no FIFO topic, whose name would end in .fifo.
TopicArn: Any = arn("sns", r"[A-Za-z0-9_-]{1,256}", "ARN of a standard SNS topic")
# An alarm's description ends at 1,024 characters.
Url = Annotated[
    str,
    Field(pattern=r"^https?://[^\s#]+$", max_length=300, json_schema_extra={"takes": "a URL without a fragment"}),
]


class MonitoringSettings(Group):
    """Monitoring."""

    alarm_emails: Annotated[tuple[EmailAddress, ...], LISTED] = ()
    """Addresses that alarms notify; each has to confirm the message that SNS sends to it."""
    alarm_topic_arns: Annotated[tuple[TopicArn, ...], LISTED] = ()
    """Topics in the stack's region that alarms notify too; their policies must allow it."""
    alarms_off: Annotated[tuple[AlarmName, ...], LISTED] = ()
    """Alarms to leave out."""
    alarm_runbook_url: Url | None = None
    """Where you publish docs/operations.md: alarms then link to it; none: they name the file."""

    alarm_response_time_p95_s: Annotated[float, Field(ge=0.01, le=600)] = 2
    """Threshold of the response time's 95th percentile, in seconds."""
    alarm_target_5xx_count: Annotated[int, Field(ge=1, le=1_000_000)] = 10
    """Threshold of 5xx answers from tasks in five minutes."""
    alarm_balancer_5xx_count: Annotated[int, Field(ge=1, le=1_000_000)] = 10
    """Threshold of 5xx answers from the balancer itself in five minutes."""
    alarm_memory_percent: Annotated[float, Field(ge=1, le=100)] = 80
    """Threshold of a task's memory, in percent of its limit, `container_memory_mb`."""
    alarm_cpu_percent: Annotated[float, Field(ge=1, le=1000)] = 70
    """Threshold of the service's CPU over a quarter of an hour, in percent of what its tasks reserve; a task may use
    more than it reserves."""
    alarm_host_swap_percent: Annotated[float, Field(ge=0, le=100)] = 5
    """Threshold of an instance's swap, in percent."""
    alarm_efs_io_limit_percent: Annotated[float, Field(ge=1, le=100)] = 80
    """Threshold of the file system's operations, in percent of its limit."""
    alarm_efs_burst_credit_bytes: Annotated[float, Field(ge=1, le=1e15)] = 1e12
    """Threshold of burst credits, in bytes; in throughput mode bursting only."""
    alarm_certificate_days: Annotated[int, Field(ge=1, le=365)] = 30
    """Threshold of the days until the certificate expires; ACM renews it 60 days before."""

    dashboard_enabled: bool = True
    """Make a CloudWatch dashboard."""
    container_insights: Literal["enhanced", "enabled", "disabled"] = "enhanced"
    """Metrics of ECS in CloudWatch. enhanced: of each task. enabled: of the service. Both are paid."""
    log_retention_days: LogRetentionDays = 365
    """Days for which logs are kept."""
    log_kms_key_arn: KmsKeyArn | None = None
    """Key that logs are encrypted with; its policy must admit CloudWatch Logs. None: a key of AWS's."""

    def contradictions(self) -> Iterator[Problem]:
        """More topics than an alarm has actions for."""
        most = ACTIONS_OF_AN_ALARM - bool(self.alarm_emails)
        if len(self.alarm_topic_arns) > most:
            most_text = "at most 4 beside alarm_emails" if self.alarm_emails else "at most 5"
            yield Problem(
                "alarm_topic_arns",
                list(self.alarm_topic_arns),
                f"{most_text}: an alarm of CloudWatch takes {ACTIONS_OF_AN_ALARM} actions",
                frozenset(["alarm_emails"]),
            )
        for key in ("alarm_emails", "alarm_topic_arns"):
            given = list(getattr(self, key))
            twice = [value for i, value in enumerate(given) if isinstance(value, str) and value in given[:i]]
            if twice:
                yield Problem(key, given, f"each once; {twice[0]} is there twice")

    def cautions(self) -> Iterator[Caution]:
        """Alarms without a recipient."""
        if not (self.alarm_emails or self.alarm_topic_arns) and set(self.alarms_off) != set(ALARM_NAMES):
            yield Caution("alarms notify nobody: set alarm_emails or alarm_topic_arns", "operation")
