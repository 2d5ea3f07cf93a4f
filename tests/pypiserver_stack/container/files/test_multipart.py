"""A form comes out as it went in, however its bytes arrive; what is no form is refused."""

from __future__ import annotations

import email.parser
import email.policy
import io
from collections.abc import Iterable, Iterator

import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st
from requests_toolbelt import MultipartEncoder  # type: ignore[import-untyped]
from urllib3 import encode_multipart_formdata

from pypiserver_stack.container.files.multipart import (
    MAX_HEADERS_BYTES,
    MAX_PARTS,
    FormPart,
    MultipartError,
    boundary_of,
    read_form,
)

BOUNDARIES = st.from_regex(r"\A[0-9A-Za-z'()+_,./:=? -]{0,69}[0-9A-Za-z'()+_,./:=?-]\Z")
NAMES = st.text("abcXYZ:_-. ;=", min_size=1, max_size=12)
FILENAMES = st.text("abcXYZ0189_.+-!;=, ü€", max_size=30)
Content = tuple[FormPart, bytes]


def gathered(chunks: Iterable[bytes], boundary: bytes) -> list[Content]:
    contents: list[Content] = []
    for piece in read_form(chunks, boundary):
        if isinstance(piece, FormPart):
            contents.append((piece, b""))
        else:
            part, data = contents[-1]
            contents[-1] = (part, data + piece)
    return contents


def written(contents: Iterable[Content], boundary: bytes) -> bytes:
    form = b""
    for part, data in contents:
        filename = "" if part.filename is None else f'; filename="{part.filename}"'
        form += b"--" + boundary + b"\r\n"
        form += f'Content-Disposition: form-data; name="{part.name}"{filename}\r\n\r\n'.encode() + data + b"\r\n"
    return form + b"--" + boundary + b"--\r\n"


def split(data: bytes, sizes: Iterable[int]) -> Iterator[bytes]:
    """`data` in pieces of the given sizes, and the rest; a size of nought makes an empty piece."""
    start = 0
    for size in sizes:
        yield data[start : start + size]
        start += size
    yield data[start:]


@st.composite
def forms(draw: st.DrawFn) -> tuple[list[Content], bytes]:
    boundary = draw(BOUNDARIES).encode()
    # Data made of what a boundary line is made of.
    fragments = st.sampled_from(
        [b"\r", b"\n", b"\r\n", b"-", b"--", b"\r\n--" + boundary, boundary, boundary[:-1], b"x"]
    )
    data = st.lists(fragments | st.binary(max_size=20), max_size=8).map(b"".join)
    parts = st.builds(FormPart, NAMES, st.none() | FILENAMES)
    contents = draw(st.lists(st.tuples(parts, data), min_size=1, max_size=4))
    for _, content in contents:
        line = b"\r\n" + content + b"\r\n"
        assume(b"\r\n--" + boundary + b"\r\n" not in line and b"\r\n--" + boundary + b"--" not in line)
    return contents, boundary


@given(forms(), st.lists(st.integers(0, 12), max_size=60))
@example(([(FormPart("content", "a"), b"\r\n--b\r")], b"b"), [1] * 60)
@example(([(FormPart("content", "a"), b"\r\n--bx\r\n--b-")], b"b"), [1] * 200)
def test_the_parts_come_out_as_they_went_in_however_the_bytes_are_cut(
    form: tuple[list[Content], bytes], sizes: list[int]
) -> None:
    contents, boundary = form
    assert gathered(split(written(contents, boundary), sizes), boundary) == contents


@given(forms(), st.integers(1, 7))
def test_pieces_of_any_size_make_the_same_parts(form: tuple[list[Content], bytes], size: int) -> None:
    contents, boundary = form
    data = written(contents, boundary)
    assert gathered((data[at : at + size] for at in range(0, len(data), size)), boundary) == contents


@given(forms(), st.data())
def test_a_form_cut_short_anywhere_is_refused(form: tuple[list[Content], bytes], data: st.DataObject) -> None:
    contents, boundary = form
    whole = written(contents, boundary).removesuffix(b"\r\n")
    # Without the last line break a form is whole.
    assert gathered([whole], boundary) == contents
    with pytest.raises(MultipartError):
        gathered([whole[: data.draw(st.integers(0, len(whole) - 1))]], boundary)


@given(
    st.lists(st.tuples(NAMES, st.text(max_size=20) | st.tuples(st.text("ab.-", min_size=1), st.binary())), min_size=1),
    st.integers(1, 100),
)
def test_reads_what_twine_sends(fields: list[tuple[str, str | tuple[str, bytes]]], size: int) -> None:
    encoder = MultipartEncoder(
        [(name, value if isinstance(value, str) else (value[0], io.BytesIO(value[1]))) for name, value in fields]
    )
    boundary = boundary_of(encoder.content_type)
    expected = [
        (FormPart(name, None), value.encode()) if isinstance(value, str) else (FormPart(name, value[0]), value[1])
        for name, value in fields
    ]
    assert gathered(iter(lambda: encoder.read(size), b""), boundary) == expected


