"""All of AWS on this machine, as far as a run notices: providers for the Pulumi CLI, an API for boto3, an index.

Pulumi's own variable attaches the CLI to the providers, and AWS's own leads every SDK to the API, so that the command
line is tested as it is.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import boto3
import pytest

from bench.common.run_mark import RUN_VARIABLE
from bench.deployment.local_cloud import InjectedFault
from bench.deployment.local_cloud.provider import serve
from bench.deployment.local_cloud.pulumi_cloud import PulumiCloud
from tests.aws_stand_in.account import deny_metrics, make_account
from tests.aws_stand_in.data_plane import RunningCloud
from tests.aws_stand_in.endpoint import VARIABLES, aws_endpoint


@dataclass(frozen=True)
class AwsStandIn:
    """The stand-in while it runs."""

    cloud: RunningCloud
    environment: dict[str, str]
    """Variables with which a command finds it."""

    def certificates(self) -> list[str]:
        """The ARNs of the certificates that ACM holds."""
        return [one["CertificateArn"] for one in boto3.client("acm").list_certificates()["CertificateSummaryList"]]


@contextlib.contextmanager
def aws_stand_in(folder: Path, faults: Sequence[InjectedFault] = ()) -> Iterator[AwsStandIn]:
    """An account without any resource.

    Args:
        folder: for the files of the tasks.
        faults: of the providers.
    """
    with aws_endpoint() as url, pytest.MonkeyPatch.context() as environment:
        # Of no run: what cleans up after killed runs leaves the tasks alone.
        environment.setenv(RUN_VARIABLE, "aws-stand-in")
        make_account()
        deny_metrics()
        cloud = RunningCloud(folder, faults)
        try:
            with serve(PulumiCloud(cloud)) as providers:
                yield AwsStandIn(cloud, {**VARIABLES, "AWS_ENDPOINT_URL": url, **providers.environment})
        finally:
            cloud.close()
