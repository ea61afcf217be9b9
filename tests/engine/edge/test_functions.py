"""Lambda functions behind a load balancer, on a real Envoy."""

from __future__ import annotations

import asyncio
import contextlib
import json
from dataclasses import replace
from urllib.parse import unquote

import pytest
from aiohttp import web

from edge_world import BEGAN
from openecs.model.load_balancing import Target, TargetType
from openecs.store.kinds import TARGETS
from openecs.testing.builders import SCOPE, a_target_group

FUNCTION = "arn:aws:lambda:eu-central-1:123456789012:function:shop"
GROUP = a_target_group(
    "functions", target_type=TargetType.LAMBDA, protocol=None, protocol_version=None, port=None
)


class Lambda:
    """What answers Lambda's Invoke: ``says`` is the next answer, ``events`` what it was told."""

    def __init__(self) -> None:
        self.events: list = []
        self.says: object = {"statusCode": 200, "body": "hello"}
        self.failure: str | None = None

    @contextlib.asynccontextmanager
    async def serve(self):
        app = web.Application(client_max_size=10**8)
        app.router.add_post("/2015-03-31/functions/{name}/invocations", self._invoke)
        runner = web.AppRunner(app)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        try:
            yield f"http://127.0.0.1:{runner.addresses[0][1]}"
        finally:
            await runner.cleanup()

    async def _invoke(self, request: web.Request) -> web.Response:
        assert unquote(request.match_info["name"]) == FUNCTION
        self.events.append(await request.json())
        headers = {"X-Amz-Function-Error": self.failure} if self.failure else {}
        return web.Response(text=json.dumps(self.says), headers=headers)


@pytest.fixture
async def function(world):
    function = Lambda()
    async with function.serve() as url:
        world.lambda_url = url
        async with world.edge():
            yield function


async def register(world, group=GROUP) -> None:
    target = Target(
        scope=SCOPE,
        target_group=group.path,
        id=FUNCTION,
        port=0,
        address="127.0.0.1",
        registered_at=BEGAN,
    )
    await world.put(TARGETS, target)


async def test_a_function_answers_requests(world, function) -> None:
    await register(world)
    await world.balance(GROUP)
    function.says = {"statusCode": 404, "headers": {"x-shop": "closed"}, "body": "gone"}
    _, body, headers = await world.until(
        lambda status, _: status == 404, path="/shop?a=b&a=c", headers={"X-One": "1"}
    )
    assert (body, headers["x-shop"]) == ("gone", "closed")
    told = function.events[-1]
    assert told["requestContext"] == {"elb": {"targetGroupArn": GROUP.arn}}
    assert (told["httpMethod"], told["path"]) == ("GET", "/shop")
    assert told["queryStringParameters"] == {"a": "c"}
    assert told["headers"]["x-one"] == "1"
    assert told["headers"]["x-forwarded-port"] == str(world.port)
    assert "x-amzn-trace-id" in told["headers"]
    assert not [name for name in told["headers"] if "openecs" in name or "envoy" in name]


async def test_a_function_is_told_all_values_where_its_group_wants_them(world, function) -> None:
    group = replace(GROUP, attributes={"lambda.multi_value_headers.enabled": "true"})
    await register(world)
    await world.balance(group)
    cookies = {"set-cookie": ["a=1", "b=2"]}
    function.says = {"statusCode": 200, "multiValueHeaders": cookies, "body": "hello"}
    _, _, headers = await world.until(lambda status, _: status == 200, path="/?a=b&a=c")
    assert headers.getall("set-cookie") == ["a=1", "b=2"]
    assert function.events[-1]["multiValueQueryStringParameters"] == {"a": ["b", "c"]}


async def test_what_is_answered_where_a_function_does_not(world, function) -> None:
    await world.balance(GROUP)
    await world.until(lambda status, _: status == 503)
    await register(world)
    await world.until(lambda status, _: status == 200)
    function.failure = "Unhandled"
    status, body, headers = await world.get()
    assert (status, headers["server"]) == (502, "awselb/2.0")
    assert "502 Bad Gateway" in body
    function.failure, function.says = None, "hello"
    assert (await world.get())[0] == 502


async def test_functions_are_reached_again_after_a_restart(world) -> None:
    function = Lambda()
    async with function.serve() as world.lambda_url:
        await register(world)
        for _ in range(2):
            async with world.edge():
                await world.balance(GROUP)
                await world.until(lambda status, _: status == 200)
        assert (await asyncio.wait_for(world.get(), 10))[0] == 502
