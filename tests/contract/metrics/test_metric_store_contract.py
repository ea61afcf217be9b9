"""What every store of metrics promises."""

from __future__ import annotations

import asyncio
import dataclasses
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from openecs.model.identity import Scope
from openecs.model.metrics import (
    Metric,
    Sample,
    Statistics,
    condensed,
    dimensions,
    merged,
    of_value,
    of_values,
)
from openecs.store.base import StoreUnavailable
from openecs.store.memory_metrics import MemoryMetricStore
from openecs.store.metrics import MetricFilter, Span
from openecs.store.sql import SqlMetricStore

SCOPE = Scope("123456789012", "eu-central-1")
BEGAN = datetime(2026, 1, 1, tzinfo=UTC)
HITS = Metric(SCOPE, "Shop", "Hits", dimensions(Service="web"))


def sample(seconds: float, value: float, metric=HITS, **more) -> Sample:
    at = BEGAN + timedelta(seconds=seconds)
    return Sample(metric=metric, timestamp=at, statistics=of_value(value), **more)


def span(first=0, last=600, period=60, metric=HITS, unit=None) -> Span:
    return Span(
        metric=metric,
        start=BEGAN + timedelta(seconds=first),
        end=BEGAN + timedelta(seconds=last),
        period=period,
        unit=unit,
    )


async def told(store, *args, **kwargs):
    (found,) = await store.read([span(*args, **kwargs)])
    return [((each.timestamp - BEGAN).total_seconds(), each.statistics) for each in found]


async def test_samples_of_a_period_add_up(metrics) -> None:
    await metrics.put([sample(1, 10), sample(2, 30), sample(61, 5)])
    await metrics.put([sample(59, 20)])
    assert await told(metrics) == [
        (0, of_values([(10, 1), (20, 1), (30, 1)])),
        (60, of_value(5)),
    ]
    assert await told(metrics, period=300) == [(0, of_values([(5, 1), (10, 1), (20, 1), (30, 1)]))]


async def test_fine_samples_keep_their_seconds(metrics) -> None:
    fine = [sample(second, second, resolution=1) for second in range(20)]
    await metrics.put(fine)
    assert [at for at, _ in await told(metrics, period=10)] == [0, 10]
    assert await told(metrics, period=1, first=3, last=5) == [(3, of_value(3)), (4, of_value(4))]


async def test_the_begin_is_within_and_the_end_is_not(metrics) -> None:
    await metrics.put([sample(minute * 60, minute) for minute in range(5)])
    assert [at for at, _ in await told(metrics, 60, 180)] == [60, 120]
    # A period that began before is not within, even where its samples are.
    assert [at for at, _ in await told(metrics, 90, 600)] == [120, 180, 240]


async def test_units_are_told_apart(metrics) -> None:
    await metrics.put([sample(0, 1, unit="Seconds"), sample(0, 2, unit="Count")])
    (found,) = await metrics.read([span()])
    assert {(each.unit, each.statistics.sum) for each in found} == {("Seconds", 1), ("Count", 2)}
    assert await told(metrics, unit="Count") == [(0, of_value(2))]


async def test_metrics_are_their_scope_name_and_exact_dimensions(metrics) -> None:
    others = [
        replace(HITS, scope=Scope("123456789012", "us-east-1")),
        replace(HITS, namespace="Other"),
        replace(HITS, name="Misses"),
        replace(HITS, dimensions=()),
        replace(HITS, dimensions=dimensions(Service="web", Zone="a")),
    ]
    await metrics.put([sample(0, n, metric) for n, metric in enumerate([HITS, *others])])
    for number, metric in enumerate([HITS, *others]):
        assert await told(metrics, metric=metric) == [(0, of_value(number))]
    here = MetricFilter(scope=SCOPE)
    assert list(await metrics.metrics(here)) == sorted([HITS, *others[1:]])
    assert list(await metrics.metrics(here, limit=2)) == sorted([HITS, *others[1:]])[:2]
    first, *rest = sorted([HITS, *others[1:]])
    assert list(await metrics.metrics(here, after=first)) == rest
    with_service = dataclasses.replace(
        here, dimensions=(("Service", None),), namespace="Shop", name="Hits"
    )
    assert set(await metrics.metrics(with_service)) == {HITS, others[4]}
    in_zone = dataclasses.replace(here, dimensions=(("Zone", "a"),))
    assert list(await metrics.metrics(in_zone)) == [others[4]]


async def test_metrics_that_are_active(metrics) -> None:
    await metrics.put([sample(0, 1), sample(7200, 1, replace(HITS, name="Late"))])
    recent = MetricFilter(scope=SCOPE, active_since=BEGAN + timedelta(hours=1))
    assert [each.name for each in await metrics.metrics(recent)] == ["Late"]