@given(st.dictionaries(NAMES, st.text(max_size=20) | st.tuples(st.text("ab.-", min_size=1), st.binary())))
def test_reads_what_requests_sends(fields: dict[str, str | tuple[str, bytes]]) -> None:
    body, content_type = encode_multipart_formdata(fields)
    assume(fields)
    assert gathered([body], boundary_of(content_type)) == [
        (FormPart(name, None), value.encode()) if isinstance(value, str) else (FormPart(name, value[0]), value[1])
        for name, value in fields.items()
    ]


@given(st.lists(st.tuples(st.text("abc", min_size=1), st.text("ab\n -", max_size=30)), min_size=1, max_size=5))
def test_agrees_with_the_parser_of_mails(fields: list[tuple[str, str]]) -> None:
    boundary = b"a-b"
    contents = [(FormPart(name, None), value.replace("\n", "\r\n").encode()) for name, value in fields]
    assume(all(b"--a-b" not in data for _, data in contents))
    form = written(contents, boundary)
    mail = email.parser.BytesParser(policy=email.policy.HTTP).parsebytes(
        b'Content-Type: multipart/form-data; boundary="a-b"\r\n\r\n' + form
    )
    assert gathered([form], boundary) == [
        (
            FormPart(str(part.get_param("name", header="content-disposition")), None),
            str(part.get_payload()).encode(),
        )
        for part in mail.iter_parts()
    ]


@pytest.mark.parametrize(
    ("content_type", "form", "contents"),
    [
        pytest.param(
            "multipart/form-data; boundary=------------------------d74496d66958873e",
            b"--------------------------d74496d66958873e\r\n"
            b'Content-Disposition: form-data; name="content"; filename="a \\"b\\".whl"\r\n'
            b"Content-Type: application/octet-stream\r\n\r\nPK\r\n"
            b"--------------------------d74496d66958873e--\r\n",
            [(FormPart("content", 'a "b".whl'), b"PK")],
            id="curl",
        ),
        pytest.param(
            "multipart/form-data; boundary=geckoformboundary3e2a7f",
            b'--geckoformboundary3e2a7f\r\nContent-Disposition: form-data; name="a"; filename=""\r\n'
            b"Content-Type: application/octet-stream\r\n\r\n\r\n--geckoformboundary3e2a7f--\r\n",
            [(FormPart("a", ""), b"")],
            id="a browser, no file chosen",
        ),
        pytest.param(
            'multipart/form-data; charset=utf-8; boundary="=_1:2 3"',
            b"--=_1:2 3\r\ncontent-disposition: Form-Data;name=plain;filename=a.zip\r\n\r\n1\r\n--=_1:2 3--",
            [(FormPart("plain", "a.zip"), b"1")],
            id="quoted boundary, bare parameters, no last line break",
        ),
        pytest.param(
            "multipart/form-data; boundary=b",
            b'a greeting\r\n--b\r\nContent-Disposition: form-data; name="a"\r\n\r\n1\r\n--b--\r\nand a farewell --b',
            [(FormPart("a", None), b"1")],
            id="something before and after",
        ),
        pytest.param(
            "multipart/form-data; boundary=b",
            b'--b\r\nContent-Disposition: form-data; name="a"\r\n\r\n--b\r\n'
            b'Content-Disposition: form-data; name="c"\r\n\r\n--b--',
            [(FormPart("a", None), b""), (FormPart("c", None), b"")],
            id="empty parts without a line of their own",
        ),
        pytest.param(
            "multipart/form-data; boundary=b",
            b'--b\r\nContent-Disposition: form-data; name="a; filename=\\"x\\""; filename*=utf-8\'\'y\r\n\r\n\r\n--b--',
            [(FormPart('a; filename="x"', None), b"")],
            id="a name that looks like parameters",
        ),
        pytest.param("multipart/form-data; boundary=b", b"--b--\r\n", [], id="no part at all"),
    ],
)
def test_reads_forms_as_they_are_on_the_wire(content_type: str, form: bytes, contents: list[Content]) -> None:
    boundary = boundary_of(content_type)
    assert gathered([form], boundary) == contents
    assert gathered((form[at : at + 1] for at in range(len(form))), boundary) == contents


