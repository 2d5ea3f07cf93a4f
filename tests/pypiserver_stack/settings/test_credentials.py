"""Settings of the credentials: what is taken, and what is refused in which words."""

from __future__ import annotations

from typing import Any

import pulumi
import pytest

from pypiserver_stack.settings import SettingsError, allowed
from tests.pypiserver_stack.support.plain_settings import plain_settings

ROLE = "arn:aws:iam::123456789012:role/ci/reader"
FOREIGN = "arn:aws-us-gov:iam::210987654321:root"
KEY = "arn:aws:kms:us-west-2:123456789012:key/mrk-1234abcd"


def problems(**config: Any) -> dict[str, str]:
    with pytest.raises(SettingsError) as refused:
        plain_settings(config)
    return {problem.key: problem.allowed for problem in refused.value.problems}


def test_without_configuration() -> None:
    settings = plain_settings()
    assert settings.secret_readers == ()
    assert settings.secret_kms_key_arn is None
    assert settings.secret_recovery_window_days == 7
    assert (settings.password_generations, settings.published_generation) == ((1,), 1)


@pytest.mark.parametrize(
    ("key", "text", "value"),
    [
        ("secret_readers", ROLE, (ROLE,)),
        (
            "secret_readers",
            f'["{ROLE}", "arn:aws:iam::123456789012:user/a,b"]',
            (ROLE, "arn:aws:iam::123456789012:user/a,b"),
        ),
        ("secret_readers", FOREIGN, (FOREIGN,)),
        ("read_secret_readers", ROLE, (ROLE,)),
        ("upload_secret_readers", ROLE, (ROLE,)),
        ("secret_kms_key_arn", KEY, KEY),
        ("secret_recovery_window_days", "0", 0),
        ("secret_recovery_window_days", "7", 7),
        ("secret_recovery_window_days", "30", 30),
        ("password_generations", "2", (2,)),
        ("password_generations", "[9998, 9999]", (9998, 9999)),
    ],
)
def test_what_is_taken(key: str, text: str, value: object) -> None:
    assert getattr(plain_settings({key: text}), key) == value


@pytest.mark.parametrize(
    ("key", "text"),
    [
        ("secret_readers", "*"),
        ("secret_readers", "arn:aws:iam::123456789012:role/*"),
        ("secret_readers", "arn:aws:iam:::role/reader"),
        ("secret_readers", "arn:aws:iam::123456789012:group/readers"),
        ("secret_readers", f"{ROLE}, ecs.amazonaws.com"),
        ("secret_readers", ",".join([ROLE] * 31)),
        ("read_secret_readers", "*"),
        ("upload_secret_readers", ",".join([ROLE] * 31)),
        ("secret_kms_key_arn", "alias/aws/secretsmanager"),
        ("secret_kms_key_arn", "arn:aws:kms:us-west-2:123456789012:alias/mine"),
        ("secret_kms_key_arn", "arn:aws:kms::123456789012:key/mine"),
        ("secret_kms_key_arn", "arn:aws:kms:us-west-2::key/mine"),
        ("secret_recovery_window_days", "1"),
        ("secret_recovery_window_days", "6"),
        ("secret_recovery_window_days", "31"),
        ("secret_recovery_window_days", "-7"),
        ("password_generations", ""),
        ("password_generations", "0"),
        ("password_generations", "1,1"),
        ("password_generations", "1,2,3"),
        ("password_generations", "one"),
        ("published_password_generation", "0"),
        ("published_password_generation", "10000"),
    ],
)
def test_what_is_refused(key: str, text: str) -> None:
    assert problems(**{key: text}) == {key: allowed(key)}


def test_what_is_allowed_reads_well() -> None:
    assert allowed("secret_readers") == "a list of at most 30, each the ARN of an IAM role, user or account"
    assert allowed("secret_kms_key_arn") == "the ARN of a KMS key (not of an alias) in the stack's region"
    assert allowed("secret_recovery_window_days") == "0, or a whole number from 7 to 30"
    assert allowed("password_generations") == "one or two different whole numbers from 1 to 9999"
    assert allowed("published_password_generation") == "a whole number from 1 to 9999"


