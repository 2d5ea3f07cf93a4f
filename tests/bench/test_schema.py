"""What commands write has the shape that its schema.json promises, and a page that names every field."""

from __future__ import annotations

import importlib
import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

import bench
from bench.common.model_part import ModelPart
from bench.deployment import description
from bench.deployment.observe import series
from bench.diagnosis import finding
from bench.report import outcome
from bench.schema import MODELS, schema_text

DOCS = Path(bench.__file__).parent.parent / "docs"
PAGES = {
    "report": "report.md",
    "metrics": "metrics.md",
    "comparison": "compare.md",
    "consistency": "consistency.md",
    "explanation": "performance.md",
    "bill": "cost.md",
    "stack": "aws.md",
}


def committed(name: str) -> Path:
    module = importlib.import_module(MODELS[name][0])
    assert module.__file__ is not None
    return Path(module.__file__).with_name("schema.json")


@pytest.mark.parametrize("name", MODELS)
def test_the_committed_schema_is_that_of_the_model(name: str) -> None:
    module, model = MODELS[name]
    assert committed(name).read_text() == schema_text(getattr(importlib.import_module(module), model)), (
        f"the model has changed: run `python -m bench.schema {name}` into {committed(name)}, "
        "and raise schema_version if a reader of older files would go wrong"
    )


@pytest.mark.parametrize("name", MODELS)
def test_the_schema_requires_every_field(name: str) -> None:
    schema = json.loads(committed(name).read_text())

    for shape in (schema, *schema["$defs"].values()):
        assert shape["required"] == list(shape["properties"])
        assert shape["additionalProperties"] is False


def parts(of: type[ModelPart] = ModelPart) -> Iterator[type[ModelPart]]:
    for part in of.__subclasses__():
        yield part
        yield from parts(part)


def pages() -> Iterator[tuple[str, type[ModelPart]]]:
    """Each part of a model, with the page that names its fields."""
    modules = {importlib.import_module(module).__name__: PAGES[name] for name, (module, _) in MODELS.items()}
    modules |= dict.fromkeys((outcome.__name__, description.__name__), PAGES["report"])
    modules[finding.__name__] = PAGES["report"]
    modules[series.__name__] = PAGES["metrics"]
    yield from ((modules[part.__module__], part) for part in parts() if part.__module__ in modules)


@pytest.mark.parametrize(("page", "part"), list(pages()), ids=lambda value: getattr(value, "__name__", ""))
def test_every_field_is_on_its_page(page: str, part: type[ModelPart]) -> None:
    code = re.findall(r"`([^`\n]+)`", (DOCS / page).read_text("utf-8"))

    assert set(part.model_fields) <= {word for text in code for word in re.findall(r"\w+", text)}
