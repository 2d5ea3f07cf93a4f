"""Uploads get pypiserver's own answers, in its place; pypiserver itself is the oracle."""

from __future__ import annotations

import errno
import gzip
import hashlib
import io
import logging
import os
import tempfile
import zipfile
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pypiserver
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
from tests.pypiserver_stack.container.package_content import package_content

BOUNDARY = b"0a1b"
NAME = "project-1.0-py3-none-any.whl"
LIMIT_BYTES = 4 * 1024 * 1024
Field = tuple[str, str | None, bytes]
ACTION: Field = (":action", None, b"file_upload")
PACKAGE: Field = ("content", NAME, package_content(NAME))


def package(filename: str, padding: bytes = b"") -> Field:
    return ("content", filename, package_content(filename, padding))


def form(*fields: Field) -> bytes:
    written = b""
    for name, filename, value in fields:
        named = "" if filename is None else f'; filename="{filename}"'
        written += b"--" + BOUNDARY + f'\r\nContent-Disposition: form-data; name="{name}"{named}\r\n\r\n'.encode()
        written += value + b"\r\n"
    return written + b"--" + BOUNDARY + b"--\r\n"


def request(body: bytes, **more: str) -> dict[str, Any]:
    return {
        "REQUEST_METHOD": "POST",
        "PATH_INFO": "/",
        "SERVER_NAME": "index",
        "SERVER_PORT": "80",
        "SERVER_PROTOCOL": "HTTP/1.1",
        "wsgi.url_scheme": "http",
        "wsgi.input": io.BytesIO(body),
        "wsgi.errors": io.StringIO(),
        "CONTENT_TYPE": f"multipart/form-data; boundary={BOUNDARY.decode()}",
        "CONTENT_LENGTH": str(len(body)),
        **more,
    }


class UploadIndex:
    """pypiserver over a directory, and with `ours`, uploads in front of it as the task has them."""

    def __init__(self, root: Path, *, ours: bool, builds_allowed: bool = False, **options: Any) -> None:
        self.root = root
        root.mkdir(exist_ok=True)
        self._app = pypiserver.app(
            roots=[root], backend_arg="simple-dir", authenticate=[], password_file=".", **options
        )
        self.config = self._app._pypiserver_config
        self._uploads = Uploads(
            PackageStore(root, RecordStore(root)),
            ExistingFiles(self.config, builds_allowed=builds_allowed),
            overwrite=self.config.overwrite,
            limit_bytes=LIMIT_BYTES,
        )
        self._ours = ours

    def post(self, environ: dict[str, Any]) -> tuple[int, str]:
        """Status and body."""
        answer = self._uploads(environ) if self._ours else None
        if answer is not None:
            assert int(dict(answer.headers)["Content-Length"]) == sum(map(len, answer.body))
            return int(answer.status.split()[0]), b"".join(answer.body).decode()
        statuses: list[str] = []
        body: Iterable[bytes] = self._app(environ, lambda status, headers, error=None: statuses.append(status))
        text = b"".join(body).decode()
        # bottle leaves its temporary files to the garbage collector, which complains.
        for item in getattr(environ.get("_cgi.FieldStorage"), "list", None) or []:
            item.file.close()
        environ["wsgi.input"].close()
        return int(statuses[0].split()[0]), text

    def upload(self, *fields: Field, **more: str) -> tuple[int, str]:
        return self.post(request(form(*fields), **more))

    def files(self) -> dict[str, bytes]:
        """What listings can show, and what they cannot but should not be there."""
        return {
            str(path.relative_to(self.root)): path.read_bytes()
            for path in self.root.rglob("*")
            if path.is_file() and path.relative_to(self.root).parts[0] != ".digests"
        }


@pytest.fixture
def index(tmp_path: Path) -> UploadIndex:
    return UploadIndex(tmp_path / "packages", ours=True)


