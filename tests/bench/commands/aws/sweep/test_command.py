"""`python -m bench sweep`: what it lists and removes, and its exit codes."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from click.testing import CliRunner, Result

from bench.cli import cli
from bench.common.failures import UnavailableError
from bench.deployment.aws.session import AwsSession
from bench.deployment.local_cloud import REGION
from tests.aws_stand_in.endpoint import aws_endpoint
from tests.bench.deployment.aws.sweep.small_account import make
from tests.bench.deployment.aws.sweep.support import CURRENT, EXPIRED, OWNER, Fault, FaultySession


@pytest.fixture(autouse=True)
def _endpoint() -> Iterator[None]:
    with aws_endpoint():
        yield


def sweep(*options: str) -> Result:
    return CliRunner().invoke(cli, ["sweep", *options])


def as_if(monkeypatch: pytest.MonkeyPatch, *faults: Fault) -> None:
    """Have AWS refuse some requests of the command."""
    session = FaultySession(REGION, faults=faults)
    monkeypatch.setattr(AwsSession, "open", classmethod(lambda cls, region: session))


def test_leftovers_are_listed_and_nothing_is_removed_by_default() -> None:
    ours = make(EXPIRED)
    make(CURRENT)
    result = sweep()
    assert result.exit_code == 5
    assert EXPIRED.run in result.stdout
    assert OWNER in result.stdout
    assert CURRENT.run not in result.stdout
    assert f"pypiserver-{EXPIRED.run}" in result.stdout
    assert f"nothing was removed: run `python -m bench sweep --yes --region {REGION}`" in result.stderr
    assert not ours.gone()


def test_yes_removes_them() -> None:
    ours = make(EXPIRED)
    result = sweep("--yes")
    assert result.exit_code == 0, result.output
    assert "removed VPC vpc-" in result.stderr
    assert ours.gone()
    again = sweep("--yes")
    assert (again.exit_code, again.stdout) == (0, "nothing is left over\n")


def test_a_named_run_is_removed_before_its_expiry_and_alone() -> None:
    theirs = make(EXPIRED)
    ours = make(CURRENT)
    assert sweep("--run", CURRENT.run).exit_code == 5
    assert sweep("--yes", "--run", CURRENT.run).exit_code == 0
    assert ours.gone()
    assert not theirs.gone()


def test_what_remains_is_named_with_the_way_to_remove_it(monkeypatch: pytest.MonkeyPatch) -> None:
    make(EXPIRED)
    as_if(monkeypatch, Fault("logs", "DeleteLogGroup", "AccessDeniedException"))
    result = sweep("--yes")
    assert result.exit_code == 5
    assert f"`aws logs delete-log-group --log-group-name pypiserver-{EXPIRED.run}`" in result.stderr


def test_what_cannot_be_seen_is_no_success(monkeypatch: pytest.MonkeyPatch) -> None:
    as_if(monkeypatch, Fault("iam", "ListRoles", "AccessDenied"))
    result = sweep()
    assert result.exit_code == 4
    assert "IAM roles, if there are any: not allowed: ListRoles" in result.stderr


def test_expired_credentials_end_it_with_the_command_that_resumes(monkeypatch: pytest.MonkeyPatch) -> None:
    ours = make(EXPIRED)
    as_if(monkeypatch, Fault("ec2", "DeleteVpc", "ExpiredToken", message="The security token has expired"))
    result = sweep("--yes", "--run", EXPIRED.run)
    assert isinstance(result.exception, UnavailableError)
    assert result.exception.exit_code == 4
    command = f"python -m bench sweep --yes --run {EXPIRED.run} --region {REGION}"
    assert str(result.exception).endswith(f"renew them, then run `{command}`")
    assert not ours.gone()


def test_without_credentials_it_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.delenv(name)
    result = sweep()
    assert isinstance(result.exception, UnavailableError)
    assert "no AWS credentials" in str(result.exception)


def test_an_unknown_option_is_refused() -> None:
    assert sweep("--everything").exit_code == 2
