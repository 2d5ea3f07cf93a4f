"""Messages from a process of the load generator to its parent: pickled, each message after its length."""

from __future__ import annotations

import pickle
from dataclasses import dataclass

from bench.common.failures import ExitCode
from bench.load.clients import ProcessMeasurement

LENGTH_BYTES = 8


@dataclass(frozen=True)
class Ready:
    """The round before has ended, and the next one is planned."""


@dataclass(frozen=True)
class Failure:
    """Why it sends no more, in a sentence for people."""

    exit_code: ExitCode
    sentence: str


Message = Ready | int | Failure | ProcessMeasurement
"""A number is that of the requests that have ended so far."""


def packed(message: Message) -> bytes:
    """A message as it is sent."""
    content = pickle.dumps(message, protocol=pickle.HIGHEST_PROTOCOL)
    return len(content).to_bytes(LENGTH_BYTES) + content
