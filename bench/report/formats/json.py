"""Reports in JSON: strict, indented, fields in the order of the model."""

from __future__ import annotations

from pydantic import BaseModel


def json_text(model: BaseModel) -> str:
    """All fields of a model, as its JSON schema describes them."""
    return model.model_dump_json(indent=2) + "\n"
