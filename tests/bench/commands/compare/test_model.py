"""comparison.json has the shape that schema.json promises, and a page that names every field."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from pydantic import BaseModel

import bench.commands.compare.model
from bench.commands.compare import model
from bench.commands.compare.bootstrap import RESAMPLES
from bench.commands.compare.figures import FIGURES
from bench.commands.compare.gate import GATED, LEAST_CHANGE_IN_ROUNDS, LEAST_CHANGE_OF_SINGLE_RUNS, GateLimits
from bench.common.model_part import Part
from bench.schema import schema_text

SCHEMA = Path(bench.commands.compare.model.__file__).with_name("schema.json")
PAGE = Path(bench.__file__).parent.parent / "docs" / "compare.md"
PARTS = [part for part in Part.__subclasses__() if part.__module__ == model.__name__]


def test_the_committed_schema_is_that_of_the_model() -> None:
    assert SCHEMA.read_text() == schema_text(model.Comparison), (
        "the model of a comparison has changed: run\n"
        "`python -m bench.schema comparison > bench/commands/compare/schema.json`, "
        "and raise schema_version if a reader of old comparisons would go wrong"
    )


def test_the_schema_requires_every_field() -> None:
    schema = json.loads(SCHEMA.read_text())

    for shape in (schema, *schema["$defs"].values()):
        assert shape["required"] == list(shape["properties"])
        assert shape["additionalProperties"] is False


def words_in_code() -> set[str]:
    return {word for code in re.findall(r"`([^`\n]+)`", PAGE.read_text()) for word in re.findall(r"\w+", code)}


@pytest.mark.parametrize("part", PARTS, ids=lambda part: part.__name__)
def test_every_field_is_on_its_page(part: type[BaseModel]) -> None:
    assert set(part.model_fields) <= words_in_code()


def test_every_figure_is_on_its_page() -> None:
    assert set(FIGURES) <= words_in_code()


def test_the_page_gives_the_limits_of_the_gate() -> None:
    page = PAGE.read_text()

    assert f"| `--least-change` | {LEAST_CHANGE_IN_ROUNDS:g}; of single runs {LEAST_CHANGE_OF_SINGLE_RUNS:g} |" in page
    assert f"| `--latency-floor` | {GateLimits().latency_floor_s:g} |" in page
    for name, gated in GATED.items():
        assert gated.floor is None or f"| `{name}` | {gated.floor:g} |" in page
    assert f"{RESAMPLES:,} resamples" in page
