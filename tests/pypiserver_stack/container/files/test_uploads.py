"""Uploads get pypiserver's own answers, in its place; pypiserver itself is the oracle."""

from __future__ import annotations

import errno
import hashlib
import io
import logging
import os
import string
import tempfile
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from packaging.utils import InvalidName, canonicalize_name
from packaging.version import InvalidVersion, Version
from pypiserver.bottle_wrapper import HTTPError

from pypiserver_stack.container.base.records import RecordStore
from pypiserver_stack.container.base.releases import Release, release_of
from pypiserver_stack.container.base.yanks import INCOMING
from pypiserver_stack.container.files.existing_files import ExistingFiles
from pypiserver_stack.container.files.package_store import Incoming, PackageStore
from pypiserver_stack.container.files.uploads import PYPISERVER_BODY_BYTES, Uploads
from tests.pypiserver_stack.container.files.upload_index import (
    ACTION,
    LIMIT_BYTES,
    NAME,
    PACKAGE,
    SIGNATURE,
    Field,
    UploadIndex,
    both,
    form,
    package,
    request,
)


def test_a_package_is_stored_and_the_answer_is_empty(index: UploadIndex) -> None:
    assert index.upload(ACTION, PACKAGE) == (200, "")
    assert index.files() == {NAME: PACKAGE[2]}


def test_the_order_of_the_fields_does_not_matter(index: UploadIndex) -> None:
    claimed = ("sha256_digest", None, hashlib.sha256(PACKAGE[2]).hexdigest().encode())
    assert index.upload(PACKAGE, claimed, ACTION) == (200, "")
    assert index.files() == {NAME: PACKAGE[2]}


ODD_FORMS: dict[str, list[Field]] = {
    "nothing": [],
    "no action": [PACKAGE],
    "no content": [ACTION],
    "content without a filename": [ACTION, ("content", None, b"PK")],
    "content with an empty filename": [ACTION, ("content", "", b"PK")],
    "unknown action": [(":action", None, b"dance"), PACKAGE],
    "no such action": [(":action", None, b""), PACKAGE],
    "an action with a line break": [(":action", None, b"file_upload\r\n"), PACKAGE],
    "an action with a filename": [(":action", "a", b"file_upload"), PACKAGE],
    "submit": [(":action", None, b"submit"), ("name", None, b"project")],
    "verify": [(":action", None, b"verify")],
    "two actions, the last counts": [(":action", None, b"dance"), PACKAGE, ACTION],
    "two actions, the last is none": [ACTION, PACKAGE, (":action", None, b"dance")],
    "documentation": [(":action", None, b"doc_upload"), ("content", "docs.zip", b"no zip")],
    "documentation without content": [(":action", None, b"doc_upload")],
    "removal of what is not there": [
        (":action", None, b"remove_pkg"), ("name", None, b"project"), ("version", None, b"1.0")
    ],
    "removal of nothing": [(":action", None, b"remove_pkg")],
    "signature": [ACTION, PACKAGE, SIGNATURE],
    "signature first": [SIGNATURE, PACKAGE, ACTION],
    "signature of another package": [ACTION, PACKAGE, ("gpg_signature", "other-1.0.tar.gz.asc", b"-----BEGIN")],
    "signature without a filename": [ACTION, PACKAGE, ("gpg_signature", None, b"-----BEGIN")],
    "signature alone": [ACTION, SIGNATURE],
    "other files": [ACTION, PACKAGE, ("notes", "a.json", b"{}")],
    "what twine sends": [
        ("metadata_version", None, b"2.1"), ("description", None, b"x" * 200_000),
        *[("classifiers", None, b"Topic")] * 50,
        ("sha256_digest", None, hashlib.sha256(PACKAGE[2]).hexdigest().encode()), ACTION,
        ("protocol_version", None, b"1"), PACKAGE,
    ],
}  # fmt: skip


