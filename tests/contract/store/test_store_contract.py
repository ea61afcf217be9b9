"""What every store promises, whatever it is made of."""

import asyncio
from dataclasses import replace

import pytest

from contract.store.notes import HERE, NOTES, THERE, Note, collect, names, put
from openecs.store.base import Change, Conflict


async def test_what_is_put_is_there(store):
    note = Note(name="a", words=("x", "ÿ", "\U0001f600"))
    await store.write(put(note))
    assert await store.read(lambda v: v.get(NOTES, HERE, "a")) == note
    assert await store.read(lambda v: v.get(NOTES, THERE, "a")) is None
    assert await store.read(lambda v: v.get(NOTES, HERE, "b")) is None


async def test_the_last_put_counts(store):
    await store.write(put(Note(name="a", size=1)))
    await store.write(put(Note(name="a", size=2)))
    assert (await store.read(lambda v: v.get(NOTES, HERE, "a"))).size == 2


async def test_what_is_deleted_is_gone_from_everywhere(store):
    await store.write(put(Note(name="a"), Note(name="b")))
    await store.write(lambda t: t.delete(NOTES, HERE, "a"))
    assert await store.read(lambda v: v.get(NOTES, HERE, "a")) is None
    assert names(await store.read(lambda v: v.scan(NOTES, HERE))) == ["b"]
    assert names(await store.read(lambda v: v.find(NOTES, HERE, "colour", ("red",)))) == ["b"]
    assert await store.read(lambda v: v.count(NOTES, None, "anywhere", ("red",))) == 1


async def test_what_is_added_is_there_and_can_change_and_go(store):
    def work(transaction):
        transaction.add(NOTES, Note(name="a", owner="me"))
        transaction.put(NOTES, Note(name="a", owner="you"))
        transaction.add(NOTES, Note(name="b", owner="me"))
        return transaction.find(NOTES, HERE, "owner", ("me", "red"))

    assert names(await store.write(work)) == ["b"]
    await store.write(put(Note(name="b", owner="you")))
    assert names(await store.read(lambda v: v.find(NOTES, HERE, "owner", ("you", "red")))) == [
        "a",
        "b",
    ]
    await store.write(lambda t: t.delete(NOTES, HERE, "b"))
    assert names(await store.read(lambda v: v.scan(NOTES, HERE))) == ["a"]


async def test_what_a_failed_transaction_added_is_not_there(store):
    def work(transaction):
        transaction.add(NOTES, Note(name="a"))
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await store.write(work)
    assert names(await store.read(lambda v: v.scan(NOTES, HERE))) == []


@pytest.mark.parametrize("write", ["put", "add"])
async def test_what_was_looked_for_in_vain_can_be_made_and_changed(store, write):
    def work(transaction):
        assert transaction.get(NOTES, HERE, "a") is None
        getattr(transaction, write)(NOTES, Note(name="a"))
        assert transaction.get(NOTES, HERE, "a") == Note(name="a")

    def look(transaction):
        return transaction.get(NOTES, HERE, "a"), transaction.get(NOTES, HERE, "b")

    def fail(transaction):
        work(transaction)
        raise ZeroDivisionError

    results = await asyncio.gather(
        *(store.write(each) for each in (look, fail, look, work, look)), return_exceptions=True
    )
    assert results[0] == results[2] == (None, None)
    assert isinstance(results[1], ZeroDivisionError)
    assert results[4] == (Note(name="a"), None)
    assert await store.read(lambda v: v.get(NOTES, HERE, "a")) == Note(name="a")


async def test_deleting_nothing_is_no_change(store):
    before = await store.read(lambda v: v.revision)
    await store.write(lambda t: t.delete(NOTES, HERE, "a"))
    assert await store.read(lambda v: v.revision) == before


async def test_putting_the_same_is_no_change(store):
    await store.write(put(Note(name="a")))
    before = await store.read(lambda v: v.revision)
    await store.write(put(Note(name="a")))
    assert await store.read(lambda v: v.revision) == before


async def test_every_change_takes_one_revision(store):
    before = await store.read(lambda v: v.revision)

    def work(t):
        t.put(NOTES, Note(name="a"))
        t.put(NOTES, Note(name="a", size=1))
        t.delete(NOTES, HERE, "a")
        t.put(NOTES, Note(name="b"))
        return t.revision

    assert await store.write(work) == before + 4
    assert await store.read(lambda v: v.revision_of(NOTES, HERE, "b")) == before + 4
    assert await store.read(lambda v: v.revision_of(NOTES, HERE, "a")) is None


