"""Load balancers on a real Envoy, in front of real servers."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import socket
from dataclasses import replace
from datetime import UTC, datetime

import aiohttp
import pytest

from openecs.edge.edge import Edge
from openecs.model.load_balancing import (
    Action,
    Condition,
    FixedResponseAction,
    ForwardAction,
    LoadBalancerStateCode,
    LoadBalancerType,
    QueryPair,
    RedirectAction,
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
from openecs.testing.builders import SCOPE, a_listener, a_load_balancer, a_target_group

BEGAN = datetime(2026, 1, 1, tzinfo=UTC)
GROUP, OTHER = a_target_group("one"), a_target_group("other", id="9".zfill(16))


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


@contextlib.asynccontextmanager
async def upstream(name: str):
    """A server that answers with its name and the headers it got; its port."""

    serving, writers = set(), set()

    async def serve(reader, writer):
        serving.add(asyncio.current_task())
        writers.add(writer)
        with contextlib.suppress(ConnectionError, asyncio.IncompleteReadError):
            while True:
                head = await reader.readuntil(b"\r\n\r\n")
                body = name.encode() + b"\n" + head
                length = f"Content-Length: {len(body)}".encode()
                writer.write(b"HTTP/1.1 200 OK\r\n" + length + b"\r\n\r\n" + body)
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
        self.balancer = a_load_balancer(loopback_address=f"127.64.{os.getpid() % 250}.9")

    @contextlib.asynccontextmanager
    async def edge(self):
        edge = Edge(store=self.store, directory=self.directory, address="127.0.0.1")
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

    async def rule(self, priority: int, action: Action, *conditions: Condition) -> None:
        rule = Rule(
            scope=SCOPE,
            listener=a_listener().path,
            id=f"{priority:016d}",
            priority=priority,
            conditions=conditions,
            actions=(action,),
        )
        await self.put(RULES, rule)

    async def get(self, path="/", *, host=None, method="GET", headers=None, address="127.0.0.1"):
        """Status, body and headers of an answer."""
        sent = {"Host": host or self.balancer.dns_name, **(headers or {})}
        async with (
            aiohttp.ClientSession() as session,
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


@pytest.fixture
async def world(tmp_path):
    world = World(tmp_path / "envoy")
    yield world
    Edge(store=world.store, directory=world.directory, address="127.0.0.1").stop()


def says(name: str):
    return lambda status, body: status == 200 and body.startswith(f"{name}\n")


def fixed(text: str) -> Action:
    response = FixedResponseAction(status_code="200", content_type="text/plain", message_body=text)
    return Action(type="fixed-response", fixed_response=response)


async def test_traffic_reaches_healthy_targets_as_they_come_and_go(world) -> None:
    async with upstream("a") as a, upstream("b") as b, world.edge():
        await world.balance(GROUP)
        await world.until_state(LoadBalancerStateCode.ACTIVE)
        status, body, headers = await world.get()
        assert (status, headers["server"]) == (503, "awselb/2.0")
        assert "<h1>503 Service Temporarily Unavailable</h1>" in body
        first = await world.serve(a)
        await world.until(says("a"))
        await world.serve(b, state=TargetState.UNHEALTHY)
        assert {(await world.get())[1][0] for _ in range(20)} == {"a"}
        await world.serve(b)
        await world.until(says("b"))
        gone = replace(first, draining_since=BEGAN, drained_at=BEGAN)
        await world.put(TARGETS, gone)
        async with asyncio.timeout(10):
            while "a" in {(await world.get())[1][0] for _ in range(10)}:
                pass


async def test_all_are_asked_when_none_is_healthy(world) -> None:
    async with upstream("a") as a, world.edge():
        await world.balance(GROUP)
        await world.serve(a, state=TargetState.UNHEALTHY)
        await world.until(says("a"))


async def test_what_a_target_is_told_of_the_client(world) -> None:
    async with upstream("a") as a, world.edge():
        await world.balance(GROUP)
        await world.serve(a)
        _, body, _ = await world.until(says("a"), headers={"X-Forwarded-For": "10.1.2.3"})
        head = body.lower()
        assert "x-forwarded-for: 10.1.2.3,127.0.0.1" in head.replace(", ", ",")
        assert "x-forwarded-proto: http" in head
        assert f"x-forwarded-port: {world.port}" in head
        assert "x-amzn-trace-id: root=1-" in head
        assert "x-envoy" not in head
        assert "x-request-id" not in head


async def test_rules_by_priority(world) -> None:
    async with upstream("a") as a, world.edge():
        await world.balance(GROUP)
        await world.serve(a)
        path = Condition(field="path-pattern", values=("/img/*", "/?at"))
        host = Condition(field="host-header", values=("*.Example.com",))
        header = Condition(field="http-header", header_name="X-Kind", values=("be?a*",))
        method = Condition(field="http-request-method", values=("DELETE",))
        query = Condition(
            field="query-string", query=(QueryPair(key="v", value="1*"), QueryPair(value="any"))
        )
        for number, condition in enumerate((path, host, header, method, query), 1):
            await world.rule(number, fixed(condition.field), condition)
        await world.until(lambda _, body: body == "query-string", path="/?x=any")
        asked = [
            ({"path": "/img/x.png"}, "path-pattern"),
            ({"path": "/cat"}, "path-pattern"),
            ({"host": "A.example.COM:81"}, "host-header"),
            ({"headers": {"x-kind": "Beta2"}}, "http-header"),
            ({"method": "DELETE"}, "http-request-method"),
            ({"path": "/?a=b&V=12"}, "query-string"),
        ]
        for request, expected in asked:
            assert (await world.get(**request))[1] == expected, request
        for request in ({"path": "/IMG/x"}, {"host": "example.com"}, {"path": "/?v=2"}):
            assert says("a")(*(await world.get(**request))[:2]), request


@pytest.mark.parametrize(
    ("redirect", "location"),
    [
        (
            RedirectAction(status_code="HTTP_301", protocol="HTTPS", port="443"),
            "https://shop.example.com:443/a/b?c=d",
        ),
        (
            RedirectAction(
                status_code="HTTP_302", host="www.#{host}", path="/new/#{path}", query="q=#{query}"
            ),
            "http://www.shop.example.com:8080/new/a/b?q=c=d",
        ),
    ],
)
async def test_redirects(world, redirect, location) -> None:
    async with world.edge():
        await world.balance(GROUP)
        await world.rule(1, Action(type="redirect", redirect=redirect))
        status, _, headers = await world.until(
            lambda status, _: status in {301, 302},
            path="/a/b?c=d",
            host="shop.example.com:8080",
        )
    assert (f"HTTP_{status}", headers["location"]) == (redirect.status_code, location)


async def test_weights(world) -> None:
    async with upstream("a") as a, upstream("b") as b, world.edge():
        await world.balance(GROUP, OTHER)
        await world.serve(a)
        await world.serve(b, OTHER)
        await world.until(says("b"))
        shares = ForwardAction(
            target_groups=(
                WeightedTargetGroup(target_group_arn=GROUP.arn, weight=1),
                WeightedTargetGroup(target_group_arn=OTHER.arn, weight=0),
            )
        )
        action = Action(type="forward", forward=shares)
        await world.put(
            LISTENERS, a_listener(GROUP, OTHER, port=world.port, default_actions=(action,))
        )
        async with asyncio.timeout(10):
            while "b" in {(await world.get())[1][0] for _ in range(20)}:
                pass


async def test_two_load_balancers_share_a_door_by_their_names(world) -> None:
    other = a_load_balancer("side", id="7".zfill(16), loopback_address="127.65.1.1")
    async with upstream("a") as a, upstream("b") as b, world.edge():
        await world.balance(GROUP)
        await world.put(LOAD_BALANCERS, other)
        await world.put(TARGET_GROUPS, OTHER)
        late = a_listener(
            OTHER,
            load_balancer=other.path,
            port=world.port,
            created_at=datetime(2027, 1, 1, tzinfo=UTC),
        )
        await world.put(LISTENERS, late)
        await world.serve(a)
        await world.serve(b, OTHER)
        await world.until(says("b"), host=f"{other.dns_name}:{world.port}")
        await world.until(says("a"))
        await world.until(says("a"), host="whatever.example.com")
        await world.until(says("b"), host="whatever", address="127.65.1.1")


async def test_a_killed_envoy_is_back_with_all_it_served(world) -> None:
    async with upstream("a") as a, world.edge() as edge:
        await world.balance(GROUP)
        await world.serve(a)
        await world.until(says("a"))
        before = edge.envoy.pid
        os.kill(before, signal.SIGKILL)
        async with asyncio.timeout(10):
            while edge.envoy.pid in {None, before}:
                await asyncio.sleep(0.005)
        await world.until(says("a"))


async def test_envoy_outlives_openecs_and_is_adopted(world) -> None:
    async with upstream("a") as a, upstream("b") as b:
        async with world.edge() as edge:
            await world.balance(GROUP)
            await world.serve(a)
            await world.until(says("a"))
            before = edge.envoy.pid
        assert says("a")(*(await world.get())[:2])
        await world.serve(b)
        async with world.edge() as edge:
            await world.until(says("b"))
            assert edge.envoy.pid == before


async def test_no_request_is_lost_while_targets_change(world) -> None:
    failures: list[object] = []
    done = asyncio.Event()

    async def ask() -> None:
        async with aiohttp.ClientSession() as session:
            while not done.is_set():
                url, host = f"http://127.0.0.1:{world.port}/", world.balancer.dns_name
                try:
                    async with session.get(url, headers={"Host": host}) as answer:
                        if answer.status != 200:
                            failures.append(answer.status)
                        await answer.read()
                except aiohttp.ClientError as error:
                    failures.append(error)

    async with upstream("a") as a, upstream("b") as b, world.edge():
        await world.balance(GROUP)
        await world.serve(a)
        await world.until(says("a"))
        asking = [asyncio.create_task(ask()) for _ in range(4)]
        for port, other in ((a, b), (b, a)) * 4:
            await world.serve(other)
            await world.until(says("a" if other == a else "b"))
            target = await world.serve(port)
            await world.store.write(lambda tx, key=target.key: tx.delete(TARGETS, SCOPE, key))
        done.set()
        await asyncio.gather(*asking)
    assert failures == []


async def test_a_taken_port_is_told_and_tried_again(world) -> None:
    taken = socket.create_server(("127.0.0.1", world.port))
    async with upstream("a") as a, world.edge():
        await world.balance(GROUP)
        await world.serve(a)
        state = await world.until_state(LoadBalancerStateCode.ACTIVE_IMPAIRED)
        assert str(world.port) in state.reason
        await world.until(says("a"), address=world.balancer.loopback_address)
        taken.close()
        await world.until_state(LoadBalancerStateCode.ACTIVE)
        await world.until(says("a"))


async def test_what_is_not_built_is_told(world) -> None:
    async with world.edge():
        await world.balance(GROUP)
        await world.rule(1, Action(type="jwt-validation"), Condition(field="path-pattern"))
        state = await world.until_state(LoadBalancerStateCode.ACTIVE_IMPAIRED)
    expected = "actions of type jwt-validation are not built"
    assert state.reason == f"Listener on port {world.port}: {expected}"


async def test_a_network_load_balancer_carries_connections(world) -> None:
    world.balancer = replace(world.balancer, type=LoadBalancerType.NETWORK)
    group = replace(GROUP, protocol="TCP", protocol_version=None)
    async with upstream("a") as a, world.edge():
        await world.balance(group, protocol="TCP", load_balancer=world.balancer.path)
        await world.serve(a, group)
        _, body, _ = await world.until(says("a"))
        assert "x-forwarded-for" not in body.lower()


async def test_rules_go_by_where_a_connection_comes_from(world) -> None:
    async with world.edge():
        await world.balance(GROUP)
        await world.rule(1, fixed("far"), Condition(field="source-ip", values=("192.0.2.0/24",)))
        near = Condition(field="source-ip", values=("10.0.0.0/8", "127.0.0.0/8"))
        await world.rule(2, fixed("near"), near, Condition(field="path-pattern", values=("/*",)))
        liar = {"X-Forwarded-For": "192.0.2.7"}
        await world.until(lambda status, body: (status, body) == (200, "near"), headers=liar)


async def test_a_session_stays_with_its_target(world) -> None:
    sticky = replace(GROUP, attributes={"stickiness.enabled": "true"})
    async with upstream("a") as a, upstream("b") as b, world.edge():
        await world.balance(sticky)
        gone = [await world.serve(port, sticky) for port in (a, b)]
        _, first, headers = await world.until(lambda status, _: status == 200)
        name = first.partition("\n")[0]
        cookie = headers["Set-Cookie"]
        assert cookie.startswith("AWSALB=")
        assert "Max-Age=86400" in cookie
        session = {"Cookie": "x=1; " + cookie.partition(";")[0]}
        names = [(await world.get(headers=session))[1].partition("\n")[0] for _ in range(12)]
        assert names == [name] * 12
        # Its target leaves: another one takes it over.
        port = {"a": a, "b": b}[name]
        (left,) = (each for each in gone if each.port == port)
        await world.put(TARGETS, replace(left, draining_since=BEGAN))
        other = {"a": "b", "b": "a"}[name]
        await world.until(says(other), headers=session)


async def test_a_session_stays_with_its_target_group(world) -> None:
    async with upstream("a") as a, upstream("b") as b, world.edge():
        forward = ForwardAction(
            target_groups=tuple(
                WeightedTargetGroup(target_group_arn=g.arn) for g in (GROUP, OTHER)
            ),
            stickiness_enabled=True,
            stickiness_seconds=60,
        )
        actions = (Action(type="forward", forward=forward),)
        await world.balance(GROUP, OTHER, default_actions=actions)
        await world.serve(a, GROUP)
        await world.serve(b, OTHER)
        await world.until(says("a"))
        await world.until(says("b"))
        _, first, headers = await world.get()
        cookie = headers["Set-Cookie"]
        assert cookie.startswith("AWSALBTG=")
        session = {"Cookie": cookie.partition(";")[0]}
        names = {(await world.get(headers=session))[1].partition("\n")[0] for _ in range(12)}
        assert names == {first.partition("\n")[0]}


async def test_what_is_asked_of_a_group_is_asked_of_envoy(world) -> None:
    slow = replace(GROUP, attributes={"slow_start.duration_seconds": "30"})
    mild = replace(
        OTHER,
        attributes={
            "load_balancing.algorithm.type": "weighted_random",
            "load_balancing.algorithm.anomaly_mitigation": "on",
        },
    )
    async with upstream("a") as a, upstream("b") as b, world.edge() as edge:
        await world.balance(slow, mild)
        await world.serve(a, slow)
        await world.serve(b, mild)
        await world.until(says("a"))
        await world.until(says("b"))
        dump = await edge.envoy.admin("/config_dump?resource=dynamic_active_clusters")
    made = {each["cluster"]["name"]: each["cluster"] for each in dump["configs"]}
    started = made[slow.arn]["round_robin_lb_config"]["slow_start_config"]
    assert started["slow_start_window"] == "30s"
    assert made[mild.arn]["outlier_detection"]["consecutive_5xx"] == 5


class Echo(asyncio.DatagramProtocol):
    """Answers each datagram with its name."""

    def __init__(self, name: bytes) -> None:
        self.name = name

    def connection_made(self, transport) -> None:
        self.transport = transport

    def datagram_received(self, data, address) -> None:
        self.transport.sendto(self.name + b" " + data, address)


async def test_a_network_load_balancer_carries_datagrams_and_connections(world) -> None:
    world.balancer = replace(world.balancer, type=LoadBalancerType.NETWORK)
    group = replace(GROUP, protocol="TCP_UDP", protocol_version=None)
    loop = asyncio.get_running_loop()
    async with upstream("a") as a, world.edge():
        served, _ = await loop.create_datagram_endpoint(
            lambda: Echo(b"udp"), local_addr=("127.0.0.1", a)
        )
        await world.balance(group, protocol="TCP_UDP", load_balancer=world.balancer.path)
        await world.serve(a, group)
        await world.until(says("a"))
        for address in ("127.0.0.1", world.balancer.loopback_address):
            assert await asked_by_datagram((address, world.port)) == b"udp hello"
        served.close()


async def asked_by_datagram(address) -> bytes:
    """What is answered to ``hello``, which is sent until it is."""
    loop = asyncio.get_running_loop()
    with socket.socket(type=socket.SOCK_DGRAM) as client:
        client.setblocking(False)
        async with asyncio.timeout(15):
            while True:
                await loop.sock_sendto(client, b"hello", address)
                with contextlib.suppress(TimeoutError):
                    return await asyncio.wait_for(loop.sock_recv(client, 100), 0.3)


async def test_connections_of_one_client_stay_with_a_target(world) -> None:
    world.balancer = replace(world.balancer, type=LoadBalancerType.NETWORK)
    group = replace(
        GROUP,
        protocol="TCP",
        protocol_version=None,
        attributes={"stickiness.enabled": "true", "proxy_protocol_v2.enabled": "false"},
    )
    async with upstream("a") as a, upstream("b") as b, world.edge():
        await world.balance(group, protocol="TCP", load_balancer=world.balancer.path)
        await world.serve(a, group)
        await world.serve(b, group)
        _, first, _ = await world.until(lambda status, _: status == 200)
        names = {(await world.get())[1].partition("\n")[0] for _ in range(12)}
        assert names == {first.partition("\n")[0]}


async def test_targets_are_told_of_the_client_by_proxy_protocol(world) -> None:
    world.balancer = replace(world.balancer, type=LoadBalancerType.NETWORK)
    group = replace(
        GROUP,
        protocol="TCP",
        protocol_version=None,
        attributes={"proxy_protocol_v2.enabled": "true"},
    )
    first = asyncio.get_running_loop().create_future()

    async def serve(reader, writer) -> None:
        if not first.done():
            first.set_result(await reader.readexactly(12))
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    async with server, world.edge():
        await world.balance(group, protocol="TCP", load_balancer=world.balancer.path)
        await world.serve(server.sockets[0].getsockname()[1], group)
        await world.until_state(LoadBalancerStateCode.ACTIVE)
        async with asyncio.timeout(15):
            while not first.done():
                _, writer = await asyncio.open_connection("127.0.0.1", world.port)
                writer.write(b"hello")
                await asyncio.wait([first], timeout=0.2)
                writer.close()
    assert first.result() == b"\r\n\r\n\x00\r\nQUIT\n"