def both(folder: Path, **options: Any) -> tuple[UploadIndex, UploadIndex]:
    return UploadIndex(folder / "ours", ours=True, **options), UploadIndex(folder / "theirs", ours=False, **options)


def test_a_package_is_stored_and_the_answer_is_empty(index: UploadIndex) -> None:
    assert index.upload(ACTION, PACKAGE) == (200, "")
    assert index.files() == {NAME: PACKAGE[2]}


def test_the_order_of_the_fields_does_not_matter(index: UploadIndex) -> None:
    claimed = ("sha256_digest", None, hashlib.sha256(PACKAGE[2]).hexdigest().encode())
    assert index.upload(PACKAGE, claimed, ACTION) == (200, "")
    assert index.files() == {NAME: PACKAGE[2]}


SIGNATURE: Field = ("gpg_signature", f"{NAME}.asc", b"-----BEGIN")
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
    "signature as the content": [ACTION, ("content", "project-1.0.tar.gz.asc", b"-----BEGIN")],
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
def test_every_name_gets_the_status_that_pypiserver_would_give_it(filename: str) -> None:
    with tempfile.TemporaryDirectory() as folder:
        ours, theirs = both(Path(folder))
        uploaded = package(filename.replace('"', ""))
        release = release_of(filename)
        if filename.startswith(".") or any(ord(character) < 32 for character in filename) or not is_valid(release):
            assert ours.upload(ACTION, uploaded)[0] == 400
            assert ours.files() == {}
        else:
            assert ours.upload(ACTION, uploaded)[0] == theirs.upload(ACTION, uploaded)[0]
            assert ours.files() == theirs.files()


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


DIGESTS = {
    "sha256_digest": hashlib.sha256(PACKAGE[2]).hexdigest(),
    "md5_digest": hashlib.md5(PACKAGE[2], usedforsecurity=False).hexdigest(),
    "blake2_256_digest": hashlib.blake2b(PACKAGE[2], digest_size=32).hexdigest(),
}


@pytest.mark.parametrize("field", DIGESTS)
@pytest.mark.parametrize("first", [True, False])
def test_what_arrived_damaged_is_refused(index: UploadIndex, field: str, first: bool) -> None:
    claim: Field = (field, None, b"0" * len(DIGESTS[field]))
    status, body = index.upload(ACTION, *((claim, PACKAGE) if first else (PACKAGE, claim)))
    assert status == 400
    assert DIGESTS[field] in body
    assert index.files() == {}


@pytest.mark.parametrize("field", DIGESTS)
@pytest.mark.parametrize("first", [True, False])
def test_a_right_digest_in_capitals_is_taken(index: UploadIndex, field: str, first: bool) -> None:
    claim: Field = (field, None, DIGESTS[field].upper().encode())
    assert index.upload(ACTION, *((claim, PACKAGE) if first else (PACKAGE, claim))) == (200, "")


def test_the_digests_of_a_form_are_those_of_the_package_and_not_of_its_signature(index: UploadIndex) -> None:
    claims: list[Field] = [(field, None, digest.encode()) for field, digest in DIGESTS.items()]
    assert index.upload(ACTION, *claims, PACKAGE, SIGNATURE) == (200, "")
    assert set(index.files()) == {NAME, f"{NAME}.asc"}


def test_what_is_no_package_is_refused_where_it_would_overwrite_one(tmp_path: Path) -> None:
    index = UploadIndex(tmp_path, ours=True, overwrite=True)
    index.upload(ACTION, PACKAGE)
    assert index.upload(ACTION, ("content", NAME, b"noise"))[0] == 400
    assert index.files() == {NAME: PACKAGE[2]}


@pytest.mark.parametrize("claim", [b"", b" \r\n"])
def test_no_digest_is_taken(index: UploadIndex, claim: bytes) -> None:
    assert index.upload(ACTION, *((field, None, claim) for field in DIGESTS), PACKAGE)[0] == 200