def test_another_program_may_give_readers_and_key_as_outputs() -> None:
    reader, key = pulumi.Output.from_input(ROLE), pulumi.Output.from_input(KEY)
    settings = plain_settings({"secret_readers": [reader, FOREIGN], "secret_kms_key_arn": key})
    assert settings.secret_readers == (reader, FOREIGN)
    assert settings.secret_kms_key_arn is key


@pytest.mark.parametrize(
    ("generations", "published", "generation"), [("1", None, 1), ("3,4", None, 3), ("3,4", "3", 3), ("3,4", "4", 4)]
)
def test_the_published_password_is_the_first_unless_named(
    generations: str, published: str | None, generation: int
) -> None:
    config = {"password_generations": generations} | (
        {} if published is None else {"published_password_generation": published}
    )
    assert plain_settings(config).published_generation == generation


def test_a_password_that_is_not_accepted_cannot_be_published() -> None:
    assert problems(password_generations="2,3", published_password_generation="1") == {
        "published_password_generation": "one of password_generations, which are 2, 3"
    }
    # What is wrong itself is reported once.
    assert list(problems(password_generations="none", published_password_generation="4")) == ["password_generations"]


@pytest.mark.parametrize("authentication", ["htpasswd", "bcrypt"])
def test_two_passwords_need_the_check_that_knows_two(authentication: str) -> None:
    assert problems(password_generations="1,2", authentication=authentication) == {
        "password_generations": f"two are accepted with authentication sha256 only, which is {authentication}"
    }
    plain_settings({"password_generations": "2", "authentication": authentication})
    plain_settings({"password_generations": "1,2", "authentication": "sha256"})


def test_readers_of_two_accounts_need_a_key_that_both_can_use() -> None:
    readers = f"{ROLE},{FOREIGN}"
    assert problems(secret_readers=readers) == {
        "secret_readers": "readers of more than one account need secret_kms_key_arn, for other accounts cannot use "
        "AWS's own key"
    }
    plain_settings({"secret_readers": readers, "secret_kms_key_arn": KEY})
    assert list(problems(secret_readers=readers, secret_kms_key_arn="mine")) == ["secret_kms_key_arn"]
    # The key encrypts the secrets of all roles.
    assert list(problems(secret_readers=ROLE, upload_secret_readers=FOREIGN)) == ["upload_secret_readers"]
    plain_settings({"secret_readers": ROLE, "read_secret_readers": ROLE})


@pytest.mark.parametrize("key", ["read_secret_readers", "upload_secret_readers"])
@pytest.mark.parametrize("authentication", ["htpasswd", "bcrypt"])
def test_a_secret_that_is_not_made_has_no_readers(key: str, authentication: str) -> None:
    assert problems(**{key: ROLE}, authentication=authentication) == {
        key: f"takes authentication sha256, which is {authentication}: there is no such secret"
    }


@pytest.mark.parametrize("roles", ['{"alice": "admin", "ci": "upload"}', {"alice": "admin", "ci": "upload"}])
def test_roles_of_users(roles: object) -> None:
    settings = plain_settings({"authentication": "htpasswd", "htpasswd_roles": roles})
    assert settings.htpasswd_roles == {"alice": "admin", "ci": "upload"}
    assert plain_settings().htpasswd_roles == {}


@pytest.mark.parametrize(
    "roles",
    ['{"ci": "owner"}', '{"ci": "Read"}', '{"": "read"}', '{"c:i": "read"}', '{"c\\n": "read"}', "ci", "[]", "7"],
)
def test_roles_that_are_none(roles: str) -> None:
    assert problems(authentication="htpasswd", htpasswd_roles=roles) == {
        "htpasswd_roles": 'a JSON object, user name without colon to one of read, upload and admin, such as {"alice": '
        '"admin", "ci": "upload"}'
    }


@pytest.mark.parametrize("authentication", ["sha256", "bcrypt"])
def test_roles_of_users_that_nobody_looks_up(authentication: str) -> None:
    assert problems(authentication=authentication, htpasswd_roles='{"ci": "read"}') == {
        "htpasswd_roles": f"takes authentication htpasswd, which is {authentication}"
    }
