"""Generators on this machine: a pool of processes, because one process can use one core only.

They share the clock of `time.perf_counter`, and take the start of a round from the same moment.
"""

from __future__ import annotations

import asyncio
import pickle
import sys
import tempfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from time import perf_counter
from typing import IO

from bench.load.clients import LoadSpec, ProcessMeasurement
from bench.load.generators.messages import LENGTH_BYTES, Failure, Message, Ready
from bench.load.generators.protocol import GeneratorLostError, together

# A worker that is asked to end has its samples to send, however many they are.
END_PATIENCE_S = 30.0
_IMPORT_ROOT = Path(__file__).parents[3]


@dataclass
class Processes:
    """The `Generators` of one machine."""

    number: int = 1
    _started: list[GeneratorProcess] = field(default_factory=list, init=False)

    @property
    def requests(self) -> int:
        return sum(process.requests for process in self._started)

    async def start(self, spec: LoadSpec, on_progress: Callable[[], None]) -> None:
        for index in range(self.number):
            self._started.append(await GeneratorProcess.start(spec, index, self.number, on_progress))

    async def ready(self) -> None:
        await together(process.ready() for process in self._started)

    async def start_round(self) -> float:
        started_s = perf_counter()
        for process in self._started:
            process.start_round(started_s)
        return started_s

    async def end(self) -> list[ProcessMeasurement | BaseException]:
        return await asyncio.gather(*(process.end() for process in self._started), return_exceptions=True)


@dataclass
class GeneratorProcess:
    """One process of a load, as its parent sees it."""

    process: asyncio.subprocess.Process
    log: IO[bytes]
    name: str
    on_progress: Callable[[], None]
    requests: int = 0
    _length: int | None = None

    @classmethod
    async def start(
        cls,
        spec: LoadSpec,
        index: int,
        of: int,
        on_progress: Callable[[], None],
        environment: Mapping[str, str] | None = None,
    ) -> GeneratorProcess:
        log = tempfile.TemporaryFile(dir=spec.spill_dir)  # noqa: SIM115  # closed by `end`
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            "bench.load.generators.worker",
            cwd=_IMPORT_ROOT,
            env=environment,
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=log,
            start_new_session=True,  # a terminal's Ctrl-C is for us alone
        )
        assert process.stdin is not None
        process.stdin.write(pickle.dumps((spec, index, of)))
        return cls(process, log, f"process {index + 1} of {of} of the load generator", on_progress)

    async def ready(self) -> None:
        """Wait until it is ready for a round; a `BenchError` says why it sends no more."""
        while not isinstance(message := await self._next(), Ready):
            if isinstance(message, Failure):
                raise message.error()

    def start_round(self, started_s: float) -> None:
        assert self.process.stdin is not None
        self.process.stdin.write(f"{started_s!r}\n".encode())

    async def end(self) -> ProcessMeasurement:
        """Have it drop what is under way and send what it measured; kill it where it does not.

        Raises:
            GeneratorLostError: it sent nothing.
        """
        assert self.process.stdin is not None
        self.process.stdin.close()
        try:
            async with asyncio.timeout(END_PATIENCE_S):
                while not isinstance(message := await self._next(), ProcessMeasurement):
                    pass
                await self.process.wait()
                return message
        except TimeoutError:
            raise GeneratorLostError(
                f"{self.name} did not end within {END_PATIENCE_S:g} s: {_last_line(self.log) or 'it said nothing'}"
            ) from None
        finally:
            if self.process.returncode is None:
                self.process.kill()
                await self.process.wait()
            self.log.close()

    async def _next(self) -> Message:
        """The next message. May be cancelled and called again: no part of a message is lost."""
        assert self.process.stdout is not None
        try:
            if self._length is None:
                self._length = int.from_bytes(await self.process.stdout.readexactly(LENGTH_BYTES))
            message: Message = pickle.loads(await self.process.stdout.readexactly(self._length))
        except asyncio.IncompleteReadError:
            status = await self.process.wait()
            raise GeneratorLostError(
                f"{self.name} ended with status {status}, and what it had measured is lost: "
                f"{_last_line(self.log) or 'it said nothing'}"
            ) from None
        self._length = None
        if isinstance(message, int):
            self.requests = message
            self.on_progress()
        return message


def _last_line(log: IO[bytes]) -> str:
    log.seek(0)
    *_, last_line = ["", *log.read().decode(errors="replace").splitlines()]
    return last_line
