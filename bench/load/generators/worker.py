"""A process that sends its share of a load: `python -m bench.load.generators.worker`, started by `GeneratorProcess`.

It reads from stdin what to send, pickled, and then a line for each round: when it starts, on the clock of
`time.perf_counter`, which the processes of a machine share. It writes pickled messages to stdout. When stdin ends,
because the load is over or interrupted or its parent is gone, it drops what is under way, sends what it measured, and
ends.
"""

from __future__ import annotations

import asyncio
import contextlib
import gc
import itertools
import os
import pickle
import sys

import uvloop

from bench.common.failures import BenchError
from bench.load.clients import LoadSpec, ProcessClients
from bench.load.generators.messages import Failure, Message, Ready, packed

PROGRESS_INTERVAL_S = 0.5


def main() -> int:
    """Send until stdin ends; the exit status is not 0 where nobody reads."""
    spec, index, of = pickle.load(sys.stdin.buffer)
    with contextlib.suppress(ConnectionError):
        uvloop.run(_send(spec, index, of))
        return 0
    return 1


async def _send(spec: LoadSpec, index: int, of: int) -> None:
    clients = ProcessClients(spec, index, of)
    try:
        await clients.prepare()
    except BenchError as error:
        _write(Failure.of(error))
        return
    starts: asyncio.Queue[float] = asyncio.Queue()
    rounds = asyncio.create_task(_send_rounds(clients, starts))
    beside = [asyncio.create_task(_read_starts(starts, rounds)), asyncio.create_task(_send_progress(clients))]
    try:
        await rounds
    except asyncio.CancelledError:
        pass
    except BenchError as error:
        _write(Failure.of(error))
    finally:
        for task in beside:
            task.cancel()
    _write(clients.measured())


async def _send_rounds(clients: ProcessClients, starts: asyncio.Queue[float]) -> None:
    """Send one round after the other, until cancelled."""
    for number in itertools.count():
        clients.plan(number)
        if not number:
            # What there is so far stays out of the collections that happen during the load.
            gc.collect()
            gc.freeze()
        _write(Ready())
        await clients.run(await starts.get())


async def _read_starts(starts: asyncio.Queue[float], rounds: asyncio.Task[None]) -> None:
    """Hand on when each round starts; cancel `rounds` when nothing more can come."""
    lines = asyncio.StreamReader()
    await asyncio.get_running_loop().connect_read_pipe(lambda: asyncio.StreamReaderProtocol(lines), sys.stdin)
    try:
        while line := await lines.readline():
            starts.put_nowait(float(line))
    finally:
        rounds.cancel()


async def _send_progress(clients: ProcessClients) -> None:
    # Where nobody reads, stdin ends too.
    with contextlib.suppress(ConnectionError):
        while True:
            await asyncio.sleep(PROGRESS_INTERVAL_S)
            _write(clients.requests)


def _write(message: Message) -> None:
    unsent = memoryview(packed(message))
    while unsent:
        unsent = unsent[os.write(sys.stdout.fileno(), unsent) :]


if __name__ == "__main__":
    sys.exit(main())
