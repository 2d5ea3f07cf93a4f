"""What is read of Server-Timing, from servers that write it and from those that write something else."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bench.index.server_timing import server_timing


@pytest.mark.parametrize(
    ("header", "expected_s"),
    [
        ("auth;dur=0.042, index;dur=0.311, file;dur=0.120, total;dur=0.61", 0.00061),
        ("total;dur=12", 0.012),
        ("total;dur=0", 0.0),
        ("total;dur=1e3", 1.0),
        ("total;dur=250,auth;dur=1", 0.25),
        ('total;desc="all of it";dur=250', 0.25),
        ('total ; dur = "250" , auth', 0.25),
        ("subtotal;dur=1, total;dur=250", 0.25),
        ("total, total;dur=250", 0.25),
    ],
)
def test_the_total(header: str, expected_s: float) -> None:
    assert server_timing(header).total_s == pytest.approx(expected_s)


@pytest.mark.parametrize(
    ("header", "expected_s"),
    [
        ("auth;dur=52.25, index;dur=0.311, total;dur=60", 0.05225),
        ("total;dur=60, auth;dur=0", 0.0),
        ("total;dur=60", math.nan),
        ("auth, total;dur=60", math.nan),
        ("oauth;dur=52, total;dur=60", math.nan),
    ],
)
def test_the_check_of_the_credentials(header: str, expected_s: float) -> None:
    assert server_timing(header).auth_s == pytest.approx(expected_s, nan_ok=True)


@pytest.mark.parametrize(
    "header",
    [
        "",
        "total",
        "total;dur",
        "total;dur=",
        "total;dur=fast",
        "total;dur=-1",
        "total;dur=nan",
        "total;dur=inf",
        "total;dur=1e999",
        "total;dur=1.2.3",
        "auth;dur=1",
        "subtotal;dur=1",
        "total-db;dur=1",
        "total, auth;dur=1",
        "total;dur=\udcff\udcfe",
        ",;=,;=,;=",
    ],
)
def test_a_header_that_gives_no_total(header: str) -> None:
    assert math.isnan(server_timing(header).total_s)


@given(st.one_of(st.text(max_size=200), st.text('total;dur=,. \t"1eE-', max_size=200)))
def test_no_header_is_an_error_or_a_time_that_cannot_be(header: str) -> None:
    for found_s in server_timing(header):
        assert math.isnan(found_s) or 0 <= found_s < math.inf
