"""Targets and clients that misbehave: each gets what AWS documents, and nobody else notices."""

from __future__ import annotations

import asyncio
import contextlib
import io
from dataclasses import replace

import aiohttp
import pytest

from edge_world import GROUP, OTHER, fixed, says, upstream
from openecs.model.load_balancing import (
    Action,
    Condition,
    ForwardAction,
    LoadBalancerStateCode,
    WeightedTargetGroup,
)
from openecs.store.kinds import TARGET_GROUPS

BAD = Condition(field="path-pattern", values=("/bad*",))
TO_OTHER = Action(
    type="forward",
    forward=ForwardAction(target_groups=(WeightedTargetGroup(target_group_arn=OTHER.arn),)),
)
GOOD_HEAD = b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n"


@contextlib.asynccontextmanager
async def target(answer: bytes | None, *, slowly: bool = False):
    """The port of a server that sends these bytes and ends; None: it never says anything."""
    asked: set[asyncio.Task] = set()

    async def serve(reader, writer):
        asked.add(asyncio.current_task())
        try:
            await reader.readuntil(b"\r\n\r\n")
            if answer is None:
                await asyncio.Event().wait()
            for byte in (bytes([each]) for each in answer) if slowly else (answer,):
                writer.write(byte)
                await writer.drain()
        except (ConnectionError, asyncio.IncompleteReadError):
            pass
        finally:
            writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        server.close()
        for task in asked:
            task.cancel()
        await asyncio.gather(*asked, return_exceptions=True)


@contextlib.asynccontextmanager
async def beside(world, answer: bytes | None, *, slowly: bool = False):
    """A good target for all, and one that is not for ``/bad``; the edge."""
    async with upstream("a") as good, target(answer, slowly=slowly) as bad, world.edge() as edge:
        await world.put(TARGET_GROUPS, OTHER)
        await world.rule(1, TO_OTHER, BAD)
        await world.balance(GROUP)
        await world.serve(good)
        await world.serve(bad, OTHER)
        await world.until(says("a"))
        yield edge


@pytest.mark.parametrize(
    "answer",
    [
        b"",
        b"\x00\xff\xfe garbage \r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Le",
        b"HTTP/1.1 two-hundred\r\n\r\n",
        GOOD_HEAD + b"Content-Length: 11\r\n\r\n0123456789",
        GOOD_HEAD + b"Transfer-Encoding: chunked\r\n\r\nzz\r\n",
        b"HTTP/1.1 200 OK\r\nA: " + b"x" * 200_000 + b"\r\n\r\n",
        b"HTTP/1.1 200 OK\r\n" + b"A: b\r\n" * 5_000 + b"\r\n",
    ],
    ids=[
        "nothing",
        "garbage",
        "half-a-head",
        "no-status",
        "two-lengths",
        "length-and-chunks",
        "one-huge-header",
        "too-many-headers",
    ],
)
async def test_a_target_that_answers_nothing_sensible_is_a_bad_gateway(world, answer) -> None:
    async with beside(world, answer) as edge:
        before = edge.envoy.pid
        _, body, headers = await world.until(lambda status, _: status == 502, path="/bad")
        assert headers["server"] == "awselb/2.0"
        assert "<h1>502 Bad Gateway</h1>" in body
        assert says("a")(*(await world.get())[:2])
        assert edge.envoy.pid == before


async def test_a_target_that_never_answers_is_a_time_out_and_holds_back_nobody(world) -> None:
    attributes = {"idle_timeout.timeout_seconds": "1"}
    world.balancer = replace(world.balancer, attributes=attributes)
    async with beside(world, None):
        waiting = [asyncio.create_task(world.get("/bad")) for _ in range(50)]
        for _ in range(20):
            assert says("a")(*(await world.get())[:2])
        answers = await asyncio.gather(*waiting)
    assert {status for status, _, _ in answers} == {504}


async def test_a_body_that_breaks_off_is_no_whole_answer(world) -> None:
    async with beside(world, GOOD_HEAD + b"\r\n01234"):
        await world.until(lambda *_: True)
        async with asyncio.timeout(15):
            broken = False
            while not broken:
                try:
                    status, _, _ = await world.get("/bad")
                    # Before the rule is known the other group answers.
                    assert status == 200
                except aiohttp.ClientPayloadError:
                    broken = True
        assert says("a")(*(await world.get())[:2])


async def test_a_target_that_drips_is_waited_for(world) -> None:
    async with beside(world, GOOD_HEAD + b"\r\n0123456789", slowly=True):
        await world.until(lambda _, body: body == "0123456789", path="/bad")


async def raw(world, request: bytes, seconds: float = 10) -> bytes:
    """What comes back until the connection ends, or time is up."""
    reader, writer = await asyncio.open_connection("127.0.0.1", world.port)
    answer = b""
    try:
        with contextlib.suppress(TimeoutError, ConnectionError):
            async with asyncio.timeout(seconds):
                writer.write(request)
                await writer.drain()
                while part := await reader.read(65_536):
                    answer += part
    finally:
        writer.close()
        with contextlib.suppress(ConnectionError):
            await writer.wait_closed()
    return answer