@pytest.mark.parametrize("attestations", [b"[]", b"x" * 200_000])
def test_attestations_are_refused_and_not_dropped_in_silence(index: UploadIndex, attestations: bytes) -> None:
    for fields in ([("attestations", None, attestations), PACKAGE], [PACKAGE, ("attestations", None, attestations)]):
        status, body = index.upload(ACTION, *fields)
        assert status == 400
        assert "attestations" in body
        assert index.files() == {}
    assert index.upload(ACTION, ("attestations", None, b""), PACKAGE)[0] == 200


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


@pytest.mark.parametrize(
    ("filename", "name", "version"),
    [
        ("project-1.0.tar.gz", "another", "1.0"),
        ("project-2.0.tar.gz", "project", "1.0"),
        ("project-1.0-py3-none-any.whl", "", "1.0.post1"),
        ("project-1.0.zip", "another", ""),
        ("project-1-2.zip", "project", "1.0"),
    ],
)
def test_a_file_that_would_be_listed_as_what_the_form_does_not_say_is_refused(
    index: UploadIndex, filename: str, name: str, version: str
) -> None:
    fields: list[Field] = [ACTION, ("name", None, name.encode()), ("version", None, version.encode())]
    status, body = index.upload(*fields, package(filename))
    assert status == 400
    assert filename in body
    assert index.files() == {}


@pytest.mark.parametrize(
    ("filename", "content", "words"),
    [
        pytest.param(NAME, b"", "is empty", id="empty wheel"),
        pytest.param(NAME, b"PK noise", "no whole zip", id="no archive"),
        pytest.param(NAME, package_content("project-1.0.tar.gz"), "no whole zip", id="another kind"),
        pytest.param(NAME, PACKAGE[2][:-10], "no whole zip", id="cut wheel"),
        pytest.param(NAME, b"PK\x05\x06" + bytes(18), "without a file", id="wheel of nothing"),
        pytest.param(NAME, package_content("a-1.0.zip"), "METADATA", id="wheel without metadata"),
        pytest.param(NAME, package_content("other-1.0-py3-none-any.whl"), "METADATA", id="another project's wheel"),
        pytest.param("a-1.0.tar.gz", b"", "is empty", id="empty sdist"),
        pytest.param("a-1.0.tar.gz", b"noise", "no whole tar", id="sdist of noise"),
        pytest.param("a-1.0.tgz", gzip.compress(b"noise" * 200), "no whole tar", id="compressed noise"),
        pytest.param("a-1.0.tgz", gzip.compress(bytes(10240)), "without a file", id="sdist of nothing"),
        pytest.param(
            "a-1.0.tar.gz", package_content("a-1.0.tar.gz", os.urandom(9_999))[:-5], "no whole tar", id="cut sdist"
        ),
        pytest.param("a-1.0.tar.gz", package_content("b-1.0.tar.gz"), "'b 1.0'", id="another project's sdist"),
        pytest.param("a-1.0.tar.gz", package_content("a-1.1.tar.gz"), "'a 1.1'", id="another version's sdist"),
        pytest.param("a-1.0.zip", package_content("b-1.0.zip"), "'b 1.0'", id="another project's zip"),
        pytest.param("a-1.0.zip", b"noise", "no whole zip", id="zip of noise"),
        pytest.param("a-1.0.tar.bz2", b"noise", "no .tar.bz2", id="bz2 of noise"),
        pytest.param("a-1.0.tar.xz", b"noise", "no .tar.xz", id="xz of noise"),
        pytest.param("a-1.0-py3.11.egg", b"noise", "no whole zip", id="egg of noise"),
        pytest.param("a-2020beta-x.zip", package_content("a-2020beta-x.zip"), "PEP 440", id="no version"),
        pytest.param("a.zip", package_content("a.zip"), "PEP 440", id="no version at all"),
        pytest.param("a!b-1.0.zip", package_content("a!b-1.0.zip"), "ASCII letters", id="no name"),
    ],
)
def test_what_is_no_package_of_its_release_is_refused_and_its_name_stays_free(
    index: UploadIndex, filename: str, content: bytes, words: str
) -> None:
    status, body = index.upload(ACTION, ("content", filename, content))
    assert status == 400
    assert filename in body
    assert words in body
    assert index.files() == {}


