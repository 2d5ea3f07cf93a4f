"""What an upload may be: digests, archives, and a name, a form and metadata of one release."""

from __future__ import annotations

import gzip
import hashlib
import io
import os
import zipfile
from pathlib import Path

import pytest

from tests.pypiserver_stack.container.files.upload_index import (
    ACTION,
    NAME,
    PACKAGE,
    SIGNATURE,
    Field,
    UploadIndex,
    package,
)
from tests.pypiserver_stack.container.package_content import package_content

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


@pytest.mark.parametrize(
    "filename",
    [
        "project-1.0-x1-py3-none-any.whl",  # a build begins with a digit
        "project-1.0-1-py3-none-any-extra.whl",
        "project-1.0-py3-none-any.whl.whl",
        "project-1.0--py3-none-any.whl",
    ],
)
def test_a_wheel_that_no_installer_would_take_is_refused(index: UploadIndex, filename: str) -> None:
    """It would keep the right one out: installers would take that in its place."""
    status, body = index.upload(ACTION, ("content", filename, PACKAGE[2]))
    assert (status, "no name of a wheel" in body) == (400, True)
    assert index.upload(ACTION, PACKAGE)[0] == 200


@pytest.mark.parametrize("filename", ["project-1.0-1-py3-none-any.whl", "project-1.0-2a.b-py2.py3-none-any.whl"])
def test_builds_and_several_tags_are_names_of_wheels(index: UploadIndex, filename: str) -> None:
    assert index.upload(ACTION, ("content", filename, PACKAGE[2]))[0] == 200


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