HEAD = b"GET / HTTP/1.1\r\nHost: a\r\n"
POST = b"POST / HTTP/1.1\r\nHost: a\r\n"


@pytest.mark.parametrize(
    "request_",
    [
        HEAD + b"A: b\r\n" * 10_000 + b"\r\n",
        HEAD + b"A: " + b"x" * 1_000_000 + b"\r\n\r\n",
        b"GET /" + b"x" * 100_000 + b" HTTP/1.1\r\nHost: a\r\n\r\n",
        POST + b"Content-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\nGET /two",
        POST + b"Content-Length: 3\r\nContent-Length: 4\r\n\r\nabc",
        POST + b"Content-Length: -1\r\n\r\n",
        POST + b"Transfer-Encoding: chunked\r\n\r\nnonsense\r\n",
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + b"\x00" * 64,
    ],
    ids=[
        "header-flood",
        "huge-header",
        "huge-path",
        "length-and-chunks",
        "two-lengths",
        "negative-length",
        "bad-chunk",
        "tls",
    ],
)
async def test_requests_that_are_none_are_refused_and_never_passed_on(world, request_) -> None:
    async with upstream("a") as a, world.edge() as edge:
        await world.balance(GROUP)
        await world.serve(a)
        await world.until(says("a"))
        before = edge.envoy.pid
        answer = await raw(world, request_)
        assert b" 200 OK" not in answer
        assert answer == b"" or answer.startswith((b"HTTP/1.1 4", b"HTTP/1.1 501"))
        assert says("a")(*(await world.get())[:2])
        assert edge.envoy.pid == before


async def test_clients_that_never_finish_hold_back_nobody(world) -> None:
    async with upstream("a") as a, world.edge():
        await world.balance(GROUP)
        await world.serve(a)
        await world.until(says("a"))
        slow = [await asyncio.open_connection("127.0.0.1", world.port) for _ in range(500)]
        for _, writer in slow:
            writer.write(HEAD)
        for _ in range(20):
            assert says("a")(*(await world.get())[:2])
        for _, writer in slow:
            writer.close()


async def test_bodies_of_any_size_pass(world) -> None:
    received = 0

    async def serve(reader, writer):
        nonlocal received
        head = await reader.readuntil(b"\r\n\r\n")
        assert b"content-length: 20000000" in head.lower()
        while received < 20_000_000:
            received += len(await reader.read(1 << 16))
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nall\n")
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    async with server, world.edge():
        await world.balance(GROUP)
        await world.serve(server.sockets[0].getsockname()[1])
        await world.until_state(LoadBalancerStateCode.ACTIVE)
        async with aiohttp.ClientSession() as session, asyncio.timeout(30):
            url = f"http://127.0.0.1:{world.port}/"
            async with session.post(url, data=io.BytesIO(b"x" * 20_000_000)) as answer:
                assert await answer.text() == "all\n"
    assert received == 20_000_000


class Asking:
    """Clients that ask for a path until they are told to stop."""

    def __init__(self, world, path: str, clients: int = 4) -> None:
        self.failures: list[object] = []
        self._world, self._path = world, path
        self._done = asyncio.Event()
        self._tasks = [asyncio.create_task(self._ask()) for _ in range(clients)]

    async def _ask(self) -> None:
        while not self._done.is_set():
            try:
                status, _, _ = await self._world.get(self._path)
            except aiohttp.ClientError as error:
                self.failures.append(error)
            else:
                self.failures += [status] if status != 200 else []

    async def stop(self) -> list[object]:
        """What has failed."""
        self._done.set()
        await asyncio.gather(*self._tasks)
        return self.failures


async def a_hundred_rules(world, word: str) -> None:
    """Rules with as many values as conditions may have, the last of them known to Envoy."""
    host = Condition(field="host-header", values=(world.balancer.dns_name,))
    for number in range(1, 101):
        paths = (f"/r{number}", f"/r{number}/*", f"/r{number}?x", f"/s{number}")
        path = Condition(field="path-pattern", values=paths)
        await world.rule(number, fixed(f"{word} {number}"), path, host)
    await world.until(lambda _, body: body == f"{word} 100", path="/r100")


async def test_a_hundred_rules_change_under_load_without_a_failed_request(world) -> None:
    async with upstream("a") as a, world.edge():
        await world.balance(GROUP)
        await world.serve(a)
        await a_hundred_rules(world, "first")
        for number in (1, 50):
            assert (await world.get(f"/r{number}"))[1] == f"first {number}"
        asking = Asking(world, "/r50")
        for turn in range(5):
            await a_hundred_rules(world, str(turn))
        assert await asking.stop() == []
