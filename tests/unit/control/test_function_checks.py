"""Health checks of Lambda functions: a real socket where they are invoked."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager

import pytest
from aiohttp import web

from openecs.control import function_checks
from openecs.control.target_health import TargetHealthChecks
from openecs.decide.target_health import Answered, Failure
from openecs.model.load_balancing import TargetState, TargetType
from openecs.store.kinds import LISTENERS, TARGET_GROUPS, TARGET_HEALTH, TARGETS
from openecs.store.memory import MemoryStore
from openecs.testing.balancing import a_check, a_listener, a_target, a_target_group
from openecs.testing.builders import NOW

FUNCTION = "arn:aws:lambda:eu-central-1:123456789012:function:shop"
TARGET = a_target(id=FUNCTION, port=0)
MULTIPLE = {"lambda.multi_value_headers.enabled": "true"}


def a_group(**changes):
    check = a_check(path="/ok?deep=1", interval=300, timeout=2)
    given = {"target_type": TargetType.LAMBDA, "protocol": None, "health_check": check}
    return a_target_group(**{**given, **changes})


@asynccontextmanager
async def lambda_answering(events, text, status=200, **headers):
    async def invoke(request):
        events.append(await request.json())
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return web.Response(text=text, status=status, headers=named)

    app = web.Application()
    app.router.add_post("/2015-03-31/functions/{name}/invocations", invoke)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    try:
        yield f"http://127.0.0.1:{runner.addresses[0][1]}/"
    finally:
        await runner.cleanup()


async def test_the_event_is_that_of_a_request_by_the_load_balancer() -> None:
    events = []
    async with lambda_answering(events, '{"statusCode": 204}') as url:
        for group in (a_group(), a_group(attributes=MULTIPLE)):
            assert await function_checks.perform(group, TARGET, url) == Answered(204)
    common = {
        "requestContext": {"elb": {"targetGroupArn": a_group().arn}},
        "httpMethod": "GET",
        "path": "/ok",
        "body": "",
        "isBase64Encoded": False,
    }
    agent = "ELB-HealthChecker/2.0"
    assert events == [
        {**common, "queryStringParameters": {"deep": "1"}, "headers": {"user-agent": agent}},
        {
            **common,
            "multiValueQueryStringParameters": {"deep": ["1"]},
            "multiValueHeaders": {"user-agent": [agent]},
        },
    ]


@pytest.mark.parametrize(
    ("text", "more"),
    [
        ('{"statusCode": 200}', {"X_Amz_Function_Error": "Unhandled"}),
        ('{"statusCode": 200}', {"status": 404}),
        ('"hello"', {}),
        ("no JSON", {}),
        (" " * 1_100_000, {}),
    ],
)
async def test_a_function_that_fails_is_not_well(text, more) -> None:
    async with lambda_answering([], text, **more) as url:
        assert await function_checks.perform(a_group(), TARGET, url) is Failure.FAILED


async def test_who_invokes_nobody_knows_nothing() -> None:
    assert await function_checks.perform(a_group(), TARGET, "") is Failure.INTERNAL
    away = await function_checks.perform(a_group(), TARGET, "http://127.0.0.1:1")
    assert away is Failure.FAILED


async def test_the_health_of_a_function_is_written_down() -> None:
    store, group = MemoryStore(), a_group()

    def put(tx):
        tx.put(TARGET_GROUPS, group)
        tx.put(LISTENERS, a_listener(group))
        tx.put(TARGETS, TARGET)

    await store.write(put)
    async with lambda_answering([], '{"statusCode": 200}') as url:
        checks = TargetHealthChecks(store=store, clock=lambda: NOW, lambda_url=url)
        working = asyncio.create_task(checks.run())
        async with asyncio.timeout(20):
            while await states(store) != [TargetState.HEALTHY]:
                await asyncio.sleep(0.005)
        working.cancel()
        await asyncio.gather(working, return_exceptions=True)


async def states(store):
    found = await store.read(lambda view: view.scan(TARGET_HEALTH, None))
    return [each.state for each in found]
