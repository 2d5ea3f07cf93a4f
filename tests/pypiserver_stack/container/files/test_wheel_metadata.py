"""METADATA comes out of a wheel byte for byte; out of anything else comes nothing, whatever the file does."""

from __future__ import annotations

import io
import tracemalloc
import zipfile
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pypiserver_stack.container.files.wheel_metadata import MAX_DIRECTORY_BYTES, MAX_METADATA_BYTES, wheel_metadata

WHEEL = "my_project-1.0-py3-none-any.whl"
METADATA = b"Metadata-Version: 2.1\nName: my-project\nVersion: 1.0\n\nr\xc3\xa9sum\xc3\xa9\r\n"


def archive(*files: tuple[str, bytes], compression: int = zipfile.ZIP_DEFLATED) -> bytes:
    written = io.BytesIO()
    with zipfile.ZipFile(written, "w", compression) as made:
        for name, data in files:
            made.writestr(name, data)
    return written.getvalue()


def found(tmp_path: Path, content: bytes, filename: str = WHEEL) -> bytes | None:
    path = tmp_path / "incoming"
    path.write_bytes(content)
    return wheel_metadata(str(path), filename)


@pytest.mark.parametrize("compression", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED])
@pytest.mark.parametrize(
    ("folder", "filename"),
    [
        ("my_project-1.0", WHEEL),
        ("My.Project-1.0", WHEEL),
        ("my_project-1.0", "My_Project-1.0-1-py3-none-any.whl"),
        ("my_project-1.0+local.1", "my_project-1.0+local.1-cp311-cp311-manylinux_2_17_x86_64.manylinux2014_x86_64.whl"),
        ("my_project-1.0rc1", "my_project-1.0RC1-py3-none-any.whl"),
    ],
)
def test_a_wheel_gives_its_metadata(tmp_path: Path, folder: str, filename: str, compression: int) -> None:
    wheel = archive(
        ("my_project/__init__.py", b""),
        (f"{folder}.dist-info/METADATA", METADATA),
        (f"{folder}.dist-info/RECORD", b""),
        compression=compression,
    )
    assert found(tmp_path, wheel, filename) == METADATA


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
def test_a_wheel_without_exactly_one_that_is_its_own_gives_none(tmp_path: Path, files: list[tuple[str, bytes]]) -> None:
    assert found(tmp_path, archive(*files)) is None


def test_the_largest_metadata_is_given_whole(tmp_path: Path) -> None:
    metadata = bytes(MAX_METADATA_BYTES)
    assert found(tmp_path, archive(("my_project-1.0.dist-info/METADATA", metadata))) == metadata


@pytest.mark.parametrize("filename", ["my_project-1.0.tar.gz", "my_project-1.0.zip", ".whl", "my_project.whl"])
def test_what_is_not_called_a_wheel_gives_none(tmp_path: Path, filename: str) -> None:
    assert found(tmp_path, archive(("my_project-1.0.dist-info/METADATA", METADATA)), filename) is None


def test_no_file_gives_none(tmp_path: Path) -> None:
    assert wheel_metadata(str(tmp_path / "missing"), WHEEL) is None


@given(st.data())
def test_a_damaged_wheel_never_raises(tmp_path_factory: pytest.TempPathFactory, data: st.DataObject) -> None:
    wheel = bytearray(archive(("my_project-1.0.dist-info/METADATA", METADATA), ("a", b"b" * 100)))
    for _ in range(data.draw(st.integers(1, 8))):
        wheel[data.draw(st.integers(0, len(wheel) - 1))] = data.draw(st.integers(0, 255))
    cut = data.draw(st.integers(0, len(wheel)))
    result = found(tmp_path_factory.getbasetemp(), bytes(wheel[:cut]) if data.draw(st.booleans()) else bytes(wheel))
    assert result is None or len(result) <= MAX_METADATA_BYTES


@given(st.binary(max_size=200))
def test_noise_gives_none(tmp_path_factory: pytest.TempPathFactory, noise: bytes) -> None:
    assert found(tmp_path_factory.getbasetemp(), noise) is None


@pytest.mark.parametrize("compression", [zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_a_bomb_is_not_unpacked(tmp_path: Path, compression: int) -> None:
    bomb = archive(("my_project-1.0.dist-info/METADATA", bytes(100 * 1024 * 1024)), compression=compression)
    assert len(bomb) < 1024 * 1024
    assert _peak_bytes(tmp_path, bomb) < 16 * 1024 * 1024


def test_a_directory_of_absurd_length_is_not_read(tmp_path: Path) -> None:
    """Its record says, and the file holds, more than the bound: zipfile would make an object for each entry."""
    small = archive(("a", b""))
    start = small.index(b"PK\x01\x02")
    end = small.index(b"PK\x05\x06")
    entries = small[start:end] * (4 * MAX_DIRECTORY_BYTES // (end - start))
    record = small[end : end + 12] + len(entries).to_bytes(4, "little") + small[end + 16 :]
    assert _peak_bytes(tmp_path, small[:start] + entries + record) < 2 * MAX_DIRECTORY_BYTES


def _peak_bytes(tmp_path: Path, hostile: bytes) -> int:
    path = tmp_path / "incoming"
    path.write_bytes(hostile)
    tracemalloc.start()
    try:
        assert wheel_metadata(str(path), WHEEL) is None
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
