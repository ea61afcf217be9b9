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

from edge_world import BEGAN, GROUP, OTHER, fixed, says, upstream
from openecs.model.load_balancing import (
    Action,
    Condition,
    ForwardAction,
    LoadBalancerStateCode,
    LoadBalancerType,
    QueryPair,
    RedirectAction,
    TargetState,
    WeightedTargetGroup,
)
from openecs.store.kinds import (
    LISTENERS,
    LOAD_BALANCER_STATES,
    LOAD_BALANCERS,
    TARGET_GROUPS,
    TARGETS,
)
from openecs.testing.builders import SCOPE, a_listener, a_load_balancer


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
        asked = {"X-Envoy-Internal": "true", "X-Envoy-Max-Retries": "9", "X-OpenECS-Target": "x"}
        for headers in ({}, asked):
            _, body, _ = await world.until(says("a"), headers=headers)
            assert "x-envoy" not in body.lower()


@pytest.mark.parametrize("drops", ["true", "false"])
async def test_headers_that_are_not_valid_may_be_dropped(world, drops) -> None:
    attributes = {"routing.http.drop_invalid_header_fields.enabled": drops}
    world.balancer = replace(world.balancer, attributes=attributes)
    async with upstream("a") as a, world.edge():
        await world.balance(GROUP)
        await world.serve(a)
        _, body, _ = await world.until(says("a"), headers={"not_valid": "1"})
    assert ("not_valid: 1" in body) == (drops == "false")


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


async def test_rules_by_the_address_of_the_client(world) -> None:
    async with world.edge():
        await world.balance(GROUP)
        near = Condition(field="source-ip", values=("127.9.0.0/16", "2001:db8::/32"))
        path = Condition(field="path-pattern", values=("/both",))
        await world.rule(1, fixed("near and there"), near, path)
        await world.rule(2, fixed("near"), near)
        await world.rule(3, fixed("far"), Condition(field="source-ip", values=("0.0.0.0/0",)))
        await world.until(lambda _, body: body == "near", client="127.9.1.2")
        assert (await world.get("/both", client="127.9.1.2"))[1] == "near and there"
        told = {"X-Forwarded-For": "127.9.1.2", "X-Openecs-Peer": "127.9.1.2"}
        assert (await world.get("/both", headers=told))[1] == "far"


async def test_rules_by_regular_expressions(world) -> None:
    async with world.edge():
        await world.balance(GROUP)
        patterns = {
            "path-pattern": (r"^/v[0-9]+/", "x{3}$"),
            "host-header": (r"^(a|b)\.example\.com$",),
            "http-header": (r"^one$", r"two[$]"),
        }
        for number, (field, values) in enumerate(patterns.items(), 1):
            name = "X-Kind" if field == "http-header" else None
            condition = Condition(field=field, regex_values=values, header_name=name)
            await world.rule(number, fixed(field), condition)
        await world.rule(9, fixed("none"), Condition(field="path-pattern", values=("*",)))
        await world.until(lambda _, body: body == "none")
        asked = [
            ({"path": "/v12/any?q"}, "path-pattern"),
            ({"path": "/axxx"}, "path-pattern"),
            ({"path": "/V12/any"}, "none"),
            ({"path": "/a/v12/any"}, "none"),
            ({"host": "B.Example.com:81"}, "host-header"),
            ({"host": "b.example.com"}, "host-header"),
            ({"host": "b.example.com.org"}, "none"),
            ({"headers": {"x-kind": "ONE"}}, "http-header"),
            ({"headers": {"x-kind": "has two$ in it"}}, "http-header"),
            ({"headers": {"x-kind": "one more"}}, "none"),
        ]
        for request, expected in asked:
            assert (await world.get(**request))[1] == expected, request


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


async def test_rules_that_envoy_does_not_take_are_told(world) -> None:
    async with upstream("a") as a, world.edge():
        await world.balance(GROUP)
        await world.serve(a)
        await world.until(says("a"))
        await world.until_state(LoadBalancerStateCode.ACTIVE)
        await world.rule(1, fixed("x"), Condition(field="path-pattern", regex_values=("(?=x)",)))
        state = await world.until_state(LoadBalancerStateCode.ACTIVE_IMPAIRED)
        assert state.reason == "Envoy does not take its rules"
        await world.until(says("a"))
        await world.rule(1, fixed("x"), Condition(field="path-pattern", regex_values=("x",)))
        await world.until_state(LoadBalancerStateCode.ACTIVE)
        await world.until(lambda _, body: body == "x", path="/x")


