"""Types of a Pulumi schema, from the types of settings and outputs."""

from __future__ import annotations

import types
from collections.abc import Mapping
from typing import Annotated, Any, Literal, Required, TypedDict, Union, get_args, get_origin

import pulumi
from pydantic import BaseModel


def schema_type(annotation: Any) -> Any:
    """The type of a setting or of a number of the plan, as Pulumi's analyzer takes it.

    What may be an Output becomes an Input. What only certain texts are allowed for becomes text: Pulumi would convert a
    text into an enum before any of our checks, and report the first mistake alone.
    """
    if annotation in (str, int, float, bool):
        return annotation
    origin, arguments = get_origin(annotation), get_args(annotation)
    if origin is Annotated:
        return schema_type(arguments[0])
    if origin is Literal:
        types_ = {type(value) for value in arguments}
        return types_.pop() if len(types_) == 1 else str
    if origin is tuple:
        return list[schema_type(arguments[0])]  # type: ignore[misc]  # computed on purpose
    if origin is Mapping:
        return dict[str, schema_type(arguments[1])]  # type: ignore[misc]  # computed on purpose
    if origin in (Union, types.UnionType):
        (kind,) = {schema_type(part) for part in arguments if part is not types.NoneType and not _is_output(part)}
        as_input: Any = pulumi.Input
        return as_input[kind] if any(map(_is_output, arguments)) else kind
    assert issubclass(annotation, BaseModel), annotation
    return typed_dict(
        annotation.__name__,
        {
            name: Required[schema_type(field.annotation)] if field.is_required() else schema_type(field.annotation)
            for name, field in annotation.model_fields.items()
        },
        annotation.__doc__,
    )


def typed_dict(name: str, annotations: Mapping[str, Any], doc: str | None) -> type:
    """A dictionary type, of which nothing but what is marked Required must be there."""
    made: type = TypedDict(name, dict(annotations), total=False)  # type: ignore[misc]  # its parts are computed
    made.__doc__ = doc
    return made


def _is_output(annotation: Any) -> bool:
    return get_origin(annotation) is pulumi.Output
