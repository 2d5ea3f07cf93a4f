"""Our server behind the distribution that the program makes: real answers, and an edge that does as the graph says."""

from __future__ import annotations

import base64
import gzip
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from bench.index.upload import Form
from pypiserver_stack.settings.groups.cloudfront import PACKAGE_FILES
from tests.pypiserver_stack.container.running_task import (
    AUTHORIZATION,
    OLDER_PASSWORD,
    PASSWORD,
    USERNAME,
    RunningTask,
    injected_credentials,
    start_task,
)
from tests.pypiserver_stack.container.small_packages import make_wheel
from tests.pypiserver_stack.ingress.edge import Answer, Edge, Headers
from tests.pypiserver_stack.support.evaluation import container, evaluated, variables

CLOUDFRONT = (
    "cloudfront_enabled=true",
    "removal_enabled=false",
    "zone_id=Z0123456789ABCDEFGHIJ",
    "balancer_scheme=internet-facing",
)
MAX_TTL_S = 86_400
# What the task definition says of caching, as it says it.
TOLD: dict[str, Any] = {
    name: value
    for name, value in variables(container(*CLOUDFRONT)).items()
    if name in ("PYPISERVER_BACKEND", "PYPISERVER_OVERWRITE", "PYPISERVER_REMOVAL", "PYPISERVER_SHARED_CACHE")
}
RIGHT = {"Authorization": AUTHORIZATION}
WHEEL = "/packages/by-project/wheel/wheel-1.0-py3-none-any.whl"
LISTINGS = [
    "/simple/",
    "/simple/wheel/",
    "/simple/wheel/?x=.whl",
    "/wheel/",
    "/",
    "/packages/",
    "/packages/../simple/wheel/",
    "/packages/%2e%2e/simple/wheel/",
    "/packages/..%2fsimple%2fwheel%2f",
    "/packages//",
    "//packages/",
    "/packages/./",
    "/packages/?file=wheel-1.0-py3-none-any.whl",
    "/health",
]


def authorization(password: str) -> dict[str, str]:
    return {"Authorization": "Basic " + base64.b64encode(f"{USERNAME}:{password}".encode()).decode()}


def publication(wheel: Path) -> tuple[dict[str, str], bytes]:
    """Headers and body of the upload."""
    form = Form.of_upload(wheel)
    return {"Content-Type": form.content_type}, form.before + wheel.read_bytes() + form.after


def before(task: RunningTask, settings: tuple[str, ...] = CLOUDFRONT) -> Edge:
    def origin(method: str, path: str, body: bytes, headers: Headers) -> Answer:
        # An empty one is left out; the task would be sent the right one otherwise.
        return task.request(method, path, body, {"Authorization": "", **{n.title(): v for n, v in headers.items()}})

    return Edge(evaluated("stress", settings).graph, origin)


@pytest.fixture(scope="module")
def task(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningTask]:
    folder = tmp_path_factory.mktemp("behind-cloudfront")
    with start_task(folder / "task", packages=folder / "packages", **TOLD) as running:
        headers, body = publication(make_wheel(folder, "wheel", "1.0"))
        assert running.request("POST", "/", body, headers)[0] == 200
        yield running


@pytest.fixture
def edge(task: RunningTask) -> Edge:
    return before(task)


def test_the_task_is_told(task: RunningTask) -> None:
    assert TOLD == {
        "PYPISERVER_BACKEND": "validated",
        "PYPISERVER_OVERWRITE": "false",
        "PYPISERVER_REMOVAL": "false",
        "PYPISERVER_SHARED_CACHE": "true",
    }


def test_a_wheel_is_fetched_once_and_asked_for_again_after_the_longest_time(edge: Edge, task: RunningTask) -> None:
    content = task.stored(WHEEL.rpartition("/")[2]).read_bytes()
    for moment_s in (0, 1, MAX_TTL_S - 1):
        edge.now_s = moment_s
        status, headers, body = edge.request("GET", WHEEL, headers={**RIGHT, "User-Agent": f"pip at {moment_s}"})
        assert (status, body) == (200, content)
        # Without "public" or "s-maxage" nobody else's cache may keep the answer to a request with credentials.
        assert headers["cache-control"] == "max-age=31536000, immutable"
        assert edge.passed_on == 1
    edge.now_s = MAX_TTL_S
    edge.request("GET", WHEEL, headers=RIGHT)
    assert edge.passed_on == 2


def test_a_file_that_somebody_may_still_be_writing_is_not_kept(edge: Edge, task: RunningTask) -> None:
    by_hand = make_wheel(task.packages, "by-hand", "1.0")
    status, headers, _ = edge.request("GET", f"/packages/{by_hand.name}", headers=RIGHT)
    assert (status, headers["cache-control"]) == (200, "private, no-cache")
    assert edge.kept_paths == set()


def test_its_metadata_is_kept_too(edge: Edge) -> None:
    answers = [edge.request("GET", f"{WHEEL}.metadata", headers=RIGHT) for _ in range(2)]
    assert [(status, edge.passed_on) for status, _, _ in answers] == [(200, 1)] * 2


