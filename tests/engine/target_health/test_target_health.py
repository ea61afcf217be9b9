"""Targets on real sockets, and what the loop finds out about them."""

from __future__ import annotations

import asyncio
import contextlib
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from openecs.control.target_health import TargetHealthWatch
from openecs.control.target_probes import Address, probe
from openecs.decide.target_health import WELL, Outcome
from openecs.model.load_balancing import Target, TargetHealth, TargetState
from openecs.store.kinds import LISTENERS, TARGET_GROUPS, TARGET_HEALTH, TARGETS
from openecs.store.memory import MemoryStore
from openecs.testing.builders import SCOPE, a_listener, a_target_group

CHECK = replace(a_target_group().health_check, timeout=1, interval=5)
GROUP = a_target_group(health_check=CHECK)


def clock() -> datetime:
    return datetime.now(UTC)


@contextlib.asynccontextmanager
async def target(answer: bytes, *, hang: bool = False, endless: bool = False):
    """A server on a port of its own that answers every request so; what it was asked."""
    asked: list[bytes] = []

    async def serve(reader, writer):
        with contextlib.suppress(ConnectionError, asyncio.IncompleteReadError):
            asked.append(await reader.readuntil(b"\r\n\r\n"))
            if hang:
                await reader.read()
            writer.write(answer)
            while endless:
                writer.write(answer)
                await writer.drain()
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    try:
        yield server.sockets[0].getsockname()[1], asked
    finally:
        server.close()


OK = b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"


async def test_a_check_asks_as_a_load_balancer_does() -> None:
    async with target(OK) as (port, asked):
        assert await probe(Address("127.0.0.1", port), replace(CHECK, path="/ok?x=1")) == WELL
    assert asked[0].decode().splitlines()[:4] == [
        "GET /ok?x=1 HTTP/1.1",
        f"Host: 127.0.0.1:{port}",
        "User-Agent: ELB-HealthChecker/2.0",
        "Connection: close",
    ]


@pytest.mark.parametrize(
    ("answer", "found"),
    [
        (b"HTTP/1.1 404 No\r\n\r\n", "Health checks failed with these codes: [404]"),
        (b"SSH-2.0-x\r\n\r\n", "Health checks failed"),
        (b"", "Health checks failed"),
        (b"HTTP/1.1 200 OK\r\n", "Health checks failed"),
    ],
)
async def test_answers_that_are_not_well(answer, found) -> None:
    async with target(answer) as (port, _):
        assert (await probe(Address("127.0.0.1", port), CHECK)).description == found


async def test_a_target_that_hangs_and_one_that_never_ends() -> None:
    async with target(b"", hang=True) as (port, _):
        found = await probe(Address("127.0.0.1", port), CHECK)
        assert found.description == "Request timed out"
    async with target(b"HTTP/1.1 200 OK\r\n" + b"X: y\r\n" * 500, endless=True) as (port, _):
        found = await probe(Address("127.0.0.1", port), CHECK)
        assert found.description == "Health checks failed"


async def test_nobody_is_there() -> None:
    async with target(OK) as (port, _):
        assert await probe(Address("127.0.0.1", port), replace(CHECK, protocol="TCP")) == WELL
    for protocol in ("TCP", "HTTP", "HTTPS"):
        found = await probe(Address("127.0.0.1", port), replace(CHECK, protocol=protocol))
        assert found.description == "Health checks failed"


class World:
    def __init__(self) -> None:
        self.store = MemoryStore()
        self.probed: list[Address] = []

    async def probe(self, address, _) -> Outcome:
        self.probed.append(address)
        return WELL

    @contextlib.asynccontextmanager
    async def watch(self, **members):
        working = asyncio.create_task(
            TargetHealthWatch(store=self.store, clock=clock, **members).run()
        )
        try:
            yield
        finally:
            working.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await working

    async def put(self, kind, *values) -> None:
        def work(tx):
            for value in values:
                tx.put(kind, value)

        await self.store.write(work)

    async def until(self, holds) -> dict[int, TargetHealth]:
        async with asyncio.timeout(10):
            while True:
                found = await self.store.read(lambda view: view.scan(TARGET_HEALTH, SCOPE))
                if holds(health := {each.port: each for each in found}):
                    return health
                await asyncio.sleep(0.002)

    async def targets(self) -> list[int]:
        return [t.port for t in await self.store.read(lambda view: view.scan(TARGETS, SCOPE))]