async def test_a_resource_keeps_its_revision_while_others_change(store):
    await store.write(put(Note(name="a")))
    before = await store.read(lambda v: v.revision_of(NOTES, HERE, "a"))
    await store.write(put(Note(name="b")))
    assert await store.read(lambda v: v.revision_of(NOTES, HERE, "a")) == before


ORDERED = ["", "A", "a", "a/1", "a/2", "a0", "b", "é", "\ue000", "\U0001f600"]


@pytest.mark.parametrize(
    ("asked", "expected"),
    [
        ({}, ORDERED),
        ({"descending": True}, ORDERED[::-1]),
        ({"limit": 0}, []),
        ({"limit": 2}, ["", "A"]),
        ({"limit": 2, "descending": True}, ["\U0001f600", "\ue000"]),
        ({"after": "a"}, ["a/1", "a/2", "a0", "b", "é", "\ue000", "\U0001f600"]),
        ({"after": "a", "descending": True}, ["A", ""]),
        ({"after": "a/"}, ["a/1", "a/2", "a0", "b", "é", "\ue000", "\U0001f600"]),
        ({"prefix": "a"}, ["a", "a/1", "a/2", "a0"]),
        ({"prefix": "a", "descending": True}, ["a0", "a/2", "a/1", "a"]),
        ({"prefix": "a/", "after": "a/1"}, ["a/2"]),
        ({"prefix": "a/", "after": "a/2", "descending": True}, ["a/1"]),
        ({"prefix": "a/", "after": "Z"}, ["a/1", "a/2"]),
        ({"prefix": "a/", "after": "b", "descending": True}, ["a/2", "a/1"]),
        ({"prefix": "a/", "after": "b"}, []),
        ({"prefix": "a", "after": "a", "limit": 2}, ["a/1", "a/2"]),
        ({"prefix": "\U0001f600"}, ["\U0001f600"]),
        ({"prefix": "x"}, []),
    ],
)
async def test_scan(store, asked, expected):
    await store.write(put(*(Note(name=name) for name in reversed(ORDERED))))
    await store.write(put(Note(name="a/3", scope=THERE)))
    assert names(await store.read(lambda v: v.scan(NOTES, HERE, **asked))) == expected


async def test_scan_of_all_scopes_is_in_key_order(store):
    await store.write(put(*(Note(name=n, scope=s) for s in (THERE, HERE) for n in "ca")))
    await store.write(put(Note(name="b", scope=THERE)))
    notes = await store.read(lambda v: v.scan(NOTES, None))
    expected = [("a", HERE), ("a", THERE), ("b", THERE), ("c", HERE), ("c", THERE)]
    assert [(n.name, n.scope) for n in notes] == expected
    backward = await store.read(lambda v: v.scan(NOTES, None, descending=True, after="c"))
    assert [(n.name, n.scope) for n in backward] == expected[2::-1]


async def test_find_matches_the_whole_tuple(store):
    await store.write(
        put(
            Note(name="a", owner="x", colour="red"),
            Note(name="b", owner="x", colour="blue"),
            Note(name="c", owner='x","red', colour="red"),
            Note(name="d"),
            Note(name="e", owner="x", colour="red", scope=THERE),
        )
    )
    assert names(await store.read(lambda v: v.find(NOTES, HERE, "owner", ("x", "red")))) == ["a"]
    assert names(await store.read(lambda v: v.find(NOTES, HERE, "owner", ("x",)))) == []
    assert await store.read(lambda v: v.count(NOTES, HERE, "owner", ("x", "red"))) == 1
    assert await store.read(lambda v: v.count(NOTES, HERE, "owner", ("y", "red"))) == 0


async def test_find_goes_page_by_page_in_key_order(store):
    everything = sorted(f"n{i}" for i in range(23))
    await store.write(put(*(Note(name=name) for name in everything)))
    seen, after = [], ""
    while page := await store.read(
        lambda v, a=after: v.find(NOTES, HERE, "colour", ("red",), after=a, limit=5)
    ):
        seen += names(page)
        after = page[-1].name
    assert seen == everything


async def test_a_global_index_spans_scopes_in_key_order(store):
    await store.write(put(Note(name="b"), Note(name="a", scope=THERE), Note(name="c")))
    found = await store.read(lambda v: v.find(NOTES, None, "anywhere", ("red",)))
    assert names(found) == ["a", "b", "c"]
    after = await store.read(lambda v: v.find(NOTES, None, "anywhere", ("red",), after="a"))
    assert names(after) == ["b", "c"]
    assert await store.read(lambda v: v.count(NOTES, None, "anywhere", ("red",))) == 3


