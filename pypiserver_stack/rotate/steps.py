"""Rotation of the generated passwords of all roles together, in steps that no client notices.

Where a rotation stands is in the stack's configuration, and what has been deployed of it in the stack's outputs. So it
can be taken up again wherever it was interrupted.
"""

from __future__ import annotations

import shlex
from collections.abc import Callable
from dataclasses import dataclass

from pulumi.automation import ConfigValue, OpType, Stack

from pypiserver_stack.rotate.invalidation import InvalidationError, cannot_invalidate, command, invalidate
from pypiserver_stack.settings import read_settings


class RotationError(Exception):
    """A rotation is impossible; the message says what to do."""


@dataclass(frozen=True)
class Passwords:
    """Generated passwords that are accepted, and the one that each secret publishes; each by its generation's number.

    A client has what is published, or was until now. So nobody is refused as long as, from each of these to the next,
    what was published stays accepted, and what gets published was accepted before.
    """

    accepted: tuple[int, ...]
    published: int

    @property
    def newest(self) -> int:
        """The generation that a rotation leads to."""
        return max(self.accepted)

    @property
    def settled(self) -> bool:
        """Whether no rotation is under way."""
        return len(self.accepted) == 1

    def next(self) -> Passwords:
        """The passwords after the next step of a rotation."""
        if self.settled:
            return Passwords((self.newest, self.newest + 1), self.newest)
        if self.published != self.newest:
            return Passwords(self.accepted, self.newest)
        return Passwords((self.newest,), self.newest)

    def can_follow(self, before: Passwords) -> bool:
        """Whether clients notice nothing when this is deployed after `before`."""
        return before.published in self.accepted and self.published in before.accepted

    def __str__(self) -> str:
        accepted = " and ".join(map(str, self.accepted))
        return f"password{'' if self.settled else 's'} {accepted} accepted, {self.published} published"


def rotate(stack: Stack, report: Callable[[str], None], *, keep_old: bool = False) -> str:
    """Rotate the password of a deployed stack, or finish a rotation that was interrupted; returns how it ended.

    Args:
        stack: whose program waits in each update until the service has replaced its tasks.
        report: called with a line about each step before it begins; if it raises, the rotation stops there.
        keep_old: stop once the new password is published, with the old one still accepted.

    Raises:
        RotationError: before anything was changed; or at the end, where the edges could not be invalidated.
        ConfigurationError: the stack's configuration holds mistakes; nothing was changed.
        CommandError: Pulumi could not do something. Rotating again goes on from there.
    """
    wanted, deployed = _configured(stack), _deployed(stack)
    if not wanted.can_follow(deployed):
        raise RotationError(
            f"stack {stack.name} is configured with {wanted}, and deployed with {deployed}, which is no step of a "
            "rotation: clients would be refused; `pulumi up` deploys it all the same"
        )
    distribution = _distribution(stack)
    if distribution and (obstacle := cannot_invalidate(distribution, _profile(stack))) is not None:
        raise RotationError(obstacle)
    report(f"Looking at what stack {stack.name} consists of.")
    # The circuit breaker may have rolled a service back that the state believes to be updated.
    stack.refresh(color="never", show_secrets=False)
    if wanted.settled and wanted == deployed:
        _refuse_other_changes(stack)
        wanted = _configure(stack, wanted.next())
    while True:
        report(f"Deploying: {wanted}.")
        stack.up(color="never", show_secrets=False)
        if wanted.settled:
            # Not earlier: until the last task refuses the old password, an edge could fetch with it once more.
            _invalidate(stack, wanted)
            return f"Done: password {wanted.published} is published, and no other accepted. {_keep(stack)}"
        if keep_old and wanted.published == wanted.newest:
            return f"Stopped: {wanted}. Rotate again without --keep-old to drop the old one. {_keep(stack)}"
        wanted = _configure(stack, wanted.next())


def _configured(stack: Stack) -> Passwords:
    prefix = f"{stack.workspace.project_settings().name}:"
    config = {key: value.value for key, value in stack.get_all_config().items() if key.startswith(prefix)}
    settings = read_settings({key.removeprefix(prefix): value for key, value in config.items()})
    match settings.authentication:
        case "htpasswd":
            raise RotationError(
                "authentication is htpasswd: the passwords are those of your file .htpasswd, so change them there"
            )
        case "bcrypt":
            raise RotationError(
                "authentication is bcrypt, which accepts one password at a time: set password_generations to another "
                "number and run `pulumi up`, and clients will be refused until they have the new password"
            )
    if not settings.wait_for_steady_state:
        raise RotationError(
            "wait_for_steady_state is false, so nobody knows when all tasks accept a password: set it to true and run "
            "`pulumi up` first"
        )
    return Passwords(settings.password_generations, settings.published_generation)


def _deployed(stack: Stack) -> Passwords:
    outputs = stack.outputs()
    if "password_generations" not in outputs:
        raise RotationError(f"stack {stack.name} is not deployed, or only in part: run `pulumi up` first")
    return Passwords(tuple(outputs["password_generations"].value), outputs["published_password_generation"].value)


def _distribution(stack: Stack) -> str | None:
    output = stack.outputs().get("cloudfront_distribution_id")
    return output.value if output is not None else None


def _profile(stack: Stack) -> dict[str, str]:
    """The deploying identity, as a variable for the AWS CLI."""
    profile = stack.get_all_config().get("aws:profile")
    return {"AWS_PROFILE": profile.value} if profile is not None else {}


def _invalidate(stack: Stack, passwords: Passwords) -> None:
    distribution = _distribution(stack)
    if not distribution:
        return
    try:
        invalidate(distribution, _profile(stack))
    except InvalidationError as error:
        # Rotating again would not do: this rotation is at its end.
        raise RotationError(
            f"{passwords}, but edges of CloudFront may still serve files to who sends the old password, for at most "
            f"cloudfront_max_ttl_s: {error}; run `{shlex.join(command(distribution))}`. {_keep(stack)}"
        ) from error


def _refuse_other_changes(stack: Stack) -> None:
    preview = stack.preview(color="never")
    if set(preview.change_summary) - {OpType.SAME}:
        raise RotationError(
            f"stack {stack.name} has changes that are not deployed: run `pulumi up` first, so that a rotation "
            "changes passwords and nothing else"
        )


def _configure(stack: Stack, passwords: Passwords) -> Passwords:
    stack.set_all_config(
        {
            "password_generations": ConfigValue(",".join(map(str, passwords.accepted))),
            "published_password_generation": ConfigValue(str(passwords.published)),
        }
    )
    return passwords


def _keep(stack: Stack) -> str:
    # The configuration has changed, and the next deployment from another checkout must not undo it.
    return f"Commit Pulumi.{stack.name.rsplit('/', 1)[-1]}.yaml."
