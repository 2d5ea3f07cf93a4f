"""Saved queries of CloudWatch Logs Insights over the access log."""

from __future__ import annotations

from collections.abc import Mapping

import pulumi
import pulumi_aws as aws

from pypiserver_stack.settings.groups.monitoring import MonitoringSettings

# Until an answer begins, as the balancer measures it; `duration_s` has the time in it that sending the answer took.
_WAITED = "coalesce(total_s, duration_s) as waited_s"


def queries(settings: MonitoringSettings, health_check_path: str) -> Mapping[str, str]:
    """Name to query, in the language of Logs Insights and over the fields of container/access_log.py."""
    return {
        "slow-requests": _piped(
            f"fields @timestamp, {_WAITED}, auth_s, index_s, file_s, duration_s, status, method, path, response_bytes, "
            "client, user_agent, task, trace",
            f"filter waited_s > {settings.alarm_response_time_p95_s:g}",
            "sort waited_s desc",
            "limit 200",
        ),
        "errors": _piped(
            "fields @timestamp, status, method, path, client, task, trace, @message",
            # What is no access log line is what gunicorn says of its workers, and tracebacks.
            "filter status >= 500 or (not ispresent(status) and @message like /(?i)error|exception|traceback/)",
            "sort @timestamp desc",
            "limit 200",
        ),
        "requests-of-each-task": _piped(
            f"fields {_WAITED}",
            f"filter ispresent(task) and path != '{health_check_path}'",
            "stats count(*) as requests, pct(waited_s, 95) as waited_p95_s, sum(response_bytes) as sent_bytes by task",
            "sort requests desc",
        ),
        "who-uploads": _piped(
            "filter method = 'POST'",
            "stats count(*) as uploads, max(duration_s) as slowest_s, latest(@timestamp) as last_upload "
            "by user, client, status, user_agent",
            "sort uploads desc",
            "limit 200",
        ),
        "who-is-refused": _piped(
            "filter status >= 400 and status < 500",
            "stats count(*) as requests, latest(path) as last_path by status, method, user, client, user_agent",
            "sort requests desc",
            "limit 200",
        ),
    }


def _piped(*commands: str) -> str:
    return "\n| ".join(commands)


class LogQueries(pulumi.ComponentResource):
    """The saved queries; none where the image's own entry point runs, which writes no such log."""

    def __init__(
        self,
        name: str,
        settings: MonitoringSettings,
        *,
        entry_point: str,
        health_check_path: str,
        log_group: pulumi.Input[str],
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        super().__init__("pypiserver:index:LogQueries", name, None, opts)
        if entry_point == "gunicorn":
            for query, text in queries(settings, health_check_path).items():
                aws.cloudwatch.QueryDefinition(
                    f"{name}-{query}",
                    # A folder for each deployment: names are the account's.
                    name=pulumi.Output.concat(log_group, "/", query),
                    log_group_names=[log_group],
                    query_string=text,
                    opts=pulumi.ResourceOptions(parent=self),
                )
        self.register_outputs({})
