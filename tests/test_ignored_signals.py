"""The tests run as a background job, or under nohup: what they start can be interrupted nevertheless."""

from __future__ import annotations

import signal
import subprocess
import sys

import pytest

from tests.conftest import let_children_be_interrupted

PROGRAM = "import signal, sys; print(signal.getsignal(int(sys.argv[1])) is signal.SIG_IGN)"


@pytest.mark.parametrize("number", [signal.SIGHUP, signal.SIGINT])
def test_what_a_test_starts_does_not_ignore_it(number: signal.Signals) -> None:
    before = signal.signal(number, signal.SIG_IGN)
    try:
        let_children_be_interrupted()
        signal.raise_signal(number)  # which ends nothing here
        output = subprocess.check_output([sys.executable, "-c", PROGRAM, str(int(number))], text=True)
    finally:
        signal.signal(number, before)
    assert output == "False\n"
