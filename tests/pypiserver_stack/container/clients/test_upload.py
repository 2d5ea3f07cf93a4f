"""twine, uv and poetry publish: what they print, and what then lies in the index."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
import requests
from twine.commands.upload import skip_upload
from twine.package import PackageFile

from tests.pypiserver_stack.container.clients.real_clients import PackageClient, credentials, simple_url, start_index
from tests.pypiserver_stack.container.running_task import (
    OLDER_PASSWORD,
    PASSWORD,
    USERNAME,
    RunningTask,
)
from tests.pypiserver_stack.container.small_packages import make_sdist, make_wheel

JSON = {"Accept": "application/vnd.pypi.simple.v1+json"}
PUBLISHERS = ["twine", "uv", "poetry"]


@pytest.fixture(scope="module")
def task(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningTask]:
    with start_index(tmp_path_factory.mktemp("upload"), PYPISERVER_UPLOAD_LIMIT_MB="1") as task:
        yield task


@pytest.fixture
def project(request: pytest.FixtureRequest) -> str:
    """A name that no other test uploads."""
    return re.sub("[^a-z0-9]+", "-", request.node.name.lower()).strip("-")


def _dist(client: PackageClient, name: str, padding: bytes = b"") -> list[Path]:
    """A wheel and a source distribution in `dist`, where poetry looks for them; it wants a project around it too."""
    (client.work / "pyproject.toml").write_text(f'[project]\nname = "{name}"\nversion = "1.0"\n')
    dist = client.work / "dist"
    return [make_wheel(dist, name, "1.0", padding=padding), make_sdist(dist, name, "1.0", padding=padding)]


def _publish(
    client: PackageClient, publisher: str, task: RunningTask, files: list[Path], *options: str, password: str = PASSWORD
) -> str:
    arguments, environment = _command(publisher, task, files, password)
    return client.run(publisher, *arguments, *options, **environment)


def _publish_in_vain(
    client: PackageClient, publisher: str, task: RunningTask, files: list[Path], *options: str, password: str = PASSWORD
) -> str:
    arguments, environment = _command(publisher, task, files, password)
    return client.fail(publisher, *arguments, *options, **environment)


def _command(
    publisher: str, task: RunningTask, files: list[Path], password: str
) -> tuple[list[str | Path], dict[str, str]]:
    """Arguments and variables. poetry publishes what lies in `dist`, whatever `files` are."""
    if publisher == "twine":
        return ["upload", "--repository-url", f"{task.url}/", *files], credentials("TWINE", password)
    if publisher == "uv":
        return ["publish", "--publish-url", f"{task.url}/", *files], credentials("UV_PUBLISH", password)
    url = {"POETRY_REPOSITORIES_INTERNAL_URL": f"{task.url}/"}
    login = credentials("POETRY_HTTP_BASIC_INTERNAL", password)
    return ["publish", "--no-interaction", "--repository", "internal"], {**url, **login}


def _sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


@pytest.mark.parametrize("publisher", PUBLISHERS)
def test_what_is_published_is_listed_and_served(
    task: RunningTask, client: PackageClient, project: str, publisher: str
) -> None:
    files = _dist(client, project)
    _publish(client, publisher, task, files)
    listed = json.loads(task.request("GET", f"/simple/{project}/", headers=JSON)[2])["files"]
    sent = {file.name: file.read_bytes() for file in files}
    assert {file["filename"]: file["hashes"]["sha256"] for file in listed} == {
        name: _sha256(content) for name, content in sent.items()
    }
    assert {name: task.request("GET", f"/packages/{name}")[2] for name in sent} == sent
    assert [file["filename"] for file in listed if "core-metadata" in file] == [files[0].name]


@pytest.mark.parametrize("publisher", PUBLISHERS)
def test_what_is_there_stays_as_it_is(task: RunningTask, client: PackageClient, project: str, publisher: str) -> None:
    files = _dist(client, project)
    _publish(client, publisher, task, files)
    another = _dist(client, project, padding=b"changed")
    output = _publish_in_vain(client, publisher, task, another, *(["--verbose"] if publisher == "twine" else []))
    assert "already exists" in output
    assert task.request("GET", f"/packages/{files[0].name}")[2] != another[0].read_bytes()


def test_twine_says_without_being_asked_for_more_that_it_failed(
    task: RunningTask, client: PackageClient, project: str
) -> None:
    _publish(client, "twine", task, _dist(client, project))
    another = _dist(client, project, padding=b"changed")
    assert "HTTPError: 400 Bad Request" in _publish_in_vain(client, "twine", task, another)


@pytest.mark.parametrize("publisher", PUBLISHERS)
def test_an_upload_may_be_repeated(task: RunningTask, client: PackageClient, project: str, publisher: str) -> None:
    """As after an answer that was lost."""
    files = _dist(client, project)
    _publish(client, publisher, task, files)
    _publish(client, publisher, task, files)


def test_twine_would_take_the_answer_for_a_file_that_exists(
    task: RunningTask, client: PackageClient, project: str
) -> None:
    """twine 7 refuses --skip-existing for every index but PyPI. Up to 6.1 it decided by this rule."""
    wheel = _dist(client, project)[0]
    assert "does not have support" in _publish_in_vain(client, "twine", task, [wheel], "--skip-existing")
    _publish(client, "twine", task, [wheel])
    package = PackageFile.from_filename(str(wheel), None)
    answers = {
        agent: requests.post(
            task.url,
            data={":action": "file_upload"},
            files={"content": (wheel.name, b"another")},
            auth=(USERNAME, PASSWORD),
            headers={"User-Agent": agent},
            timeout=60,
        )
        for agent in ("twine/6.1.0", "another/1.0")
    }
    assert [answer.status_code for answer in answers.values()] == [400, 409]
    assert all(skip_upload(answer, True, package) for answer in answers.values())


def test_uv_skips_what_is_the_same_and_refuses_what_is_not(
    task: RunningTask, client: PackageClient, project: str
) -> None:
    wheel, sdist = _dist(client, project)
    check = ["--check-url", simple_url(task)]
    assert "skipping" not in _publish(client, "uv", task, [wheel], *check)
    output = _publish(client, "uv", task, [wheel, sdist], *check)
    assert f"File {wheel.name} already exists, skipping" in output
    assert f"Uploading {sdist.name}" in output
    another = _dist(client, project, padding=b"changed")
    assert "do not match" in _publish_in_vain(client, "uv", task, another, *check)


def test_poetry_skips_what_exists(task: RunningTask, client: PackageClient, project: str) -> None:
    files = _dist(client, project)
    _publish(client, "poetry", task, files)
    another = _dist(client, project, padding=b"changed")
    assert _publish(client, "poetry", task, another, "--skip-existing").count("File exists. Skipping") == 2


@pytest.mark.parametrize("publisher", PUBLISHERS)
def test_a_wrong_password_is_said_to_be_one(
    task: RunningTask, client: PackageClient, project: str, publisher: str
) -> None:
    files = _dist(client, project)
    assert "401" in _publish_in_vain(client, publisher, task, files, password="wrong")
    assert task.request("GET", f"/simple/{project}/")[0] == 404


@pytest.mark.parametrize("publisher", PUBLISHERS)
def test_the_password_before_a_rotation_still_counts(
    task: RunningTask, client: PackageClient, project: str, publisher: str
) -> None:
    _publish(client, publisher, task, _dist(client, project), password=OLDER_PASSWORD)
    assert task.request("GET", f"/simple/{project}/")[0] == 200


@pytest.mark.parametrize("publisher", PUBLISHERS)
def test_what_is_too_large_is_said_to_be_so(
    task: RunningTask, client: PackageClient, project: str, publisher: str
) -> None:
    # More than the server reads of a body that nobody wants: the client is still sending when the answer comes.
    files = _dist(client, project, padding=bytes(24_000_000))
    assert "413" in _publish_in_vain(client, publisher, task, files)
    assert task.request("GET", f"/packages/{files[0].name}")[0] == 404


def test_twine_takes_credentials_from_its_own_file(task: RunningTask, client: PackageClient, project: str) -> None:
    (client.home / ".pypirc").write_text(
        f"[distutils]\nindex-servers = internal\n\n"
        f"[internal]\nrepository = {task.url}/\nusername = {USERNAME}\npassword = {PASSWORD}\n"
    )
    client.run("twine", "upload", "--non-interactive", "-r", "internal", *_dist(client, project))
    assert task.request("GET", f"/simple/{project}/")[0] == 200