@pytest.mark.parametrize("fields", ODD_FORMS.values(), ids=ODD_FORMS.keys())
@pytest.mark.parametrize("overwrite", [False, True])
def test_every_form_gets_the_status_and_the_files_that_pypiserver_would_give_it(
    tmp_path: Path, fields: list[Field], overwrite: bool
) -> None:
    ours, theirs = both(tmp_path, overwrite=overwrite)
    assert ours.upload(*fields)[0] == theirs.upload(*fields)[0]
    assert ours.files() == theirs.files()
    # The second time, what was stored is there already.
    again = theirs.upload(*fields)[0]
    assert ours.upload(*fields)[0] == (200 if again == 409 else again)
    assert ours.files() == theirs.files()


@st.composite
def filenames(draw: st.DrawFn) -> str:
    stem = draw(st.text("aZ019._-+!", min_size=1, max_size=20) | st.text(" /\\:%~üK\x7f", max_size=3))
    suffixes = [
        ".whl",
        ".tar.gz",
        ".zip",
        ".egg",
        ".exe",
        "",
        ".asc",
        "-py3-none-any.whl",
        "-1.0-py3-none-any.whl",
        ".tgz",
    ]
    return stem + draw(st.sampled_from(suffixes)) + draw(st.sampled_from(["", "", ".asc"]))


@given(filenames())
@example("../../etc/project-1.0.tar.gz")
@example("C:\\\\project-1.0.zip")
@example("project-1.0.tar.gz.")
@example("project-1.0-py3-none-any.whl\x00.zip")
@example("project-1.0-py3-none-any.WHL")
@example("-1.0.zip")
@example("/.whl.asc")
@example("project-1.0-x1-py3-none-any.whl")
def test_every_name_gets_the_status_that_pypiserver_would_give_it(filename: str) -> None:
    with tempfile.TemporaryDirectory() as folder:
        ours, theirs = both(Path(folder))
        uploaded = package(filename.replace('"', ""))
        release = release_of(filename)
        is_text = not filename.startswith(".") and all(ord(character) >= 32 for character in filename)
        if not is_text or not is_valid(release) or not is_installable(filename):
            assert ours.upload(ACTION, uploaded)[0] == 400
            assert ours.files() == {}
        else:
            assert ours.upload(ACTION, uploaded)[0] == theirs.upload(ACTION, uploaded)[0]
            assert ours.files() == theirs.files()


def is_installable(filename: str) -> bool:
    """By what installers take: no signature without its package, and wheels as PEP 427 has them."""
    if filename.lower().endswith(".asc"):
        return False
    if not filename.lower().endswith(".whl"):
        return True
    parts = filename[:-4].split("-")
    if len(parts) < 5:
        return False
    *release, python, abi, platform = parts
    tags = all(part and set(part) <= {*string.ascii_letters, *string.digits, *"_."} for part in (python, abi, platform))
    has_build = len(release) == 3 and release[2][:1].isdigit()
    return tags and all(release) and (len(release) == 2 or has_build) and not platform.lower().endswith(".whl")


def is_valid(release: Release | None) -> bool:
    """By what PyPI takes."""
    if release is None:
        return False
    try:
        return bool(Version(release.version) and canonicalize_name(release.name, validate=True))
    except (InvalidVersion, InvalidName):
        return False


@pytest.mark.parametrize(
    "filename",
    ["a" * 252 + ".zip", ".hidden-1.0.zip", "pro\u017fect-1.0.zip", "pro\u212aect-1.0.zip", "-1.0.zip", "_-1.0.tar.gz"],
)
def test_names_that_no_file_or_no_listing_can_have_are_refused(index: UploadIndex, filename: str) -> None:
    assert index.upload(ACTION, ("content", filename, b"PK"))[0] == 400
    assert index.files() == {}


def test_the_longest_name_that_a_file_can_have_is_taken(index: UploadIndex) -> None:
    name = "a" * 247 + "-1.0.zip"
    assert index.upload(ACTION, package(name)) == (200, "")
    assert list(index.files()) == [name]


@pytest.mark.parametrize("cut", [1, 3, 30, 200])
def test_a_body_that_ends_early_is_refused(index: UploadIndex, cut: int) -> None:
    whole = form(ACTION, PACKAGE, ("last", None, b"x" * 100))
    assert index.post(request(whole[:-cut], CONTENT_LENGTH=str(len(whole))))[0] == 400
    assert index.post(request(whole[: -cut - 2]))[0] == 400
    assert index.files() == {}


