"""What clients send as credentials, and the check of the generated passwords of each role."""

from __future__ import annotations

import base64
import hmac
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pypiserver_stack.container.access.credentials import (
    VARIABLES,
    basic_credentials,
    generated_credentials,
    injected_secrets,
    unambiguous,
)
from pypiserver_stack.container.access.roles import Check, Role

PASSWORD, OLDER_PASSWORD = "correct horse: battery", "an older one"


def injected(**changes: object) -> str:
    return json.dumps({"username": "pypiserver", "accepted_passwords": [OLDER_PASSWORD, PASSWORD], **changes})


READER = {"username": "reader", "accepted_passwords": ["older reads", "reads"]}
UPLOADER = {"username": "uploader", "accepted_passwords": ["uploads"]}


def checked(administrator: str | None) -> Check:
    """The check with this secret of the administrator."""
    others = {"PYPISERVER_READ_CREDENTIALS": READER, "PYPISERVER_UPLOAD_CREDENTIALS": UPLOADER}
    variables = {name: json.dumps(secret) for name, secret in others.items()}
    return generated_credentials(
        variables if administrator is None else {**variables, "PYPISERVER_CREDENTIALS": administrator}
    )


def basic(credentials: bytes, scheme: str = "Basic") -> str:
    return f"{scheme} {base64.b64encode(credentials).decode()}"


def test_the_example_of_the_standard() -> None:
    assert basic_credentials("Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==") == ("Aladdin", "open sesame")
    assert basic_credentials("Basic dGVzdDoxMjPCow==") == ("test", "123\u00a3")


@pytest.mark.parametrize("scheme", ["basic", "BASIC", "bAsIc", "Basic  "])
def test_the_scheme_is_not_a_matter_of_case(scheme: str) -> None:
    assert basic_credentials(basic(b"user:pass:word", scheme)) == ("user", "pass:word")


@pytest.mark.parametrize(
    "header",
    [
        None,
        "",
        "Basic",
        "Basic ",
        "Basic dXNlcjpwYXNz!",
        "Basic dXNlcjpwYX",  # no padding
        "Basic dXNl\u00e9",
        basic(b"no colon"),
        basic(b"user:caf\xe9"),  # Latin-1
        basic(b"user:\xed\xa0\x80"),  # half of a surrogate pair
        basic(b"user:pass", "Bearer"),
        basic(b"user:pass", "Basically"),
        basic(b"user:" + b"p" * 10_000_000),
        "Basic " + " " * 10_000_000,
        "A" * 10_000_000,
    ],
)
def test_what_is_no_credentials(header: str | None) -> None:
    assert basic_credentials(header) is None


@given(st.one_of(st.text(), st.binary().map(basic), st.text().map(lambda text: f"Basic {text}")))
def test_nothing_that_a_client_sends_raises(header: str) -> None:
    found = basic_credentials(header)
    assert found is None or basic_credentials(basic(":".join(found).encode())) == found


@given(st.text(st.characters(exclude_characters=":", exclude_categories=["Cs"])), st.text(max_size=500))
def test_what_a_client_encodes_is_what_is_found(username: str, password: str) -> None:
    assert basic_credentials(basic(f"{username}:{password}".encode())) == (username, password)


@pytest.mark.parametrize(
    ("username", "password", "role"),
    [
        ("pypiserver", PASSWORD, Role.ADMIN),
        ("pypiserver", OLDER_PASSWORD, Role.ADMIN),
        ("uploader", "uploads", Role.UPLOAD),
        ("reader", "reads", Role.READ),
        ("reader", "older reads", Role.READ),
        ("reader", "uploads", None),
        ("reader", PASSWORD, None),
        ("uploader", PASSWORD, None),
        ("pypiserver", "reads", None),
    ],
)
def test_every_accepted_password_has_the_role_of_its_secret(username: str, password: str, role: Role | None) -> None:
    assert checked(injected())(username, password, {}) is role


@pytest.mark.parametrize(
    ("username", "password"),
    [
        ("pypiserver", ""),
        ("pypiserver", PASSWORD[:-1]),
        ("pypiserver", PASSWORD + "\0"),
        ("pypiserver", PASSWORD.upper()),
        ("Pypiserver", PASSWORD),
        ("", PASSWORD),
        ("pypiserve", "r" + PASSWORD),
        ("pypiserver:correct horse", "battery"),
        ("pypiserver", "\ud800"),
    ],
)
def test_all_else_is_wrong(username: str, password: str) -> None:
    assert checked(injected())(username, password, {}) is None


@pytest.mark.parametrize(
    ("username", "password"),
    [("reader", "reads"), ("uploader", "uploads"), ("pypiserver", OLDER_PASSWORD), ("pypiserver", "wrong")],
)
def test_every_password_of_every_role_is_compared_in_constant_time_whichever_matches(
    monkeypatch: pytest.MonkeyPatch, username: str, password: str
) -> None:
    compared: list[bool] = []
    compare = hmac.compare_digest

    def recorded(offered: bytes, accepted: bytes) -> bool:
        compared.append(compare(offered, accepted))
        return compared[-1]

    monkeypatch.setattr(hmac, "compare_digest", recorded)
    checked(injected())(username, password, {})
    accepted = [
        *[("reader", "older reads"), ("reader", "reads"), ("uploader", "uploads")],
        *[("pypiserver", OLDER_PASSWORD), ("pypiserver", PASSWORD)],
    ]
    assert compared == [(username, password) == each for each in accepted]


fields = st.lists(st.text(st.characters(), max_size=8), max_size=4)


@given(fields, fields)
def test_different_fields_never_read_the_same(some: list[str], others: list[str]) -> None:
    assert (unambiguous(*some) == unambiguous(*others)) == (some == others)


@given(st.text(st.sampled_from("ab1:"), min_size=1, max_size=12), st.data())
def test_no_other_split_of_the_same_text_is_accepted(whole: str, data: st.DataObject) -> None:
    right, other = (data.draw(st.integers(0, len(whole) - 1)) for _ in range(2))
    check = checked(injected(username=whole[:right], accepted_passwords=[whole[right:]]))
    assert check(whole[:other], whole[other:], {}) is (Role.ADMIN if other == right else None)


@pytest.mark.parametrize(
    "secret",
    [
        None,
        "",
        "not json but hunter2",
        "null",
        '["hunter2"]',
        '{"username": "pypiserver", "password": "hunter2"}',
        injected(accepted_passwords="hunter2"),  # would be seven passwords of one letter
        injected(accepted_passwords=["hunter2", ""]),
        injected(accepted_passwords=["hunter2", 7]),
        injected(accepted_passwords=[]),
        injected(username=None, accepted_passwords=["hunter2"]),
    ],
)
def test_a_wrong_secret_is_one_sentence_that_does_not_tell_it(secret: str | None) -> None:
    with pytest.raises(ValueError, match="PYPISERVER_CREDENTIALS must be JSON with username") as raised:
        checked(secret)
    assert "hunter2" not in str(raised.value)
    assert raised.value.__suppress_context__


@pytest.mark.parametrize("missing", VARIABLES)
def test_a_missing_secret_is_named(missing: str) -> None:
    variables = {name: injected() for name in VARIABLES if name != missing}
    with pytest.raises(ValueError, match=f"^{missing} must be JSON with username"):
        generated_credentials(variables)


def test_secrets_leave_the_environment() -> None:
    environment = {"PATH": "/bin", **dict.fromkeys(VARIABLES, "secret")}
    assert injected_secrets(environment) == dict.fromkeys(VARIABLES, "secret")
    assert environment == {"PATH": "/bin"}
