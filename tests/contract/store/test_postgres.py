"""What is promised of PostgreSQL alone: several processes on one database."""

import asyncio
from dataclasses import replace

import psycopg
import pytest

from contract.store.notes import HERE, NOTES, Note, collect, names, put
from openecs.store.base import StoreUnavailable
from openecs.store.sql import SqlStore


@pytest.fixture
async def replicas(postgres_url):
    stores = [SqlStore(postgres_url, kinds=[NOTES]) for _ in range(2)]
    await asyncio.gather(*(store.open() for store in stores))
    yield stores
    for store in stores:
        await store.close()


async def test_writers_of_all_replicas_are_serial(replicas):
    one, other = replicas
    await one.write(put(Note(name="counter")))

    def increment(t):
        note = t.get(NOTES, HERE, "counter")
        t.put(NOTES, replace(note, size=note.size + 1))
        return note.size

    async def worker(store):
        return [await store.write(increment) for _ in range(25)]

    results = await asyncio.gather(*(worker(s) for s in replicas for _ in range(4)))
    assert sorted(n for seen in results for n in seen) == list(range(200))
    assert (await other.read(lambda v: v.get(NOTES, HERE, "counter"))).size == 200


async def test_revisions_become_visible_in_order(replicas):
    """A follower with a cursor, on a third connection, never sees a hole filled later."""
    start = await replicas[0].read(lambda v: v.revision)

    async def worker(store, name):
        for n in range(20):
            await store.write(put(Note(name=f"{name}{n}"), Note(name=f"{name}{n}", size=1)))

    async def follower(url):
        seen = [start]
        async with await psycopg.AsyncConnection.connect(url, autocommit=True) as connection:
            while seen[-1] < start + 320:
                rows = await connection.execute(
                    "SELECT revision FROM changes WHERE revision > %s ORDER BY revision", [seen[-1]]
                )
                seen += [row[0] for row in await rows.fetchall()]
        return seen

    url = replicas[0]._database._dsn
    following = asyncio.ensure_future(follower(url))
    feeds = [asyncio.ensure_future(collect(s, start, start + 320)) for s in replicas]
    await asyncio.gather(*(worker(s, f"{i}{k}-") for i, s in enumerate(replicas) for k in range(4)))
    assert await asyncio.wait_for(following, 20) == list(range(start, start + 321))
    one, other = await asyncio.wait_for(asyncio.gather(*feeds), 20)
    assert [c.revision for c in one] == list(range(start + 1, start + 321))
    assert one == other


async def test_what_one_writes_another_reads(replicas):
    one, other = replicas
    for size in range(5):
        await one.write(put(Note(name="a", size=size)))
        assert (await other.read(lambda v: v.get(NOTES, HERE, "a"))).size == size
        await other.write(put(Note(name="a", size=size + 100, owner="x")))
        assert (await one.write(lambda t: t.get(NOTES, HERE, "a"))).size == size + 100


async def test_clear_reaches_every_replica(replicas):
    one, other = replicas
    start = await other.read(lambda v: v.revision)
    await other.write(put(Note(name="a")))
    feed = other.follow(start)
    assert [c.key for c in await asyncio.wait_for(anext(feed), 10)] == ["a"]
    await one.clear()
    assert await other.write(lambda t: t.get(NOTES, HERE, "a")) is None
    await one.write(put(Note(name="b")))
    assert [c.key for c in await asyncio.wait_for(anext(feed), 10)] == ["b"]
    await feed.aclose()


async def test_lost_connections_are_made_again(replicas, postgres_url):
    one, _ = replicas
    await one.write(put(Note(name="a")))
    start = await one.read(lambda v: v.revision)
    for name in ("b", "c"):
        with psycopg.connect(postgres_url, autocommit=True) as connection:
            connection.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                " WHERE datname = current_database() AND pid <> pg_backend_pid()"
            )
        assert "a" in names(await one.read(lambda v: v.scan(NOTES, HERE)))
        await one.write(put(Note(name=name)))
    changes = await asyncio.wait_for(collect(one, start, start + 2), 10)
    assert [c.key for c in changes] == ["b", "c"]


async def test_a_connection_lost_in_a_transaction_leaves_nothing(replicas, postgres_url):
    one, _ = replicas

    def work(t):
        t.put(NOTES, Note(name="a"))
        t.scan(NOTES, HERE)
        with psycopg.connect(postgres_url, autocommit=True) as connection:
            connection.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                " WHERE datname = current_database() AND pid <> pg_backend_pid()"
            )

    with pytest.raises(StoreUnavailable):
        await one.write(work)
    assert await one.read(lambda v: v.scan(NOTES, HERE)) == []
    await one.write(put(Note(name="b")))
    assert names(await one.read(lambda v: v.scan(NOTES, HERE))) == ["b"]


async def test_a_server_that_is_not_there_is_unavailable():
    with pytest.raises(StoreUnavailable, match="cannot open the database") as caught:
        await SqlStore("postgresql://someone:secret@127.0.0.1:1/nothing").open()
    assert "secret" not in str(caught.value)
