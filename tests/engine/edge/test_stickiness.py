"""Sticky sessions on a real Envoy, as clients with a jar of cookies see them."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
from dataclasses import replace

import aiohttp
import pytest

from edge_world import BEGAN, GROUP, OTHER, says, upstream
from openecs.model.load_balancing import (
    Action,
    ForwardAction,
    LoadBalancerType,
    TargetState,
    WeightedTargetGroup,
)
from openecs.store.kinds import TARGETS

LB_COOKIE = {"stickiness.enabled": "true"}
APP_COOKIE = {
    **LB_COOKIE,
    "stickiness.type": "app_cookie",
    "stickiness.app_cookie.cookie_name": "session",
}


@pytest.fixture
async def client(world):
    """A client that keeps its cookies: a function that asks and gives who answered."""
    jar = aiohttp.CookieJar(unsafe=True)
    async with aiohttp.ClientSession(cookie_jar=jar) as session:

        async def ask(path="/") -> str:
            url, host = f"http://127.0.0.1:{world.port}{path}", world.balancer.dns_name
            async with session.get(url, headers={"Host": host}) as answer:
                return (await answer.text()).partition("\n")[0]

        ask.jar = jar
        yield ask


async def both_answer(world) -> None:
    for name in ("a", "b"):
        await world.until(says(name))


async def test_a_client_stays_with_its_target_until_that_is_gone(world, client) -> None:
    group = replace(GROUP, attributes=LB_COOKIE)
    async with upstream("a") as a, upstream("b") as b, world.edge():
        await world.balance(group)
        targets = {"a": await world.serve(a), "b": await world.serve(b)}
        await both_answer(world)
        first = await client()
        assert {await client() for _ in range(20)} == {first}
        assert {cookie.key for cookie in client.jar} == {"AWSALB", "AWSALBCORS"}
        await world.put(TARGETS, replace(targets[first], draining_since=BEGAN, drained_at=BEGAN))
        other = "b" if first == "a" else "a"
        async with asyncio.timeout(10):
            while await client() == first:
                await asyncio.sleep(0.01)
        await world.put(TARGETS, targets[first])
        await both_answer(world)
        assert {await client() for _ in range(20)} == {other}


async def test_a_client_leaves_a_target_that_is_unhealthy(world, client) -> None:
    group = replace(GROUP, attributes=LB_COOKIE)
    async with upstream("a") as a, upstream("b") as b, world.edge():
        await world.balance(group)
        ports = {"a": a, "b": b}
        for port in ports.values():
            await world.serve(port)
        await both_answer(world)
        first = await client()
        await world.serve(ports[first], state=TargetState.UNHEALTHY)
        async with asyncio.timeout(10):
            while await client() == first:
                await asyncio.sleep(0.01)


async def test_the_cookies_of_a_load_balancer(world) -> None:
    group = replace(GROUP, attributes=LB_COOKIE)
    async with upstream("a") as a, world.edge():
        await world.balance(group)
        await world.serve(a)
        _, body, headers = await world.until(says("a"), headers={"X-Openecs-Target": "spoof"})
        assert "x-openecs" not in body.lower()
        assert "x-openecs-target" not in headers
        plain, cors = headers.getall("set-cookie")
    assert plain.startswith("AWSALB=")
    assert plain.endswith("GMT; Path=/")
    assert cors.startswith("AWSALBCORS=")
    assert cors.endswith("GMT; Path=/; SameSite=None; Secure")


async def test_stickiness_ends_with_its_duration(world) -> None:
    group = replace(GROUP, attributes={**LB_COOKIE, "stickiness.lb_cookie.duration_seconds": "1"})
    async with upstream("a") as a, upstream("b") as b, world.edge():
        await world.balance(group)
        await world.serve(a)
        await world.serve(b)
        await both_answer(world)
        first, _, headers = (await world.get())[1][0], None, (await world.get())[2]
        cookie = headers.getall("set-cookie")[0].partition(";")[0]
        answers = set()
        async with asyncio.timeout(10):
            while answers != {"a", "b"}:
                answers.add((await world.get(headers={"Cookie": cookie}))[1][0])
    assert first in answers


async def test_a_client_stays_with_what_set_the_application_s_cookie(world, client) -> None:
    group = replace(GROUP, attributes=APP_COOKIE)
    cookie = "session=1; Path=/"
    async with upstream("a", cookie) as a, upstream("b", cookie) as b, world.edge():
        await world.balance(group)
        await world.serve(a)
        await world.serve(b)
        await both_answer(world)
        first = await client()
        assert {await client() for _ in range(20)} == {first}
        assert {each.key for each in client.jar} == {"session", "AWSALBAPP-0"}
        kept = {each.key: each.value for each in client.jar}["AWSALBAPP-0"]
        without = {"Cookie": f"AWSALBAPP-0={kept}"}
        answers = {(await world.get(headers=without))[1][0] for _ in range(20)}
        assert answers == {"a", "b"}


async def test_no_cookie_of_the_application_s_no_stickiness(world) -> None:
    group = replace(GROUP, attributes=APP_COOKIE)
    async with upstream("a") as a, world.edge():
        await world.balance(group)
        await world.serve(a)
        _, _, headers = await world.until(says("a"))
        assert "set-cookie" not in headers


async def test_a_client_stays_with_its_target_group(world, client) -> None:
    sticky = replace(OTHER, attributes=LB_COOKIE)
    weights = (
        WeightedTargetGroup(target_group_arn=GROUP.arn, weight=1),
        WeightedTargetGroup(target_group_arn=OTHER.arn, weight=1),
    )
    forward = ForwardAction(target_groups=weights, stickiness_enabled=True, stickiness_seconds=1000)
    action = Action(type="forward", forward=forward)
    async with contextlib.AsyncExitStack() as stack:
        a, b, c = [await stack.enter_async_context(upstream(name)) for name in "abc"]
        await stack.enter_async_context(world.edge())
        await world.balance(GROUP, sticky, default_actions=(action,))
        await world.serve(a)
        await world.serve(b, OTHER)
        await world.serve(c, OTHER)
        for name in "abc":
            await world.until(says(name))
        seen = set()
        async with asyncio.timeout(10):
            while seen != {"a", "b", "c"}:
                client.jar.clear()
                first = await client()
                assert {await client() for _ in range(5)} == {first}
                seen.add(first)
        assert "AWSALBTG" in {each.key for each in client.jar}


async def test_connections_of_an_address_stay_with_a_target(world) -> None:
    world.balancer = replace(world.balancer, type=LoadBalancerType.NETWORK)
    group = replace(GROUP, protocol="TCP", protocol_version=None, attributes=LB_COOKIE)
    async with upstream("a") as a, upstream("b") as b, world.edge():
        await world.balance(group, protocol="TCP", load_balancer=world.balancer.path)
        await world.serve(a, group)
        await world.serve(b, group)
        await world.until(lambda status, _: status == 200)
        seen = {}
        async with asyncio.timeout(10):
            for number in itertools.cycle(range(2, 250)):
                client = f"127.0.9.{number}"
                answers = {(await world.get(client=client))[1][0] for _ in range(3)}
                assert len(answers) == 1
                seen[client] = answers.pop()
                if set(seen.values()) == {"a", "b"}:
                    break