@pytest.mark.parametrize(
    "content_type", ["multipart/form-data", "multipart/form-data; boundary=", "multipart/mixed; boundary=other"]
)
def test_a_form_with_no_or_another_boundary_is_refused(index: UploadIndex, content_type: str) -> None:
    assert index.post(request(form(ACTION, PACKAGE), CONTENT_TYPE=content_type))[0] == 400
    assert index.files() == {}


def test_a_form_with_two_packages_is_refused(index: UploadIndex) -> None:
    assert index.upload(ACTION, PACKAGE, package("other-1.0.zip"))[0] == 400
    assert index.files() == {}


@pytest.mark.parametrize("name", [":action", "sha256_digest"])
def test_fields_that_are_kept_are_bounded(index: UploadIndex, name: str) -> None:
    assert index.upload(ACTION, PACKAGE, (name, None, b"x" * 100_000))[0] == 400
    assert index.files() == {}


def test_fields_that_are_not_needed_may_be_long(index: UploadIndex) -> None:
    assert index.upload(ACTION, ("description", None, b"x" * 2 * 1024 * 1024), PACKAGE) == (200, "")


class Untouched(io.BytesIO):
    def read(self, size: int | None = -1) -> bytes:
        raise AssertionError("the body was read")


def test_a_body_beyond_the_limit_is_refused_before_it_is_read(index: UploadIndex) -> None:
    environ = request(b"", CONTENT_LENGTH=str(LIMIT_BYTES + 1)) | {"wsgi.input": Untouched()}
    status, body = index.post(environ)
    assert status == 413
    assert str(LIMIT_BYTES) in body


@pytest.mark.parametrize(("more", "status"), [(0, 200), (1, 413)])
def test_a_body_in_chunks_is_counted(index: UploadIndex, more: int, status: int) -> None:
    padding = LIMIT_BYTES - len(form(ACTION, package(NAME)))
    environ = request(form(ACTION, package(NAME, b"x" * (padding + more))), HTTP_TRANSFER_ENCODING="chunked")
    del environ["CONTENT_LENGTH"]
    assert index.post(environ)[0] == status
    assert list(index.files()) == ([NAME] if status == 200 else [])


def test_pypiserver_gets_what_came_in_chunks_as_one_body(index: UploadIndex) -> None:
    """bottle would undo the chunks that the server has undone already."""
    index.upload(ACTION, PACKAGE)
    removal = form((":action", None, b"remove_pkg"), ("name", None, b"project"), ("version", None, b"1.0"))
    environ = request(removal, HTTP_TRANSFER_ENCODING="chunked")
    del environ["CONTENT_LENGTH"]
    assert index.post(environ)[0] == 200
    assert index.files() == {}


def test_a_form_in_the_url_encoding_is_left_to_pypiserver(index: UploadIndex) -> None:
    index.upload(ACTION, PACKAGE)
    body = b"%3Aaction=remove_pkg&name=project&version=1.0"
    assert index.post(request(body, CONTENT_TYPE="application/x-www-form-urlencoded"))[0] == 200
    assert index.files() == {}


def test_of_a_form_that_uploads_nothing_pypiserver_gets_a_few_fields(index: UploadIndex) -> None:
    description: Field = ("description", None, b"x" * PYPISERVER_BODY_BYTES)
    environ = request(form((":action", None, b"submit"), ("name", None, b"caf\xc3\xa9 & co"), description))
    assert index.post(environ)[0] == 200
    assert environ["CONTENT_TYPE"] == "application/x-www-form-urlencoded"
    assert int(environ["CONTENT_LENGTH"]) < 100


def test_whoever_goes_away_leaves_nothing(index: UploadIndex) -> None:
    body = form(ACTION, package(NAME, b"x" * 500_000))

    class Lost(io.BytesIO):
        def read(self, size: int | None = -1) -> bytes:
            if self.tell() > 300_000:
                raise ConnectionResetError(errno.ECONNRESET, "gone")
            return super().read(size)

    with pytest.raises(ConnectionResetError):
        index.post(request(body) | {"wsgi.input": Lost(body)})
    assert index.files() == {}


