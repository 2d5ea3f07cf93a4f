"""The steps of a rotation, without a stack: none of them shuts a client out."""

from __future__ import annotations

from itertools import pairwise

import pytest

from pypiserver_stack.rotate.steps import Passwords
from tests.pypiserver_stack.support.plain_settings import plain_settings

STEPS = [Passwords((3,), 3), Passwords((3, 4), 3), Passwords((3, 4), 4), Passwords((4,), 4)]


@pytest.mark.parametrize(("before", "after"), [*pairwise(STEPS)])
def test_the_steps(before: Passwords, after: Passwords) -> None:
    assert before.next() == after
    assert after.can_follow(before)
    # A step that was configured and not deployed is deployed when the rotation goes on.
    assert after.can_follow(after)


@pytest.mark.parametrize(
    ("before", "after"),
    [
        # dropped without having been replaced
        (Passwords((3,), 3), Passwords((4,), 4)),
        # published to clients before all tasks accept it
        (Passwords((3,), 3), Passwords((3, 4), 4)),
        # dropped while it is published
        (Passwords((3, 4), 3), Passwords((4,), 4)),
        # published again after it was dropped
        (Passwords((4,), 4), Passwords((3, 4), 3)),
    ],
)
def test_what_would_shut_clients_out_is_no_step(before: Passwords, after: Passwords) -> None:
    assert not after.can_follow(before)


def test_the_order_of_the_numbers_says_nothing() -> None:
    assert Passwords((4, 3), 3).next() == Passwords((4, 3), 4)
    assert Passwords((4, 3), 4).next() == Passwords((4,), 4)


def test_what_it_is_called() -> None:
    assert str(Passwords((3, 4), 3)) == "passwords 3 and 4 accepted, 3 published"
    assert str(Passwords((4,), 4)) == "password 4 accepted, 4 published"


@pytest.mark.parametrize("step", STEPS)
def test_the_settings_take_every_step(step: Passwords) -> None:
    settings = plain_settings({"password_generations": step.accepted, "published_password_generation": step.published})
    assert (settings.password_generations, settings.published_generation) == (step.accepted, step.published)