@pytest.mark.parametrize(("scope", "index"), [(HERE, "anywhere"), (None, "colour"), (HERE, "x")])
async def test_an_index_the_kind_has_not_is_an_error(store, scope, index):
    with pytest.raises(KeyError, match=index):
        await store.read(lambda v: v.find(NOTES, scope, index, ("red",)))


async def test_an_index_follows_the_value(store):
    await store.write(put(Note(name="a", colour="red", owner="x")))
    await store.write(put(Note(name="a", colour="blue")))

    def counts(view):
        asked = [("colour", ("red",)), ("colour", ("blue",)), ("owner", ("x", "red"))]
        return [view.count(NOTES, HERE, index, words) for index, words in asked]

    assert await store.read(counts) == [0, 1, 0]


async def test_a_transaction_sees_its_own_writes(store):
    await store.write(put(Note(name="a"), Note(name="b"), Note(name="d", owner="x")))

    def work(t):
        t.put(NOTES, Note(name="a", colour="blue"))
        t.put(NOTES, Note(name="c"))
        t.delete(NOTES, HERE, "b")
        first = (
            t.get(NOTES, HERE, "a").colour,
            t.get(NOTES, HERE, "b"),
            names(t.scan(NOTES, HERE)),
            names(t.find(NOTES, HERE, "colour", ("red",))),
            t.count(NOTES, None, "anywhere", ("blue",)),
        )
        t.put(NOTES, Note(name="d", colour="green"))
        t.delete(NOTES, HERE, "c")
        return first, names(t.scan(NOTES, HERE)), t.count(NOTES, HERE, "owner", ("x", "red"))

    first, scanned, owned = await store.write(work)
    assert first == ("blue", None, ["a", "c", "d"], ["c", "d"], 1)
    assert (scanned, owned) == (["a", "d"], 0)
    assert names(await store.read(lambda v: v.scan(NOTES, HERE))) == ["a", "d"]


@pytest.mark.parametrize("looks", [False, True], ids=["blind", "after a find"])
async def test_an_exception_undoes_its_transaction_alone(store, looks):
    await store.write(put(Note(name="kept"), Note(name="changed")))
    before = await store.read(lambda v: v.revision)

    def fail(t):
        t.put(NOTES, Note(name="new"))
        t.put(NOTES, Note(name="changed", colour="blue", owner="x"))
        t.delete(NOTES, HERE, "kept")
        if looks:
            assert t.count(NOTES, HERE, "colour", ("blue",)) == 1
        raise ZeroDivisionError("of the work")

    results = await asyncio.gather(
        store.write(put(Note(name="x"))),
        store.write(fail),
        store.write(put(Note(name="y"))),
        store.write(fail),
        return_exceptions=True,
    )
    assert [type(result) for result in results] == [
        type(None),
        ZeroDivisionError,
        type(None),
        ZeroDivisionError,
    ]
    found = await store.read(lambda v: v.find(NOTES, HERE, "colour", ("red",)))
    assert names(found) == ["changed", "kept", "x", "y"]
    assert await store.read(lambda v: v.count(NOTES, HERE, "owner", ("x", "blue"))) == 0
    assert await store.read(lambda v: v.get(NOTES, HERE, "new")) is None
    assert await store.read(lambda v: v.revision) == before + 2
    assert [c.key for c in await collect(store, before, before + 2)] == ["x", "y"]


async def test_the_result_of_the_work_is_handed_on(store):
    assert await store.write(lambda _: "written") == "written"
    assert await store.read(lambda _: "read") == "read"


async def test_expect_holds_a_plan_to_what_it_was_made_from(store):
    await store.write(put(Note(name="a")))
    seen = await store.read(lambda v: v.revision_of(NOTES, HERE, "a"))
    await store.write(lambda t: t.expect(NOTES, HERE, "a", seen))
    await store.write(lambda t: t.expect(NOTES, HERE, "b", None))
    await store.write(put(Note(name="a", size=1)))

    def apply(t):
        t.put(NOTES, Note(name="b"))
        t.expect(NOTES, HERE, "a", seen)

    with pytest.raises(Conflict):
        await store.write(apply)
    with pytest.raises(Conflict):
        await store.write(lambda t: t.expect(NOTES, HERE, "a", None))
    assert await store.read(lambda v: v.get(NOTES, HERE, "b")) is None


async def test_transactions_are_serial(store):
    await store.write(put(Note(name="counter")))

    def increment(t):
        note = t.get(NOTES, HERE, "counter")
        t.put(NOTES, replace(note, size=note.size + 1))
        return note.size

    async def worker():
        return [await store.write(increment) for _ in range(20)]

    results = await asyncio.gather(*(worker() for _ in range(16)))
    assert sorted(n for seen in results for n in seen) == list(range(320))
    assert (await store.read(lambda v: v.get(NOTES, HERE, "counter"))).size == 320