@pytest.mark.parametrize(
    ("number", "status"),
    [
        (errno.ENOSPC, 507),
        (errno.EDQUOT, 507),
        (errno.EROFS, 503),
        (errno.EACCES, 503),
        (errno.ESTALE, 503),
        (errno.EIO, 503),
    ],
)
@pytest.mark.parametrize("call", ["fsync", "link"])
def test_a_failing_file_system_is_told_to_the_client_and_once_to_the_log(
    index: UploadIndex,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    number: int,
    status: int,
    call: str,
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(os, call, fail)
    with caplog.at_level(logging.INFO):
        assert {index.upload(ACTION, PACKAGE)[0] for _ in range(5)} == {status}
    assert [record.levelname for record in caplog.records if os.strerror(number) in record.getMessage()] == ["ERROR"]
    assert all(record.exc_info is None for record in caplog.records)
    assert index.files() == {}


def test_who_meets_a_full_disk_in_mid_upload_gets_to_read_the_answer(
    index: UploadIndex, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its body is taken to the end: a client whose connection is cut does not know why."""

    def fail(*_: object) -> None:
        raise OSError(errno.ENOSPC, "full")

    monkeypatch.setattr(Incoming, "_write", fail)
    environ = request(form(ACTION, package(NAME, b"x" * 1_000_000)))
    body = environ["wsgi.input"]
    assert index.post(environ)[0] == 507
    assert body.read() == b""


@pytest.mark.parametrize("failure", [HTTPError(503, "not now"), OSError(errno.EIO, "not now")])
def test_who_cannot_be_told_whether_a_name_is_taken_may_retry(
    index: UploadIndex, caplog: pytest.LogCaptureFixture, failure: Exception
) -> None:
    index.config.backend = Unavailable(failure)
    environ = request(form(ACTION, PACKAGE))
    body = environ["wsgi.input"]
    assert index.post(environ)[0] == 503
    assert body.read() == b""
    assert ["not now" in record.getMessage() for record in caplog.records] == [True]


class Unavailable:
    def __init__(self, failure: Exception) -> None:
        self._failure = failure

    def exists(self, filename: str) -> bool:
        raise self._failure


def test_retrying_is_asked_for_where_it_may_help(index: UploadIndex) -> None:
    uploads = Uploads(
        PackageStore(index.root / "gone", RecordStore(index.root)),
        ExistingFiles(index.config, builds_allowed=False),
        overwrite=False,
        limit_bytes=LIMIT_BYTES,
    )
    answer = uploads(request(form(ACTION, PACKAGE)))
    assert answer is not None
    assert answer.status == "503 Service Unavailable"
    assert int(dict(answer.headers)["Retry-After"]) > 0


def test_what_is_refused_is_not_written(index: UploadIndex, monkeypatch: pytest.MonkeyPatch) -> None:
    index.upload(ACTION, PACKAGE)
    monkeypatch.setattr(PackageStore, "incoming", None)
    assert index.upload(ACTION, package(NAME, b"another"))[0] == 409
    assert index.upload(ACTION, ("content", "bad name.zip", b"PK"))[0] == 400


def test_a_signature_needs_its_package(index: UploadIndex) -> None:
    signature: Field = ("content", f"{NAME}.asc", b"-----BEGIN")
    status, text = index.upload(ACTION, signature)
    assert (status, text) == (400, f"There is no {NAME!a} to sign: upload it together with its signature.\n")
    assert index.files() == {}
    assert index.upload(ACTION, PACKAGE)[0] == 200
    assert index.upload(ACTION, signature)[0] == 200
    assert index.files().keys() == {NAME, f"{NAME}.asc"}


def test_a_signature_that_exists_keeps_its_package_out(index: UploadIndex) -> None:
    (index.root / f"{NAME}.asc").write_bytes(b"older")
    assert index.upload(ACTION, PACKAGE, SIGNATURE)[0] == 409
    assert index.files() == {f"{NAME}.asc": b"older"}


def test_leaves_no_trace_in_the_folder_of_those_on_their_way(index: UploadIndex) -> None:
    index.upload(ACTION, PACKAGE, SIGNATURE)
    assert list((index.root / INCOMING).iterdir()) == []
