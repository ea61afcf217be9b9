from itertools import count

import pytest

import postgres
from openecs.store.memory_logs import MemoryLogStore
from openecs.store.sql import SqlLogStore

_numbers = count()


@pytest.fixture(scope="session")
def postgres_server():
    with postgres.server() as url:
        yield url


@pytest.fixture
def postgres_url(postgres_server):
    return postgres.new_database(postgres_server, f"logs{next(_numbers)}")


@pytest.fixture
def sqlite_url(tmp_path):
    return f"sqlite:///{tmp_path}/logs.db"


@pytest.fixture(params=["sqlite", "postgres"])
def url(request):
    """The URL of an empty database."""
    return request.getfixturevalue(f"{request.param}_url")


@pytest.fixture(params=["memory", "sqlite", "postgres"])
async def logs(request):
    """A new store of logs."""
    if request.param == "memory":
        store = MemoryLogStore()
    else:
        store = SqlLogStore(request.getfixturevalue(f"{request.param}_url"))
    await store.open()
    yield store
    await store.close()
