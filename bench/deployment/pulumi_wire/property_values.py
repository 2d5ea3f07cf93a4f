"""Property values as Pulumi has them on the wire and in its state, and the same as plain JSON values.

A secret is an object with a signature: around the value on the wire, around its JSON text in an exported state. Every
number is a double on the wire, and an absent value may be there as null.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Any

from google.protobuf import json_format, struct_pb2  # type: ignore[import-untyped]

_SIGNATURE = "4dabf18193072939515e22adb298388d"
_SECRET = "1b47061264138c4ac30d75fd1eb44270"

Path = tuple[str | int, ...]


def plain(value: Any) -> Any:
    """The value in clear, with whole-number floats made ints and nulls left out of objects."""
    if isinstance(value, Mapping):
        if _is_secret(value):
            return plain(_revealed(value))
        items = {key: plain(item) for key, item in value.items()}
        return {key: item for key, item in items.items() if item is not None}
    if isinstance(value, list | tuple):
        return [plain(item) for item in value]
    if isinstance(value, float) and value.is_integer():
        return int(value)
    return value


def secret_paths(value: Any, path: Path = ()) -> frozenset[Path]:
    """Where the outermost secrets in a value are: keys and indices, from the outside in."""
    if isinstance(value, Mapping):
        if _is_secret(value):
            return frozenset([path])
        return frozenset().union(*(secret_paths(item, (*path, key)) for key, item in value.items()))
    if isinstance(value, list | tuple):
        return frozenset().union(*(secret_paths(item, (*path, index)) for index, item in enumerate(value)))
    return frozenset()


def with_secrets(value: Any, paths: Iterable[Path]) -> Any:
    """The plain value in its wire form, with what lies at `paths` marked as secret."""
    paths = frozenset(paths)
    if () in paths:
        return {_SIGNATURE: _SECRET, "value": value}
    if isinstance(value, Mapping):
        return {key: with_secrets(item, _below(key, paths)) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [with_secrets(item, _below(index, paths)) for index, item in enumerate(value)]
    return value


def path_text(path: Path) -> str:
    """A path as a person writes it: `volumes[0].name`."""
    return "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in path).removeprefix(".")


def from_struct(struct: struct_pb2.Struct) -> dict[str, Any]:
    """The values of a message, still in their wire form."""
    values: dict[str, Any] = json_format.MessageToDict(struct)
    return values


def to_struct(values: Mapping[str, Any]) -> struct_pb2.Struct:
    """A message with these values, which are in their wire form."""
    return json_format.ParseDict(dict(values), struct_pb2.Struct())


def _below(key: str | int, paths: frozenset[Path]) -> frozenset[Path]:
    return frozenset(path[1:] for path in paths if path[0] == key)


def _is_secret(value: Mapping[str, Any]) -> bool:
    return value.get(_SIGNATURE) == _SECRET


def _revealed(secret: Mapping[str, Any]) -> Any:
    return secret["value"] if "value" in secret else json.loads(secret["plaintext"])
