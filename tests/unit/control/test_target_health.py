"""The loop that checks targets: real sockets, a store in memory."""

from __future__ import annotations

import asyncio
import contextlib
import resource
import time
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from openecs.control import target_health
from openecs.control.target_health import TargetHealthChecks
from openecs.model.load_balancing import TargetState, TargetType
from openecs.store.base import StoreUnavailable
from openecs.store.kinds import LISTENERS, TARGET_GROUPS, TARGET_HEALTH, TARGETS
from openecs.store.memory import MemoryStore
from openecs.testing.balancing import a_check, a_listener, a_target, a_target_group
from openecs.testing.builders import NOW, SCOPE

GROUP = a_target_group(health_check=a_check(interval=300))


def now():
    return datetime.now(UTC)


class Application:
    """A target that answers with a code (None: never), and counts."""

    def __init__(self, code):
        self.code, self.checks, self.port = code, 0, 0
        self.serving = set()

    async def serve(self, reader, writer):
        self.serving.add(asyncio.current_task())
        with contextlib.suppress(EOFError, ConnectionError):
            await reader.readuntil(b"\r\n\r\n")
            self.checks += 1
            if self.code is None:
                await reader.read()
            writer.write(f"HTTP/1.1 {self.code} So\r\nContent-Length: 0\r\n\r\n".encode())
        writer.close()
        with contextlib.suppress(ConnectionError):
            await writer.wait_closed()
        self.serving.discard(asyncio.current_task())


@asynccontextmanager
async def application(code=200, address="127.0.0.1"):
    app = Application(code)
    server = await asyncio.start_server(app.serve, address, 0, backlog=4096)
    app.port = server.sockets[0].getsockname()[1]
    try:
        yield app
    finally:
        server.close()
        await asyncio.gather(*app.serving)


@asynccontextmanager
async def checking(store, **given):
    checks = TargetHealthChecks(**{"store": store, "clock": now, **given})
    task = asyncio.create_task(checks.run())
    try:
        yield checks
    finally:
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task


async def put(store, *pairs):
    def work(tx):
        for kind, value in pairs:
            tx.put(kind, value)

    await store.write(work)


async def a_store(*targets, group=GROUP):
    store = MemoryStore()
    pairs = [(TARGETS, target) for target in targets]
    await put(store, (TARGET_GROUPS, group), (LISTENERS, a_listener(group)), *pairs)
    return store


async def health(store):
    found = await store.read(lambda view: view.scan(TARGET_HEALTH, None))
    return [(each.state, each.reason) for each in found]


async def until(condition):
    async with asyncio.timeout(20):
        while not await condition():
            await asyncio.sleep(0.005)


async def until_health(store, *expected):
    async def is_so():
        return await health(store) == list(expected)

    await until(is_so)


HEALTHY = (TargetState.HEALTHY, None)
INITIAL = (TargetState.INITIAL, "Elb.InitialHealthChecking")
UNHEALTHY = (TargetState.UNHEALTHY, "Target.ResponseCodeMismatch")


async def test_a_new_target_is_checked_at_once():
    store = await a_store()
    async with application() as app, checking(store):
        await put(store, (TARGETS, a_target(port=app.port)))
        await until_health(store, HEALTHY)
        assert app.checks == 1


async def test_it_is_initial_until_an_answer_comes():
    async with application(None) as app:
        store = await a_store(a_target(port=app.port))
        async with checking(store):
            await until_health(store, INITIAL)


async def test_checks_go_on_every_interval(monkeypatch):
    monkeypatch.setattr(target_health.target_health, "delay_after", lambda *_: 0.01)
    async with application() as app:
        store = await a_store(a_target(port=app.port))
        async with checking(store):
            await until_health(store, HEALTHY)
            app.code = 503
            await until_health(store, UNHEALTHY)
            app.code = 200
            await until_health(store, HEALTHY)


async def test_only_changes_are_written(monkeypatch):
    monkeypatch.setattr(target_health.target_health, "delay_after", lambda *_: 0.0)
    async with application() as app:
        store = await a_store(a_target(port=app.port))
        async with checking(store):
            await until_health(store, HEALTHY)
            before = await store.read(lambda view: view.revision)

            async def checked_often():
                return app.checks > 20

            await until(checked_often)
            assert await store.read(lambda view: view.revision) == before


async def test_groups_that_nothing_forwards_to_are_not_checked():
    async with application() as app:
        store = await a_store(a_target(port=app.port))
        await store.write(lambda tx: tx.delete(LISTENERS, SCOPE, a_listener(GROUP).path))
        async with checking(store):
            await put(store, (LISTENERS, a_listener(GROUP)))
            await until_health(store, HEALTHY)
            await put(store, (LISTENERS, a_listener()))
            await until_health(store)
            assert app.checks == 1


