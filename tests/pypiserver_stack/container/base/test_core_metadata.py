"""Core metadata comes out of a package byte for byte; out of anything else comes nothing, whatever the file does."""

from __future__ import annotations

import contextlib
import errno
import gzip
import io
import tarfile
import tracemalloc
import zipfile

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pypiserver_stack.container.base.core_metadata import (
    MAX_DIRECTORY_BYTES,
    MAX_METADATA_BYTES,
    NotAPackageError,
    checked_metadata,
    core_metadata,
    requires_python,
)
from pypiserver_stack.container.base.tar_gz import MAX_UNPACKED_BYTES

WHEEL = "my_project-1.0-py3-none-any.whl"
METADATA = b"Metadata-Version: 2.1\nName: my-project\nVersion: 1.0\n\nr\xc3\xa9sum\xc3\xa9\r\n"


def archive(*files: tuple[str, bytes], compression: int = zipfile.ZIP_DEFLATED) -> bytes:
    written = io.BytesIO()
    with zipfile.ZipFile(written, "w", compression) as made:
        for name, data in files:
            made.writestr(name, data)
    return written.getvalue()


def tarball(*files: tuple[str, bytes], kind: int = tarfile.PAX_FORMAT) -> bytes:
    written = io.BytesIO()
    with tarfile.open(fileobj=written, mode="w:gz", format=kind) as made:
        for name, data in files:
            member = tarfile.TarInfo(name)
            member.size = len(data)
            member.pax_headers = {"mtime": "1.5"}  # as Python's own archives have before each file
            made.addfile(member, io.BytesIO(data))
    return written.getvalue()


def found(content: bytes, filename: str = WHEEL) -> bytes | None:
    return core_metadata(io.BytesIO(content), filename)


@pytest.mark.parametrize("compression", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED])
@pytest.mark.parametrize(
    ("folder", "filename"),
    [
        ("my_project-1.0", WHEEL),
        ("my-project-1.0", WHEEL),
        ("My.Project-1.0", WHEEL),
        ("my_project-1.0", "My_Project-1.0-1-py3-none-any.whl"),
        ("my_project-1.0+local.1", "my_project-1.0+local.1-cp311-cp311-manylinux_2_17_x86_64.manylinux2014_x86_64.whl"),
        ("my_project-1.0rc1", "my_project-1.0RC1-py3-none-any.whl"),
    ],
)
def test_a_wheel_gives_its_metadata(folder: str, filename: str, compression: int) -> None:
    metadata = METADATA.replace(b"1.0", folder.rpartition("-")[2].encode())
    wheel = archive(
        ("my_project/__init__.py", b""),
        (f"{folder}.dist-info/METADATA", metadata),
        (f"{folder}.dist-info/RECORD", b""),
        compression=compression,
    )
    assert found(wheel, filename) == metadata


@pytest.mark.parametrize(
    "files",
    [
        pytest.param([], id="nothing"),
        pytest.param([("my_project-1.0.dist-info/RECORD", b"")], id="no METADATA"),
        pytest.param([("other-1.0.dist-info/METADATA", METADATA)], id="another project's"),
        pytest.param([("my_project-2.0.dist-info/METADATA", METADATA)], id="another version's"),
        pytest.param([("vendored/my_project-1.0.dist-info/METADATA", METADATA)], id="not at the top"),
        pytest.param([("my_project-1.0.dist-info/sub/METADATA", METADATA)], id="too deep"),
        pytest.param([("/my_project-1.0.dist-info/METADATA", METADATA)], id="absolute"),
        pytest.param(
            [("my_project-1.0.dist-info/METADATA", METADATA), ("My_Project-1.0.dist-info/METADATA", b"Name: evil")],
            id="two of them",
        ),
        pytest.param([("my_project-1.0.dist-info/METADATA", bytes(MAX_METADATA_BYTES + 1))], id="too large"),
    ],
)
def test_a_wheel_without_exactly_one_that_is_its_own_gives_none(files: list[tuple[str, bytes]]) -> None:
    assert found(archive(*files)) is None


