"""``--ephemeral``: for test suites."""

import urllib.error
import urllib.request

import botocore.auth
import botocore.awsrequest
import botocore.credentials
import pytest

from openecs_server import OpenEcs, containers_of, docker, remove_containers
from tasks import WAITS, Tasks

pytestmark = pytest.mark.system

KEY = ("AKIAOPENECSTEST00000", "test/secret/test/secret/test/secret/0000")


@pytest.fixture
def ephemeral(tmp_path):
    server = OpenEcs(tmp_path / "data", "--ephemeral").start()
    yield server
    server.kill()
    remove_containers(f"org.openecs.installation=ephemeral-{server.port}")


def reset(server: OpenEcs, key: tuple[str, str] = KEY) -> int:
    request = botocore.awsrequest.AWSRequest("POST", f"{server.url}/_openecs/reset", data=b"")
    credentials = botocore.credentials.Credentials(*key)
    botocore.auth.SigV4Auth(credentials, "ecs", "us-east-1").add_auth(request)
    prepared = urllib.request.Request(
        request.url, method="POST", data=b"", headers=dict(request.headers.items())
    )
    try:
        with urllib.request.urlopen(prepared, timeout=30) as answer:
            return answer.status
    except urllib.error.HTTPError as error:
        return error.code


def test_reset_empties_the_world_containers_and_all(ephemeral):
    tasks = Tasks(ephemeral)
    arn = tasks.launch(WAITS)
    tasks.running(arn)
    assert reset(ephemeral) == 200
    assert containers_of(arn, everything=True) == []
    assert ephemeral.client("ecs").list_clusters()["clusterArns"] == []
    again = Tasks(ephemeral)
    again.running(again.launch(WAITS))


def test_reset_wants_the_root_key(ephemeral):
    assert reset(ephemeral, (KEY[0], "wrong")) in {400, 403}
    request = urllib.request.Request(f"{ephemeral.url}/_openecs/reset", method="POST", data=b"")
    with pytest.raises(urllib.error.HTTPError):
        urllib.request.urlopen(request, timeout=10)


def test_reset_is_not_there_without_ephemeral(server):
    assert reset(server) >= 400
    server.client("ecs").list_clusters()


def test_nothing_is_left_behind(ephemeral):
    tasks = Tasks(ephemeral)
    arn = tasks.launch(WAITS)
    tasks.running(arn)
    assert ephemeral.stop() == 0
    assert containers_of(arn, everything=True) == []


def test_what_a_killed_one_left_is_cleared_by_the_next(ephemeral):
    tasks = Tasks(ephemeral)
    arn = tasks.launch(WAITS)
    tasks.running(arn)
    ephemeral.kill()
    assert containers_of(arn)
    ephemeral.start()
    assert containers_of(arn, everything=True) == []
    assert (
        docker("ps", "-q", "--filter", f"label=org.openecs.installation=ephemeral-{ephemeral.port}")
        == ""
    )
