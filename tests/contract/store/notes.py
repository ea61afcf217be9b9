"""A kind of resource for the tests of the store, and where to keep some."""

import asyncio
from dataclasses import dataclass

from openecs.model.identity import Scope
from openecs.store.base import Kind

HERE = Scope("111111111111", "eu-west-1")
THERE = Scope("222222222222", "us-east-1")


@dataclass(frozen=True, slots=True, kw_only=True)
class Note:
    scope: Scope = HERE
    name: str
    colour: str = "red"
    size: int = 0
    owner: str | None = None
    words: tuple[str, ...] = ()


NOTES: Kind[Note] = Kind(
    name="note",
    type=Note,
    key=lambda n: n.name,
    scope=lambda n: n.scope,
    indexes={
        "colour": lambda n: (n.colour,),
        "owner": lambda n: (n.owner, n.colour) if n.owner else None,
    },
    global_indexes={"anywhere": lambda n: (n.colour,)},
)


def names(notes):
    return [note.name for note in notes]


def put(*notes):
    """Work that puts notes."""

    def work(transaction):
        for note in notes:
            transaction.put(NOTES, note)

    return work


async def collect(store, after, until):
    """The changes a follower sees from one revision up to another."""
    seen = []
    feed = store.follow(after)
    async with asyncio.timeout(5):
        while not seen or seen[-1].revision < until:
            seen += await anext(feed)
    await feed.aclose()
    return seen
