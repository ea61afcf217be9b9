"""Actions of alarms: what a webhook gets, and when it is tried again."""

from __future__ import annotations

import asyncio
import json
from contextlib import asynccontextmanager
from datetime import timedelta

from aiohttp import web

from openecs.control.alarm_deliveries import AlarmDeliveries
from openecs.decide.alarm_transitions import EVENT
from openecs.loops.backoff import Backoff
from openecs.model.alarms import AlarmType, DueAction
from openecs.store.alarms import ALARM_HISTORY, DUE_ACTIONS
from openecs.store.memory import MemoryStore
from openecs.testing.builders import NOW, SCOPE

TOPIC = "arn:aws:sns:eu-central-1:123456789012:alerts"
QUICK = Backoff(first=timedelta(milliseconds=1), longest=timedelta(milliseconds=5))


class Webhook:
    """Answers with ``statuses`` in turn, then with 200; remembers what it got."""

    def __init__(self, *statuses: int) -> None:
        self.statuses = list(statuses)
        self.got: list[tuple[dict, dict]] = []

    async def answer(self, request: web.Request) -> web.Response:
        self.got.append((dict(request.headers), json.loads(await request.text())))
        return web.Response(status=self.statuses.pop(0) if self.statuses else 200)


@asynccontextmanager
async def listening(webhook: Webhook):
    app = web.Application()
    app.router.add_post("/hook", webhook.answer)
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    port = site._server.sockets[0].getsockname()[1]
    yield f"http://127.0.0.1:{port}/hook"
    await runner.cleanup()


def due(action: str, **members) -> DueAction:
    body = json.dumps({"NewStateValue": "ALARM", "AlarmName": "cpu"})
    return DueAction(
        **{
            "scope": SCOPE,
            "alarm": "cpu",
            "alarm_type": AlarmType.METRIC,
            "id": "fresh-0",
            "at": NOW,
            "action": action,
            "body": body,
            "due_at": NOW,
            **members,
        }
    )


async def done(url: str, *actions: DueAction, later: timedelta = timedelta(0)) -> list[str]:
    """The summaries of the history once nothing is due any more."""
    store = MemoryStore()
    await store.write(lambda tx: [tx.put(DUE_ACTIONS, each) for each in actions])
    loop = asyncio.get_running_loop()
    begin = loop.time()

    def clock():
        return NOW + later + timedelta(seconds=loop.time() - begin)

    deliveries = AlarmDeliveries(store=store, clock=clock, url=url, backoff=QUICK)
    running = asyncio.create_task(deliveries.run())
    async with asyncio.timeout(10):
        while await store.read(lambda view: view.scan(DUE_ACTIONS, None)):
            await asyncio.sleep(0.005)
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)
    return [i.summary for i in await store.read(lambda view: view.scan(ALARM_HISTORY, None))]


async def test_a_topic_gets_a_notification():
    webhook = Webhook()
    async with listening(webhook) as url:
        assert await done(url, due(TOPIC)) == [f"Successfully executed action {TOPIC}"]
    ((headers, body),) = webhook.got
    assert headers["x-amz-sns-message-type"] == "Notification"
    assert headers["x-amz-sns-topic-arn"] == TOPIC
    assert body["Subject"] == 'ALARM: "cpu" in eu-central-1'
    assert json.loads(body["Message"])["AlarmName"] == "cpu"
    assert (body["Type"], body["TopicArn"]) == ("Notification", TOPIC)


async def test_an_event_is_sent_as_it_is_and_is_no_action():
    webhook = Webhook()
    async with listening(webhook) as url:
        assert await done(url, due(EVENT)) == []
    assert [body for _, body in webhook.got] == [json.loads(due(EVENT).body)]


async def test_what_fails_is_sent_again_with_the_same_id():
    webhook = Webhook(500, 503)
    async with listening(webhook) as url:
        assert await done(url, due(TOPIC)) == [f"Successfully executed action {TOPIC}"]
    assert [body["MessageId"] for _, body in webhook.got] == ["fresh-0"] * 3


async def test_after_a_day_it_is_given_up():
    webhook = Webhook(500)
    async with listening(webhook) as url:
        (told,) = await done(url, due(TOPIC), later=timedelta(hours=24))
    assert told == (
        f'Failed to execute action {TOPIC}. Received error: "the webhook answered with status 500"'
    )


async def test_what_cannot_be_done_fails_with_its_reason():
    stop = "arn:aws:automate:eu-central-1:ec2:stop"
    assert await done("", due(stop)) == [
        (
            f"Failed to execute action {stop}. Received error: "
            f'"OpenECS does not build actions of this kind: {stop}"'
        )
    ]
    (told,) = await done("", due(TOPIC))
    assert "alarm_webhook_url, which is not set" in told
    assert await done("", due(EVENT)) == []
