"""Releases by their file names, and the order of their versions."""

from __future__ import annotations

import hypothesis.strategies as st
import pytest
from hypothesis import given
from packaging.version import Version

from pypiserver_stack.container.base.releases import release_of, releases_of
from pypiserver_stack.container.base.versions import newest, version_key


@pytest.mark.parametrize(
    ("filename", "release"),
    [
        ("my_lib-1.0-py3-none-any.whl", ("my_lib", "1.0")),
        ("my_lib-1.0-1-py3-none-any.whl", ("my_lib", "1.0")),
        ("my_lib-1.0-2abc-py3-none-any.whl.asc", ("my_lib", "1.0")),
        ("my-lib-1.0.tar.gz", ("my-lib", "1.0")),
        ("my-lib-1.0.tar.gz.asc", ("my-lib", "1.0")),
        ("my-lib-1.0-1.tar.gz", ("my-lib", "1.0-1")),
        ("my_lib-1.0-py3.11.egg", ("my_lib", "1.0")),
        ("my-lib-7.zip", ("my-lib", "7")),
        ("my.lib-v7.tar.bz2", ("my.lib", "v7")),
        ("my-lib-1.0+local.tar.gz", ("my-lib", "1.0+local")),
        ("my-lib-1.0-beta-2.tgz", ("my-lib", "1.0-beta-2")),
        ("my-lib-1.0-SNAPSHOT.tar.gz", ("my-lib", "1.0-SNAPSHOT")),
        ("my_lib-1.0.linux-x86_64.tar.gz", ("my_lib", "1.0")),
        ("my_lib-1.0-py3.9-linux-x86_64.egg", ("my_lib", "1.0")),
    ],
)
def test_the_release_of_a_file(filename: str, release: tuple[str, str]) -> None:
    found = release_of(filename)
    assert found is not None
    assert tuple(found) == release
    assert found.project == "my-lib"


@pytest.mark.parametrize(
    ("filename", "release"),
    [
        ("acme-4dviewer-1.2.0.tar.gz", ("acme-4dviewer", "1.2.0")),
        ("test-package-7zip-1.1.tar.gz", ("test-package-7zip", "1.1")),
        ("acme.geo-maps-7.tar.gz", ("acme.geo-maps", "7")),
    ],
)
def test_the_only_hyphen_before_a_version_ends_the_project(filename: str, release: tuple[str, str]) -> None:
    assert [tuple(found) for found in releases_of(filename)] == [release]


@pytest.mark.parametrize(
    ("filename", "releases"),
    [
        ("my-lib-1.0-1.tar.gz", [("my-lib", "1.0-1"), ("my-lib-1.0", "1")]),
        ("lib-1-2.zip", [("lib-1", "2"), ("lib", "1-2")]),
    ],
)
def test_core_metadata_decides_where_the_name_leaves_it_open(filename: str, releases: list[tuple[str, str]]) -> None:
    assert [tuple(found) for found in releases_of(filename)] == releases
    assert release_of(filename) == releases[0]
    for name, version in releases:
        assert release_of(filename, f"Name: {name}\nVersion: {version}\n".encode()) == (name, version)
    # What speaks of another release, or of none, decides nothing.
    for metadata in (b"Name: other\nVersion: 1\n", b"noise"):
        assert release_of(filename, metadata) == releases[0]


NAMES = st.from_regex(r"[a-z][a-z0-9]{0,3}([-_.][a-z0-9]{1,4}){0,2}", fullmatch=True)


@given(name=NAMES, version=st.from_regex(r"([12]!)?[0-9]{1,2}(\.[0-9]){0,2}(rc1|\.post2)?(\+a\.1)?", fullmatch=True))
@pytest.mark.parametrize("suffix", [".tar.gz", ".zip"])
def test_the_release_that_a_build_tool_names_a_file_after_is_among_those_that_it_may_be(
    name: str, version: str, suffix: str
) -> None:
    found = releases_of(f"{name}-{version}{suffix}")
    assert (name, version) in [tuple(release) for release in found]
    metadata = f"Name: {name}\nVersion: {version}\n".encode()
    assert release_of(f"{name}-{version}{suffix}", metadata) == (name, version)


@pytest.mark.parametrize(
    "filename",
    ["notes.txt", "my_lib-1.0-py3.9-x.egg.yanked", "x.whl", "my_lib-1.0.exe", "-1.0.tar.gz", "_-1.0-py3-none-any.whl"],
)
def test_what_is_no_package_has_no_release(filename: str) -> None:
    assert release_of(filename) is None


@pytest.mark.parametrize(
    "spellings",
    [
        ("1.0", "1.0.0", "v1.0", "1", " 1.0"),
        ("1.0rc1", "1.0-RC-1", "1.0c1"),
        ("1.0+a.1", "1.0+A_1"),
        ("1.0-1", "1.0.post1"),
        ("2020_beta-x", "2020-Beta_x"),
    ],
)
def test_spellings_of_one_version(spellings: tuple[str, ...]) -> None:
    assert len({version_key(spelling) for spelling in spellings}) == 1


@pytest.mark.parametrize(
    ("one", "another"), [("1.0", "1.0+local"), ("1.0", "1!1.0"), ("old", "older"), ("1.0", "1.0x")]
)
def test_other_versions(one: str, another: str) -> None:
    assert version_key(one) != version_key(another)


VERSIONS = st.from_regex(r"([12]!)?[0-2](\.[0-2]){0,2}((a|b|rc)[01])?(\.post[01])?(\.dev[01])?", fullmatch=True)


@given(st.lists(VERSIONS, min_size=1), st.lists(st.text("xyz-_", max_size=5)))
def test_the_order_is_that_of_pep_440_after_whatever_is_no_version(versions: list[str], others: list[str]) -> None:
    ordered = sorted([*versions, *others], key=version_key)
    assert [Version(version) for version in ordered[len(others) :]] == sorted(map(Version, versions))


@pytest.mark.parametrize(
    ("versions", "expected"),
    [
        (["3.0", "1!2.0"], "1!2.0"),
        (["2.0.dev1", "1.0.post1"], "1.0.post1"),
        (["2.0rc1", "2.0.dev1", "2.0b3"], "2.0rc1"),
        (["1.10", "1.9", "nightly"], "1.10"),
        (["2.0a1", "nightly"], "2.0a1"),
        (["nightly", ""], "nightly"),
    ],
)
def test_the_newest(versions: list[str], expected: str) -> None:
    assert newest(versions) == newest(versions[::-1]) == expected


@pytest.mark.parametrize("piece", ["1.", "a", "-1", "1.0-", "!", "+a."])
def test_text_that_no_file_name_has_is_no_version_and_is_not_parsed(piece: str) -> None:
    longest, longer = ("1" + piece * 255)[:255], ("1" + piece * 256)[:256]
    assert version_key(longest) is version_key(longest)  # remembered
    assert version_key(longer) == (False, (), longer)
    assert version_key(longer) is not version_key(longer)