def test_the_largest_metadata_is_given_whole() -> None:
    metadata = METADATA.ljust(MAX_METADATA_BYTES)
    assert found(archive(("my_project-1.0.dist-info/METADATA", metadata))) == metadata


@pytest.mark.parametrize("filename", ["my_project-1.0.tar.gz", "my_project-1.0.zip", ".whl", "my_project.whl"])
def test_what_is_not_called_a_wheel_gives_none(filename: str) -> None:
    assert found(archive(("my_project-1.0.dist-info/METADATA", METADATA)), filename) is None


@pytest.mark.parametrize("kind", [tarfile.PAX_FORMAT, tarfile.GNU_FORMAT, tarfile.USTAR_FORMAT])
@pytest.mark.parametrize("folder", ["my-project-1.0", "./my-project-1.0", "f" * 90, "p"])
def test_a_source_distribution_gives_its_pkg_info(folder: str, kind: int) -> None:
    files = [
        (f"{folder}/src/long/{'n' * 120}/PKG-INFO", b"not at the top"),
        (f"{folder}/src/my.egg-info/PKG-INFO", b"nor is this"),
        (f"{folder}/setup.py", bytes(100_000)),
        (f"{folder}/PKG-INFO", METADATA),
        (f"{folder}/zzz", b"z"),
    ]
    if kind == tarfile.USTAR_FORMAT:
        files.pop(0)  # it cannot hold such a name
    assert found(tarball(*files, kind=kind), "my-project-1.0.tar.gz") == METADATA
    assert found(archive(*files), "my-project-1.0.zip") == METADATA


def test_what_follows_the_first_part_of_a_gzip_file_is_read_too() -> None:
    unpacked = gzip.decompress(tarball(("a-1/setup.py", bytes(1_000)), ("a-1/PKG-INFO", METADATA)))
    parts = gzip.compress(unpacked[:700]) + gzip.compress(unpacked[700:]) + bytes(2_000)
    assert found(parts, "a-1.tar.gz") == METADATA


@pytest.mark.parametrize(
    "content",
    [
        pytest.param(tarball(("a-1/setup.py", METADATA)), id="none"),
        pytest.param(tarball(("PKG-INFO", METADATA)), id="outside a folder"),
        pytest.param(tarball(("a-1/PKG-INFO", bytes(MAX_METADATA_BYTES + 1))), id="too large"),
        pytest.param(tarball(("a-1/setup.py", bytes(3_000_000)), ("a-1/PKG-INFO", METADATA))[:1_000], id="cut"),
        pytest.param(gzip.compress(METADATA), id="no archive"),
        pytest.param(archive(("a-1/PKG-INFO", METADATA)), id="of another kind"),
    ],
)
def test_a_source_distribution_without_one_gives_none(content: bytes) -> None:
    assert found(content, "a-1.tar.gz") is None


@pytest.mark.parametrize(
    "metadata",
    [
        pytest.param(b"", id="nothing"),
        pytest.param(b"Name: my-project\n", id="no version"),
        pytest.param(b"Version: 1.0\n", id="no name"),
        pytest.param(b"Name: other\nVersion: 1.0\n", id="another project"),
        pytest.param(b"Name: my-project\nVersion: 1.1\n", id="another version"),
        pytest.param(b"Name: my-project\nVersion: 1.0" + b".0" * 500_000 + b"\n", id="a version without an end"),
        pytest.param(b"Name: my-project\nVersion: 1.0\nSummary: \xff\n", id="not UTF-8"),
    ],
)
def test_metadata_by_which_installers_fail_is_as_good_as_none(metadata: bytes) -> None:
    """pip ends with a traceback for it, and takes no other version either."""
    wheel = archive(("my_project-1.0.dist-info/METADATA", metadata))
    assert found(wheel) is None
    with pytest.raises(NotAPackageError, match="METADATA"):
        checked_metadata(io.BytesIO(wheel), WHEEL)


