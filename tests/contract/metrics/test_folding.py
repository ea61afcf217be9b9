"""What is put stays what it was while it is folded and rolled up, killed and shared."""

from __future__ import annotations

import asyncio
import signal
import subprocess
import sys
from datetime import UTC, datetime, timedelta

import msgspec
import pytest
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import create_engine, text

from openecs.model.identity import Scope
from openecs.model.metrics import Metric, Sample, Statistics, dimensions, of_value, of_values
from openecs.store.base import StoreUnavailable
from openecs.store.memory_metrics import MemoryMetricStore
from openecs.store.metrics import MetricFilter, Span
from openecs.store.sql import SqlMetricStore, metric_fold, metric_schema, metric_tables

SCOPE = Scope("123456789012", "eu-central-1")
BEGAN = datetime(2026, 1, 1, tzinfo=UTC)
HITS = Metric(SCOPE, "Shop", "Hits", dimensions(Service="web"))
DAY = timedelta(days=1)


def sample(seconds: float, value: float, metric=HITS, **more) -> Sample:
    at = BEGAN + timedelta(seconds=seconds)
    return Sample(metric=metric, timestamp=at, statistics=of_value(value), **more)


def day(period: int = 60) -> Span:
    return Span(metric=HITS, start=BEGAN, end=BEGAN + DAY, period=period)


async def counted(store, span=None) -> float:
    (found,) = await store.read([span or day()])
    return sum(each.statistics.count for each in found)


@pytest.fixture
async def stores(postgres_url):
    """Two processes on one database."""
    opened = [SqlMetricStore(postgres_url) for _ in range(2)]
    await asyncio.gather(*(store.open() for store in opened))
    yield opened
    for store in opened:
        await store.close()


BATCHES = st.lists(
    st.lists(
        st.builds(
            lambda at, value, count, fine, unit: Sample(
                metric=HITS,
                timestamp=BEGAN + timedelta(seconds=at),
                statistics=of_values([(value, count)]),
                unit=unit,
                resolution=1 if fine else 60,
            ),
            st.integers(0, 3 * 3600),
            st.floats(-1e6, 1e6).map(lambda v: round(v, 3)),
            st.sampled_from([1.0, 1.0, 3.0]),
            st.booleans(),
            st.sampled_from(["None", "Count"]),
        ),
        max_size=10,
    ),
    min_size=1,
    max_size=4,
)


@settings(max_examples=20, deadline=None)
@given(BATCHES, st.lists(st.sampled_from([0.0, 0.25, 16.0, 64.0, 400.0]), max_size=4))
def test_nothing_is_lost_by_growing_old(tmp_path_factory, batches, ages) -> None:
    async def told(store, steps):
        await store.open()
        for batch in batches:
            await store.put(batch)
            for age in steps[:1]:
                await store.trim(BEGAN + age * DAY)
            steps = steps[1:]
        (found,) = await store.read([day(3600)])
        await store.close()
        return found

    path = tmp_path_factory.mktemp("metrics")
    stored = asyncio.run(told(SqlMetricStore(f"sqlite:///{path}/metrics.db"), ages))
    model = asyncio.run(told(MemoryMetricStore(), []))
    assert [(p.timestamp, p.unit) for p in stored] == [(p.timestamp, p.unit) for p in model]
    for found, wanted in zip(stored, model, strict=True):
        _assert_alike(found.statistics, wanted.statistics)


def _assert_alike(found: Statistics, wanted: Statistics) -> None:
    assert (found.count, found.minimum, found.maximum) == (
        wanted.count,
        wanted.minimum,
        wanted.maximum,
    )
    assert found.sum == pytest.approx(wanted.sum, abs=1e-6)
    near, exact = (sorted(_spread(each)) for each in (found, wanted))
    for one, other in zip(near, exact, strict=True):
        assert one == pytest.approx(other, rel=0.011)


def _spread(statistics: Statistics) -> list[float]:
    return [value for value, count in statistics.values for _ in range(round(count))]


async def test_a_fold_that_is_cut_off_doubles_and_loses_nothing(url, monkeypatch) -> None:
    store = SqlMetricStore(url)
    await store.open()
    await store.put([sample(second, second) for second in range(0, 600, 20)])
    really = metric_fold.run_many

    def cut_off(connection, statement, rows) -> None:
        if statement is metric_fold._FOLDED:
            raise StoreUnavailable("killed")
        really(connection, statement, rows)

    with monkeypatch.context() as cut:
        cut.setattr(metric_fold, "run_many", cut_off)
        with pytest.raises(StoreUnavailable, match="killed"):
            await store.trim(BEGAN)
    assert await counted(store) == 30
    for _ in range(2):
        await store.trim(BEGAN)
        assert await counted(store) == 30
    await store.close()


async def test_what_was_acknowledged_survives_a_kill(sqlite_url) -> None:
    script = f"""
import asyncio, os, signal
from datetime import UTC, datetime
from openecs.model.identity import Scope
from openecs.model.metrics import Metric, Sample, dimensions, of_value
from openecs.store.sql import SqlMetricStore
async def main():
    store = SqlMetricStore({sqlite_url!r})
    await store.open()
    scope = Scope("123456789012", "eu-central-1")
    metric = Metric(scope, "Shop", "Hits", dimensions(Service="web"))
    at = datetime(2026, 1, 1, tzinfo=UTC)
    await store.put([Sample(metric=metric, timestamp=at, statistics=of_value(1.0))] * 3)
    os.kill(os.getpid(), signal.SIGKILL)
asyncio.run(main())
"""
    killed = await asyncio.to_thread(
        subprocess.run, [sys.executable, "-c", script], timeout=60, check=False
    )
    assert killed.returncode == -signal.SIGKILL
    store = SqlMetricStore(sqlite_url)
    await store.open()
    assert await counted(store) == 3
    await store.close()


