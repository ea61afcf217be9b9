import pytest

from openecs_server import OpenEcs


@pytest.fixture(scope="session")
def server(tmp_path_factory):
    """One server for tests that leave each other alone (their own cluster and family names)."""
    openecs = OpenEcs(tmp_path_factory.mktemp("openecs"))
    openecs.start()
    yield openecs
    openecs.clean()


@pytest.fixture
def own_server(tmp_path):
    """A server to kill and start again, not started yet."""
    openecs = OpenEcs(tmp_path / "data")
    yield openecs
    openecs.clean()


@pytest.fixture
def tasks(server):
    from tasks import Tasks

    return Tasks(server)
