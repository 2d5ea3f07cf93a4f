"""The end of a rotation where there is a distribution: its edges forget, once no task accepts the old password."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from pulumi.automation import OpType

from pypiserver_stack.rotate.steps import RotationError, rotate

# Notes what it is called with and by whom, and answers as the AWS CLI does; it fails where a test wants it.
AWS = """#!/bin/sh
echo "as ${AWS_PROFILE:-nobody}: $*" >> "$CALLS"
case "$*" in
*"$FAILS_AT"*) echo "An error occurred (AccessDenied) when calling the
operation: no" >&2; exit 254 ;;
*create-invalidation*) echo I2J0I21PCUYOIK ;;
esac
"""
LOOK = "cloudfront list-invalidations --distribution-id E486013B9607A5 --max-items 1"
CREATE = (
    "aws cloudfront create-invalidation --distribution-id E486013B9607A5 --paths /packages/* --query Invalidation.Id "
    "--output text"
).removeprefix("aws ")
WAIT = "cloudfront wait invalidation-completed --distribution-id E486013B9607A5 --id I2J0I21PCUYOIK"


class FakeStack:
    """A stack as the Automation API has it, whose updates always succeed; they are noted where the CLI's calls are."""

    name = "prod"

    def __init__(self, calls: Path, distribution: str | None, config: dict[str, str] | None = None) -> None:
        self._calls = calls
        self._config = {"pypi:zone_id": "Z0123456789ABCDEFGHIJ", **(config or {})}
        self._passwords: tuple[Any, Any] = ([1], 1)
        self._distribution = {} if distribution is None else {"cloudfront_distribution_id": distribution}
        self.workspace = SimpleNamespace(project_settings=lambda: SimpleNamespace(name="pypi"))

    def get_all_config(self) -> dict[str, Any]:
        return {key: SimpleNamespace(value=value) for key, value in self._config.items()}

    def set_all_config(self, config: dict[str, Any]) -> None:
        self._config |= {f"pypi:{key}": value.value for key, value in config.items()}

    def outputs(self) -> dict[str, Any]:
        accepted, published = self._passwords
        values = {"password_generations": accepted, "published_password_generation": published, **self._distribution}
        return {key: SimpleNamespace(value=value) for key, value in values.items()}

    def refresh(self, **options: Any) -> None:
        self._note("refresh")

    def preview(self, **options: Any) -> Any:
        return SimpleNamespace(change_summary={OpType.SAME: 90})

    def up(self, **options: Any) -> None:
        accepted = [int(number) for number in self._config["pypi:password_generations"].split(",")]
        self._passwords = accepted, int(self._config["pypi:published_password_generation"])
        self._note(f"up: {accepted}")

    def _note(self, line: str) -> None:
        with self._calls.open("a") as calls:
            calls.write(f"{line}\n")


@pytest.fixture
def calls(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """What the commands and updates were; `aws` is on PATH."""
    path = tmp_path / "bin"
    path.mkdir()
    (path / "aws").write_text(AWS)
    (path / "aws").chmod(0o755)
    monkeypatch.setenv("PATH", f"{path}:/usr/bin:/bin")
    monkeypatch.setenv("CALLS", str(tmp_path / "calls"))
    monkeypatch.setenv("FAILS_AT", "nothing of the kind")
    monkeypatch.delenv("AWS_PROFILE", raising=False)
    return tmp_path / "calls"


def rotated(stack: FakeStack, *, keep_old: bool = False) -> str:
    return rotate(stack, lambda line: None, keep_old=keep_old)  # type: ignore[arg-type]


def test_edges_forget_after_the_old_password_was_dropped(calls: Path) -> None:
    stack = FakeStack(calls, "E486013B9607A5")
    assert rotated(stack).startswith("Done: password 2 is published")
    assert calls.read_text().splitlines() == [
        f"as nobody: {LOOK}",
        "refresh",
        "up: [1, 2]",
        "up: [1, 2]",
        "up: [2]",
        f"as nobody: {CREATE}",
        f"as nobody: {WAIT}",
    ]


def test_while_the_old_one_is_kept_so_are_the_files(calls: Path) -> None:
    stack = FakeStack(calls, "E486013B9607A5")
    assert rotated(stack, keep_old=True).startswith("Stopped")
    assert "create-invalidation" not in calls.read_text()
    rotated(stack)
    assert calls.read_text().splitlines()[-3:-1] == ["up: [2]", f"as nobody: {CREATE}"]


def test_without_a_distribution_nobody_is_asked(calls: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/nowhere")
    assert rotated(FakeStack(calls, None)).startswith("Done")


def test_it_is_asked_by_whom_the_stack_is_deployed(calls: Path) -> None:
    rotated(FakeStack(calls, "E486013B9607A5", {"aws:profile": "production"}))
    asked = [line for line in calls.read_text().splitlines() if "cloudfront" in line]
    assert [line.partition(":")[0] for line in asked] == ["as production"] * 3


def test_without_the_aws_cli_nothing_is_changed(calls: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/nowhere")
    with pytest.raises(RotationError, match=r"no AWS CLI \(`aws`\) on PATH.*install it"):
        rotated(FakeStack(calls, "E486013B9607A5"))
    assert not calls.exists()


def test_without_rights_nothing_is_changed(calls: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FAILS_AT", "list-invalidations")
    with pytest.raises(RotationError) as refused:
        rotated(FakeStack(calls, "E486013B9607A5"))
    assert str(refused.value) == (
        f"the edges of CloudFront could not be invalidated once the old password is dropped: `aws {LOOK}` failed: "
        "An error occurred (AccessDenied) when calling the operation: no"
    )
    assert calls.read_text().splitlines() == [f"as nobody: {LOOK}"]


@pytest.mark.parametrize("fails_at", ["create-invalidation", "wait"])
def test_where_they_cannot_be_told_somebody_is_told_what_to_type(
    calls: Path, monkeypatch: pytest.MonkeyPatch, fails_at: str
) -> None:
    monkeypatch.setenv("FAILS_AT", fails_at)
    with pytest.raises(RotationError) as refused:
        rotated(FakeStack(calls, "E486013B9607A5"))
    message = str(refused.value)
    assert message.startswith("password 2 accepted, 2 published, but edges of CloudFront may still serve")
    assert "An error occurred (AccessDenied) when calling the operation: no" in message
    assert (
        "run `aws cloudfront create-invalidation --distribution-id E486013B9607A5 --paths '/packages/*'`. "
        "Commit Pulumi.prod.yaml."
    ) in message
