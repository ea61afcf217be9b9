"""Alarms in virtual time: judged by the clock, on time, whatever happens to the loops."""

from __future__ import annotations

import asyncio
import json
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import timedelta

import pytest

from openecs.control.alarms import Alarms
from openecs.control.lease import LeaseLost
from openecs.model.alarms import (
    AlarmActions,
    AlarmState,
    Comparison,
    CompositeAlarm,
    MetricAlarm,
    MetricStat,
    MissingData,
    Suppression,
)
from openecs.model.metrics import Metric, Sample, of_value
from openecs.store.alarms import ALARM_HISTORY, COMPOSITE_ALARMS, DUE_ACTIONS, METRIC_ALARMS
from openecs.store.base import StoreUnavailable
from openecs.store.memory import MemoryStore
from openecs.store.memory_metrics import MemoryMetricStore
from openecs.testing.builders import NOW, SCOPE, CountingIds
from openecs.testing.simulation import virtual_time

TOPIC = "arn:aws:sns:eu-central-1:123456789012:alerts"
BEGIN = NOW.replace(second=3)
MINUTE = timedelta(minutes=1)


def an_alarm(name="cpu", period=60, **members) -> MetricAlarm:
    return MetricAlarm(
        **{
            "scope": SCOPE,
            "name": name,
            "metric": MetricStat(namespace="A", name=name, period=period, stat="Average"),
            "comparison": Comparison.GREATER,
            "threshold": 70.0,
            "evaluation_periods": 1,
            "configured_at": BEGIN,
            "updated_at": BEGIN,
            "transitioned_at": BEGIN,
            **members,
        }
    )


def a_composite(rule: str, **members) -> CompositeAlarm:
    return CompositeAlarm(
        scope=SCOPE,
        name="both",
        rule=rule,
        configured_at=BEGIN,
        updated_at=BEGIN,
        transitioned_at=BEGIN,
        **members,
    )


class World:
    def __init__(self, guard=None) -> None:
        self.store, self.metrics = MemoryStore(), MemoryMetricStore()
        self.clock = virtual_time.clock_from(BEGIN)
        self.guard = guard
        self.ids = CountingIds()

    @asynccontextmanager
    async def alarms(self):
        """The loops run; at the end they are killed."""
        loops = Alarms(
            store=self.store,
            metrics=self.metrics,
            clock=self.clock,
            ids=self.ids,
            url="",
            guard=self.guard,
        )
        running = asyncio.create_task(loops.run())
        yield
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)

    async def put(self, *alarms) -> None:
        def work(tx):
            for alarm in alarms:
                is_metric = isinstance(alarm, MetricAlarm)
                tx.put(METRIC_ALARMS if is_metric else COMPOSITE_ALARMS, alarm)

        await self.store.write(work)

    async def measure(self, value: float, name="cpu") -> None:
        sample = Sample(
            metric=Metric(SCOPE, "A", name),
            timestamp=self.clock(),
            statistics=of_value(value),
            resolution=1,
        )
        await self.metrics.put([sample])

    async def until(self, seconds: float) -> None:
        """Let the time come to so many seconds since the begin."""
        await asyncio.sleep((BEGIN - self.clock()).total_seconds() + seconds)

    async def alarm(self, name="cpu"):
        def look(view):
            return view.get(METRIC_ALARMS, SCOPE, name) or view.get(COMPOSITE_ALARMS, SCOPE, name)

        return await self.store.read(look)

    async def all_of(self, kind):
        return await self.store.read(lambda view: view.scan(kind, None))


def simulated(test):
    def run():
        virtual_time.run(test)

    run.__name__ = test.__name__
    return run


@simulated
async def test_an_alarm_goes_by_the_clock():
    world = World()
    await world.put(an_alarm(actions=AlarmActions(alarm=(TOPIC,))))
    async with world.alarms():
        await world.measure(99.0)
        await world.until(52)
        assert (await world.alarm()).state is AlarmState.INSUFFICIENT_DATA
        await world.until(58)
        alarm = await world.alarm()
        assert alarm.state is AlarmState.ALARM
        assert alarm.reason.startswith("Threshold Crossed: 1 datapoint [99.0 ")
        assert (alarm.transitioned_at - BEGIN).total_seconds() == 57
        await world.until(100)
        await world.measure(5.0)
        await world.until(118)
        assert (await world.alarm()).state is AlarmState.OK
    history = [(item.summary, item.type) for item in await world.all_of(ALARM_HISTORY)]
    assert history == [
        ("Alarm updated from INSUFFICIENT_DATA to ALARM", "StateUpdate"),
        (
            (
                f'Failed to execute action {TOPIC}. Received error: "OpenECS delivers '
                'notifications to the setting alarm_webhook_url, which is not set"'
            ),
            "Action",
        ),
        ("Alarm updated from ALARM to OK", "StateUpdate"),
    ]
    assert await world.all_of(DUE_ACTIONS) == []


@simulated
async def test_an_alarm_of_high_resolution_goes_each_ten_seconds():
    world = World()
    await world.put(an_alarm(period=10))
    async with world.alarms():
        await world.measure(99.0)
        await world.until(8)
        assert (await world.alarm()).state is AlarmState.ALARM


@simulated
async def test_an_alarm_that_is_put_is_judged_at_once():
    world = World()
    async with world.alarms():
        await world.until(1)
        await world.put(an_alarm(missing_data=MissingData.NOT_BREACHING))
        await world.until(2)
        assert (await world.alarm()).state is AlarmState.OK


