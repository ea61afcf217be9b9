from itertools import count

import pytest

import postgres
from contract.store.notes import NOTES
from openecs.store.memory import MemoryStore
from openecs.store.sql import SqlStore

_numbers = count()


@pytest.fixture(scope="session")
def postgres_server():
    with postgres.server() as url:
        yield url


@pytest.fixture
def postgres_url(postgres_server):
    return postgres.new_database(postgres_server, f"test{next(_numbers)}")


@pytest.fixture
def sqlite_url(tmp_path):
    return f"sqlite:///{tmp_path}/openecs.db"


@pytest.fixture(params=["sqlite", "postgres"])
def url(request):
    """The URL of an empty database."""
    return request.getfixturevalue(f"{request.param}_url")


@pytest.fixture(params=["memory", "sqlite", "postgres"])
def closed_store(request):
    """A new store, not yet open."""
    if request.param == "memory":
        return MemoryStore()
    return SqlStore(request.getfixturevalue(f"{request.param}_url"), kinds=[NOTES])


@pytest.fixture
async def store(closed_store):
    """A new store."""
    await closed_store.open()
    yield closed_store
    await closed_store.close()
