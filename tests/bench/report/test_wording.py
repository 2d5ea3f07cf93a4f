"""Words and figures of reports."""

from __future__ import annotations

import pytest

from bench.report import wording


@pytest.mark.parametrize(
    ("name", "value", "text"),
    [
        ("listing_p95_s", 2.0, "2.000 s"),
        ("listing_p95_s", 0.0001, "0.0001 s"),
        ("listing_p95_s", 1_234.5, "1,234.500 s"),
        ("error_rate", 0.01, "1.00 %"),
        ("error_rate", 0.07, "7.00 %"),
        ("error_rate", 0.00005, "0.005 %"),
        ("status_5xx", 0.0, "0"),
    ],
)
def test_a_limit_is_shown_with_all_its_digits(name: str, value: float, text: str) -> None:
    assert wording.limit(name, value) == text
