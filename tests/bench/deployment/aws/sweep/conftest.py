"""An AWS without anything in it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.aws_stand_in.endpoint import aws_endpoint


@pytest.fixture(autouse=True)
def _endpoint() -> Iterator[None]:
    with aws_endpoint():
        yield
