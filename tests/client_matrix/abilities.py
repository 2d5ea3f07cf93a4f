"""What every client is tried for, each time with a project that no other trial has.

An ability is a function that raises an AssertionError where the client has it not, and `NotOfferedError` where it
offers nothing of the kind.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest

from tests.client_matrix.installers import INSTALLERS, Installer
from tests.client_matrix.pins import Client
from tests.client_matrix.publishers import PUBLISHERS, Publisher
from tests.pypiserver_stack.container.clients.real_clients import PackageClient
from tests.pypiserver_stack.container.running_task import PASSWORD, RunningTask, await_condition
from tests.pypiserver_stack.container.small_packages import make_wheel

_JSON = {"Accept": "application/vnd.pypi.simple.v1+json"}
_FORM = {"Content-Type": "application/x-www-form-urlencoded"}
_LONG_AGO_S = datetime(2020, 1, 1, tzinfo=UTC).timestamp()
_NEWER_VERSIONS = 29
_UNAUTHORIZED = "401:? (error|client error|unauthorized)|authorization error"


class NotOfferedError(Exception):
    """The client has no option for it."""


@dataclass(frozen=True)
class Trial:
    """One client at one ability, before a task with one worker."""

    client: Client
    task: RunningTask
    folder: Path
    """Its own, and empty."""
    project: str
    """Its name, which no other trial uses."""

    def installer(self, password: str = PASSWORD) -> Installer:
        """The client in a new account."""
        older, current = INSTALLERS[self.client.name]
        kind = current if self.client.is_current else older
        return kind(self.client, self._account(), self.task, password)

    def publisher(self) -> Publisher:
        """The client in a new account."""
        older, current = PUBLISHERS[self.client.name]
        kind = current if self.client.is_current else older
        return kind(self.client, self._account(), self.task)

    def upload(self, version: str, *, project: str = "", **options: Any) -> Path:
        """Upload a wheel of the project, or of another one."""
        wheel = make_wheel(self.folder / "built", project or self.project, version, **options)
        assert self.task.upload(wheel.name, wheel.read_bytes()) == 200
        return wheel

    def yank(self, version: str, *, action: str = "yank") -> None:
        """Yank a version of the project, or take that back."""
        call = {":action": action, "name": self.project, "version": version, "reason": "broken"}
        assert self.task.request("POST", "/", urlencode(call).encode(), _FORM)[0] == 200

    def listed(self) -> dict[str, str]:
        """SHA-256 of the project's files by name, as the index lists them."""
        status, _, body = self.task.request("GET", f"/simple/{self.project}/", headers=_JSON)
        files = json.loads(body)["files"] if status == 200 else []
        return {file["filename"]: file["hashes"]["sha256"] for file in files}

    def files_asked_for(self) -> set[str]:
        """Names of the project's files, and of their metadata, that were asked for so far."""
        # One worker writes the lines in the order of its answers: behind the last one of these none is missing.
        mark = f"/simple/{uuid.uuid4()}/"
        self.task.request("GET", mark)
        await_condition(lambda: mark in (self.task.folder / "stdout").read_text())
        names = (line["path"].rpartition("/")[2] for line in self.task.access_log())
        return {name for name in names if name.startswith(f"{self.project.replace('-', '_')}-")}

    def _account(self) -> PackageClient:
        return PackageClient(self.folder / f"home-{uuid.uuid4().hex[:8]}")


def installs_by_name(trial: Trial) -> None:
    trial.upload("1.0")
    base = f"{trial.project}-base"
    trial.upload("2.0", requires=[base])
    trial.upload("1.0", project=base)
    assert trial.installer().install(trial.project) == "2.0"


def installs_a_version(trial: Trial) -> None:
    for version in ("1.0", "1.5", "2.0"):
        trial.upload(version)
    installer = trial.installer()
    assert installer.choose(trial.project, "==1.0") == "1.0"
    assert installer.choose(trial.project, "<2") == "1.5"


def passes_over_other_pythons(trial: Trial) -> None:
    trial.upload("1.0")
    for number in range(_NEWER_VERSIONS):
        trial.upload(f"2.{number}", requires_python=">=4")
    assert trial.installer().choose(trial.project) == "1.0"
    newer = {name for name in trial.files_asked_for() if "-2." in name}
    assert not newer, f"it asked for {len(newer)} files of versions for another Python"