async def test_a_restart_keeps_what_is_known():
    async with application(503) as app:
        target = a_target(port=app.port)
        store = await a_store(target)
        async with checking(store):
            await until_health(store, INITIAL)
        known = (await store.read(lambda view: view.scan(TARGET_HEALTH, None)))[0]
        known = replace(known, state=TargetState.HEALTHY, reason=None, description=None)
        await put(store, (TARGET_HEALTH, known))
        other = a_target(port=app.port, id="127.0.0.2", address="127.0.0.2")
        async with checking(store):
            await put(store, (TARGETS, other))
            await until_health(store, HEALTHY, INITIAL)


async def test_a_later_registration_starts_anew():
    async with application() as app:
        target = a_target(port=app.port)
        store = await a_store(target)
        async with checking(store):
            await until_health(store, HEALTHY)
            app.code = 404
            await put(store, (TARGETS, replace(target, registered_at=now())))
            await until_health(store, INITIAL)


async def test_other_settings_count_anew_from_the_state_there_is():
    group = a_target_group(health_check=a_check(interval=300, http_codes="201"))
    async with application() as app:
        store = await a_store(a_target(port=app.port), group=group)
        async with checking(store):
            await until_health(store, INITIAL)
            await put(store, (TARGET_GROUPS, GROUP))
            await until_health(store, HEALTHY)


async def test_disabled_checks_leave_it_unavailable():
    check = a_check(enabled=False)
    group = replace(GROUP, target_type=TargetType.LAMBDA, health_check=check)
    store = await a_store(a_target(), group=group)
    async with checking(store):
        await until_health(store, (TargetState.UNAVAILABLE, "Target.HealthCheckDisabled"))


async def test_a_drained_target_is_removed_with_its_health():
    async with application() as app:
        target = a_target(port=app.port)
        store = await a_store(target)
        async with checking(store):
            await until_health(store, HEALTHY)
            soon = now() + timedelta(milliseconds=200)
            await put(store, (TARGETS, replace(target, draining_since=now(), drained_at=soon)))

            async def is_gone():
                return not await store.read(lambda view: view.scan(TARGETS, None))

            await until(is_gone)
            assert now() >= soon
            assert await health(store) == []


async def test_what_drained_while_nobody_looked_is_removed():
    store = await a_store(a_target(draining_since=NOW, drained_at=NOW))
    async with checking(store):

        async def is_gone():
            return not await store.read(lambda view: view.scan(TARGETS, None))

        await until(is_gone)


async def test_health_of_targets_gone_is_removed():
    async with application() as app:
        target = a_target(port=app.port)
        store = await a_store(target)
        async with checking(store):
            await until_health(store, HEALTHY)
        await store.write(lambda tx: tx.delete(TARGETS, SCOPE, target.key))
        assert await health(store) == [HEALTHY]
        async with checking(store):
            await until_health(store)


class Failing(MemoryStore):
    """Fails every second write."""

    def __init__(self):
        super().__init__()
        self.writes = 0

    async def write(self, work):
        self.writes += 1
        if self.writes % 2:
            raise StoreUnavailable("away")
        return await super().write(work)


async def test_a_store_that_fails_now_and_then_delays_but_loses_nothing(monkeypatch):
    monkeypatch.setattr(target_health, "RETRY", timedelta(milliseconds=1))
    store = Failing()
    async with application() as app, checking(store):
        store.writes = 1
        await put(store, (TARGET_GROUPS, GROUP), (LISTENERS, a_listener(GROUP)))
        store.writes = 1
        await put(store, (TARGETS, a_target(port=app.port)))
        await until_health(store, HEALTHY)


@pytest.fixture
def many_files():
    """As many open files as may be: both ends of every connection are in this process."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    yield
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


@pytest.mark.usefixtures("many_files")
async def test_thousands_of_targets_on_one_loop():
    """2,000 become healthy with a second or so of CPU, their own included; ten times that fails."""
    group = replace(GROUP, health_check=a_check(interval=300, timeout=60))
    addresses = [f"127.1.{n // 200}.{n % 200 + 1}" for n in range(2000)]
    async with application(address="0.0.0.0") as app:
        targets = [a_target(id=each, address=each, port=app.port) for each in addresses]
        store = await a_store(*targets, group=group)
        used = time.process_time()
        async with checking(store):
            await until_health(store, *[HEALTHY] * 2000)
            assert app.checks == 2000
        assert time.process_time() - used < 20
