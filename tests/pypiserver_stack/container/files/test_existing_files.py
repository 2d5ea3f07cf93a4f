"""Uploads beside what exists: the same bytes, other bytes, and files that installers would take in its place."""

from __future__ import annotations

import io
from pathlib import Path

import pytest

from tests.pypiserver_stack.container.files.upload_index import (
    ACTION,
    NAME,
    PACKAGE,
    SIGNATURE,
    UploadIndex,
    both,
    form,
    package,
    request,
)
from tests.pypiserver_stack.container.package_content import package_content


@pytest.mark.parametrize("agent", ["twine/1.15.0 CPython/3.8", "twine/6.2.0", "uv/0.9", "curl/8", ""])
@pytest.mark.parametrize("folder", ["", "archive/2020"])
def test_what_exists_anywhere_in_the_tree_is_refused_as_pypiserver_does(
    tmp_path: Path, agent: str, folder: str
) -> None:
    ours, theirs = both(tmp_path)
    for index in (ours, theirs):
        (index.root / folder).mkdir(parents=True, exist_ok=True)
        (index.root / folder / NAME).write_bytes(b"older")
    status, body = ours.upload(ACTION, PACKAGE, HTTP_USER_AGENT=agent)
    assert status == theirs.upload(ACTION, PACKAGE, HTTP_USER_AGENT=agent)[0]
    assert "already exist" in body  # by which twine knows it
    assert ours.files() == theirs.files()


def test_who_was_slower_is_told_so_even_if_nothing_was_there_at_first(index: UploadIndex) -> None:
    """The other one arrives between the look and the link."""
    body = form(ACTION, PACKAGE)

    class Slow(io.BytesIO):
        def read(self, size: int | None = -1) -> bytes:
            data = super().read(min(size or 0, 100))
            if not data or self.tell() == len(body):
                (index.root / NAME).write_bytes(b"faster")
            return data

    assert index.post(request(body) | {"wsgi.input": Slow(body)})[0] == 409
    assert index.files() == {NAME: b"faster"}


@pytest.mark.parametrize("folder", ["", "archive/2020"])
@pytest.mark.parametrize("agent", ["twine/6.2.0", "uv/0.9"])
def test_the_same_bytes_again_are_a_success(index: UploadIndex, agent: str, folder: str) -> None:
    """Perhaps the answer to the first was lost."""
    (index.root / folder).mkdir(parents=True, exist_ok=True)
    (index.root / folder / NAME).write_bytes(PACKAGE[2])
    before = index.files()
    assert index.upload(ACTION, PACKAGE, HTTP_USER_AGENT=agent) == (200, "")
    assert index.upload(ACTION, PACKAGE, SIGNATURE, HTTP_USER_AGENT=agent) == (200, "")
    assert index.files() == before | {SIGNATURE[1]: SIGNATURE[2]}
    assert index.upload(ACTION, PACKAGE, (*SIGNATURE[:2], b"another"), HTTP_USER_AGENT=agent)[0] in (400, 409)
    assert index.files() == before | {SIGNATURE[1]: SIGNATURE[2]}


def test_whoever_was_slower_with_the_same_bytes_has_succeeded_too(index: UploadIndex) -> None:
    body = form(ACTION, PACKAGE)

    class Slow(io.BytesIO):
        def read(self, size: int | None = -1) -> bytes:
            data = super().read(min(size or 0, 100))
            if not data or self.tell() == len(body):
                (index.root / NAME).write_bytes(PACKAGE[2])
            return data

    assert index.post(request(body) | {"wsgi.input": Slow(body)})[0] == 200
    assert index.files() == {NAME: PACKAGE[2]}


RIVALS = [
    ("my_lib-2.0.0-py3-none-any.whl", "my_lib-2.0.0-99-py3-none-any.whl"),
    ("my_lib-2.0.0-1-py3-none-any.whl", "my_lib-2.0.0-py3-none-any.whl"),
    ("my_lib-2.0.0-py3-none-any.whl", "My.Lib-2.0-py3-none-any.whl"),
    ("my_lib-2.0.0-py3-none-any.whl", "my_lib-2.0.0-py3-none-ANY.whl"),
    ("my_lib-2.0.0.tar.gz", "my-lib-2.tar.gz"),
    ("my_lib-2.0.0.tar.gz", "my_lib-2.0.0.zip"),
]


@pytest.mark.parametrize(("existing", "filename"), RIVALS)
@pytest.mark.parametrize("folder", ["", "archive"])
def test_nothing_is_taken_that_installers_would_take_in_the_place_of_what_exists(
    index: UploadIndex, existing: str, filename: str, folder: str
) -> None:
    (index.root / folder).mkdir(exist_ok=True)
    (index.root / folder / existing).write_bytes(package_content(existing))
    before = index.files()
    status, body = index.upload(ACTION, package(filename))
    assert status == 409
    assert f"{existing!r} already exists" in body
    assert index.files() == before


@pytest.mark.parametrize(
    "filename",
    [
        "my_lib-2.0.0-py2-none-any.whl",
        "my_lib-2.0.0-cp311-cp311-manylinux_2_17_x86_64.whl",
        "my_lib-2.0.0.post1-py3-none-any.whl",
        "my_lib-2.0.0+local-py3-none-any.whl",
        "my_lib2-2.0.0-py3-none-any.whl",
        "my_lib-2.0.0.tar.gz",
    ],
)
def test_other_files_of_a_release_and_other_releases_are_taken(index: UploadIndex, filename: str) -> None:
    for existing in ("my_lib-2.0.0-py3-none-any.whl", "my_lib-2.0.0-py3-none-any.whl.asc"):
        (index.root / existing).write_bytes(package_content(existing))
    assert index.upload(ACTION, package(filename)) == (200, "")


@pytest.mark.parametrize(("existing", "filename"), RIVALS)
def test_another_build_is_taken_where_builds_are_allowed_and_another_spelling_is_not(
    tmp_path: Path, existing: str, filename: str
) -> None:
    index = UploadIndex(tmp_path, ours=True, builds_allowed=True)
    (index.root / existing).write_bytes(package_content(existing))
    is_build = existing.count("-") != filename.count("-") and filename.endswith(".whl")
    assert index.upload(ACTION, package(filename))[0] == (200 if is_build else 409)


@pytest.mark.parametrize(("existing", "filename"), RIVALS)
def test_with_overwriting_everything_is_taken(tmp_path: Path, existing: str, filename: str) -> None:
    index = UploadIndex(tmp_path, ours=True, overwrite=True)
    (index.root / existing).write_bytes(package_content(existing))
    assert index.upload(ACTION, package(filename)) == (200, "")


def test_overwriting_replaces(tmp_path: Path) -> None:
    index = UploadIndex(tmp_path, ours=True, overwrite=True)
    index.upload(ACTION, package(NAME, b"older"))
    assert index.upload(ACTION, PACKAGE) == (200, "")
    assert index.files() == {NAME: PACKAGE[2]}
