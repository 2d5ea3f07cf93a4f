"""Whatever is marked secret, and whatever is known to be, is in no file."""

from __future__ import annotations

import base64
import gzip
import json
from collections.abc import Callable
from typing import Any
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bench.deployment.graph import Resource
from bench.report.redact import HIDDEN, hide, redacted_resources

PASSWORD = 'x7"Kq/9+vL2\\mZ'


def resource(name: str, inputs: dict[str, Any], *secret_paths: str) -> Resource:
    return Resource(
        urn=f"urn:pulumi:stress::pypiserver::aws:kind::{name}",
        type="aws:kind",
        name=name,
        parent="",
        inputs=inputs,
        secret_paths=frozenset(secret_paths),
        dependencies=(),
    )


def inputs_of(*resources: Resource, secrets: tuple[str, ...] = ()) -> list[dict[str, Any]]:
    return [described["inputs"] for described in redacted_resources(resources, secrets)]


def test_resources_come_by_urn_with_all_that_identifies_them() -> None:
    second, first = resource("b", {"count": 2}), resource("a", {})

    described = redacted_resources([second, first])

    assert [entry["name"] for entry in described] == ["a", "b"]
    assert described[1] == {
        "urn": second.urn,
        "type": "aws:kind",
        "name": "b",
        "parent": "",
        "id": "",
        "inputs": {"count": 2},
    }


def test_paths_into_mappings_and_lists() -> None:
    inputs = {"secretString": "abc", "containers": [{"x": 1, "y": 2}, {"x": 3}], "kept": ["abc"]}

    (shown,) = inputs_of(resource("a", inputs, "secretString", "containers[0].x"))

    assert shown == {"secretString": HIDDEN, "containers": [{"x": HIDDEN, "y": 2}, {"x": 3}], "kept": ["abc"]}


def test_a_key_with_dots_is_found() -> None:
    (shown,) = inputs_of(resource("a", {"tags": {"a.b": "hidden", "c": "shown"}}, "tags.a.b"))

    assert shown == {"tags": {"a.b": HIDDEN, "c": "shown"}}


def test_a_path_into_json_text_hides_all_of_the_text() -> None:
    (shown,) = inputs_of(resource("a", {"containerDefinitions": '[{"x": 1}]'}, "containerDefinitions[0].x"))

    assert shown == {"containerDefinitions": HIDDEN}


def test_a_marked_value_is_hidden_wherever_else_it_stands() -> None:
    marked = resource("a", {"secretString": PASSWORD}, "secretString")
    elsewhere = resource("b", {"command": ["--password", PASSWORD], "json": json.dumps({"password": PASSWORD})})

    shown = json.dumps(inputs_of(marked, elsewhere))

    assert json.dumps(PASSWORD)[1:-1] not in shown
    assert json.dumps(json.dumps(PASSWORD)[1:-1])[1:-1] not in shown


def test_a_marked_value_that_says_little_is_not_hunted_down() -> None:
    marked = resource("a", {"enabled": "true"}, "enabled")

    assert inputs_of(marked, resource("b", {"public": "true"})) == [{"enabled": HIDDEN}, {"public": "true"}]


def test_a_password_that_nobody_marked() -> None:
    (shown,) = inputs_of(resource("a", {"userData": f"export P={PASSWORD}"}), secrets=(PASSWORD,))

    assert shown == {"userData": f"export P={HIDDEN}"}


def test_a_password_in_base64() -> None:
    def encoded(text: str) -> dict[str, Any]:
        return {"userData": base64.b64encode(text.encode()).decode()}

    leaking, harmless = resource("a", encoded(f"#!/bin/sh\nP={PASSWORD}")), resource("b", encoded("#!/bin/sh"))

    assert inputs_of(leaking, harmless, secrets=(PASSWORD,)) == [{"userData": HIDDEN}, encoded("#!/bin/sh")]


def test_a_password_in_compressed_base64() -> None:
    def encoded(content: bytes) -> dict[str, Any]:
        return {"userData": base64.b64encode(content).decode()}

    leaking = resource("a", encoded(gzip.compress(f"P={PASSWORD}".encode())))
    harmless = resource("b", encoded(gzip.compress(b"P=1")))
    broken = resource("c", encoded(gzip.compress(PASSWORD.encode())[:-9]))

    assert inputs_of(leaking, harmless, broken, secrets=(PASSWORD,)) == [
        {"userData": HIDDEN},
        harmless.inputs,
        broken.inputs,
    ]


letters = st.text(alphabet='abdfgh019/+"\\\\ &', min_size=1)
spellings = st.sampled_from([str, json.dumps, quote])


@given(secret=letters.filter(lambda text: len(text) >= 8), before=letters, after=letters, spell=spellings)
def test_hidden_text_holds_a_long_secret_in_no_spelling(
    secret: str, before: str, after: str, spell: Callable[[str], str]
) -> None:
    hidden = hide(before + spell(secret) + after, [secret])

    assert HIDDEN in hidden
    assert secret not in hidden


@given(
    secret=st.text(min_size=1), spell=spellings, form=st.sampled_from(["password={}", "'{}'", '"{}"', "password:{},"])
)
def test_a_secret_of_any_length_is_hidden_where_it_is_a_value(
    secret: str, spell: Callable[[str], str], form: str
) -> None:
    spelled = spell(secret)[1:-1] if spell is json.dumps else spell(secret)
    if not secret[0].isspace():
        assert HIDDEN in hide(form.format(spelled), [secret])


SENTENCE = "a task that admin began at /admin_area/ answered a request with status 500: a secret, of admin's"


@pytest.mark.parametrize(
    ("secret", "hidden"),
    [
        ("a", SENTENCE),
        ("at", SENTENCE),
        ("500", SENTENCE),
        ("admin", SENTENCE.replace("admin ", f"{HIDDEN} ").replace("admin'", f"{HIDDEN}'")),
        ("secret", SENTENCE.replace("secret", HIDDEN)),
    ],
)
def test_a_short_secret_leaves_sentences_readable(secret: str, hidden: str) -> None:
    assert hide(SENTENCE, [secret]) == hidden
    assert hide(secret, [secret]) == HIDDEN
    assert hide(f"{SENTENCE} password={secret}", [secret]) == f"{hidden} password={HIDDEN}"
    assert hide(f"https://me:{secret}@index.example/", [secret]) == f"https://{HIDDEN}@index.example/"


def test_a_secret_of_any_bytes_is_hidden() -> None:
    assert hide("password=\udcff123 and %FF123", ["\udcff123"]) == f"password={HIDDEN} and {HIDDEN}"


def test_what_stands_in_place_of_a_secret_is_not_searched_for_another() -> None:
    assert hide("password=hunter2-hunter2", ["hunter2-hunter2", "secret"]) == f"password={HIDDEN}"


def test_credentials_in_a_url_are_hidden_and_the_rest_stays() -> None:
    assert hide("GET https://me:pw@index.example/simple/", []) == f"GET https://{HIDDEN}@index.example/simple/"
    assert hide("mail me@example.org about http://index.example/", []) == (
        "mail me@example.org about http://index.example/"
    )
