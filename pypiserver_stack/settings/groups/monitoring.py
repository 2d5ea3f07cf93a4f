"""What is watched, who is told, and for how long logs are kept."""

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

    alarm_emails: Annotated[tuple[EmailAddress, ...], LISTED] = Field(
        default=(), description="Who is told of an alarm; each address has to confirm the message that SNS sends it."
    )
    alarm_topic_arns: Annotated[tuple[TopicArn, ...], LISTED] = Field(
        default=(), description="Topics in the same region that are told of an alarm too; their policies must admit it."
    )
    alarms_off: Annotated[tuple[AlarmName, ...], LISTED] = Field(default=(), description="Alarms that are not made.")
    alarm_runbook_url: Url | None = Field(
        default=None,
        description="Where you publish docs/operations.md: alarms then link to it; none: they name the file.",
    )

    alarm_response_time_p95_s: Annotated[float, Field(ge=0.01, le=600)] = Field(
        default=2, description="Seconds that one request in twenty may wait for its answer to begin."
    )
    alarm_target_5xx_count: Annotated[int, Field(ge=1, le=1_000_000)] = Field(
        default=10, description="Answers 5xx of tasks in five minutes that are too many."
    )
    alarm_balancer_5xx_count: Annotated[int, Field(ge=1, le=1_000_000)] = Field(
        default=10, description="Answers 5xx of the balancer itself in five minutes that are too many."
    )
    alarm_memory_percent: Annotated[float, Field(ge=1, le=100)] = Field(
        default=80, description="Memory of a task in percent of its limit, `container_memory_mb`, that is too much."
    )
    alarm_cpu_percent: Annotated[float, Field(ge=1, le=1000)] = Field(
        default=70,
        description=(
            "CPU of the service in percent of what its tasks reserve that is too much for a quarter of an hour; a task "
            "may use more than it reserves."
        ),
    )
    alarm_host_swap_percent: Annotated[float, Field(ge=0, le=100)] = Field(
        default=5, description="Swap of a host in percent that is too much."
    )
    alarm_efs_io_limit_percent: Annotated[float, Field(ge=1, le=100)] = Field(
        default=80, description="Share in percent of the operations that the file system can do that is too much."
    )
    alarm_efs_burst_credit_bytes: Annotated[float, Field(ge=1, le=1e15)] = Field(
        default=1e12, description="Burst credits in bytes that are too few; in throughput mode bursting alone."
    )
    alarm_certificate_days: Annotated[int, Field(ge=1, le=365)] = Field(
        default=30, description="Days before a certificate expires that are too few; ACM renews it 60 days before."
    )

    dashboard_enabled: bool = Field(default=True, description="Make a CloudWatch dashboard.")
    container_insights: Literal["enhanced", "enabled", "disabled"] = Field(
        default="enhanced",
        description="Metrics of ECS in CloudWatch. enhanced: of each task. enabled: of the service. Both are paid.",
    )
    log_retention_days: LogRetentionDays = Field(default=365, description="Days for which logs are kept.")
    log_kms_key_arn: KmsKeyArn | None = Field(
        default=None,
        description="Key that logs are encrypted with; its policy must admit CloudWatch Logs. None: a key of AWS's.",
    )

    def contradictions(self) -> Iterator[Problem]:
        """More topics than an alarm has actions for."""
        most = ACTIONS_OF_AN_ALARM - bool(self.alarm_emails)
        if len(self.alarm_topic_arns) > most:
            told = "at most 4 beside alarm_emails" if self.alarm_emails else "at most 5"
            yield Problem(
                "alarm_topic_arns",
                list(self.alarm_topic_arns),
                f"{told}: an alarm of CloudWatch takes {ACTIONS_OF_AN_ALARM} actions",
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