async def test_rules_that_envoy_does_not_take_hold_nobody_else_back(world) -> None:
    other = a_load_balancer("side", id="7".zfill(16), loopback_address="127.65.1.2")
    worse = Condition(field="path-pattern", regex_values=("(?=x)",))
    async with upstream("a") as a, upstream("b") as b:
        async with world.edge():
            await world.balance(GROUP)
            await world.serve(a)
            await world.put(LOAD_BALANCERS, other)
            await world.put(TARGET_GROUPS, OTHER)
            listener = a_listener(OTHER, port=world.port, load_balancer=other.path)
            await world.put(LISTENERS, listener)
            await world.serve(b, OTHER)
            await world.until(says("a"))
            await world.until(says("b"), host=other.dns_name)
            await world.rule(1, fixed("x"), worse)
            await world.until_state(LoadBalancerStateCode.ACTIVE_IMPAIRED)
            changed = replace(listener, default_actions=(fixed("changed"),))
            await world.put(LISTENERS, changed)
            await world.until(lambda _, body: body == "changed", host=other.dns_name)
            await world.until(says("a"))
            state = await world.store.read(
                lambda view: view.get(LOAD_BALANCER_STATES, SCOPE, other.path)
            )
            assert state.code is LoadBalancerStateCode.ACTIVE
        async with world.edge() as edge:
            edge.envoy.stop()
            await world.until(says("a"))
            await world.until(lambda _, body: body == "changed", host=other.dns_name)
            condition = Condition(field="path-pattern", values=("/x",))
            await world.rule(1, fixed("x"), condition)
            await world.until(lambda _, body: body == "x", path="/x")
            await world.until_state(LoadBalancerStateCode.ACTIVE)


async def test_a_listener_whose_rules_were_never_good_answers_for_itself(world) -> None:
    worse = Condition(field="path-pattern", regex_values=("(?=x)",))
    async with world.edge():
        await world.rule(1, fixed("x"), worse)
        await world.balance(GROUP)
        await world.until_state(LoadBalancerStateCode.ACTIVE_IMPAIRED)
        await world.until(lambda status, _: status == 503)


async def test_what_is_not_built_is_told(world) -> None:
    async with world.edge():
        await world.balance(GROUP)
        await world.rule(1, Action(type="authenticate-oidc"))
        state = await world.until_state(LoadBalancerStateCode.ACTIVE_IMPAIRED)
    assert state.reason == (
        f"Listener on port {world.port}: actions of type authenticate-oidc are not built"
    )


async def test_a_network_load_balancer_carries_connections(world) -> None:
    world.balancer = replace(world.balancer, type=LoadBalancerType.NETWORK)
    group = replace(GROUP, protocol="TCP", protocol_version=None)
    async with upstream("a") as a, world.edge():
        await world.balance(group, protocol="TCP", load_balancer=world.balancer.path)
        await world.serve(a, group)
        _, body, _ = await world.until(says("a"))
        assert "x-forwarded-for" not in body.lower()


class Echo(asyncio.DatagramProtocol):
    """Answers datagrams; as a client, keeps the answers."""

    def __init__(self, name: bytes | None = None) -> None:
        self.name = name
        self.heard: asyncio.Queue[bytes] = asyncio.Queue()

    def connection_made(self, transport) -> None:
        self.transport = transport

    def datagram_received(self, data, address) -> None:
        if self.name:
            self.transport.sendto(self.name + data, address)
        self.heard.put_nowait(data)


async def datagrams(**options) -> asyncio.DatagramTransport:
    loop = asyncio.get_running_loop()
    name = options.pop("name", None)
    transport, _ = await loop.create_datagram_endpoint(lambda: Echo(name), **options)
    return transport


