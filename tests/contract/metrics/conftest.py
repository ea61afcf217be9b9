from itertools import count

import pytest

import postgres
from openecs.store.memory_metrics import MemoryMetricStore
from openecs.store.sql import SqlMetricStore

_numbers = count()


@pytest.fixture(scope="session")
def postgres_server():
    with postgres.server() as url:
        yield url


@pytest.fixture
def postgres_url(postgres_server):
    return postgres.new_database(postgres_server, f"metrics{next(_numbers)}")


@pytest.fixture
def sqlite_url(tmp_path):
    return f"sqlite:///{tmp_path}/metrics.db"


@pytest.fixture(params=["sqlite", "postgres"])
def url(request):
    """The URL of an empty database."""
    return request.getfixturevalue(f"{request.param}_url")


@pytest.fixture(params=["memory", "sqlite", "postgres"])
async def metrics(request):
    """A new store of metrics."""
    if request.param == "memory":
        store = MemoryMetricStore()
    else:
        store = SqlMetricStore(request.getfixturevalue(f"{request.param}_url"))
    await store.open()
    yield store
    await store.close()
