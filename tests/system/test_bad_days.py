"""Bad input and bad days: AWS's error or the documented state, and nothing acknowledged is lost."""

import contextlib
import json
import os
import signal
import subprocess
import urllib.error
import urllib.request

import botocore.auth
import botocore.awsrequest
import botocore.credentials
import pytest
from botocore.exceptions import ClientError

from openecs_server import OpenEcs, docker, eventually
from tasks import WAITS, Tasks, container

pytestmark = pytest.mark.system

KEY = ("AKIAOPENECSTEST00000", "test/secret/test/secret/test/secret/0000")


def send(server: OpenEcs, body: bytes, *, sign: bool = True, key=KEY) -> tuple[int, dict]:
    """A CreateCluster as it is on the wire: status and decoded answer."""
    headers = {
        "Content-Type": "application/x-amz-json-1.1",
        "X-Amz-Target": "AmazonEC2ContainerServiceV20141113.CreateCluster",
    }
    request = botocore.awsrequest.AWSRequest("POST", server.url + "/", data=body, headers=headers)
    if sign:
        credentials = botocore.credentials.Credentials(*key)
        botocore.auth.SigV4Auth(credentials, "ecs", "us-east-1").add_auth(request)
    prepared = urllib.request.Request(
        request.url, method="POST", data=body, headers=dict(request.headers.items())
    )
    try:
        with urllib.request.urlopen(prepared, timeout=30) as answer:
            return answer.status, json.load(answer)
    except urllib.error.HTTPError as error:
        return error.code, json.load(error)


def test_json_that_is_not_json(server):
    status, error = send(server, b'{"clusterName": ')
    assert (status, error["__type"]) == (400, "SerializationException")


def test_a_wrong_type(server):
    status, error = send(server, b'{"clusterName": [1]}')
    assert (status, error["__type"]) == (400, "SerializationException")


def test_a_body_of_10_mib(server):
    status, error = send(server, b'{"clusterName": "' + b"x" * (10 << 20) + b'"}')
    assert status in {400, 413}
    assert error["__type"]


def test_an_unsigned_request(server):
    status, error = send(server, b"{}", sign=False)
    assert (status, error["__type"]) == (400, "MissingAuthenticationTokenException")


def test_a_wrong_secret(server):
    status, error = send(server, b"{}", key=(KEY[0], "wrong"))
    assert (status, error["__type"]) == (400, "InvalidSignatureException")


def test_an_unknown_key(server):
    status, error = send(server, b"{}", key=("AKIANOBODYKNOWSTHISK", "x"))
    assert (status, error["__type"]) == (400, "UnrecognizedClientException")


@pytest.mark.parametrize(
    ("members", "message"),
    [
        ({"family": "x" * 300}, r"family"),
        (
            {
                "containerDefinitions": [
                    {
                        "name": name,
                        "image": "i",
                        "memory": 64,
                        "dependsOn": [{"containerName": other, "condition": "START"}],
                    }
                    for name, other in (("a", "b"), ("b", "a"))
                ]
            },
            r"cycl|circular",
        ),
    ],
)
def test_a_definition_that_cannot_be(server, members, message):
    valid = {
        "family": "f",
        "containerDefinitions": [{"name": "a", "image": "i", "memory": 64}],
    }
    unchecked = server.client("ecs", parameter_validation=False)
    with pytest.raises(ClientError, match=rf"(?i)ClientException.*({message})"):
        unchecked.register_task_definition(**(valid | members))


def test_memory_below_6_mib_is_raised_to_what_the_engine_needs(tasks):
    arn = tasks.launch(WAITS | {"memory": 4})
    # Whether a shell fits into 6 MiB is up to the machine; both ends are told as they are.
    task = eventually(lambda: (t := tasks.describe(arn))["lastStatus"] != "PENDING" and t)
    if task["lastStatus"] != "RUNNING":
        task = tasks.stopped(arn)
        assert task["stoppedReason"].startswith(("CannotStartContainerError", "OutOfMemory"))
    runtime_id = container(task)["runtimeId"]
    assert docker("inspect", "-f", "{{.HostConfig.Memory}}", runtime_id) == str(6 << 20)


def test_an_environment_file_that_is_missing(tasks):
    files = [{"type": "s3", "value": "arn:aws:s3:::bucket/nothing.env"}]
    task = tasks.stopped(tasks.launch({"environmentFiles": files}))
    assert task["stopCode"] == "TaskFailedToStart"
    assert task["stoppedReason"].startswith("ResourceInitializationError: ")
    assert "bucket/nothing.env" in task["stoppedReason"]