def header(name: str, size: bytes, kind: bytes = b"0") -> bytes:
    """Of a tar archive, with a right checksum."""
    block = bytearray(tarfile.TarInfo(name).tobuf(tarfile.USTAR_FORMAT))
    block[124:136], block[156:157], block[148:156] = size.ljust(12, b"\0"), kind, b" " * 8
    block[148:156] = b"%06o\0 " % sum(block)
    return bytes(block)


@pytest.mark.parametrize(
    "size", [b"-1000", b"+1000", b"\xff" * 12, b"0x10", b"1_0", b"9", b"\x80" + b"\xff" * 11, b" " * 11 + b"-"]
)
def test_a_size_that_is_none_is_refused(size: bytes) -> None:
    """A negative one would lead back to the same header, for ever."""
    hostile = gzip.compress(header("a-1.0/x", size) + bytes(2048))
    assert found(hostile, "a-1.0.tar.gz") is None
    with contextlib.suppress(NotAPackageError):
        assert checked_metadata(io.BytesIO(hostile), "a-1.0.tar.gz") is None


@given(st.lists(st.tuples(st.sampled_from(["a/x", "a/PKG-INFO"]), st.binary(max_size=12), st.binary(max_size=1))))
def test_no_header_makes_a_source_distribution_take_for_ever(headers: list[tuple[str, bytes, bytes]]) -> None:
    content = b"".join(header(name, size, kind or b"0") for name, size, kind in headers) + bytes(2048)
    result = found(gzip.compress(content), "a-1.0.tar.gz")
    assert result is None or len(result) <= MAX_METADATA_BYTES


def test_numbers_as_tools_write_them_are_read() -> None:
    for size in (b"00000000073", b"73", b"      73 ", b"73\0rest", b"\x80" + (59).to_bytes(11, "big")):
        content = header("a-1.0/PKG-INFO", size) + METADATA.ljust(512, b"\0") + bytes(1024)
        assert found(gzip.compress(content), "a-1.0.tar.gz") == METADATA.ljust(59, b"\0")[:59]


@pytest.mark.parametrize("cut", [100, 512, 1000, 1536, 2000])
def test_a_source_distribution_whose_archive_ends_early_is_refused(cut: int) -> None:
    whole = gzip.decompress(
        tarball(("a-1.0/PKG-INFO", METADATA), ("a-1.0/setup.py", bytes(1000)), kind=tarfile.USTAR_FORMAT)
    )
    assert checked_metadata(io.BytesIO(gzip.compress(whole)), "a-1.0.tar.gz") == METADATA
    with pytest.raises(NotAPackageError):
        checked_metadata(io.BytesIO(gzip.compress(whole[:cut])), "a-1.0.tar.gz")


@pytest.mark.parametrize("filename", [WHEEL, "my_project-1.0.tar.gz", "my_project-1.0.zip"])
def test_a_failing_disk_is_no_fault_of_the_package(filename: str) -> None:
    class Failing(io.BytesIO):
        def read(self, size: int | None = -1) -> bytes:
            raise OSError(errno.EIO, "not now")

    for read in (core_metadata, checked_metadata):
        with pytest.raises(OSError, match="not now"):
            read(Failing(b"PK" * 1000), filename)


@given(st.data())
def test_a_damaged_source_distribution_never_raises(data: st.DataObject) -> None:
    unpacked = bytearray(gzip.decompress(tarball(("a-1/setup.py", b"b" * 100), ("a-1/PKG-INFO", METADATA))))
    for _ in range(data.draw(st.integers(1, 8))):
        unpacked[data.draw(st.integers(0, len(unpacked) - 1))] = data.draw(st.integers(0, 255))
    packed = gzip.compress(unpacked)
    result = found(packed[: data.draw(st.integers(0, len(packed)))] if data.draw(st.booleans()) else packed, "a-1.tgz")
    assert result is None or len(result) <= MAX_METADATA_BYTES