def test_a_wheel_whose_metadata_contradicts_its_folder_is_refused(index: UploadIndex) -> None:
    written = io.BytesIO()
    with zipfile.ZipFile(written, "w") as archive:
        archive.writestr("project-1.0.dist-info/METADATA", "Name: project\nVersion: 2.0\n")
    status, body = index.upload(ACTION, ("content", NAME, written.getvalue()))
    assert status == 400
    assert "'project 2.0'" in body


def test_a_name_that_leaves_its_release_open_is_taken_as_what_is_in_it(index: UploadIndex) -> None:
    """ "lib-1-2" is 2 of lib-1, or 1.post2 of lib."""
    written = io.BytesIO()
    with zipfile.ZipFile(written, "w") as archive:
        archive.writestr("lib/PKG-INFO", "Name: lib\nVersion: 1.post2\n")
    content = written.getvalue()
    wrong: list[Field] = [("name", None, b"lib-1"), ("version", None, b"2")]
    right: list[Field] = [("name", None, b"lib"), ("version", None, b"1.post2")]
    assert index.upload(ACTION, *wrong, ("content", "lib-1-2.zip", content))[0] == 400
    assert index.upload(ACTION, *right, ("content", "lib-1-2.zip", content)) == (200, "")
    # Without metadata it would be listed as the likeliest.
    assert index.upload(ACTION, *right, ("content", "lib-1-3.zip", written_zip("lib/setup.py")))[0] == 400


def written_zip(name: str) -> bytes:
    written = io.BytesIO()
    with zipfile.ZipFile(written, "w") as archive:
        archive.writestr(name, "")
    return written.getvalue()


@pytest.mark.parametrize(
    ("filename", "name", "version"),
    [
        ("my_project-1.0.0-py3-none-any.whl", "My.Project", "1.0"),
        ("my_project-1.0-1-py3-none-any.whl", "my-project", "v1.0"),
        ("my-project-1.0-1.tar.gz", "my-project", "1.0.post1"),
        ("my_project-1.0+local_1-py3-none-any.whl", "my-project", "1.0+local.1"),
        ("my_project-1.0-py3.11.egg", "my-project", "1.0"),
        ("my_project-1.0.linux-x86_64.tar.gz", "my-project", "1.0"),
        ("anything-1.0.zip", "", ""),
        # By setuptools before 69.3, whose names do not say where the version begins.
        ("acme-4dviewer-1.2.0.tar.gz", "acme-4dviewer", "1.2.0"),
        ("test-package-7zip-1.1.tar.gz", "test-package-7zip", "1.1"),
        ("acme.geo-maps-7.tar.gz", "acme.geo-maps", "7"),
        ("Acme-4DViewer-1.2.0.zip", "acme-4dviewer", "1.2"),
    ],
)
def test_a_file_whose_name_spells_otherwise_what_the_form_says_is_taken(
    index: UploadIndex, filename: str, name: str, version: str
) -> None:
    fields: list[Field] = [ACTION, ("name", None, name.encode()), ("version", None, version.encode())]
    assert index.upload(package(filename), *fields) == (200, "")


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


def test_a_signature_that_exists_keeps_its_package_out(index: UploadIndex) -> None:
    (index.root / f"{NAME}.asc").write_bytes(b"older")
    assert index.upload(ACTION, PACKAGE, SIGNATURE)[0] == 409
    assert index.files() == {f"{NAME}.asc": b"older"}


def test_leaves_no_trace_in_the_folder_of_those_on_their_way(index: UploadIndex) -> None:
    index.upload(ACTION, PACKAGE, SIGNATURE)
    assert list((index.root / INCOMING).iterdir()) == []
