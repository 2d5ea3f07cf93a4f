"""Cases of a test that are left to `make thorough`: others of the same kind stand for them in every run."""

from __future__ import annotations

import pytest


def thorough(*cases: object) -> list[object]:
    """These cases of a `parametrize`, each a value or a tuple of them, marked."""
    marked = (case if isinstance(case, tuple) else (case,) for case in cases)
    return [pytest.param(*values, marks=pytest.mark.thorough) for values in marked]