def a_target(port: int, **changes) -> Target:
    values = {
        "scope": SCOPE,
        "target_group": GROUP.path,
        "id": "127.0.0.1",
        "port": port,
        "address": "127.0.0.1",
        "registered_at": datetime(2026, 1, 1, tzinfo=UTC),
    }
    return Target(**{**values, **changes})


@pytest.fixture
async def world():
    world = World()
    await world.put(TARGET_GROUPS, GROUP)
    await world.put(LISTENERS, a_listener(GROUP))
    return world


async def test_a_new_target_is_checked_at_once(world) -> None:
    async with target(OK) as (port, _), world.watch():
        await world.put(TARGETS, a_target(port))
        health = await world.until(lambda found: found.get(port) and found[port].reason is None)
    assert health[port].state is TargetState.HEALTHY
    assert health[port].registered_at == a_target(port).registered_at


async def test_who_is_not_used_is_not_checked(world) -> None:
    listener = a_listener(GROUP)
    await world.store.write(lambda tx: tx.delete(LISTENERS, SCOPE, listener.path))
    async with world.watch(probe=world.probe):
        await world.put(TARGETS, a_target(1))
        gone = a_target(2, draining_since=clock(), drained_at=clock())
        await world.put(TARGETS, gone)
        async with asyncio.timeout(10):
            while await world.targets() != [1]:
                await asyncio.sleep(0.002)
        assert not world.probed
        await world.put(LISTENERS, listener)
        await world.until(lambda found: 1 in found and found[1].reason is None)


async def test_a_drained_target_is_forgotten_when_its_time_is_over(world) -> None:
    later = clock() + timedelta(seconds=0.3)
    async with world.watch(probe=world.probe):
        await world.put(TARGETS, a_target(1))
        await world.until(lambda found: 1 in found)
        await world.put(TARGETS, a_target(1, draining_since=clock(), drained_at=later))
        await world.until(lambda found: not found)
        assert clock() >= later
        assert await world.targets() == []


async def test_what_was_found_outlives_the_process(world) -> None:
    known = TargetHealth(
        scope=SCOPE,
        target_group=GROUP.path,
        id="127.0.0.1",
        port=1,
        state=TargetState.HEALTHY,
        registered_at=a_target(1).registered_at,
    )
    await world.put(TARGETS, a_target(1))
    await world.put(TARGET_HEALTH, known)
    before = await world.store.read(lambda view: view.revision)
    async with world.watch(probe=world.probe):
        async with asyncio.timeout(10):
            while not world.probed:
                await asyncio.sleep(0.002)
    assert await world.store.read(lambda view: view.revision) == before


async def test_a_registration_that_came_anew_is_checked_anew(world) -> None:
    async with world.watch(probe=world.probe):
        await world.put(TARGETS, a_target(1))
        await world.until(lambda found: 1 in found and found[1].reason is None)
        again = a_target(1, registered_at=clock())
        await world.put(TARGETS, again)
        await world.until(lambda found: found[1].registered_at == again.registered_at)
        await world.until(lambda found: found[1].state is TargetState.HEALTHY)


async def test_the_health_of_nobody_is_forgotten(world) -> None:
    async with world.watch(probe=world.probe):
        await world.put(TARGETS, a_target(1))
        await world.until(lambda found: 1 in found)
        await world.store.write(lambda tx: tx.delete(TARGETS, SCOPE, a_target(1).key))
        await world.until(lambda found: not found)


async def test_two_thousand_targets(world) -> None:
    targets = [a_target(port) for port in range(1, 2001)]
    async with world.watch(probe=world.probe):
        await world.put(TARGETS, *targets)
        found = await world.until(
            lambda found: (
                len(found) == 2000 and all(h.state is TargetState.HEALTHY for h in found.values())
            )
        )
    assert len(found) == 2000
    assert len(world.probed) >= 2000
