"""Type of an IAM policy document in the configuration."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Annotated, Any

import pulumi
from pydantic import BeforeValidator, WithJsonSchema

# Of all inline policies of a role together; IAM does not count white space.
LIMIT_CHARACTERS = 10240
_KEYS = {"Sid", "Effect", "Action", "NotAction", "Resource", "NotResource", "Condition"}


def _document(value: object) -> object:
    """The document as JSON without white space, whether it came as JSON, as a mapping or as an Output of JSON."""
    if value is None or isinstance(value, pulumi.Output):
        return value
    document = json.loads(value) if isinstance(value, str) else value
    if not isinstance(document, Mapping) or not document.keys() <= {"Version", "Id", "Statement"}:
        raise ValueError(value)
    statements = document.get("Statement")
    statements = [statements] if isinstance(statements, Mapping) else statements
    if not isinstance(statements, list | tuple) or not statements:
        raise ValueError(value)
    if document.get("Version", "2012-10-17") not in ("2012-10-17", "2008-10-17") or not all(map(_is_sound, statements)):
        raise ValueError(value)
    return json.dumps(document, separators=(",", ":"))


def _is_sound(statement: object) -> bool:
    """Whether it is a statement of an identity's policy: what it is allowed or denied on what, and no principal."""
    return (
        isinstance(statement, Mapping)
        and statement.keys() <= _KEYS
        and statement.get("Effect") in ("Allow", "Deny")
        and len(statement.keys() & {"Action", "NotAction"}) == 1
        and len(statement.keys() & {"Resource", "NotResource"}) == 1
    )


PolicyDocument = Annotated[
    str | pulumi.Output[Any],
    BeforeValidator(_document),
    WithJsonSchema(
        {
            "type": "string",
            "takes": (
                "an IAM policy document as JSON, whose statements have Effect, Action and Resource and no Principal; "
                f"together with the stack's own policies at most {LIMIT_CHARACTERS} characters"
            ),
        }
    ),
]
