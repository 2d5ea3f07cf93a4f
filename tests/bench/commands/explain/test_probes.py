"""The probes find what they are there for, and nothing where there is nothing."""

from __future__ import annotations

import asyncio

import pytest

from bench.commands.explain import probes
from bench.commands.explain.ladder import PEER, settings_of
from bench.commands.explain.mixing import NO_ANSWER, UPLOADS, packages_to_mix, upload_interleaved
from bench.commands.explain.model import Idle, Mixing, Spread
from bench.commands.explain.probes import (
    CHECKS,
    CLIENTS,
    OFFSETS_S,
    spread_over_tasks,
    time_health_checks,
    use_after_idling,
)
from bench.common.failures import UnavailableError
from bench.index.target import Target
from bench.packages.factory import Wheel, build
from tests.bench.commands.explain.fake_server import KeptConnections, TwoTasks, UploadServer, answer, read_head, serving

WAVES = len(OFFSETS_S)


@pytest.fixture(scope="module")
def wheels(tmp_path_factory: pytest.TempPathFactory) -> tuple[Wheel, ...]:
    return build(packages_to_mix(), tmp_path_factory.mktemp("cache"))


@pytest.fixture
def short_pause(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(probes, "IDLE_S", 0.3)


def test_connections_idle_for_as_long_as_the_peer_keeps_them() -> None:
    assert settings_of(PEER).gunicorn_keepalive_s == probes.IDLE_S
    assert min(OFFSETS_S) < 0 < max(OFFSETS_S)


def idle_of(server: KeptConnections) -> Idle:
    async def probe() -> Idle:
        async with serving(server.handle) as url:
            return await use_after_idling(Target(url), "/health")

    return asyncio.run(probe())


@pytest.mark.usefixtures("short_pause")
def test_a_server_that_ends_connections_before_the_waves_fails_them_all() -> None:
    server = KeptConnections(closes_after_s=0.1)

    assert idle_of(server) == Idle(requests=CLIENTS * WAVES, failed=CLIENTS * WAVES)


@pytest.mark.usefixtures("short_pause")
def test_a_server_that_keeps_them_longer_fails_none() -> None:
    server = KeptConnections(closes_after_s=60.0)

    assert idle_of(server) == Idle(requests=CLIENTS * WAVES, failed=0)
    # Two waves come first, for the connections.
    assert server.requests == CLIENTS * (WAVES + 2)


@pytest.mark.usefixtures("short_pause")
def test_an_answer_that_never_comes_has_failed_too(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(probes, "CLIENTS", 3)
    requests = 0

    async def hangs_up(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal requests
        while True:
            await read_head(reader)
            requests += 1
            if requests > 6:  # the two waves that come first
                return
            writer.write(answer(200))

    async def probe() -> Idle:
        async with serving(hangs_up) as url:
            return await use_after_idling(Target(url), "/health")

    assert asyncio.run(probe()) == Idle(requests=3 * WAVES, failed=3 * WAVES)


def mixing_of(server: UploadServer, wheels: tuple[Wheel, ...]) -> Mixing:
    async def probe() -> Mixing:
        async with serving(server.handle) as url:
            return await upload_interleaved(Target(url), wheels)

    return asyncio.run(probe())


def test_uploads_that_are_kept_apart_are_all_taken_and_all_whole(wheels: tuple[Wheel, ...]) -> None:
    server = UploadServer(mixes=False)

    assert mixing_of(server, wheels) == Mixing(uploads=UPLOADS, answers={"200": UPLOADS}, whole=UPLOADS)
    assert server.most_at_once == UPLOADS


def test_uploads_that_are_taken_for_one_another_are_seen(wheels: tuple[Wheel, ...]) -> None:
    mixing = mixing_of(UploadServer(mixes=True), wheels)

    assert mixing == Mixing(uploads=UPLOADS, answers={"200": 1, "409": UPLOADS - 1}, whole=1)


def test_files_with_other_bytes_are_not_whole(wheels: tuple[Wheel, ...]) -> None:
    class Spoils(UploadServer):
        async def handle(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            self.files = {name: content[:-1] + b"?" for name, content in self.files.items()}
            await super().handle(reader, writer)

    mixing = mixing_of(Spoils(mixes=False), wheels)

    assert (mixing.answers, mixing.whole) == ({"200": UPLOADS}, 0)


def test_an_upload_whose_connection_ends_has_no_answer(wheels: tuple[Wheel, ...]) -> None:
    async def hangs_up(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await read_head(reader)

    async def probe() -> Mixing:
        async with serving(hangs_up) as url:
            return await upload_interleaved(Target(url), wheels)

    assert asyncio.run(probe()) == Mixing(uploads=UPLOADS, answers={NO_ANSWER: UPLOADS}, whole=0)


def test_every_task_is_asked_for_its_health() -> None:
    asked = {"fast": 0, "slow": 0}

    def task(name: str, delay_s: float) -> object:
        async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            while True:
                _, path, _ = await read_head(reader)
                assert path == "/health"
                asked[name] += 1
                await asyncio.sleep(delay_s)  # what the check costs
                writer.write(answer(200))

        return handle

    async def probe() -> None:
        async with serving(task("fast", 0.0)) as fast, serving(task("slow", 0.05)) as slow:  # type: ignore[arg-type]
            both = await time_health_checks([fast, slow], "/health")
            only_slow = await time_health_checks([slow], "/health")
        assert (both.path, both.checks) == ("/health", 2 * CHECKS)
        assert only_slow.median_s >= 0.04

    asyncio.run(probe())
    assert asked == {"fast": CHECKS, "slow": 2 * CHECKS}


def test_a_health_check_that_is_not_passed_is_a_failure_in_a_sentence() -> None:
    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await read_head(reader)
        writer.write(answer(500))

    async def probe() -> None:
        async with serving(handle) as url:
            await time_health_checks([url], "/")

    with pytest.raises(UnavailableError, match=r"GET / at http://127\.0\.0\.1:\d+ ended in status 500"):
        asyncio.run(probe())


@pytest.mark.parametrize(("sticky", "busiest"), [(True, CLIENTS), (False, CLIENTS // 2)])
def test_a_cookie_that_all_share_sends_them_all_to_one_task(sticky: bool, busiest: int) -> None:
    server = TwoTasks(sticky=sticky)

    async def probe() -> Spread:
        async with serving(server.handle) as url:
            return await spread_over_tasks(
                Target(url), "/health", lambda: {str(task): count for task, count in server.requests.items()}
            )

    assert asyncio.run(probe()) == Spread(requests=CLIENTS, to_the_busiest_task=busiest)
    assert sum(server.requests.values()) == CLIENTS + 1


def test_a_request_that_fails_is_no_spread() -> None:
    async def probe() -> Spread:
        async def refuse(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            await read_head(reader)
            writer.write(answer(503))

        async with serving(refuse) as url:
            return await spread_over_tasks(Target(url), "/health", dict)

    with pytest.raises(UnavailableError, match="/health through the balancer ended in 503"):
        asyncio.run(probe())
