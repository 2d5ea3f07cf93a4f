"""What a command for AWS refuses before anything is made: each time one sentence, and no trace of a stack."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import boto3
import pytest

from tests.aws_stand_in.account import make_account
from tests.aws_stand_in.endpoint import VARIABLES, aws_endpoint
from tests.bench.command_line import InProcessBench
from tests.dead_proxy import DEAD_PROXY

REACHED = ("--client-cidr", "127.0.0.1/32")


@pytest.fixture
def aws(in_process_bench: InProcessBench, tmp_path: Path) -> Iterator[InProcessBench]:
    """A command line with credentials, and something that is called pulumi."""
    programs = tmp_path / "bin"
    programs.mkdir()
    (programs / "pulumi").write_text("#!/bin/sh\nexit 1\n")
    (programs / "pulumi").chmod(0o755)
    with aws_endpoint() as url:
        make_account()
        environment = in_process_bench.environment
        for name in DEAD_PROXY:
            environment.pop(name, None)
        environment |= {
            **VARIABLES,
            "AWS_ENDPOINT_URL": url,
            "XDG_STATE_HOME": str(tmp_path / "state"),
            "PATH": f"{programs}{os.pathsep}{os.environ['PATH']}",
        }
        yield in_process_bench
    assert list(tmp_path.glob("state/pypiserver-bench/stacks/*")) == []


@pytest.mark.parametrize(
    ("options", "status", "sentence"),
    [
        (("up", "Monday"), 2, "'Monday' is no name for a stack on AWS: it takes 1 to 40 lower-case letters"),
        (("up", "--max-cost", "1"), 2, "--max-cost 1: the run may cost "),
        (("up", "--expires", "1m"), 2, "'1m' is not a time from 30m to 7d, such as 90m, 4h or 2d"),
        (("up", "--assume-role", "ci"), 2, "--assume-role ci: not the ARN of an IAM role"),
        (("up", "--backend", "here"), 2, "--backend here: not a URL that begins with s3://"),
        (("up", "--client-cidr", "0.0.0.0/0"), 2, "--client-cidr 0.0.0.0/0: these are all addresses there are"),
        (("up", "--private"), 2, "--client-cidr with --private"),
        (("up", "-c", "certificate_arn=x"), 2, "-c certificate_arn: without zone_id the run makes its own"),
        (("up", "-c", "tags=x"), 2, "tags = 'x': expected a JSON object"),
        (("up", "-c", "instance_type=c9z.large"), 2, "instance_type"),
        (("up", "-c", "aws:accessKey=AKIA"), 2, "aws:accessKey: give credentials through AWS's own variables"),
        (("up", "-c", "aws:region=mars-1"), 2, "aws:region=mars-1: the AWS provider knows no such region"),
        (("up",), 2, "nobody can be asked whether to go on, for standard input is no terminal: use --yes"),
        (("run", "--target", "aws", "--keep"), 2, "--keep changes nothing with --target aws: `python -m bench up`"),
        (("run", "--target", "aws", "--tasks", "2"), 2, "--tasks changes nothing with --target aws"),
        (("run", "--expires", "4h"), 2, "--expires changes nothing with --target local"),
        (("down", "monday"), 2, "there is no stack 'monday' on AWS that this machine knows; the stacks are none"),
        (("down", "../x"), 2, "there is no stack '../x' on AWS"),
        (("load", "--stack", "monday"), 2, "there is no stack 'monday' on AWS"),
        (("load",), 2, "there is no index to load: name its --url, or a --stack"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, tuple) else "",
)
def test_a_wrong_option_or_setting(aws: InProcessBench, options: tuple[str, ...], status: int, sentence: str) -> None:
    reached = REACHED if options[0] == "up" and "--client-cidr" not in options else ()
    found, output, errors = aws.run(*options, *reached)
    assert (found, output) == (status, ""), errors
    assert errors.splitlines()[-1].startswith("Error: ")
    assert sentence in errors
    assert "Traceback" not in errors


def test_everything_that_would_fail_is_one_list(aws: InProcessBench) -> None:
    iam = boto3.client("iam")
    for role in ("AWSServiceRoleForECS", "AWSServiceRoleForAutoScaling"):
        iam.delete_role(RoleName=role)
    ec2 = boto3.client("ec2")
    while len(ec2.describe_vpcs()["Vpcs"]) < 5:
        ec2.create_vpc(CidrBlock="10.0.0.0/16")
    status, _, errors = aws.run("up", *REACHED, "--yes")
    assert status == 4
    last = errors.splitlines()[-1]
    assert last.startswith("Error: nothing was made, because it would fail: (1) the stack takes up to 1 VPCs")
    assert "(2) the account has no service-linked role for ecs.amazonaws.com, autoscaling.amazonaws.com" in last


def test_without_a_pulumi_command(aws: InProcessBench, tmp_path: Path) -> None:
    aws.environment["PATH"] = str(tmp_path / "nothing")
    status, _, errors = aws.run("up", *REACHED)
    assert (status, errors.splitlines()[-1]) == (
        2,
        "Error: there is no `pulumi` on PATH; install it, or use --engine embedded for a run on this machine",
    )


def test_without_credentials(aws: InProcessBench) -> None:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        del aws.environment[name]
    status, _, errors = aws.run("run", "--target", "aws", *REACHED)
    assert status == 4
    assert errors.startswith("Error: there are no AWS credentials: set AWS_PROFILE, or ")


def test_without_a_region(aws: InProcessBench) -> None:
    for name in ("AWS_REGION", "AWS_DEFAULT_REGION"):
        del aws.environment[name]
    status, _, errors = aws.run("up", *REACHED)
    assert status == 2
    assert errors == "Error: no AWS region is configured: set -c aws:region=REGION, or AWS_REGION\n"


def test_without_an_answer(aws: InProcessBench) -> None:
    aws.environment["AWS_ENDPOINT_URL"] = "http://127.0.0.1:9"
    status, _, errors = aws.run("up", *REACHED)
    assert status == 4
    assert errors.startswith("Error: AWS cannot be asked who calls: ")
    assert len(errors.splitlines()) == 1


def test_with_a_profile_that_there_is_not(aws: InProcessBench) -> None:
    aws.environment["AWS_PROFILE"] = "nobody"
    status, _, errors = aws.run("up", *REACHED)
    assert status == 2
    assert errors.startswith("Error: AWS_PROFILE: The config profile (nobody) could not be found: name one of ")
