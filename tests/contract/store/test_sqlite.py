"""What is promised of SQLite alone: one process, a full disk, answers from an index."""

import asyncio
import os
import sqlite3
import stat
import subprocess
import sys
from pathlib import Path

import pytest
from sqlalchemy import event

from contract.store.notes import HERE, NOTES, Note, collect, names, put
from openecs.store.base import FeedTruncated, StoreUnavailable
from openecs.store.sql import SqlStore, sqlite, statements


@pytest.fixture
async def store(sqlite_url):
    store = SqlStore(sqlite_url, kinds=[NOTES])
    await store.open()
    yield store
    await store.close()


@pytest.mark.usefixtures("store")
async def test_a_second_process_hears_who_has_the_file(sqlite_url):
    script = (
        "import asyncio, sys; from openecs.store.sql import SqlStore;"
        "asyncio.run(SqlStore(sys.argv[1]).open())"
    )
    second = await asyncio.to_thread(
        subprocess.run,
        [sys.executable, "-c", script, sqlite_url],
        capture_output=True,
        text=True,
        check=False,
    )
    assert f"is in use by process {os.getpid()}" in second.stderr
    assert "StoreUnavailable" in second.stderr


async def test_the_file_can_be_opened_again_once_closed(sqlite_url):
    for expected in ([], ["0"], ["0", "1"]):
        store = SqlStore(sqlite_url, kinds=[NOTES])
        await store.open()
        assert names(await store.read(lambda v: v.scan(NOTES, HERE))) == expected
        await store.write(put(Note(name=str(len(expected)))))
        await store.close()


async def test_a_file_that_is_no_database_is_refused(tmp_path):
    path = tmp_path / "openecs.db"
    path.write_bytes(b"something else entirely" * 100)
    for _ in range(2):
        with pytest.raises(StoreUnavailable, match="not a database"):
            await SqlStore(f"sqlite:///{path}").open()


async def test_a_place_that_cannot_be_written_is_refused():
    with pytest.raises(StoreUnavailable, match="cannot open"):
        await SqlStore("sqlite:////proc/nowhere/openecs.db").open()


async def test_only_the_owner_may_look(store, tmp_path):
    await store.write(put(Note(name="a")))
    for path in tmp_path.glob("openecs.db*"):
        if path.suffix != ".lock":
            assert stat.S_IMODE(path.stat().st_mode) == 0o600, path


async def test_commits_are_durable(store):
    with store._database.transaction() as connection:
        assert connection.exec_driver_sql("PRAGMA synchronous").scalar() == 2
        assert connection.exec_driver_sql("PRAGMA journal_mode").scalar() == "wal"


async def test_calls_that_wait_share_a_commit(store):
    commits = []
    engine = store._database._writing.engine
    event.listen(engine, "commit", commits.append)
    await asyncio.gather(*(store.write(put(Note(name=str(n)))) for n in range(100)))
    assert len(commits) < 10


async def test_on_a_full_disk_nothing_acknowledged_is_lost_and_it_goes_on_after(store, sqlite_url):
    driver = store._database._writing.connection.driver_connection
    (pages,) = driver.execute("PRAGMA page_count").fetchone()
    driver.execute(f"PRAGMA max_page_count = {pages + 60}")

    acknowledged, refused = ["changed"], 0
    await store.write(put(Note(name="changed", size=0, colour="blue")))
    size = 0
    for start in range(0, 400, 8):
        batch = [f"{n:04d}" for n in range(start, start + 8)]
        calls = [store.write(put(Note(name=n, words=("x" * 2000,)))) for n in batch]
        change = store.write(put(Note(name="changed", size=start, colour="blue")))
        *results, changed = await asyncio.gather(*calls, change, return_exceptions=True)
        assert {type(r) for r in results} <= {type(None), StoreUnavailable}
        acknowledged += [n for n, r in zip(batch, results, strict=True) if r is None]
        refused += sum(r is not None for r in results)
        size = start if changed is None else size
    assert refused > 200
    assert len(acknowledged) > 8

    def look(view):
        return names(view.scan(NOTES, HERE)), view.get(NOTES, HERE, "changed").size

    assert await store.read(look) == (sorted(acknowledged), size)
    driver.execute(f"PRAGMA max_page_count = {pages + 6000}")
    before = await store.read(lambda v: v.revision)
    await store.write(put(Note(name="after")))
    assert [c.key for c in await collect(store, before, before + 1)] == ["after"]
    await store.close()
    again = SqlStore(sqlite_url, kinds=[NOTES])
    await again.open()
    assert await again.read(look) == (sorted([*acknowledged, "after"]), size)
    await again.close()


async def test_a_value_that_cannot_be_stored_fails_alone(store):
    bad = store.write(put(Note(name="bad", colour="\ud800")))
    results = await asyncio.gather(bad, store.write(put(Note(name="a"))), return_exceptions=True)
    assert isinstance(results[0], ValueError)
    assert results[1] is None
    assert names(await store.read(lambda v: v.scan(NOTES, HERE))) == ["a"]


