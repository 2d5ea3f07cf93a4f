"""Pulumi's wire form against plain values."""

from __future__ import annotations

import json
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from bench.deployment.pulumi_wire.property_values import (
    from_struct,
    path_text,
    plain,
    secret_paths,
    to_struct,
    with_secrets,
)

SIGNATURE = "4dabf18193072939515e22adb298388d"
SECRET = "1b47061264138c4ac30d75fd1eb44270"

scalars = st.none() | st.booleans() | st.integers(-(2**50), 2**50) | st.floats(-1e9, 1e9) | st.text()
values = st.recursive(
    scalars, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3), max_leaves=10
)
objects = st.dictionaries(st.text(), values, max_size=4)


def paths_of(value: Any, path: tuple[str | int, ...] = ()) -> list[tuple[str | int, ...]]:
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [path, *(found for key, item in items for found in paths_of(item, (*path, key)))]


def secret(value: Any) -> dict[str, Any]:
    return {SIGNATURE: SECRET, "value": value}


def test_a_known_message() -> None:
    wire = {
        "port": 8080.0,
        "ratio": 0.5,
        "absent": None,
        "list": [None, {"password": secret("hidden"), "absent": None}],
        "whole": secret({"a": 1.0, "inner": secret("x")}),
    }
    assert plain(wire) == {
        "port": 8080,
        "ratio": 0.5,
        "list": [None, {"password": "hidden"}],
        "whole": {"a": 1, "inner": "x"},
    }
    assert isinstance(plain(wire)["port"], int)
    assert {path_text(path) for path in secret_paths(wire)} == {"list[1].password", "whole"}


def test_a_secret_in_an_exported_state() -> None:
    state = {"password": {SIGNATURE: SECRET, "plaintext": json.dumps({"a": [1.0]})}}
    assert plain(state) == {"password": {"a": [1]}}
    assert secret_paths(state) == {("password",)}


@given(objects, st.data())
def test_what_is_marked_is_found_and_nothing_else_changes(value: dict[str, Any], data: st.DataObject) -> None:
    marked = data.draw(st.lists(st.sampled_from(paths_of(value)[1:] or [()]), max_size=3))
    outermost = {p for p in marked if not any(p != other and p[: len(other)] == other for other in marked)}
    wire = with_secrets(value, marked)
    assert secret_paths(wire) == outermost
    assert plain(wire) == plain(value)


@given(objects)
def test_a_message_carries_every_value(value: dict[str, Any]) -> None:
    assert plain(from_struct(to_struct(value))) == plain(value)
