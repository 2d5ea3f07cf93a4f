"""The clients of one process: when they are due, what ends them, how many they are."""

from __future__ import annotations

import asyncio
import resource
from pathlib import Path
from time import perf_counter

import numpy as np
import pytest
import uvloop

from bench.common.failures import DiskFullError, UnavailableError, UsageError
from bench.load.clients import OTHER_OPEN_FILES, ProcessClients
from bench.load.samples import Operation, Recorder
from bench.load.shapes import Rate
from bench.load.workloads import WORKLOADS, Workload, with_options
from bench.report import figures
from tests.bench.scripted_index import (
    LISTED,
    REDIRECTED,
    WHEEL_HREF,
    WHEEL_PATH,
    Answer,
    Reply,
    Request,
    listing,
    rows,
    scripted_index,
    send,
    spec,
)


def test_due_times_do_not_wait_for_the_index(tmp_path: Path) -> None:
    """An index that answers nobody before everybody has asked: who waited for answers would wait for ever."""
    arrivals = 40
    workload = Workload("open", "40 lookups in 0.2 s", Rate(60 / 0.2 * arrivals * 2, duration_s=0.2))

    async def run() -> None:
        all_asked = asyncio.Event()

        async def wait_for_all(_: Request) -> bytes:
            if len(index.requests) == arrivals:
                all_asked.set()
            await all_asked.wait()
            return listing(WHEEL_HREF)

        async with scripted_index({"/simple/alpha/": wait_for_all}) as index:
            result = await send(index.url, tmp_path, workload)
            samples = result.samples
            assert figures.summary(samples).peak_in_flight == arrivals
            listings = samples.where(samples.operation == Operation.LISTING)
            assert len(listings) == arrivals
            assert np.ptp(listings.due_s) > 0.1
            first_to_be_due = np.argmin(listings.due_s)
            assert listings.latency_s[first_to_be_due] >= np.ptp(listings.due_s), "the stall counts for those it held"

    uvloop.run(run())


def test_clients_that_are_cancelled_close_their_connections_and_keep_their_rows(tmp_path: Path) -> None:
    async def run() -> None:
        number, stalled = 30, asyncio.Semaphore(0)

        def stall(_: Request) -> Answer:
            stalled.release()
            return Reply(b"", then="wait")

        async with scripted_index({WHEEL_PATH: stall}) as index:
            clients = ProcessClients(spec(index.url, tmp_path, with_options(WORKLOADS["burst"], clients=number)))
            await clients.prepare()
            clients.plan(0)
            running = asyncio.create_task(clients.run(perf_counter()))
            for _ in range(number):
                await stalled.acquire()
            assert index.open_connections == number
            assert clients.requests == 2 * number
            running.cancel()
            with pytest.raises(asyncio.CancelledError):
                await running
            await index.nobody_connected.wait()

        measured = clients.measured()
        assert sorted(set(rows(measured))) == [LISTED, REDIRECTED]
        assert len(measured.samples) == 2 * number, "the downloads had no outcome"
        assert measured.wall_s > 0

    uvloop.run(run())


def test_a_full_disk_ends_the_load_with_that_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object, **__: object) -> None:
        raise DiskFullError("the spill folder")

    monkeypatch.setattr(Recorder, "record", fail)

    async def run() -> None:
        async with scripted_index() as index:
            with pytest.raises(DiskFullError):
                await send(index.url, tmp_path, with_options(WORKLOADS["burst"], clients=5))

    uvloop.run(run())


def test_a_host_that_nobody_knows(tmp_path: Path) -> None:
    with pytest.raises(UnavailableError, match=r"http://unknown\.invalid/"):
        uvloop.run(send("http://unknown.invalid/", tmp_path))


def test_more_clients_than_the_machine_has_files_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(resource, "getrlimit", lambda _: (1024, 4096))
    too_many = spec("http://127.0.0.1:1/", tmp_path, with_options(WORKLOADS["burst"], clients=5000))
    with pytest.raises(UsageError, match=r"--clients 5000.*4096 open files.*--generators"):
        uvloop.run(ProcessClients(too_many).prepare())
    raised: list[tuple[int, int]] = []
    monkeypatch.setattr(resource, "setrlimit", lambda _, limits: raised.append(limits))
    uvloop.run(ProcessClients(too_many, 1, 2).prepare())
    assert raised == [(2500 + OTHER_OPEN_FILES, 4096)], "a process needs files for its own clients only"
