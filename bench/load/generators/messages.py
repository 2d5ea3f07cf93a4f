"""Messages from a process of the load generator to its parent: pickled, each message after its length."""

from __future__ import annotations

import pickle
from dataclasses import dataclass

from bench.common.failures import BenchError, ExitCode, UnavailableError, UsageError
from bench.load.clients import ProcessMeasurement
from bench.load.generators.protocol import GeneratorLostError

LENGTH_BYTES = 8


@dataclass(frozen=True)
class Ready:
    """The round before has ended, and the next one is planned."""


@dataclass(frozen=True)
class Failure:
    """Why it sends no more, in a sentence for people."""

    exit_code: ExitCode
    sentence: str

    @classmethod
    def of(cls, error: BenchError) -> Failure:
        return cls(ExitCode(error.exit_code), str(error))

    def error(self, who: str = "") -> BenchError:
        """The error that it is to the one who sends the load; `who` failed, where that is not plain."""
        by_exit_code = {type_.exit_code: type_ for type_ in (UsageError, UnavailableError, GeneratorLostError)}
        return by_exit_code.get(self.exit_code, BenchError)(f"{who}: {self.sentence}" if who else self.sentence)


Message = Ready | int | Failure | ProcessMeasurement
"""A number is that of the requests that have ended so far."""


def packed(message: Message) -> bytes:
    """A message as it is sent."""
    content = pickle.dumps(message, protocol=pickle.HIGHEST_PROTOCOL)
    return len(content).to_bytes(LENGTH_BYTES) + content