@pytest.mark.parametrize("path", LISTINGS)
@pytest.mark.parametrize("accept", ["text/html", "application/vnd.pypi.simple.v1+json"])
def test_nothing_else_is_kept_however_it_is_asked_for(edge: Edge, path: str, accept: str) -> None:
    for asked in (1, 2):
        status, _, _ = edge.request("GET", path, headers={**RIGHT, "Accept": accept})
        assert status < 500
        assert edge.passed_on == asked
    assert edge.kept_paths == set()


def test_a_listing_comes_in_the_form_that_was_asked_for(edge: Edge) -> None:
    json_type = "application/vnd.pypi.simple.v1+json"
    for accept in ("text/html", json_type, "text/html"):
        _, headers, _ = edge.request("GET", "/simple/wheel/", headers={**RIGHT, "Accept": accept})
        assert headers["content-type"].startswith(accept)


def test_a_long_listing_comes_compressed_to_whoever_takes_that_and_plain_to_others(
    edge: Edge, task: RunningTask
) -> None:
    for number in range(30):
        (task.packages / f"long-1.{number}.zip").write_bytes(b"")
    plain = edge.request("GET", "/simple/long/", headers=RIGHT)[2]
    for accepted, encoding in (("gzip", "gzip"), ("identity", None), ("gzip, br", "gzip")):
        _, headers, body = edge.request("GET", "/simple/long/", headers={**RIGHT, "Accept-Encoding": accepted})
        assert headers.get("content-encoding") == encoding
        assert (gzip.decompress(body) if encoding else body) == plain


@pytest.mark.parametrize("wrong", [{}, authorization("guessed"), {"Authorization": "Bearer of nothing"}], ids=str)
def test_who_has_no_right_gets_nothing_that_another_fetched(edge: Edge, wrong: dict[str, str]) -> None:
    for _ in range(2):
        assert edge.request("GET", WHEEL, headers=wrong)[0] == 401
        assert edge.request("GET", WHEEL, headers=RIGHT)[0] == 200
        assert edge.request("GET", "/simple/wheel/", headers=wrong)[0] == 401
    assert edge.passed_on == 5  # of the six, the second download was the edge's own


def test_each_accepted_password_has_a_copy_of_its_own(edge: Edge) -> None:
    for password in (PASSWORD, OLDER_PASSWORD):
        assert edge.request("GET", WHEEL, headers=authorization(password))[0] == 200
    assert edge.passed_on == 2


def test_what_is_published_is_there_at_once(edge: Edge, tmp_path: Path) -> None:
    wheel = make_wheel(tmp_path, "fresh", "1.0")
    path = f"/packages/{wheel.name}"
    assert edge.request("GET", path, headers=RIGHT)[0] == 404
    assert b"fresh" not in edge.request("GET", "/simple/", headers=RIGHT)[2]
    headers, body = publication(wheel)
    assert edge.request("POST", "/", body, {**RIGHT, **headers})[0] == 200
    assert b"fresh" in edge.request("GET", "/simple/", headers=RIGHT)[2]
    assert edge.request("GET", path, headers=RIGHT)[::2] == (200, wheel.read_bytes())


def test_what_edges_may_have_kept_is_not_removed(edge: Edge, task: RunningTask) -> None:
    form = b"%3Aaction=remove_pkg&name=wheel&version=1.0"
    headers = {**RIGHT, "Content-Type": "application/x-www-form-urlencoded"}
    status, _, body = edge.request("POST", "/", form, headers)
    assert status == 403
    assert b"not removed" in body
    assert task.request("GET", WHEEL)[0] == 200


def test_a_part_of_a_file(edge: Edge, task: RunningTask) -> None:
    content = task.stored(WHEEL.rpartition("/")[2]).read_bytes()
    status, headers, part = edge.request("GET", WHEEL, headers={**RIGHT, "Range": "bytes=3-10"})
    assert (status, part) == (206, content[3:11])
    assert headers["content-range"] == f"bytes 3-10/{len(content)}"


def test_a_dropped_password_gets_what_it_fetched_until_the_edges_are_invalidated(
    task: RunningTask, tmp_path: Path
) -> None:
    edge = before(task)
    older = authorization(OLDER_PASSWORD)
    assert edge.request("GET", WHEEL, headers=older)[0] == 200
    dropped = injected_credentials(PASSWORD)
    with start_task(tmp_path / "task", packages=task.packages, **TOLD, **dropped) as rotated:
        assert rotated.request("GET", WHEEL, headers=older)[0] == 401
        edge._origin = before(rotated)._origin
        # This is why a rotation ends with an invalidation.
        assert edge.request("GET", WHEEL, headers=older)[0] == 200
        assert edge.request("GET", "/simple/", headers=older)[0] == 401
        edge.invalidate(PACKAGE_FILES)
        assert edge.request("GET", WHEEL, headers=older)[0] == 401
        assert edge.request("GET", WHEEL, headers=RIGHT)[0] == 200


def test_without_a_distribution_a_cache_in_front_is_told_to_keep_nothing(task: RunningTask, tmp_path: Path) -> None:
    with start_task(
        tmp_path / "task", packages=task.packages, **{**TOLD, "PYPISERVER_SHARED_CACHE": "false"}
    ) as private:
        edge = before(private)
        for asked in (1, 2):
            _, headers, _ = edge.request("GET", WHEEL, headers=RIGHT)
            assert headers["cache-control"].startswith("private,")
            assert edge.passed_on == asked