@simulated
async def test_a_state_that_was_set_lasts_until_the_next_evaluation():
    world = World()
    await world.put(an_alarm(missing_data=MissingData.NOT_BREACHING))
    async with world.alarms():
        await world.until(10)
        await world.put(replace(await world.alarm(), state=AlarmState.ALARM))
        await world.until(56)
        assert (await world.alarm()).state is AlarmState.ALARM
        await world.until(58)
        assert (await world.alarm()).state is AlarmState.OK


@simulated
async def test_what_was_killed_goes_on():
    world = World()
    await world.put(an_alarm(missing_data=MissingData.NOT_BREACHING))
    async with world.alarms():
        await world.until(58)
    await world.measure(99.0)
    await world.until(200)
    await world.measure(99.0)
    async with world.alarms():
        await world.until(241)
        assert (await world.alarm()).state is AlarmState.ALARM


@simulated
async def test_a_process_that_lost_the_lease_changes_nothing():
    def guard(_tx):
        raise LeaseLost("another process has it")

    world = World(guard)
    await world.put(an_alarm(missing_data=MissingData.BREACHING), a_composite("TRUE"))
    async with world.alarms():
        await world.until(130)
        assert (await world.alarm()).state is AlarmState.INSUFFICIENT_DATA
        assert (await world.alarm("both")).state is AlarmState.INSUFFICIENT_DATA


@simulated
async def test_metrics_that_cannot_be_read_delay_alarms_and_no_more():
    world = World()
    read, broken = world.metrics.read, [True]

    async def failing(spans):
        if broken[0]:
            raise StoreUnavailable("no disk")
        return await read(spans)

    world.metrics.read = failing
    await world.put(an_alarm())
    async with world.alarms():
        await world.measure(99.0)
        await world.until(90)
        assert (await world.alarm()).state is AlarmState.INSUFFICIENT_DATA
        broken[0] = False
        await world.until(92)
        assert (await world.alarm()).state is AlarmState.ALARM


@simulated
async def test_a_composite_alarm_follows_its_children():
    world = World()
    await world.put(an_alarm("a"), an_alarm("b"), a_composite("ALARM(a) AND NOT ALARM(b)"))
    async with world.alarms():
        await world.until(1)
        assert (await world.alarm("both")).state is AlarmState.OK
        await world.measure(99.0, "a")
        await world.until(58)
        both = await world.alarm("both")
        assert both.state is AlarmState.ALARM
        arn = (await world.alarm("a")).arn
        assert both.reason.startswith(f"{arn} transitioned to ALARM at Friday 02 January, 2026 ")
        assert json.loads(both.reason_data)["triggeringAlarms"][0]["arn"] == arn
        await world.measure(99.0, "b")
        await world.until(118)
        assert (await world.alarm("both")).state is AlarmState.OK


@simulated
async def test_a_suppressor_holds_back_the_actions_of_a_composite_alarm():
    world = World()
    composite = a_composite(
        "ALARM(a)",
        suppressor="s",
        wait_period=20,
        extension_period=30,
        actions=AlarmActions(alarm=(TOPIC,)),
    )
    lasting = an_alarm("a", period=10, missing_data=MissingData.IGNORE)
    await world.put(lasting, an_alarm("s", period=10), composite)

    async def actions():
        return [item.at for item in await world.all_of(ALARM_HISTORY) if item.type == "Action"]

    async with world.alarms():
        await world.measure(99.0, "a")
        await world.until(8)
        both = await world.alarm("both")
        assert (both.state, both.suppressed_by) == (AlarmState.ALARM, Suppression.WAIT_PERIOD)
        await world.measure(99.0, "s")
        await world.until(18)
        assert (await world.alarm("both")).suppressed_by is Suppression.ALARM
        await world.until(20)
        await world.measure(1.0, "s")
        await world.until(28)
        assert (await world.alarm("both")).suppressed_by is Suppression.EXTENSION_PERIOD
        await world.until(56)
        assert await actions() == []
        await world.until(58)
        assert [(at - BEGIN).total_seconds() for at in await actions()] == [pytest.approx(57)]
        assert (await world.alarm("both")).suppressed_by is None


@simulated
async def test_a_flood_of_metrics_delays_no_alarm():
    world = World()
    await world.put(an_alarm())

    async def flood():
        number = 0
        while True:
            number += 1
            await world.measure(float(number), f"flood-{number % 500}")
            await asyncio.sleep(0.005)

    async with world.alarms():
        flooding = asyncio.create_task(flood())
        await world.measure(99.0)
        await world.until(58)
        flooding.cancel()
        alarm = await world.alarm()
        assert alarm.state is AlarmState.ALARM
        assert (alarm.transitioned_at - BEGIN).total_seconds() == pytest.approx(57, abs=0.01)


@simulated
async def test_an_alarm_that_cannot_be_judged_harms_no_other():
    world = World()
    odd = MetricStat(namespace="A", name="odd", period=60, stat="unheard-of")
    await world.put(an_alarm("odd", metric=odd), an_alarm())
    async with world.alarms():
        for name in ("odd", "cpu"):
            await world.measure(99.0, name)
        await world.until(58)
        assert (await world.alarm()).state is AlarmState.ALARM
        assert (await world.alarm("odd")).state is AlarmState.INSUFFICIENT_DATA
