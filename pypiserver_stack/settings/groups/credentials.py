"""Settings of the generated credentials: readers, encryption, accepted generations."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Any

from pydantic import Field

from pypiserver_stack.settings.problems import Problem
from pypiserver_stack.settings.types import LISTED, Group, KmsKeyArn, iam_arn, only

# What a policy may name and that is one party: wildcards, services and federated users are not readers of a password.
_PRINCIPAL: Any = iam_arn(r"(root|(role|user)/[\w+=,.@/-]{1,576})", "the ARN of an IAM role, user or account")
_READERS = Annotated[
    tuple[_PRINCIPAL, ...],
    LISTED,
    Field(
        max_length=30,  # a resource policy has 20,480 characters
        json_schema_extra={"takes": "a list of at most 30, each the ARN of an IAM role, user or account"},
    ),
]


READERS = {"admin": "secret_readers", "read": "read_secret_readers", "upload": "upload_secret_readers"}
"""Settings that name the readers of each role's secret."""


class CredentialSettings(Group):
    """Credentials."""

    secret_readers: _READERS = ()
    """Others that may read the secret of the credential with all rights, by a policy on it. A reader in another account
    needs secret_kms_key_arn, and a right to decrypt in that key's policy."""
    read_secret_readers: _READERS = ()
    """As secret_readers, of the credential that may install and not publish."""
    upload_secret_readers: _READERS = ()
    """As secret_readers, of the credential that may install and publish, and not remove or yank."""
    secret_kms_key_arn: KmsKeyArn | None = None
    """KMS key that encrypts the secrets; without one it is AWS's own key of Secrets Manager."""
    secret_recovery_window_days: Annotated[int, only(lambda days: days == 0 or 7 <= days <= 30)] = Field(
        default=7, json_schema_extra={"takes": "0, or a whole number from 7 to 30"}
    )
    """Days for which a deleted secret can be restored; 0 deletes it at once."""
    password_generations: Annotated[
        tuple[Annotated[int, Field(ge=1, le=9999)], ...],
        LISTED,
        only(lambda given: len(set(given)) == len(given)),
    ] = Field(
        default=(1,),
        min_length=1,
        max_length=2,
        json_schema_extra={"takes": "one or two different whole numbers from 1 to 9999"},
    )
    """Numbers of the generated passwords that are accepted of each role: two while a rotation is under way. `python -m
    pypiserver_stack.rotate` sets them."""
    published_password_generation: Annotated[int, Field(ge=1, le=9999)] | None = None
    """Number of the generated password that each secret holds for its readers; computed: the first of
    password_generations."""

    @property
    def published_generation(self) -> int:
        """The generation that is published, whether it was named or not."""
        return self.published_password_generation or self.password_generations[0]

    @property
    def readers_by_role(self) -> dict[str, tuple[Any, ...]]:
        """Readers of each role's secret."""
        return {role: getattr(self, key) for role, key in READERS.items()}

    def contradictions(self) -> Iterator[Problem]:
        """A published password that is not accepted; readers that cannot all decrypt."""
        if self.published_generation not in self.password_generations:
            accepted = ", ".join(map(str, self.password_generations))
            allowed = f"one of password_generations, which are {accepted}"
            yield self.refused("published_password_generation", allowed, "password_generations")
        readers = {READERS[role]: given for role, given in self.readers_by_role.items() if given}
        texts = [reader for given in readers.values() for reader in given if isinstance(reader, str)]
        if len({reader.split(":")[4] for reader in texts}) > 1 and self.secret_kms_key_arn is None:
            key = next(reversed(readers))
            yield Problem(
                key,
                list(readers[key]),
                "readers of more than one account need secret_kms_key_arn, for other accounts cannot use AWS's own key",
                frozenset(["secret_kms_key_arn", *readers]),
            )