async def test_an_error_the_work_swallows_still_fails_it(store):
    """SQLite may undo a transaction by itself; what follows must not be taken for success."""

    def work(t):
        t.put(NOTES, Note(name="a"))
        store._database._writing.connection.driver_connection.execute("ROLLBACK")

    with pytest.raises(StoreUnavailable):
        await store.write(work)


async def test_followers_that_are_far_behind_are_told(sqlite_url, monkeypatch):
    monkeypatch.setattr(statements, "HISTORY", 50)
    monkeypatch.setattr(statements, "_TRIM_EVERY", 10)
    monkeypatch.setattr(sqlite, "_RECENT", 5)
    store = SqlStore(sqlite_url, kinds=[NOTES])
    await store.open()
    for size in range(100):
        await store.write(put(Note(name="a", size=size)))
    with pytest.raises(FeedTruncated):
        await anext(store.follow(10))
    changes = await collect(store, 60, 100)
    assert [c.revision for c in changes] == list(range(61, 101))
    await store.close()


async def test_the_feed_outlives_the_process(sqlite_url):
    store = SqlStore(sqlite_url, kinds=[NOTES])
    await store.open()
    await store.write(put(*(Note(name=f"{n:04d}") for n in range(2500))))
    await store.close()
    await store.open()
    changes = await collect(store, 0, 2500)
    assert [c.key for c in changes] == [f"{n:04d}" for n in range(2500)]
    await store.close()


async def test_a_commit_between_a_cached_answer_and_a_question_is_one_picture(store, tmp_path):
    """Another connection commits in the middle of a read: the read begins anew."""
    await store.write(put(Note(name="a", size=1)))
    runs = []

    def look(view):
        note = view.get(NOTES, HERE, "a")
        if not runs:
            with sqlite3.connect(tmp_path / "openecs.db") as other:
                change(other)
            other.close()
        runs.append(note.size)
        return [note.size, *(n.size for n in view.scan(NOTES, HERE))]

    def change(other):
        other.execute("UPDATE meta SET value = value + 1 WHERE name = 'revision'")
        other.execute(
            "UPDATE resources SET revision = 2, document = json_set(document, '$.size', 2)"
        )
        other.execute("INSERT INTO changes SELECT 2, kind, account, region, key FROM resources")

    assert await store.read(look) == [2, 2]
    assert runs == [1, 2]


QUESTIONS = [
    lambda v: v.find(NOTES, HERE, "colour", ("red",), after="n00500", limit=100),
    lambda v: v.find(NOTES, None, "anywhere", ("red",), after="n00500", limit=100),
    lambda v: v.count(NOTES, HERE, "colour", ("red",)),
    lambda v: v.scan(NOTES, HERE, prefix="n", after="n00500", limit=100),
    lambda v: v.scan(NOTES, HERE, prefix="n", after="n00500", limit=100, descending=True),
    lambda v: v.scan(NOTES, None, prefix="n", after="n00500", limit=100),
    lambda v: v.scan(NOTES, None, prefix="n", limit=100, descending=True),
    lambda v: v.get(NOTES, HERE, "nothing"),
]


@pytest.mark.parametrize("question", QUESTIONS)
async def test_answers_are_ranges_of_an_index(store, question):
    await store.write(put(*(Note(name=f"n{n:05d}") for n in range(1000))))
    asked = []
    reading = store._database._reading
    driver = reading.connection.driver_connection
    driver.set_trace_callback(asked.append)
    await store.read(question)
    driver.set_trace_callback(None)
    statement = next(text for text in reversed(asked) if text.startswith("SELECT"))
    plan = [row[3] for row in driver.execute(f"EXPLAIN QUERY PLAN {statement}")]
    assert plan
    for step in plan:
        assert step.startswith("SEARCH"), plan
        assert "TEMP B-TREE" not in step, plan


async def test_work_is_proportional_to_the_answer(store):
    """Counted, not timed: virtual machine steps for a page are the same in a large store."""
    reading = store._database._reading

    async def steps(question):
        ticks = []
        driver = reading.connection.driver_connection
        driver.set_progress_handler(lambda: ticks.append(1) and None, 1)
        await store.read(question)
        driver.set_progress_handler(None, 1)
        return len(ticks)

    def page(view):
        view.find(NOTES, HERE, "colour", ("red",), after="n0002", limit=10)
        view.scan(NOTES, HERE, prefix="n", after="n0002", limit=10)
        view.scan(NOTES, None, prefix="n", after="n0002", limit=10)

    reading.rollback()
    await store.write(put(*(Note(name=f"n{n:04d}") for n in range(100))))
    small = await steps(page)
    await store.write(put(*(Note(name=f"n{n:04d}") for n in range(100, 5000))))
    assert await steps(page) < small * 1.2


def test_the_lock_file_names_us(tmp_path):
    with sqlite._lock(tmp_path / "x") as held:
        assert Path(held.name).read_text(encoding="ascii") == str(os.getpid())