def passes_over_yanked(trial: Trial) -> None:
    trial.upload("1.0")
    trial.upload("2.0")
    trial.yank("2.0")
    installer = trial.installer()
    assert installer.choose(trial.project) == "1.0"
    assert installer.choose(trial.project, "==2.0") == "2.0"
    trial.yank("2.0", action="unyank")
    assert installer.choose(trial.project) == "2.0"


def reads_metadata_alone(trial: Trial) -> None:
    trial.upload("1.0")
    base = f"{trial.project}-base"
    trial.upload("1.0", project=base)
    # The newest will not do, which its metadata says.
    rejected = trial.upload("2.0", requires=[f"{base}>=9"])
    assert trial.installer().choose(trial.project) == "1.0"
    asked_for = trial.files_asked_for()
    assert rejected.name not in asked_for, "it downloaded a wheel to learn what it needs"
    assert f"{rejected.name}.metadata" in asked_for


def holds_to_hashes(trial: Trial) -> None:
    listed = hashlib.sha256(trial.upload("1.0").read_bytes()).hexdigest()
    trial.installer().install_by_digest(trial.project, listed, listed)
    refused = trial.installer()
    _fails(lambda: refused.install_by_digest(trial.project, listed, listed[::-1]), "match|not in poetry.lock")


def excludes_newer(trial: Trial) -> None:
    installer = trial.installer()
    if installer.newer_excluded is None:
        raise NotOfferedError
    options, environment = installer.newer_excluded
    old = make_wheel(trial.folder / "built", trial.project, "1.0")
    os.utime(old, (_LONG_AGO_S, _LONG_AGO_S))
    old.rename(trial.task.packages / old.name)
    trial.upload("2.0")
    assert installer.choose(trial.project) == "2.0"
    assert installer.choose(trial.project, options=options, environment=environment) == "1.0"


def says_that_the_password_is_wrong(trial: Trial) -> None:
    trial.upload("1.0")
    _fails(lambda: trial.installer("wrong").choose(trial.project), _UNAUTHORIZED)


def publishes(trial: Trial) -> None:
    publisher = trial.publisher()
    publisher.build(trial.project)
    publisher.publish()
    sent = {file.name: hashlib.sha256(file.read_bytes()).hexdigest() for file in publisher.files}
    assert len(sent) == 2
    assert trial.listed() == sent


def may_publish_again(trial: Trial) -> None:
    publisher = trial.publisher()
    publisher.build(trial.project)
    publisher.publish()
    published = trial.listed()
    publisher.publish()
    assert trial.listed() == published != {}


def is_refused_other_content(trial: Trial) -> None:
    publisher = trial.publisher()
    publisher.build(trial.project)
    publisher.publish()
    published = trial.listed()
    publisher.build(trial.project, b"changed")
    _fails(publisher.publish, "already exists|409")
    assert trial.listed() == published != {}


def skips_what_exists(trial: Trial) -> None:
    publisher = trial.publisher()
    if publisher.skip_existing is None:
        raise NotOfferedError
    publisher.build(trial.project)
    publisher.publish()
    published = trial.listed()
    if publisher.skips_other_content:
        publisher.build(trial.project, b"changed")
    assert len(re.findall("skipping", publisher.publish(*publisher.skip_existing), re.IGNORECASE)) == 2
    assert trial.listed() == published != {}


def says_that_the_password_to_publish_is_wrong(trial: Trial) -> None:
    publisher = trial.publisher()
    publisher.build(trial.project)
    _fails(lambda: publisher.publish(password="wrong"), _UNAUTHORIZED)
    assert trial.listed() == {}


def _fails(attempt: Callable[[], object], saying: str) -> None:
    """Check that a client fails, and prints what matches a pattern."""
    with pytest.raises(AssertionError, match=f"(?i){saying}"):
        attempt()


INSTALLING: dict[str, Callable[[Trial], None]] = {
    "by name, with what it needs": installs_by_name,
    "a version, a range": installs_a_version,
    "versions for another Python cost no request": passes_over_other_pythons,
    "yanked only where pinned": passes_over_yanked,
    "metadata without the wheel": reads_metadata_alone,
    "hashes": holds_to_hashes,
    "nothing newer than a date": excludes_newer,
    "names a wrong password": says_that_the_password_is_wrong,
}
"""By the head of their column."""

PUBLISHING: dict[str, Callable[[Trial], None]] = {
    "wheel and source distribution": publishes,
    "the same again": may_publish_again,
    "other content refused": is_refused_other_content,
    "skips what exists": skips_what_exists,
    "names a wrong password": says_that_the_password_to_publish_is_wrong,
}
