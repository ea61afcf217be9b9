"""Whoever replays the feed over what is stored has the same picture as the store."""

import asyncio
from dataclasses import dataclass

from hypothesis import given
from hypothesis import strategies as st

from openecs.model.identity import Scope
from openecs.store.base import Kind
from openecs.store.memory import MemoryStore

HERE = Scope("111111111111", "eu-west-1")


@dataclass(frozen=True, slots=True, kw_only=True)
class Note:
    name: str
    size: int


NOTES: Kind[Note] = Kind(name="note", type=Note, key=lambda n: n.name, scope=lambda _: HERE)

NAMES = st.sampled_from("abc")
OPERATIONS = st.lists(st.one_of(st.builds(Note, name=NAMES, size=st.integers(0, 2)), NAMES))


def play(operations):
    def work(transaction):
        for operation in operations:
            if isinstance(operation, Note):
                transaction.put(NOTES, operation)
            else:
                transaction.delete(NOTES, HERE, operation)

    return work


async def mirror(store, transactions, pause):
    """A mirror that looks at each key the feed names, some transactions later."""
    seen, cursor = {}, 0
    for number, operations in enumerate(transactions):
        await store.write(play(operations))
        target = await store.read(lambda v: v.revision)
        if number % pause and number + 1 < len(transactions):
            continue
        feed = store.follow(cursor)
        while cursor < target:
            changes = await anext(feed)
            for change in changes:
                note = await store.read(lambda v, c=change: v.get(NOTES, HERE, c.key))
                seen.pop(change.key, None) if note is None else seen.update({change.key: note})
            cursor = changes[-1].revision
        await feed.aclose()
    return seen, {n.name: n for n in await store.read(lambda v: v.scan(NOTES, HERE))}


@given(st.lists(OPERATIONS, max_size=8), st.integers(1, 4))
def test_a_mirror_of_the_feed_is_the_store(transactions, pause):
    seen, stored = asyncio.run(mirror(MemoryStore(), transactions, pause))
    assert seen == stored
