"""Base of all pydantic models of the reports, and the types of their fields."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, model_validator

from pypiserver_stack.common.text import valid_text

Count = Annotated[int, Field(ge=0)]
Positive = Annotated[int, Field(ge=1)]
Share = Annotated[float, Field(ge=0, le=1)]
Seconds = Annotated[float, Field(description="Seconds.")]


class ModelPart(BaseModel):
    """Immutable; knows no field that is not declared; strict JSON has neither NaN nor Infinity."""

    model_config = ConfigDict(
        frozen=True,
        extra="forbid",
        allow_inf_nan=False,
        # A field with a default was added later: reports of before are read without it, and every one has it now.
        json_schema_serialization_defaults_required=True,
    )

    @model_validator(mode="before")
    @classmethod
    def _of_valid_text(cls, values: Any) -> Any:
        """A command line, a path or a name may hold bytes that are no text, which neither JSON nor Markdown can."""
        return _valid(values)


def _valid(value: Any) -> Any:
    if isinstance(value, str):
        return valid_text(value)
    if isinstance(value, dict):
        return {_valid(key): _valid(part) for key, part in value.items()}
    if isinstance(value, list):
        return [_valid(part) for part in value]
    return value
