"""Subscription filters, and what destinations get of what is logged."""

from __future__ import annotations

import asyncio
import base64
import contextlib
import gzip
import json
import time
from datetime import UTC, datetime, timedelta

import pytest
from aiohttp import web
from botocore.exceptions import ClientError

from gateway_door import client_of, gateway_of, served
from openecs.api import logs
from openecs.api.base import ApiSettings
from openecs.control.log_subscriptions import LogSubscriptions, NotDelivered
from openecs.decide.log_subscriptions import Destinations
from openecs.loops.backoff import Backoff
from openecs.store.memory import MemoryStore
from openecs.store.memory_logs import MemoryLogStore

FUNCTION = "arn:aws:lambda:eu-central-1:123456789012:function:f"
STREAM = "arn:aws:firehose:eu-central-1:123456789012:deliverystream/s"


class Destination:
    """A server that takes events while it ``works``."""

    def __init__(self):
        self.works, self.paths, self.documents = True, [], []

    async def take(self, request):
        if not self.works:
            return web.Response(status=503)
        data = (await request.json())["awslogs"]["data"]
        self.paths.append(request.path)
        self.documents.append(json.loads(gzip.decompress(base64.b64decode(data))))
        return web.Response(status=202)

    def messages(self):
        return [event["message"] for each in self.documents for event in each["logEvents"]]


@contextlib.asynccontextmanager
async def listening(destination):
    app = web.Application()
    app.router.add_post("/{path:.*}", destination.take)
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    yield f"http://127.0.0.1:{runner.addresses[0][1]}"
    await runner.cleanup()


class World:
    def __init__(self, url):
        self.store, self.kept = MemoryStore(), MemoryLogStore()
        self.destinations = Destinations({STREAM: f"{url}/stream"}, url)
        self.settings = ApiSettings(log_destinations={STREAM: f"{url}/stream"}, lambda_url=url)

    def loop(self):
        """As after a start of the process."""
        return LogSubscriptions(
            store=self.store,
            logs=self.kept,
            clock=lambda: datetime.now(UTC),
            destinations=self.destinations,
            interval=timedelta(milliseconds=10),
            backoff=Backoff(first=timedelta(milliseconds=10)),
        )

    async def put(self, name="all", pattern="", destination=STREAM):
        await asyncio.to_thread(
            self.logs.put_subscription_filter,
            logGroupName="g",
            filterName=name,
            filterPattern=pattern,
            destinationArn=destination,
        )

    async def log(self, *messages, stream="s"):
        at = int(time.time() * 1000)
        events = [{"timestamp": at, "message": message} for message in messages]
        await asyncio.to_thread(
            self.logs.put_log_events, logGroupName="g", logStreamName=stream, logEvents=events
        )


@pytest.fixture
async def destination():
    return Destination()


@pytest.fixture
async def world(destination):
    async with listening(destination) as url:
        world = World(url)
        gateway = gateway_of(
            logs.SERVICE, store=world.store, logs=world.kept, settings=world.settings
        )
        with served(gateway) as door:
            world.logs = client_of(door, "logs")
            await asyncio.to_thread(world.logs.create_log_group, logGroupName="g")
            for name in "s", "t":
                await asyncio.to_thread(
                    world.logs.create_log_stream, logGroupName="g", logStreamName=name
                )
            yield world


@contextlib.asynccontextmanager
async def running(loop):
    work = asyncio.create_task(loop.run())
    yield
    work.cancel()
    await asyncio.gather(work, return_exceptions=True)


async def until(holds):
    async with asyncio.timeout(10):
        while not holds():
            await asyncio.sleep(0.01)


def refused(function, **members):
    with pytest.raises(ClientError) as caught:
        function(**members)
    return caught.value.response["Error"]


@pytest.mark.covers(
    "logs:PutSubscriptionFilter",
    "logs:DescribeSubscriptionFilters",
    "logs:DeleteSubscriptionFilter",
)
async def test_filters_come_and_go(world):
    await world.put("a", "ERROR", FUNCTION)
    await world.put("b")
    first, second = world.logs.describe_subscription_filters(logGroupName="g")[
        "subscriptionFilters"
    ]
    assert (first["filterName"], first["destinationArn"]) == ("a", FUNCTION)
    assert (second["filterPattern"], second["distribution"]) == ("", "ByLogStream")
    third = {"logGroupName": "g", "filterName": "c", "filterPattern": "", "destinationArn": STREAM}
    assert refused(world.logs.put_subscription_filter, **third)["Code"] == "LimitExceededException"
    await world.put("b", "WARN")
    pages = world.logs.get_paginator("describe_subscription_filters").paginate(
        logGroupName="g", PaginationConfig={"PageSize": 1}
    )
    patterns = [f["filterPattern"] for p in pages for f in p["subscriptionFilters"]]
    assert patterns == ["ERROR", "WARN"]
    gone = {"logGroupName": "g", "filterName": "a"}
    world.logs.delete_subscription_filter(**gone)
    error = refused(world.logs.delete_subscription_filter, **gone)
    assert error["Code"] == "ResourceNotFoundException"
    unknown = third | {"destinationArn": f"{STREAM}2"}
    error = refused(world.logs.put_subscription_filter, **unknown)
    assert error["Code"] == "InvalidParameterException"
    assert "log_destinations" in error["Message"]


async def test_what_matches_is_sent_as_aws_does(world, destination):
    await world.put("errors", "ERROR", FUNCTION)
    async with running(world.loop()):
        await world.log("ERROR one", "fine", "ERROR two")
        await world.log("ERROR three", stream="t")
        await until(lambda: len(destination.messages()) == 3)
    assert destination.paths[0].startswith("/2015-03-31/functions/arn:aws:lambda")
    first = destination.documents[0]
    told = world.logs.filter_log_events(logGroupName="g", logStreamNames=["s"])["events"]
    assert first["logEvents"][0]["id"] == told[0]["eventId"]
    assert first | {"logEvents": []} == {
        "messageType": "DATA_MESSAGE",
        "owner": "123456789012",
        "logGroup": "g",
        "logStream": "s",
        "subscriptionFilters": ["errors"],
        "logEvents": [],
    }


async def test_nothing_is_lost_while_the_destination_or_the_process_is_away(world, destination):
    await world.log("before the filter")
    await asyncio.sleep(0.005)
    await world.put()
    await world.log("one")
    destination.works = False
    (source,) = await _sources(world)
    with pytest.raises(NotDelivered, match="503"):
        await world.loop().deliver(source)
    await world.log("two")
    destination.works = True
    async with running(world.loop()):
        await until(lambda: len(destination.messages()) >= 2)
    async with running(world.loop()):
        await world.log("three")
        await until(lambda: len(destination.messages()) >= 3)
    assert destination.messages() == ["one", "two", "three"]


async def test_cursors_of_filters_that_have_gone_are_forgotten(world, destination):
    await world.put()
    await world.log("one")
    async with running(world.loop()):
        await until(destination.messages)
    assert await world.kept.sources("subscription-filter/")
    world.logs.delete_log_group(logGroupName="g")
    async with running(world.loop()), asyncio.timeout(10):
        while await world.kept.sources("subscription-filter/"):
            await asyncio.sleep(0.01)


async def _sources(world):
    from openecs.control import log_subscriptions

    return await world.store.read(log_subscriptions._filters)
