"""A secret is found however it is written; the tests that find none stand on this."""

from __future__ import annotations

import base64
import bz2
import gzip
import hashlib
import json
from urllib.parse import quote

import pytest

from tests.pypiserver_stack.support.evaluation import evaluated
from tests.pypiserver_stack.support.invariants import secrets_in_clear
from tests.pypiserver_stack.support.spellings import found_in, generated_secrets

PASSWORD = "correct/horse+battery staple"


def _base64(data: bytes) -> str:
    return base64.b64encode(data).decode()


WRITTEN = {
    "as it is": f"pypiserver:{PASSWORD}@",
    "in JSON": json.dumps({"password": PASSWORD}),
    "in JSON inside JSON": json.dumps(json.dumps({"password": PASSWORD})),
    "in a URL": quote(f"pypiserver:{PASSWORD}", safe=""),
    "as basic authentication": f"Basic {_base64(f'u:{PASSWORD}'.encode())}",
    "in base64 for URLs": base64.urlsafe_b64encode(f"u:{PASSWORD}?>".encode()).decode(),
    "after other digits": "abc" + _base64(PASSWORD.encode()),
    "compressed": _base64(gzip.compress(PASSWORD.encode())),
    "packed": _base64(bz2.compress(PASSWORD.encode())),
    "in base64 inside base64": _base64(_base64(PASSWORD.encode()).encode()),
    "as a digest": hashlib.sha256(PASSWORD.encode()).hexdigest(),
    "in hexadecimal digits": PASSWORD.encode().hex(),
}


@pytest.mark.parametrize("written", WRITTEN.values(), ids=WRITTEN)
def test_it_is_found(written: str) -> None:
    assert found_in(written, {PASSWORD, "another"}) == {PASSWORD}


def test_what_is_not_there_is_not_found() -> None:
    assert found_in(" ".join(WRITTEN.values()), {"another secret"}) == set()


def test_a_hash_in_user_data_is_found() -> None:
    graph = evaluated("peer").graph
    template = graph.one("aws:ec2/launchTemplate:LaunchTemplate")
    (hashed,) = found_in(template.inputs["userData"], generated_secrets(graph))
    assert hashed.startswith("$2")
    # It has to be there, so it is marked.
    assert "userData" in template.secret_paths
    assert secrets_in_clear(graph) == []
