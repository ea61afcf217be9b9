"""What a load balancer answers by itself, on a real Envoy."""

from __future__ import annotations

import asyncio
import contextlib
import socket
from dataclasses import replace

import pytest

from edge_world import GROUP, says, upstream
from openecs.edge import clusters
from openecs.model.load_balancing import Action, Condition, FixedResponseAction

HOST = b"GET / HTTP/1.1\r\nHost: a\r\n"
CLOSE = b"\r\nConnection: close\r\n\r\n"
PROXIED = HOST + b"X-Forwarded-For: "


async def asked(world, request: bytes) -> str:
    """The whole answer to a request as it is on the wire."""
    reader, writer = await asyncio.open_connection("127.0.0.1", world.port)
    try:
        async with asyncio.timeout(10):
            writer.write(request)
            return (await reader.read()).decode()
    finally:
        writer.close()


def page(status: int, title: str) -> tuple[str, str, str]:
    return f" {status} ", "server: awselb/2.0\r\n", f"<center><h1>{status} {title}</h1></center>"


@pytest.mark.parametrize(
    ("request_", "status", "title"),
    [
        (HOST + b"No header\r\n\r\n", 400, "Bad Request"),
        (b"GET / HTTP/1.1\r\n\r\n", 400, "Bad Request"),
        (HOST + b"A: " + b"x" * 70_000 + b"\r\n\r\n", 400, "Bad Request"),
        (HOST + b"Transfer-Encoding: foo\r\n\r\n", 501, "Not Implemented"),
        (HOST, 408, "Request Time-out"),
        (b"TRACE / HTTP/1.1\r\nHost: a" + CLOSE, 405, "Not Allowed"),
        (
            PROXIED + b"1.1.1.1, " * 30 + b"::1\r\nConnection: close\r\n\r\n",
            463,
            "Too Many Proxies",
        ),
    ],
)
async def test_requests_that_go_nowhere(world, request_, status: int, title: str) -> None:
    attributes = {"idle_timeout.timeout_seconds": "1"}
    world.balancer = replace(world.balancer, attributes=attributes)
    async with world.edge():
        await world.balance(GROUP)
        await world.until(lambda status, _: status == 503)
        answer = await asked(world, request_)
    assert all(part in answer for part in page(status, title)), answer


async def test_clients_of_old(world) -> None:
    async with upstream("a") as a, world.edge():
        await world.balance(GROUP)
        await world.serve(a)
        await world.until(says("a"))
        assert " 200 OK\r\n" in await asked(world, b"GET / HTTP/1.0\r\n\r\n")


async def test_a_rule_s_own_answers_stay_as_they_are(world) -> None:
    async with world.edge():
        await world.balance(GROUP)
        for number, status in enumerate(("400", "503", "504"), 1):
            response = FixedResponseAction(status_code=status, message_body="mine")
            action = Action(type="fixed-response", fixed_response=response)
            path = Condition(field="path-pattern", values=(f"/{status}",))
            await world.rule(number, action, path)
        await world.until(lambda status, _: status == 504, path="/504")
        for status in (400, 503, 504):
            assert (await world.get(f"/{status}"))[:2] == (status, "mine")


async def test_a_target_that_cannot_be_reached(world) -> None:
    async with upstream("a") as gone, world.edge():
        await world.balance(GROUP)
        await world.until(lambda status, _: status == 503)
    async with world.edge():
        await world.serve(gone)
        _, body, headers = await world.until(lambda status, _: status == 502)
    assert headers["server"] == "awselb/2.0"
    assert "<h1>502 Bad Gateway</h1>" in body


async def test_a_target_that_does_not_take_connections(world, monkeypatch) -> None:
    monkeypatch.setattr(clusters, "_CONNECT", "0.2s")
    with contextlib.ExitStack() as stack:
        deaf = stack.enter_context(socket.socket())
        deaf.bind(("127.0.0.1", 0))
        deaf.listen(0)
        for _ in range(3):
            waiting = stack.enter_context(socket.socket())
            waiting.setblocking(False)
            waiting.connect_ex(deaf.getsockname())
        async with world.edge():
            await world.balance(GROUP)
            await world.serve(deaf.getsockname()[1])
            _, body, _ = await world.until(lambda status, _: status == 504)
    assert "<h1>504 Gateway Time-out</h1>" in body
