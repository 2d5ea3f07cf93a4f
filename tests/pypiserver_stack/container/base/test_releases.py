"""Releases by their file names, and the order of their versions."""

from __future__ import annotations

import hypothesis.strategies as st
import pytest
from hypothesis import given
from packaging.version import Version

from pypiserver_stack.container.base.releases import release_of
from pypiserver_stack.container.base.versions import newest, version_key
from tests.growth import LINEAR, growth


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
    ],
)
def test_the_release_of_a_file(filename: str, release: tuple[str, str]) -> None:
    found = release_of(filename)
    assert found is not None
    assert tuple(found) == release
    assert found.project == "my-lib"


@pytest.mark.parametrize("filename", ["notes.txt", "x.whl", "my_lib-1.0.exe", "-1.0.tar.gz", "_-1.0-py3-none-any.whl"])
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
def test_no_version_takes_long(piece: str) -> None:
    assert growth(version_key.__wrapped__, lambda size: "1" + piece * size, 1_000) < LINEAR