@pytest.mark.parametrize(
    "form",
    [
        b"",
        b"no boundary at all",
        b"--b",
        b"--b\r\n\r\ndata\r\n--b--",
        b"--b\r\nContent-Type: text/plain\r\n\r\ndata\r\n--b--",
        b'--b\r\nContent-Disposition: attachment; name="a"\r\n\r\n\r\n--b--',
        b"--b\r\nContent-Disposition: form-data; filename=x\r\n\r\n\r\n--b--",
        b"--b\r\nContent-Disposition: form-data; name=a\r\nContent-Disposition: form-data; name=b\r\n\r\n\r\n--b--",
        b"--b\r\nContent-Disposition: form-data; name=a\r\n folded: yes\r\n\r\n\r\n--b--",
        b"--b\r\nContent-Disposition: form-data; name=a\r\nno colon\r\n\r\n\r\n--b--",
        b"--b\r\nContent-Disposition: form-data; name=a\nX: y\r\n\r\n\r\n--b--",
        b"--b\r\nContent-Disposition: form-data; name=\x00\r\n\r\n\r\n--b--",
        b"--b\nContent-Disposition: form-data; name=a\n\n1\n--b--\n",
        b"--b\r\nContent-Disposition: form-data; name=a\r\n\r\n--b",
    ],
)
def test_refuses_what_is_no_form(form: bytes) -> None:
    with pytest.raises(MultipartError):
        gathered([form], b"b")
    with pytest.raises(MultipartError):
        gathered((form[at : at + 1] for at in range(len(form))), b"b")


@pytest.mark.parametrize(
    "content_type",
    [
        "multipart/form-data",
        "multipart/form-data; boundary=",
        'multipart/form-data; boundary=""',
        'multipart/form-data; boundary="ends in a blank "',
        "multipart/form-data; boundary=" + "b" * 71,
        "multipart/form-data; boundary=\u00fc",
        'multipart/form-data; boundary="a\r\nb"',
        "multipart/form-data; x=boundary",
    ],
)
def test_refuses_a_boundary_that_is_none(content_type: str) -> None:
    with pytest.raises(MultipartError, match="boundary"):
        boundary_of(content_type)


@given(st.integers(1, 5000))
def test_the_headers_of_a_part_are_bounded_however_they_arrive(size: int) -> None:
    def form(filling: int) -> Iterator[bytes]:
        header = b"Content-Disposition: form-data; name=a\r\nX: "
        data = b"--b\r\n" + header + b"x" * (filling - len(header)) + b"\r\n\r\n1\r\n--b--"
        return (data[at : at + size] for at in range(0, len(data), size))

    assert gathered(form(MAX_HEADERS_BYTES), b"b") == [(FormPart("a", None), b"1")]
    with pytest.raises(MultipartError, match="longer"):
        gathered(form(MAX_HEADERS_BYTES + 1), b"b")


def test_headers_without_an_end_are_not_collected() -> None:
    read = 0

    def chunks() -> Iterator[bytes]:
        nonlocal read
        yield b"--b\r\nX: "
        while True:
            read += 1
            yield b"x" * 1024

    with pytest.raises(MultipartError, match="longer"):
        gathered(chunks(), b"b")
    assert read <= MAX_HEADERS_BYTES // 1024 + 1


def test_the_number_of_parts_is_bounded() -> None:
    contents = [(FormPart("a", None), b"1")] * MAX_PARTS
    assert gathered([written(contents, b"b")], b"b") == contents
    with pytest.raises(MultipartError, match="parts"):
        gathered([written([*contents, contents[0]], b"b")], b"b")


@pytest.mark.parametrize("unit", [b"\r\n--b-", b"\r\n--", b"\r", b"\r\n--b\r", b"x--b"])
@pytest.mark.parametrize("size", [1, 64 * 1024, 4 * 1024 * 1024])
def test_data_of_nothing_but_beginnings_of_a_boundary_takes_linear_time(unit: bytes, size: int) -> None:
    """In quadratic time, a quarter of a million searches through megabytes would not end within the test's limit."""
    data = unit * (max(size, 256 * 1024) // len(unit))
    form = written([(FormPart("content", "x"), data)], b"b")
    pieces = list(read_form((form[at : at + size] for at in range(0, len(form), size)), b"b"))
    assert b"".join(piece for piece in pieces[1:] if isinstance(piece, bytes)) == data
    # Nor does it fall into dust, each grain of which would be a write.
    assert len(pieces) <= len(form) // size + 5


def test_what_follows_the_form_is_read_too() -> None:
    """Who counts the bytes of a body wants to see all of them."""
    chunks = iter([b"--b--\r\n", b"more", b"and more"])
    assert list(read_form(chunks, b"b")) == []
    assert list(chunks) == []


def test_no_more_is_held_than_a_chunk() -> None:
    """Each chunk but its last few bytes is handed on before the next is asked for."""
    handed = asked = 0

    def chunks() -> Iterator[bytes]:
        nonlocal asked
        yield b"--b\r\nContent-Disposition: form-data; name=a\r\n\r\n"
        for _ in range(50):
            assert handed >= asked - 10
            asked += 1000
            yield b"\r" * 1000
        yield b"\r\n--b--"

    for piece in read_form(chunks(), b"b"):
        handed += len(piece) if isinstance(piece, bytes) else 0
    assert handed == 50_000
