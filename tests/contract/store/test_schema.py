"""The schema of a database: as the tables say, never newer than the code, indexes up to date."""

from dataclasses import replace

import pytest
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import create_engine, text

from contract.store.notes import HERE, NOTES, Note, names, put
from openecs.store.base import StoreUnavailable
from openecs.store.sql import SqlStore, schema, tables


@pytest.fixture
def engine(url):
    engine = create_engine(url.replace("postgresql:", "postgresql+psycopg:"))
    yield engine
    engine.dispose()


async def created(url):
    store = SqlStore(url, kinds=[NOTES])
    await store.open()
    await store.write(put(Note(name="a", owner="x")))
    await store.close()


async def test_migrations_make_the_tables(url, engine):
    await created(url)
    with engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        assert compare_metadata(context, tables.metadata) == []


def test_head_is_the_newest_migration():
    config = Config()
    config.set_main_option("script_location", "openecs.store.sql:migrations")
    assert ScriptDirectory.from_config(config).get_heads() == [schema.VERSIONS.head]


async def test_a_database_of_a_newer_version_is_refused_and_left_alone(url, engine):
    await created(url)
    with engine.begin() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    store = SqlStore(url, kinds=[NOTES])
    with pytest.raises(StoreUnavailable, match=r"newer version .* \(schema 9999"):
        await store.open()
    with engine.begin() as connection:
        connection.execute(
            text("UPDATE alembic_version SET version_num = :v"), {"v": schema.VERSIONS.head}
        )
    await store.open()
    assert names(await store.read(lambda v: v.scan(NOTES, HERE))) == ["a"]
    await store.close()


async def test_a_new_index_finds_what_was_there_before(url):
    await created(url)
    newer = replace(
        NOTES, indexes={"owner": lambda n: (n.owner,) if n.owner else None}, global_indexes={}
    )
    store = SqlStore(url, kinds=[newer])
    await store.open()
    assert names(await store.read(lambda v: v.find(newer, HERE, "owner", ("x",)))) == ["a"]
    await store.write(lambda t: t.delete(newer, HERE, "a"))
    assert await store.read(lambda v: v.count(newer, HERE, "owner", ("x",))) == 0
    await store.close()


@pytest.mark.parametrize("bad", ["mysql://host/db", "not a url"])
def test_other_databases_are_refused(bad):
    with pytest.raises(ValueError, match="database"):
        SqlStore(bad)


async def test_a_store_that_is_not_open_says_so(url):
    store = SqlStore(url, kinds=[NOTES])
    for _ in range(2):
        with pytest.raises(StoreUnavailable, match="not open"):
            await store.read(lambda v: v.revision)
        with pytest.raises(StoreUnavailable, match="not open"):
            await store.write(put(Note(name="a")))
        await store.close()
        await store.open()
        await store.close()