def test_an_operation_that_is_not_built_says_so(server):
    with pytest.raises(ClientError, match=r"NotImplemented.*ecs:ExecuteCommand"):
        server.client("ecs").execute_command(task="t", command="true", interactive=True)


def test_accounts_and_regions_are_worlds_apart(server):
    here = server.client("ecs")
    there = server.client("ecs", region="eu-west-1")
    here.create_cluster(clusterName="only-here")
    assert there.describe_clusters(clusters=["only-here"])["clusters"] == []
    made = there.create_cluster(clusterName="only-there")["cluster"]
    assert ":eu-west-1:" in made["clusterArn"]


@contextlib.contextmanager
def full_disk(directory):
    """A tiny file system of its own."""
    directory.mkdir(parents=True)
    subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=6m", "openecs-test", str(directory)], check=True
    )
    try:
        yield
    finally:
        subprocess.run(["umount", "-l", str(directory)], check=True)


@pytest.mark.skipif(os.geteuid() != 0, reason="mounting a small file system takes root")
def test_a_full_disk_refuses_and_keeps_what_was_acknowledged(own_server):
    with full_disk(own_server.data_dir):
        ballast = own_server.data_dir / "ballast"
        ballast.write_bytes(bytes(512 * 1024))
        own_server.start()
        ecs = own_server.client("ecs")
        acknowledged = []

        def fill() -> None:
            for number in range(20_000):
                name = f"c{number:05d}-{'x' * 200}"
                ecs.create_cluster(clusterName=name)
                acknowledged.append(name)

        with pytest.raises(ClientError) as refused:
            fill()
        assert refused.value.response["ResponseMetadata"]["HTTPStatusCode"] >= 500
        assert acknowledged
        own_server.kill()
        ballast.unlink()
        own_server.start()
        pages = own_server.client("ecs").get_paginator("list_clusters").paginate()
        known = {arn.rpartition("/")[2] for page in pages for arn in page["clusterArns"]}
        assert known >= set(acknowledged)
        own_server.kill()


@pytest.mark.timeout(180)
def test_the_engine_is_stopped_and_started_again_under_running_tasks(own_server, own_engine):
    own_server.extra["OPENECS_DOCKER_HOST"] = own_engine.host
    tasks = Tasks(own_server.start())
    definition = tasks.register(WAITS)
    arn = tasks.start(definition)
    tasks.running(arn)
    own_engine.stop()
    refused = eventually(lambda: tasks.run(definition)["failures"], within=30)
    assert {f["reason"] for f in refused} == {"AGENT"}
    own_engine.start()
    # The engine ended its containers when it went: the task is told so, with what it left.
    task = tasks.when(arn, "STOPPED", within=60)
    assert task["stopCode"] == "EssentialContainerExited"
    assert "exitCode" in container(task)
    again = eventually(lambda: tasks.run(definition)["tasks"], within=30)[0]["taskArn"]
    tasks.running(again)


class Engine:
    """A Docker engine of the test's own, to stop and start."""

    def __init__(self, directory) -> None:
        self.directory = directory
        self.host = f"unix://{directory}/docker.sock"
        self.process: subprocess.Popen | None = None

    def start(self) -> None:
        with (self.directory / "dockerd.log").open("ab") as log:
            self.process = self.launch(log)
        eventually(self.answers, within=60)

    def launch(self, log) -> subprocess.Popen:
        return subprocess.Popen(
            [
                # A network of its own: two engines would fight over the bridge docker0.
                # Mounts of its own: they go with it, even when it is killed.
                "unshare",
                "--net",
                "--mount",
                "dockerd",
                f"--host={self.host}",
                f"--data-root={self.directory}/data",
                f"--exec-root={self.directory}/exec",
                f"--pidfile={self.directory}/docker.pid",
                "--iptables=false",
                "--storage-driver=vfs",
            ],
            stdout=log,
            stderr=log,
        )

    def answers(self) -> bool:
        return "Server Version" in docker("-H", self.host, "info", check=False)

    def stop(self) -> None:
        if self.process is not None:
            self.process.send_signal(signal.SIGTERM)
            self.process.wait(60)
            self.process = None


@pytest.fixture
def own_engine(tmp_path_factory):
    if os.geteuid() != 0:
        pytest.skip("an engine of the test's own takes root")
    engine = Engine(tmp_path_factory.mktemp("engine"))
    engine.start()
    saved = engine.directory / "busybox.tar"
    docker("save", "-o", str(saved), "busybox:latest")
    docker("-H", engine.host, "load", "-i", str(saved))
    yield engine
    for found in docker("-H", engine.host, "ps", "-q", check=False).split():
        docker("-H", engine.host, "rm", "-f", found, check=False)
    engine.stop()
