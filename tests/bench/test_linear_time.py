"""No answer of an index holds up the benchmark: what reads it takes time in proportion to its bytes."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress

import pytest

from bench.index.pages import NotAListingError, listed_files, names_project, newest_wheel, project_names
from bench.index.server_timing import server_timing
from bench.report.redact import hide
from tests.growth import LINEAR, growth

READERS: list[Callable[[bytes], object]] = [
    newest_wheel.__wrapped__,
    project_names,
    listed_files.__wrapped__,
    lambda page: names_project(page, "a"),
]


def repeated(piece: bytes) -> Callable[[int], bytes]:
    return lambda count: piece * count


@pytest.mark.parametrize("piece", ["; ", " ;", "total", "total;", "total; ", "total,", "dur=", ";dur", " "])
def test_server_timing(piece: str) -> None:
    # Few of them: what this once was took twice as long for each.
    assert growth(server_timing, lambda count: "total" + piece * count, 6) < LINEAR
    assert growth(server_timing, lambda count: "total" + piece * count, 2_000) < LINEAR


@pytest.mark.parametrize(
    "piece",
    [
        *(b"<a ", b"<a href='", b"<a x=", b"<a href=\"x' ", b"<a href='x'>", b"<!--", b"<!", b"<![CDATA[", b"<?"),
        *(b"</a", b"<", b"&#", b"&", b"<script>", b"<base href=", b'{"', b"[", b"a", b"a."),
    ],
)
@pytest.mark.parametrize("end", [b"", b">"])
def test_pages(piece: bytes, end: bytes) -> None:
    def read(page: bytes) -> None:
        for reader in READERS:
            with suppress(NotAListingError):
                reader(page)

    assert growth(read, lambda count: piece * count + end, 300) < LINEAR


@pytest.mark.parametrize("piece", ["://", "a://", "@", "://@", "a", " ://"])
def test_sentences_that_may_hold_a_url(piece: str) -> None:
    assert growth(lambda text: hide(text, ["secret"]), lambda count: piece * count, 1_000) < LINEAR
