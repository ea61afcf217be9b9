"""A store, an edge and servers behind it, for tests of load balancers on a real Envoy."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import os
import socket
from datetime import UTC, datetime, timedelta

import aiohttp

from openecs.edge.edge import Edge
from openecs.edge.snapshot import Doors
from openecs.model.load_balancing import (
    Action,
    Condition,
    FixedResponseAction,
    ForwardAction,
    Rule,
    Target,
    TargetHealth,
    TargetState,
    WeightedTargetGroup,
)
from openecs.store.kinds import (
    LISTENERS,
    LOAD_BALANCER_STATES,
    LOAD_BALANCERS,
    RULES,
    TARGET_GROUPS,
    TARGET_HEALTH,
    TARGETS,
)
from openecs.store.memory import MemoryStore
from openecs.testing.builders import NOW, SCOPE, a_listener, a_load_balancer, a_target_group

BEGAN = datetime(2026, 1, 1, tzinfo=UTC)
GROUP, OTHER = a_target_group("one"), a_target_group("other", id="9".zfill(16))


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


@contextlib.asynccontextmanager
async def upstream(name: str, cookie: str | None = None, status: str = "200 OK"):
    """A server that answers with its name and the headers it got, and a cookie; its port."""

    serving, writers = set(), set()

    async def serve(reader, writer):
        serving.add(asyncio.current_task())
        writers.add(writer)
        with contextlib.suppress(ConnectionError, asyncio.IncompleteReadError):
            while True:
                head = await reader.readuntil(b"\r\n\r\n")
                body = name.encode() + b"\n" + head
                headers = f"Content-Length: {len(body)}\r\n"
                headers += f"Set-Cookie: {cookie}\r\n" if cookie else ""
                writer.write(f"HTTP/1.1 {status}\r\n{headers}\r\n".encode() + body)
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        server.close()
        for writer in writers:
            writer.close()
        await asyncio.gather(*serving)


class World:
    """A store, an edge that can be restarted, and a client."""

    def __init__(self, directory) -> None:
        self.directory = directory
        self.store = MemoryStore()
        self.port = free_port()
        self.lambda_url = ""
        self.doors = Doors("127.0.0.1")
        self.balancer = a_load_balancer(loopback_address=f"127.64.{os.getpid() % 250}.9")

    def an_edge(self) -> Edge:
        logs = self.directory.parent / "logs"
        where = {"directory": self.directory, "logs": logs, "doors": self.doors}
        seconds = (NOW + timedelta(seconds=number) for number in itertools.count())
        return Edge(
            store=self.store,
            clock=lambda: next(seconds),
            lambda_url=self.lambda_url,
            **where,
        )

    @contextlib.asynccontextmanager
    async def edge(self):
        edge = self.an_edge()
        working = asyncio.create_task(edge.run())
        try:
            yield edge
        finally:
            working.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await working

    async def put(self, kind, *values) -> None:
        def work(tx):
            for value in values:
                tx.put(kind, value)

        await self.store.write(work)

    async def balance(self, *groups, **changes) -> None:
        """A listener that forwards to the groups."""
        await self.put(LOAD_BALANCERS, self.balancer)
        await self.put(TARGET_GROUPS, *groups)
        await self.put(LISTENERS, a_listener(*groups, **{"port": self.port, **changes}))

    async def serve(self, port: int, group=GROUP, state=TargetState.HEALTHY) -> Target:
        target = Target(
            scope=SCOPE,
            target_group=group.path,
            id="127.0.0.1",
            port=port,
            address="127.0.0.1",
            registered_at=BEGAN,
        )
        health = TargetHealth(
            scope=SCOPE,
            target_group=group.path,
            id="127.0.0.1",
            port=port,
            state=state,
            registered_at=BEGAN,
        )
        await self.put(TARGETS, target)
        await self.put(TARGET_HEALTH, health)
        return target

    async def rule(
        self, priority: int, action: Action, *conditions: Condition, transforms=()
    ) -> None:
        rule = Rule(
            scope=SCOPE,
            listener=a_listener().path,
            id=f"{priority:016d}",
            priority=priority,
            conditions=conditions,
            actions=action if isinstance(action, tuple) else (action,),
            transforms=transforms,
        )
        await self.put(RULES, rule)

    async def get(
        self, path="/", *, host=None, method="GET", headers=None, address="127.0.0.1", client=None
    ):
        """Status, body and headers of an answer; ``client`` is the address that asks."""
        sent = {"Host": host or self.balancer.dns_name, **(headers or {})}
        connector = aiohttp.TCPConnector(local_addr=(client, 0) if client else None)
        async with (
            aiohttp.ClientSession(connector=connector) as session,
            session.request(
                method,
                f"http://{address}:{self.port}{path}",
                headers=sent,
                allow_redirects=False,
            ) as answer,
        ):
            return answer.status, await answer.text(), answer.headers

    async def until(self, holds, **request):
        """An answer for which ``holds(status, body)``."""
        async with asyncio.timeout(15):
            while True:
                with contextlib.suppress(aiohttp.ClientError):
                    status, body, headers = await self.get(**request)
                    if holds(status, body):
                        return status, body, headers
                await asyncio.sleep(0.01)

    async def state(self):
        return await self.store.read(
            lambda view: view.get(LOAD_BALANCER_STATES, SCOPE, self.balancer.path)
        )

    async def until_state(self, code):
        async with asyncio.timeout(20):
            while (state := await self.state()) is None or state.code is not code:
                await asyncio.sleep(0.01)
            return state


def says(name: str):
    return lambda status, body: status == 200 and body.startswith(f"{name}\n")


def fixed(text: str) -> Action:
    response = FixedResponseAction(status_code="200", content_type="text/plain", message_body=text)
    return Action(type="fixed-response", fixed_response=response)


def to(*groups, **changes) -> Action:
    """An action that forwards to groups in equal shares."""
    shares = tuple(WeightedTargetGroup(target_group_arn=group.arn) for group in groups)
    return Action(type="forward", forward=ForwardAction(target_groups=shares, **changes))