async def test_processes_roll_up_at_once_while_others_put(stores) -> None:
    for hour in range(6):
        await stores[0].put([sample(hour * 3600 + n, 1.0, resolution=1) for n in range(50)])
    now = BEGAN + timedelta(hours=12)
    late = [sample(n, 1.0, resolution=1) for n in range(50)]
    await asyncio.gather(
        *(store.trim(now) for store in stores for _ in range(3)),
        *(store.put(late) for store in stores),
    )
    assert [await counted(store) for store in stores] == [400, 400]
    await stores[1].trim(now)
    assert [await counted(store) for store in stores] == [400, 400]


async def test_metrics_that_others_forgot_are_put_anew(stores) -> None:
    first, second = stores
    for forgotten in (second.clear, lambda: second.trim(BEGAN + 500 * DAY)):
        await first.put([sample(0, 1)])
        assert await counted(first) == 1
        await forgotten()
        assert [await counted(store) for store in stores] == [0, 0]
        assert list(await first.metrics(MetricFilter(scope=SCOPE))) == []
    await first.put([sample(0, 1)])
    assert [await counted(store) for store in stores] == [1, 1]
    assert list(await second.metrics(MetricFilter(scope=SCOPE))) == [HITS]


async def test_a_write_that_fails_fails_alone(url) -> None:
    store = SqlMetricStore(url)
    await store.open()
    unwritable = Metric(SCOPE, "Shop", "\ud800")
    puts = [store.put([sample(n, 1, unwritable if n % 5 == 4 else HITS)]) for n in range(20)]
    answers = await asyncio.gather(*puts, return_exceptions=True)
    assert [isinstance(each, Exception) for each in answers] == [n % 5 == 4 for n in range(20)]
    assert await counted(store) == 16
    await store.close()


async def test_what_is_read_beside_a_flood_is_whole(url, monkeypatch) -> None:
    monkeypatch.setattr("openecs.store.sql.metrics._PUTS", 5)
    store = SqlMetricStore(url)
    await store.open()
    flood = [sample(n, 1.0) for n in range(100)]
    puts = asyncio.gather(*(store.put(flood) for _ in range(60)))
    seen = [await counted(store)]
    while not puts.done():
        seen.append(await counted(store))
    await puts
    assert seen == sorted(seen)
    assert all(each % 100 == 0 for each in seen)
    assert await counted(store) == 6000
    await store.close()


async def test_migrations_make_the_tables_and_take_in_the_points_of_old(url) -> None:
    engine = create_engine(url.replace("postgresql:", "postgresql+psycopg:"))
    known = {"account": SCOPE.account, "region": SCOPE.region, "dimensions": '[["Service","web"]]'}
    plain, counts = msgspec.msgpack.encode(7.0), msgspec.msgpack.encode([2, 5, 1, 4, 1, 1, 4, 1])
    blob = "BYTEA" if "postgresql" in url else "BLOB"
    with engine.begin() as connection:
        for statement in (
            (
                "CREATE TABLE metric_series (id BIGINT PRIMARY KEY, account TEXT, region TEXT,"
                " namespace TEXT, name TEXT, dimensions TEXT)"
            ),
            (
                "CREATE TABLE metric_points (id BIGINT, series BIGINT, moment BIGINT,"
                f" resolution INTEGER, unit TEXT, statistics {blob})"
            ),
        ):
            connection.execute(text(statement))
        connection.execute(
            text(
                "INSERT INTO metric_series VALUES"
                " (4, :account, :region, 'Shop', 'Hits', :dimensions)"
            ),
            known,
        )
        at = int(BEGAN.timestamp())
        connection.execute(
            text("INSERT INTO metric_points VALUES (:id, 4, :at, 60, 'None', :statistics)"),
            [{"id": n, "at": at, "statistics": one} for n, one in enumerate((plain, counts))],
        )
    store = SqlMetricStore(url)
    await store.open()
    ((found,),) = await store.read([day()])
    assert found.statistics == Statistics(3, 12, 1, 7, ((1, 1), (4, 1), (7, 1)))
    await store.close()
    engine.dispose()


async def test_migrations_make_what_the_code_says(url) -> None:
    for _ in range(2):
        store = SqlMetricStore(url)
        await store.open()
        await store.close()
    engine = create_engine(url.replace("postgresql:", "postgresql+psycopg:"))
    with engine.connect() as connection:
        options = {"compare_type": True, "version_table": metric_schema.VERSIONS.table}
        context = MigrationContext.configure(connection, opts=options)
        assert compare_metadata(context, metric_tables.metadata) == []
    engine.dispose()
    config = Config()
    config.set_main_option("script_location", metric_schema.VERSIONS.location)
    assert ScriptDirectory.from_config(config).get_heads() == [metric_schema.VERSIONS.head]