async def test_what_was_written_is_read_by_whoever_waited_for_it(store):
    async def worker(name):
        for size in range(10):
            await store.write(put(Note(name=name, size=size, colour=str(size))))
            view = await store.read(
                lambda v: (v.get(NOTES, HERE, name), v.find(NOTES, HERE, "colour", ("9",)))
            )
            assert view[0].size == size
            assert (view[0] in view[1]) == (size == 9)

    await asyncio.gather(*(worker(f"w{n}") for n in range(8)))


async def test_a_read_is_one_picture(store):
    """Two notes always change together; no read sees one without the other."""
    await store.write(put(Note(name="a"), Note(name="b", colour="blue")))

    async def writer():
        for size in range(1, 60):
            await store.write(put(Note(name="a", size=size), Note(name="b", size=size)))

    def look(view):
        first = view.get(NOTES, HERE, "a")
        listed = view.scan(NOTES, HERE)
        return {first.size, *(n.size for n in listed), view.get(NOTES, HERE, "b").size}

    async def reader():
        while not writing.done():
            assert len(await store.read(look)) == 1
            await asyncio.sleep(0)

    writing = asyncio.ensure_future(writer())
    await asyncio.gather(writing, reader(), reader())


async def test_a_caller_that_gives_up_harms_nobody(store):
    first = asyncio.ensure_future(store.write(put(Note(name="a"))))
    second = asyncio.ensure_future(store.write(put(Note(name="b"))))
    await asyncio.sleep(0)
    first.cancel()
    await second
    assert "b" in names(await store.read(lambda v: v.scan(NOTES, HERE)))


async def test_followers_see_every_change_in_order(store):
    start = await store.read(lambda v: v.revision)
    following = asyncio.ensure_future(collect(store, start, start + 42))
    late = asyncio.ensure_future(collect(store, start + 20, start + 42))

    async def worker(name):
        for n in range(5):
            await store.write(put(Note(name=f"{name}{n}"), Note(name=f"{name}{n}", size=1)))

    await asyncio.gather(*(worker(name) for name in "abcd"))
    await store.write(put(Note(name="z")))
    await store.write(lambda t: t.delete(NOTES, HERE, "z"))
    changes = await asyncio.wait_for(following, 10)
    assert [c.revision for c in changes] == list(range(start + 1, start + 43))
    assert changes[-1] == Change(start + 42, "note", HERE, "z")
    assert await asyncio.wait_for(late, 10) == changes[20:]
    assert await collect(store, start, start + 42) == changes


async def test_a_follower_waits_for_what_is_not_yet(store):
    start = await store.read(lambda v: v.revision)
    following = asyncio.ensure_future(collect(store, start, start + 1))
    done, _ = await asyncio.wait({following}, timeout=0.05)
    assert not done
    await store.write(put(Note(name="a")))
    assert [c.key for c in await asyncio.wait_for(following, 10)] == ["a"]


async def test_after_clear_there_is_nothing_and_followers_go_on(store):
    start = await store.read(lambda v: v.revision)
    await store.write(put(Note(name="a"), Note(name="b")))
    feed = store.follow(start)
    seen = []
    while len(seen) < 2:
        seen += await asyncio.wait_for(anext(feed), 10)
    await store.clear()
    assert await store.read(lambda v: v.get(NOTES, HERE, "a")) is None
    assert await store.read(lambda v: v.scan(NOTES, None)) == []
    assert await store.read(lambda v: v.count(NOTES, HERE, "colour", ("red",))) == 0
    await store.write(put(Note(name="a")))
    assert [c.key for c in await asyncio.wait_for(anext(feed), 10)] == ["a"]
    behind = store.follow(start)
    assert [c.key for c in await asyncio.wait_for(anext(behind), 10)] == ["a"]
    await feed.aclose()
    await behind.aclose()


async def test_what_is_written_right_after_clear_is_there(store):
    await store.write(put(Note(name="old")))
    start = await store.read(lambda v: v.revision)
    for number in range(20):
        new = Note(name=f"new{number}")
        await asyncio.gather(
            store.write(put(Note(name="lost", size=number + 1))),
            store.clear(),
            store.write(put(new)),
        )
        assert await store.read(lambda v: v.scan(NOTES, HERE)) == [new]
        now = await store.read(lambda v: v.revision)
        assert (await collect(store, start, now))[-1] == Change(now, "note", HERE, new.name)
