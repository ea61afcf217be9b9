"""Kinds that are sealed: what is on the disk, of which key, and what happens without it."""

from dataclasses import replace
from pathlib import Path

import pytest
from sqlalchemy import create_engine, text

from contract.store.notes import HERE, NOTES, Note, names, put
from openecs.sealing import Keys
from openecs.store.base import StoreUnavailable
from openecs.store.codec import UnreadableDocument
from openecs.store.sql import SqlStore

ONE, OTHER = bytes(range(32)), bytes(range(1, 33))
SEALED = replace(NOTES, sealed=True)
WORD = "xyzzy-quite-secret"


@pytest.fixture
def engine(url):
    engine = create_engine(url.replace("postgresql:", "postgresql+psycopg:"))
    yield engine
    engine.dispose()


def store_of(url, *keys, kind=SEALED):
    return SqlStore(url, kinds=[kind], seal=Keys(keys) if keys else None)


async def written(url, *keys, kind=SEALED):
    store = store_of(url, *keys, kind=kind)
    await store.open()
    await store.write(put(*(Note(name=f"n{i}", owner="me", words=(WORD,)) for i in range(3))))
    await store.close()


async def owners(url, *keys):
    """What a new process finds, by key, by index and in a listing."""
    store = store_of(url, *keys)
    await store.open()
    try:
        found = await store.read(lambda v: v.find(SEALED, HERE, "owner", ("me", "red")))
        assert await store.read(lambda v: v.scan(SEALED, HERE)) == found
        assert await store.read(lambda v: v.get(SEALED, HERE, "n0")) == found[0]
        assert {note.words for note in found} == {(WORD,)}
        return names(found)
    finally:
        await store.close()


def documents(engine):
    with engine.connect() as connection:
        return [row[0] for row in connection.execute(text("SELECT document FROM resources"))]


def on_disk(sqlite_url):
    path = Path(sqlite_url.removeprefix("sqlite:///"))
    return b"".join(file.read_bytes() for file in path.parent.glob(f"{path.name}*"))


async def test_a_sealed_kind_is_read_back_and_not_to_be_read_on_the_disk(url, engine):
    await written(url, ONE)
    assert await owners(url, ONE) == ["n0", "n1", "n2"]
    assert all(d.startswith(Keys([ONE]).prefix) and WORD not in d for d in documents(engine))


async def test_other_kinds_stay_as_they_were(url, engine):
    await written(url, ONE, kind=NOTES)
    assert all(WORD in document for document in documents(engine))


async def test_what_was_plain_is_sealed_when_the_database_is_opened(url, engine):
    await written(url)
    assert all(WORD in document for document in documents(engine))
    assert await owners(url, ONE) == ["n0", "n1", "n2"]
    assert not any(WORD in document for document in documents(engine))


async def test_nothing_plain_is_left_in_the_file(sqlite_url):
    await written(sqlite_url)
    assert WORD.encode() in on_disk(sqlite_url)
    await owners(sqlite_url, ONE)
    assert WORD.encode() not in on_disk(sqlite_url)


async def test_keys_are_rotated(url, engine):
    await written(url, ONE)
    assert await owners(url, OTHER, ONE) == ["n0", "n1", "n2"]
    assert all(d.startswith(Keys([OTHER]).prefix) for d in documents(engine))
    assert await owners(url, OTHER) == ["n0", "n1", "n2"]


async def test_another_key_is_refused_before_anything_is_touched(url, engine):
    await written(url, ONE)
    before = documents(engine)
    with pytest.raises(StoreUnavailable, match="All processes on one database need the same keys"):
        await store_of(url, OTHER).open()
    assert documents(engine) == before
    assert await owners(url, ONE) == ["n0", "n1", "n2"]


async def test_without_a_key_what_is_sealed_cannot_be_read(url):
    await written(url, ONE)
    store = store_of(url)
    await store.open()
    with pytest.raises(UnreadableDocument, match="there is no key"):
        await store.read(lambda v: v.get(SEALED, HERE, "n0"))
    await store.close()


async def test_a_row_in_the_place_of_another_is_not_believed(url, engine):
    await written(url, ONE)
    with engine.begin() as connection:
        stolen = "(SELECT document FROM resources WHERE key = 'n0')"
        connection.execute(text(f"UPDATE resources SET document = {stolen} WHERE key = 'n1'"))
    store = store_of(url, ONE)
    await store.open()
    with pytest.raises(UnreadableDocument, match="altered"):
        await store.read(lambda v: v.get(SEALED, HERE, "n1"))
    await store.close()


async def test_what_a_transaction_undid_is_sealed_as_it_was(url, engine):
    await written(url, ONE)
    store = store_of(url, ONE)
    await store.open()

    def fails(transaction):
        transaction.put(SEALED, Note(name="n0", owner="you"))
        transaction.scan(SEALED, HERE)
        raise KeyError

    with pytest.raises(KeyError):
        await store.write(fails)
    await store.close()
    assert all(d.startswith(Keys([ONE]).prefix) for d in documents(engine))
    assert await owners(url, ONE) == ["n0", "n1", "n2"]
