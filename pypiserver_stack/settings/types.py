"""Types that several settings share, and their descriptions in words."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Mapping
from ipaddress import ip_network
from types import MappingProxyType, UnionType
from typing import Annotated, Any, Union, get_args, get_origin

import pulumi
from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, WithJsonSchema

from pypiserver_stack.settings.problems import Caution, Problem, as_configured

Count = Annotated[int, Field(ge=1, le=1000)]


def only(is_allowed: Callable[[Any], bool]) -> AfterValidator:
    """Those values of a type alone that are allowed; what raises a ValueError is not. `takes` says it in words."""

    def check(value: Any) -> Any:
        if not is_allowed(value):
            raise ValueError(value)
        return value

    return AfterValidator(check)


_WEEKS_AND_MONTHS = [1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180]
_YEARS = [365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653]
_RETENTION_DAYS = [*_WEEKS_AND_MONTHS, *_YEARS]
LogRetentionDays = Annotated[
    int, only(_RETENTION_DAYS.__contains__), WithJsonSchema({"type": "integer", "enum": _RETENTION_DAYS})
]
"""Days for which CloudWatch keeps a log: it takes no others."""


class ListEntry(BaseModel):
    """An object in a list of them."""

    model_config = ConfigDict(frozen=True, extra="forbid", arbitrary_types_allowed=True)


class Group(BaseModel):
    """Settings that belong together, each described by its docstring."""

    model_config = ConfigDict(frozen=True, extra="forbid", arbitrary_types_allowed=True, use_attribute_docstrings=True)

    @classmethod
    def __pydantic_init_subclass__(cls, **kwargs: Any) -> None:
        for setting in cls.model_fields.values():
            setting.description = " ".join((setting.description or "").split())

    def refused(self, key: str, allowed: str, *others: str) -> Problem:
        """The mistake that the value of a setting is, as the others are."""
        return Problem(key, as_configured(getattr(self, key)), allowed, frozenset(others))

    def contradictions(self) -> Iterable[Problem]:
        """Contradictions between the settings of this group."""
        return ()

    def cautions(self) -> Iterable[Caution]:
        """Allowed settings that the operator should know about."""
        return ()


def reference(pattern: str, takes: str) -> Any:
    """The type of a name or ARN of something that exists already; another program may give it as an Output.

    `takes` says in words what the whole text matches.
    """
    matches = re.compile(pattern, re.ASCII).fullmatch
    schema = {"type": "string", "pattern": f"^{pattern}$", "takes": takes}
    is_output_or_matches = only(lambda value: not isinstance(value, str) or matches(value) is not None)
    return Annotated[str | pulumi.Output[Any], is_output_or_matches, WithJsonSchema(schema)]


# As AWS's SDKs list them: the others' names begin with aws- too.
PARTITIONS = ("aws", "aws-cn", "aws-eusc", "aws-iso", "aws-iso-b", "aws-iso-e", "aws-iso-f", "aws-us-gov")
_PARTITION = f"({'|'.join(PARTITIONS)})"


def arn(service: str, resource: str, takes: str) -> Any:
    """The type of an ARN in one region of one account; `resource` is a pattern of what follows both."""
    return reference(rf"arn:{_PARTITION}:{service}:[a-z0-9-]+:\d{{12}}:{resource}", takes)


def iam_arn(resource: str, takes: str) -> Any:
    """The type of an IAM ARN, which has an account and no region."""
    return reference(rf"arn:{_PARTITION}:iam::\d{{12}}:{resource}", takes)


KmsKeyArn: Any = arn("kms", r"key/[A-Za-z0-9-]{1,128}", "the ARN of a KMS key (not of an alias) in the stack's region")
RoleArn: Any = iam_arn(r"role/[\w+=,.@/-]{1,576}", "the ARN of an IAM role")


def _range_of_addresses(value: str) -> str:
    return str(ip_network(value))  # a ValueError where it is none, or has bits behind its prefix


Cidr = Annotated[
    str,
    AfterValidator(_range_of_addresses),
    WithJsonSchema({"type": "string", "takes": "a range of IPv4 or IPv6 addresses such as 10.0.0.0/8"}),
]


def _from_json(value: object) -> object:
    """A list as Pulumi passes one; what is no JSON is no list, and refused."""
    try:
        return json.loads(value) if isinstance(value, str) else value
    except ValueError:
        return value


def _items(value: object) -> object:
    """A list as Pulumi passes one, or texts with commas between."""
    if not isinstance(value, str) or value.lstrip().startswith("["):
        return _from_json(value)
    return [item.strip() for item in value.split(",") if item.strip()]


LISTED = BeforeValidator(_items)
"""Makes a tuple of what a configuration has for it: `Annotated[tuple[str, ...], LISTED]`."""


OBJECTS = BeforeValidator(_from_json)
"""As LISTED, for objects and for texts that may have commas in them."""


def takes_output(annotation: Any) -> bool:
    """Whether a value of this type may be an Output as a whole; a list of Outputs is a list."""
    if get_origin(annotation) is Annotated:
        return takes_output(get_args(annotation)[0])
    return any(
        get_origin(part) is pulumi.Output or takes_output(part)
        for part in (get_args(annotation) if get_origin(annotation) in (Union, UnionType) else ())
    )


def resolved(schema: Mapping[str, Any], definitions: Mapping[str, Any]) -> Mapping[str, Any]:
    """A JSON schema without the detours: over null, and over a definition that stands elsewhere."""
    schema = next((option for option in schema.get("anyOf", ()) if option.get("type") != "null"), schema)
    definition: Mapping[str, Any] = definitions.get(schema.get("$ref", "").rsplit("/", 1)[-1], schema)
    return definition


def allowed_values(schema: Mapping[str, Any], definitions: Mapping[str, Any] = MappingProxyType({})) -> str:
    """The values that a setting of this JSON schema takes, in words."""
    if "takes" not in schema:
        schema = resolved(schema, definitions)
    if "takes" in schema:
        return str(schema["takes"])
    if "enum" in schema:
        return "one of " + ", ".join(map(str, schema["enum"]))
    if "const" in schema:
        return str(schema["const"])
    match schema.get("type"):
        case "integer":
            return f"a whole number from {schema['minimum']} to {schema['maximum']}"
        case "number":
            return f"a number from {schema['minimum']:g} to {schema['maximum']:g}"
        case "boolean":
            return "true or false"
        case "array":
            return f"a list, each {allowed_values(schema['items'], definitions)}"
        case "object":
            needed = schema.get("required", ())
            parts = [
                f"{key} ({allowed_values(part, definitions)}{'' if key in needed else '; may be left out'})"
                for key, part in schema["properties"].items()
            ]
            return f"an object of {', '.join(parts)}"
        case _:
            return f"text that matches {schema['pattern']}" if "pattern" in schema else "text"