async def answer_of(address: str, port: int) -> bytes:
    """The answer to a datagram that is sent until there is one."""
    client = await datagrams(remote_addr=(address, port))
    try:
        async with asyncio.timeout(15):
            while True:
                client.sendto(b"hello")
                with contextlib.suppress(TimeoutError):
                    return await asyncio.wait_for(client.get_protocol().heard.get(), 0.05)
    finally:
        client.close()


@pytest.mark.parametrize("protocol", ["UDP", "TCP_UDP"])
async def test_a_network_load_balancer_carries_datagrams(world, protocol) -> None:
    world.balancer = replace(world.balancer, type=LoadBalancerType.NETWORK)
    attributes = {"stickiness.enabled": "true"}
    changes = {"protocol": protocol, "protocol_version": None, "attributes": attributes}
    group = replace(GROUP, **changes)
    async with upstream("a") as a, world.edge():
        server = await datagrams(local_addr=("127.0.0.1", a), name=b"udp: ")
        await world.balance(group, protocol=protocol, load_balancer=world.balancer.path)
        await world.serve(a, group)
        for address in ("127.0.0.1", world.balancer.loopback_address):
            assert await answer_of(address, world.port) == b"udp: hello"
        if protocol == "TCP_UDP":
            await world.until(says("a"))
        server.close()


@pytest.mark.parametrize("is_sticky", [False, True])
async def test_datagrams_go_to_groups_by_weight(world, is_sticky) -> None:
    world.balancer = replace(world.balancer, type=LoadBalancerType.NETWORK)
    attributes = {"stickiness.enabled": "true"} if is_sticky else {}
    changes = {"protocol": "UDP", "protocol_version": None, "attributes": attributes}
    groups = [replace(each, **changes) for each in (GROUP, OTHER)]
    shares = tuple(
        WeightedTargetGroup(target_group_arn=group.arn, weight=weight)
        for group, weight in zip(groups, (3, 1), strict=True)
    )
    action = Action(type="forward", forward=ForwardAction(target_groups=shares))
    async with world.edge():
        servers = []
        for name, group in zip((b"a", b"b"), groups, strict=True):
            servers.append(await datagrams(local_addr=("127.0.0.1", 0), name=name))
            await world.serve(servers[-1].get_extra_info("sockname")[1], group)
        listening = {"protocol": "UDP", "load_balancer": world.balancer.path}
        await world.balance(*groups, **listening, default_actions=(action,))
        await answer_of("127.0.0.1", world.port)
        answers = [(await answer_of("127.0.0.1", world.port))[:1] for _ in range(80)]
        for server in servers:
            server.close()
    if is_sticky:
        assert len(set(answers)) == 1
    else:
        assert 40 < answers.count(b"a") < 76


async def test_datagrams_and_connections_share_a_port(world) -> None:
    other = a_load_balancer("side", id="7".zfill(16), loopback_address="127.65.1.1")
    other = replace(other, type=LoadBalancerType.NETWORK)
    group = replace(OTHER, protocol="UDP", protocol_version=None)
    async with upstream("a") as a, world.edge():
        server = await datagrams(local_addr=("127.0.0.1", a), name=b"udp: ")
        await world.balance(GROUP)
        await world.put(LOAD_BALANCERS, other)
        await world.put(TARGET_GROUPS, group)
        values = {"protocol": "UDP", "port": world.port, "load_balancer": other.path}
        await world.put(LISTENERS, a_listener(group, **values))
        await world.serve(a)
        await world.serve(a, group)
        assert await answer_of("127.0.0.1", world.port) == b"udp: hello"
        await world.until(says("a"))
        server.close()


async def test_names_of_headers_that_are_none_may_be_dropped(world) -> None:
    sent = {"x_odd": "1", "x-even": "2"}
    async with upstream("a") as a, world.edge():
        await world.balance(GROUP)
        await world.serve(a)
        _, body, _ = await world.until(says("a"), headers=sent)
        assert "x_odd: 1" in body.lower()
        dropping = {"routing.http.drop_invalid_header_fields.enabled": "true"}
        await world.put(LOAD_BALANCERS, replace(world.balancer, attributes=dropping))
        await world.until(
            lambda status, body: status == 200 and "x_odd" not in body.lower(), headers=sent
        )
        _, body, _ = await world.get(headers=sent)
        assert "x-even: 2" in body.lower()
