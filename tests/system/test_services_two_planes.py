"""Two control planes on one PostgreSQL: when the one that leads is killed, the other takes over."""

import time
from base64 import b64encode

import pytest

import postgres
from openecs_server import OpenEcs, eventually
from services import Services

pytestmark = [pytest.mark.system, pytest.mark.timeout(120)]

#: From the death of the one to the first deed of the other, in seconds.
TAKES_OVER_WITHIN = 10

#: Processes that share a database share what it is encrypted with.
KEYS = b64encode(b"k" * 32).decode()


@pytest.fixture(scope="module")
def database_url():
    with postgres.server() as url:
        yield postgres.new_database(url, "planes")


@pytest.fixture
def planes(tmp_path, database_url):
    """Two servers, the first of them leading."""
    first, second = (
        OpenEcs(
            tmp_path / name,
            OPENECS_DATABASE_URL=database_url,
            OPENECS_ENCRYPTION_KEYS=KEYS,
            OPENECS_DEPLOYMENT_HEALTHY_AFTER="1",
        )
        for name in ("first", "second")
    )
    first.start()
    eventually(lambda: leads(first), within=20)
    second.start()
    yield first, second
    first.clean()
    second.clean()


def leads(server: OpenEcs) -> bool:
    return "leading" in server.log.read_text()


def test_the_other_takes_over_and_doubles_nothing(planes):
    first, second = planes
    services = Services(first)
    services.started("s", services.define("f"), 4)
    assert not leads(second)
    services.update("s", desiredCount=8)
    eventually(lambda: len(services.containers()) > 4, every=0.01)
    begun = time.monotonic()
    first.kill()
    services.server = second
    services.update("s", desiredCount=10)
    eventually(lambda: leads(second), within=TAKES_OVER_WITHIN)
    assert time.monotonic() - begun < TAKES_OVER_WITHIN
    first.start()
    services.stable("s")
    eventually(lambda: services.agrees_with_the_engine("s", 10), within=30)
    services.update("s", desiredCount=1)
    eventually(lambda: services.agrees_with_the_engine("s", 1), within=30)