async def test_many_write_at_once(metrics) -> None:
    await asyncio.gather(*(metrics.put([sample(n % 60, n)]) for n in range(200)))
    ((_, known),) = await told(metrics)
    assert known.count == 200
    assert known.sum == sum(range(200))


async def test_statistic_sets_and_clearing(metrics) -> None:
    known = Statistics(10, 55, 1, 10)
    await metrics.put([replace(sample(0, 1), statistics=known)])
    assert await told(metrics) == [(0, known)]
    await metrics.clear()
    assert await told(metrics) == []
    assert list(await metrics.metrics(MetricFilter(scope=SCOPE))) == []


async def test_what_ages_grows_coarser_and_loses_nothing_but_its_seconds(url) -> None:
    store = SqlMetricStore(url)
    await store.open()
    try:
        values = [(second, float(second % 7)) for second in range(0, 3600, 7)]
        await store.put([sample(at, value, resolution=1) for at, value in values])
        whole = merged([of_value(value) for _, value in values])
        for age, finest in (
            (timedelta(hours=2), 1),
            (timedelta(hours=5), 60),
            (timedelta(days=16), 300),
            (timedelta(days=64), 3600),
        ):
            await store.trim(BEGAN + age)
            ((_, known),) = await told(store, last=3600, period=3600)
            assert known == whole
            fine = await told(store, last=3600, period=1)
            assert all(at % finest == 0 for at, _ in fine)
        await store.trim(BEGAN + timedelta(days=456))
        assert await told(store, last=3600, period=3600) == []
        assert list(await store.metrics(MetricFilter(scope=SCOPE))) == []
    finally:
        await store.close()


async def test_what_was_put_is_there_after_a_restart(url) -> None:
    for number in range(2):
        store = SqlMetricStore(url)
        await store.open()
        await store.put([sample(0, number)])
        await store.close()
    again = SqlMetricStore(url)
    await again.open()
    assert await told(again) == [(0, of_values([(0, 1), (1, 1)]))]
    await again.close()


async def test_several_processes_put_at_once(postgres_url) -> None:
    stores = [SqlMetricStore(postgres_url) for _ in range(3)]
    for store in stores:
        await store.open()
    await asyncio.gather(*(s.put([sample(n, 1)]) for s in stores for n in range(20)))
    ((_, known),) = await told(stores[0])
    assert known.count == 60
    for store in stores:
        await store.close()


async def test_a_place_that_cannot_be_opened(tmp_path) -> None:
    with pytest.raises(StoreUnavailable):
        await SqlMetricStore(f"sqlite:///{tmp_path}/none/metrics.db").open()


SAMPLES = st.lists(
    st.builds(
        lambda at, value, resolution, unit: sample(at, value, resolution=resolution, unit=unit),
        st.integers(0, 400),
        st.floats(-1e6, 1e6).map(lambda v: round(v, 3)),
        st.sampled_from([1, 60]),
        st.sampled_from(["None", "Count"]),
    ),
    max_size=12,
)


@settings(
    max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    st.lists(SAMPLES, max_size=3),
    st.sampled_from([1, 10, 60, 300]),
    st.integers(0, 200),
    st.sampled_from([None, "Count"]),
)
def test_a_database_tells_what_memory_tells(tmp_path_factory, batches, period, first, unit) -> None:
    async def both():
        path = tmp_path_factory.mktemp("metrics")
        stores = [MemoryMetricStore(), SqlMetricStore(f"sqlite:///{path}/metrics.db")]
        answers = []
        for store in stores:
            await store.open()
            for batch in batches:
                await store.put(batch)
            (found,) = await store.read([span(first, 500, period, unit=unit)])
            answers.append([(p.timestamp, p.unit, p.statistics.values) for p in found])
            await store.close()
        return answers

    memory, database = asyncio.run(both())
    assert memory == database


@given(
    st.lists(st.integers(-(10**6), 10**6).map(lambda n: (n or 1) / 7), min_size=200, max_size=400)
)
def test_many_values_are_told_within_one_percent(values) -> None:
    whole = of_values([(value, 1.0) for value in values])
    fewer = condensed(whole)
    assert (fewer.count, fewer.sum, fewer.minimum, fewer.maximum) == (
        whole.count,
        whole.sum,
        whole.minimum,
        whole.maximum,
    )
    assert sum(count for _, count in fewer.values) == pytest.approx(len(values))
    spread = sorted(value for value, count in fewer.values for _ in range(round(count)))
    for near, value in zip(spread, sorted(values), strict=True):
        assert near == pytest.approx(value, rel=0.011)