def test_no_more_is_unpacked_of_a_source_distribution_than_the_bound() -> None:
    header = tarfile.TarInfo("a-1/large")
    header.size = MAX_UNPACKED_BYTES + 1
    rest = gzip.compress(bytes(2**20)) * 600  # far more than the bound, were it unpacked
    assert _peak_bytes(gzip.compress(header.tobuf()) + rest, "a-1.tar.gz") < 2**20


@pytest.mark.parametrize("kind", [b"x", b"g", b"L"])
def test_headers_of_any_length_take_no_memory(kind: bytes) -> None:
    header = tarfile.TarInfo("a-1/pax")
    header.type, header.size = kind, 20 * 2**20
    assert _peak_bytes(gzip.compress(header.tobuf() + bytes(header.size)), "a-1.tar.gz") < 2**20


@pytest.mark.parametrize(
    ("field", "expected"),
    [
        ("Requires-Python: >=3.8\n", ">=3.8"),
        ("requires-python:>=3.8,\n <4\n", ">=3.8, <4"),
        ("Requires-Python: >= 2.7, !=3.0.*\r\n", ">= 2.7, !=3.0.*"),
        ("", None),
        ("Requires-Python: \n", None),
        ("Requires-Python: >=3.6.*\n", None),
        ("Requires-Python: three\n", None),
        ("Name: a\n\nRequires-Python: >=3.8\n", None),
        (f"Requires-Python: >=3.{'8' * 2_000}\n", None),
    ],
)
def test_the_python_versions_are_those_of_the_header_if_installers_can_read_them(
    field: str, expected: str | None
) -> None:
    assert requires_python(f"Metadata-Version: 2.1\n{field}\nA description\n".encode()) == expected


@given(st.binary(max_size=300))
def test_noise_asks_for_no_python_or_for_one_in_a_line(noise: bytes) -> None:
    python = requires_python(b"Requires-Python:" + noise)
    assert python is None or python.isprintable()


@given(st.data())
def test_a_damaged_wheel_never_raises(data: st.DataObject) -> None:
    wheel = bytearray(archive(("my_project-1.0.dist-info/METADATA", METADATA), ("a", b"b" * 100)))
    for _ in range(data.draw(st.integers(1, 8))):
        wheel[data.draw(st.integers(0, len(wheel) - 1))] = data.draw(st.integers(0, 255))
    cut = data.draw(st.integers(0, len(wheel)))
    result = found(bytes(wheel[:cut]) if data.draw(st.booleans()) else bytes(wheel))
    assert result is None or len(result) <= MAX_METADATA_BYTES


@given(st.binary(max_size=200))
def test_noise_gives_none(noise: bytes) -> None:
    assert found(noise) is None


@pytest.mark.parametrize("compression", [zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_a_bomb_is_not_unpacked(compression: int) -> None:
    bomb = archive(("my_project-1.0.dist-info/METADATA", bytes(100 * 1024 * 1024)), compression=compression)
    assert len(bomb) < 1024 * 1024
    assert _peak_bytes(bomb) < 16 * 1024 * 1024


def test_a_directory_of_absurd_length_is_not_read() -> None:
    """Its record says, and the file holds, more than the bound: zipfile would make an object for each entry."""
    small = archive(("a", b""))
    start = small.index(b"PK\x01\x02")
    end = small.index(b"PK\x05\x06")
    entries = small[start:end] * (4 * MAX_DIRECTORY_BYTES // (end - start))
    record = small[end : end + 12] + len(entries).to_bytes(4, "little") + small[end + 16 :]
    assert _peak_bytes(small[:start] + entries + record) < 2 * MAX_DIRECTORY_BYTES


def _peak_bytes(hostile: bytes, filename: str = WHEEL) -> int:
    file = io.BytesIO(hostile)
    tracemalloc.start()
    try:
        assert core_metadata(file, filename) is None
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
