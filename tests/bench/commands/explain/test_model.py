"""explain.json has the shape that schema.json promises, and a page that names every field."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from pydantic import BaseModel

import bench.commands.explain.model
from bench.commands.explain import model
from bench.common.model_part import Part
from bench.schema import schema_text

SCHEMA = Path(bench.commands.explain.model.__file__).with_name("schema.json")
PAGE = Path(bench.__file__).parent.parent / "docs" / "performance.md"
PARTS = [part for part in Part.__subclasses__() if part.__module__ == model.__name__]


def test_the_committed_schema_is_that_of_the_model() -> None:
    assert SCHEMA.read_text() == schema_text(model.Explanation), (
        "an explanation's model has changed: run\n"
        "`python -m bench.schema explanation > bench/commands/explain/schema.json`, "
        "and raise schema_version if a reader of older ones would go wrong"
    )


def test_the_schema_requires_every_field() -> None:
    schema = json.loads(SCHEMA.read_text())

    for shape in (schema, *schema["$defs"].values()):
        assert shape["required"] == list(shape["properties"])
        assert shape["additionalProperties"] is False


@pytest.mark.parametrize("part", PARTS, ids=lambda part: part.__name__)
def test_every_field_is_on_its_page(part: type[BaseModel]) -> None:
    words = {word for code in re.findall(r"`([^`\n]+)`", PAGE.read_text()) for word in re.findall(r"\w+", code)}

    assert set(part.model_fields) <= words
