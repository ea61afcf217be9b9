"""Attributes of target groups on a real Envoy."""

from __future__ import annotations

import asyncio
import contextlib
from dataclasses import replace

from edge_world import BEGAN, GROUP, free_port, says, upstream
from openecs.model.load_balancing import LoadBalancerType, Target, TargetState, TargetType
from openecs.store.kinds import LISTENERS, LOAD_BALANCERS, TARGET_GROUPS, TARGETS
from openecs.testing.builders import SCOPE, a_listener, a_load_balancer, a_target_group


async def answers(world, count: int) -> list[str]:
    return [(await world.get())[1][0] for _ in range(count)]


async def test_a_target_that_is_new_among_others_starts_slowly(world) -> None:
    group = replace(GROUP, attributes={"slow_start.duration_seconds": "4"})
    async with upstream("a") as a, upstream("b") as b, world.edge():
        await world.balance(group)
        await world.serve(a)
        await world.until(says("a"))
        await world.serve(b, state=TargetState.INITIAL)
        began = asyncio.get_running_loop().time()
        while asyncio.get_running_loop().time() < began + 4:
            assert "b" not in await answers(world, 10)
        await world.serve(b)
        await world.until(says("b"))
        assert (await answers(world, 20)).count("b") <= 5
        async with asyncio.timeout(15):
            while (await answers(world, 20)).count("b") < 9:
                pass


async def test_too_few_healthy_targets_get_help(world) -> None:
    key = "target_group_health.unhealthy_state_routing.minimum_healthy_targets.count"
    async with upstream("a") as a, upstream("b") as b, world.edge():
        await world.balance(replace(GROUP, attributes={key: "2"}))
        await world.serve(a)
        await world.serve(b, state=TargetState.UNHEALTHY)
        await world.until(says("b"))
        await world.balance(GROUP)
        async with asyncio.timeout(10):
            while "b" in await answers(world, 10):
                pass


async def test_a_target_that_keeps_failing_rests(world) -> None:
    attributes = {
        "load_balancing.algorithm.type": "weighted_random",
        "load_balancing.algorithm.anomaly_mitigation": "on",
    }
    group = replace(GROUP, attributes=attributes)
    async with contextlib.AsyncExitStack() as stack:
        for name in "ab":
            await world.serve(await stack.enter_async_context(upstream(name)))
        failing = upstream("c", status="500 Internal Server Error")
        await world.serve(await stack.enter_async_context(failing))
        await stack.enter_async_context(world.edge())
        await world.balance(group)
        await world.until(lambda status, _: status == 500)
        async with asyncio.timeout(15):
            while "c" in await answers(world, 60):
                pass


async def test_targets_are_told_of_the_client_by_the_proxy_protocol(world) -> None:
    world.balancer = replace(world.balancer, type=LoadBalancerType.NETWORK)
    attributes = {"proxy_protocol_v2.enabled": "true"}
    group = replace(GROUP, protocol="TCP", protocol_version=None, attributes=attributes)
    heads: asyncio.Queue[bytes] = asyncio.Queue()

    async def serve(reader, writer) -> None:
        heads.put_nowait(await reader.readexactly(28))
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    async with server, world.edge():
        await world.balance(group, protocol="TCP", load_balancer=world.balancer.path)
        await world.serve(server.sockets[0].getsockname()[1], group)
        async with asyncio.timeout(15):
            while heads.empty():
                with contextlib.suppress(OSError):
                    _, writer = await asyncio.open_connection(
                        "127.0.0.1", world.port, local_addr=("127.0.9.9", 0)
                    )
                    writer.write(b"hello")
                    writer.close()
                await asyncio.sleep(0.01)
        head = heads.get_nowait()
    assert head.startswith(b"\r\n\r\n\0\r\nQUIT\n\x21\x11")
    assert head[16:20] == bytes([127, 0, 9, 9])


async def test_a_load_balancer_behind_another_knows_the_client(world) -> None:
    outer = a_load_balancer(
        "outer", id="7" * 16, type=LoadBalancerType.NETWORK, loopback_address="127.64.251.7"
    )
    changes = {"protocol": "TCP", "protocol_version": None, "target_type": TargetType.ALB}
    group = a_target_group("inner", id="8" * 16, **changes)
    port = free_port()
    async with upstream("one") as target, world.edge():
        await world.balance(GROUP)
        await world.serve(target)
        await world.put(LOAD_BALANCERS, outer)
        await world.put(TARGET_GROUPS, group)
        listener = a_listener(
            group, load_balancer=outer.path, id="6" * 16, protocol="TCP", port=port
        )
        await world.put(LISTENERS, listener)
        await world.until(says("one"))
        inner, world.port = world.port, port
        kept = Target(
            scope=SCOPE,
            target_group=group.path,
            id=world.balancer.arn,
            port=inner,
            address=world.balancer.loopback_address,
            registered_at=BEGAN,
        )
        await world.put(TARGETS, kept)
        _, body, _ = await world.until(says("one"), client="127.0.9.9")
        assert "x-forwarded-for: 127.0.9.9\r\n" in body
        world.port = inner
        address = world.balancer.loopback_address
        _, body, _ = await world.get(address=address, client="127.0.9.8")
        assert "x-forwarded-for: 127.0.9.8\r\n" in body
