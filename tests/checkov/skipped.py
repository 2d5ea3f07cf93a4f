"""The findings of checkov that are let stand, and why: what docs/security.md shows a reviewer.

`python -m tests.checkov.skipped` prints the table.
"""

from __future__ import annotations

from dataclasses import dataclass
from fnmatch import fnmatchcase

from tests.checkov.scan import CheckResult

EVERY_STACK = ("default", "every-option", "cloudfront", "stress", "peer")
BENCHMARK = ("stress", "peer")
NO_OWN_KEY = ("default", "cloudfront", "stress", "peer")
CLOUDFRONT = ("cloudfront",)
DISTRIBUTION = "aws_cloudfront_distribution.*"
LOGS_OF_REQUESTS = "aws_s3_bucket.pypiserver-access-logs"

_A_KEY = "Encrypted with AWS's key; `{}` takes one of your own, and then nothing is found."
_NO_BODY_RULES = "No Java runs behind it, and a rule that reads bodies would stop uploads of wheels."
_PLAIN = "Measured without a domain: plain HTTP has to be allowed by `allow_http`, and is open to the VPC alone."


@dataclass(frozen=True)
class Skip:
    """One finding that is let stand."""

    check: str
    resource: str
    """`aws_vpc.net`, with * for any part."""
    reason: str
    plans: tuple[str, ...] = EVERY_STACK
    """Where it is found, and has to be."""

    def covers(self, result: CheckResult) -> bool:
        return self.check == result.check and result.plan in self.plans and fnmatchcase(result.resource, self.resource)


SKIPPED = (
    Skip("CKV2_AWS_11", "aws_vpc.*", "Billed by the gigabyte: on by `flow_logs_enabled`.", NO_OWN_KEY),
    Skip("CKV2_AWS_20", "aws_lb.*", _PLAIN, BENCHMARK),
    Skip("CKV2_AWS_28", "aws_lb.*", "Billed by the month and by the request: on by `waf_enabled`.", ("default",)),
    Skip(
        "CKV2_AWS_28",
        "aws_lb.*",
        "The web ACL is at CloudFront, which sees the clients' addresses; the balancer admits CloudFront alone.",
        CLOUDFRONT,
    ),
    Skip(
        "CKV2_AWS_31",
        "aws_wafv2_web_acl.*",
        "Its one rule counts requests: metrics and sampled requests show what it blocks, and a log would hold headers "
        "with passwords.",
        ("every-option", "cloudfront"),
    ),
    Skip(
        "CKV2_AWS_32",
        DISTRIBUTION,
        "It would set headers for browsers, and pip and twine read none of them.",
        CLOUDFRONT,
    ),
    Skip("CKV2_AWS_47", DISTRIBUTION, _NO_BODY_RULES, CLOUDFRONT),
    Skip(
        "CKV2_AWS_57",
        "aws_secretsmanager_secret.*",
        "Tasks read a secret when they start: AWS's rotation would leave them with the old one. `python -m "
        "pypiserver_stack.rotate` rotates without a failed request.",
    ),
    Skip("CKV2_AWS_62", LOGS_OF_REQUESTS, "Nobody waits for a new file of access logs."),
    Skip("CKV2_AWS_76", "aws_lb.*", _NO_BODY_RULES, ("every-option",)),
    Skip("CKV_AWS_103", "aws_lb_listener.*", _PLAIN, BENCHMARK),
    Skip("CKV_AWS_144", LOGS_OF_REQUESTS, "Access logs expire; the packages are what is backed up."),
    Skip("CKV_AWS_145", LOGS_OF_REQUESTS, "A balancer cannot write where the key is one of KMS: SSE-S3."),
    Skip("CKV_AWS_149", "aws_secretsmanager_secret.*", _A_KEY.format("secret_kms_key_arn"), NO_OWN_KEY),
    Skip("CKV_AWS_150", "aws_lb.*", "Made to be taken down again: `deletion_protection` is on by default.", BENCHMARK),
    Skip("CKV_AWS_158", "aws_cloudwatch_log_group.*", _A_KEY.format("log_kms_key_arn"), NO_OWN_KEY),
    Skip("CKV_AWS_166", "aws_backup_vault.*", _A_KEY.format("efs_kms_key_arn"), NO_OWN_KEY),
    Skip("CKV_AWS_18", LOGS_OF_REQUESTS, "It holds access logs; logs of these would have logs of their own."),
    Skip("CKV_AWS_184", "aws_efs_file_system.*", _A_KEY.format("efs_kms_key_arn"), NO_OWN_KEY),
    Skip("CKV_AWS_192", "aws_wafv2_web_acl.*", _NO_BODY_RULES, ("every-option", "cloudfront")),
    Skip("CKV_AWS_2", "aws_lb_listener.*", _PLAIN, BENCHMARK),
    Skip(
        "CKV_AWS_21", LOGS_OF_REQUESTS, "A balancer writes a file once; versions would outlive the retention asked for."
    ),
    Skip(
        "CKV_AWS_260",
        "aws_vpc_security_group_ingress_rule.*-to-80",
        "Port 80 of the balancer answers with a redirect to HTTPS and nothing else; `allowed_cidrs` narrows it.",
        ("default",),
    ),
    Skip(
        "CKV_AWS_290",
        "aws_iam_role_policy.*-session-manager",
        "Session Manager's channels have no ARN, and an instance reports itself alone.",
    ),
    Skip("CKV_AWS_305", DISTRIBUTION, "The index has a page of its own at `/`.", CLOUDFRONT),
    Skip("CKV_AWS_310", DISTRIBUTION, "There is one balancer, which is in several zones.", CLOUDFRONT),
    Skip("CKV_AWS_336", "aws_ecs_task_definition.*", "The image's own entry point changes owners as root.", ("peer",)),
    Skip(
        "CKV_AWS_338",
        "aws_cloudwatch_log_group.*",
        "Asked for: `log_retention_days` is 365 by default, `flow_logs_retention_days` is what one pays for.",
        ("every-option",),
    ),
    Skip(
        "CKV_AWS_355",
        "aws_iam_role_policy.*-session-manager",
        "Session Manager's channels have no ARN, and an instance reports itself alone.",
    ),
    Skip(
        "CKV_AWS_374",
        DISTRIBUTION,
        "Who has the password may be anywhere; `allowed_cidrs` is refused beside it.",
        CLOUDFRONT,
    ),
    Skip("CKV_AWS_378", "aws_lb_target_group.*", _PLAIN, BENCHMARK),
    Skip("CKV_AWS_65", "aws_ecs_cluster.*", "Asked for: `container_insights` is on by default.", ("every-option",)),
    Skip(
        "CKV_AWS_86",
        DISTRIBUTION,
        "It is logged by CloudWatch's log delivery, which the check does not know.",
        CLOUDFRONT,
    ),
)


def table() -> str:
    """As Markdown, a row for each check and resource."""
    rows = ["| check | resource | where | why it stands |", "|---|---|---|---|"]
    for skip in SKIPPED:
        where = "everywhere" if skip.plans == EVERY_STACK else ", ".join(skip.plans)
        rows.append(f"| {skip.check} | `{skip.resource}` | {where} | {skip.reason} |")
    return "\n".join(rows) + "\n"


if __name__ == "__main__":
    print(table(), end="")
