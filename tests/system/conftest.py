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


@pytest.fixture(scope="session")
def quick_server(tmp_path_factory):
    """A server whose deployments do not wait long for tasks to prove themselves.

    ``objects`` in its data directory stands for Amazon S3.
    """
    directory = tmp_path_factory.mktemp("quick")
    openecs = OpenEcs(
        directory,
        OPENECS_DEPLOYMENT_HEALTHY_AFTER="1",
        OPENECS_ENVIRONMENT_FILES_DIR=str(directory / "objects"),
    )
    openecs.start()
    yield openecs
    openecs.clean()


@pytest.fixture
def services(quick_server):
    from services import Services

    services = Services(quick_server)
    yield services
    services.clear()
