"""Signals: what they end, and what they cannot."""

from __future__ import annotations

import asyncio
import os
import signal

import pytest

from bench.runtime.interruption import Interrupted, Interruptions


def strike(number: signal.Signals = signal.SIGINT) -> None:
    os.kill(os.getpid(), number)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_is_raised_once_it_is_armed(number: signal.Signals) -> None:
    with Interruptions() as interruptions:
        interruptions.arm()
        with pytest.raises(Interrupted):
            strike(number)
        strike(number)
        strike(signal.SIGINT)
        assert interruptions.received == signal.SIGINT


def test_a_signal_that_came_too_early_is_raised_by_arming() -> None:
    with Interruptions() as interruptions:
        strike()
        with pytest.raises(Interrupted):
            interruptions.arm()


def test_a_shield_keeps_signals_off_and_notes_them() -> None:
    with Interruptions() as interruptions:
        interruptions.arm()
        interruptions.shield()
        strike()
        assert interruptions.received == signal.SIGINT
        with pytest.raises(Interrupted):
            interruptions.check()
        interruptions.forget()
        interruptions.check()


def test_a_coroutine_is_cancelled_and_may_clean_up() -> None:
    cleaned_up = []

    async def work() -> None:
        try:
            strike()
            await asyncio.sleep(60)
        finally:
            cleaned_up.append(True)

    with Interruptions() as interruptions:
        interruptions.arm()
        with pytest.raises(Interrupted):
            interruptions.run(work())
    assert cleaned_up == [True]


def test_what_a_coroutine_returns_or_raises_comes_out() -> None:
    async def answer() -> int:
        return 42

    async def fail() -> None:
        raise ValueError("no")

    with Interruptions() as interruptions:
        interruptions.arm()
        assert interruptions.run(answer()) == 42
        with pytest.raises(ValueError, match="no"):
            interruptions.run(fail())


def test_handlers_are_as_before_afterwards() -> None:
    before = signal.getsignal(signal.SIGTERM)
    with Interruptions():
        assert signal.getsignal(signal.SIGTERM) != before
    assert signal.getsignal(signal.SIGTERM) == before
