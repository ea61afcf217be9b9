"""The ``openecs`` command as its users have it: processes, files, exit statuses."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from balanced import Balanced
from openecs_server import OpenEcs, containers_of, eventually
from services import Services
from tasks import WAITS, Tasks

pytestmark = pytest.mark.system

OWN_KEYS = {"OPENECS_ROOT_ACCESS_KEY_ID": "", "OPENECS_ROOT_SECRET_ACCESS_KEY": ""}


def openecs(
    server: OpenEcs, *arguments: str, status: int = 0, **environment: str
) -> subprocess.CompletedProcess[str]:
    done = subprocess.run(
        [sys.executable, "-m", "openecs", *arguments],
        env=server.environment | environment,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == status, done.stderr
    return done


@pytest.fixture
def keyed_server(tmp_path):
    """A server that has made its own root key."""
    server = OpenEcs(tmp_path / "data", **OWN_KEYS)
    yield server.start()
    server.clean()


@pytest.fixture
def ephemeral_server(tmp_path):
    server = OpenEcs(tmp_path / "data", "--ephemeral")
    yield server.start()
    if server.process is not None:
        server.stop()


def in_shell(server: OpenEcs, exports: str, command: str) -> str:
    """What a shell says that evaluated the exports."""
    kept = {k: v for k, v in server.environment.items() if not k.startswith("OPENECS_")}
    path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
    done = subprocess.run(
        ["sh", "-c", f"{exports}\n{command}"],
        env=kept | {"PATH": path, "AWS_EC2_METADATA_DISABLED": "true"},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


@pytest.mark.covers("sts:GetCallerIdentity", "sts:GetAccessKeyInfo")
def test_env_opens_the_door_to_any_account(keyed_server):
    whoami = "aws sts get-caller-identity --query Account --output text"
    first = openecs(keyed_server, "env").stdout
    assert in_shell(keyed_server, first, whoami) == "000000000000"
    second = openecs(keyed_server, "env", "--account-id", "111122223333").stdout
    assert in_shell(keyed_server, second, whoami) == "111122223333"
    whose = "aws sts get-access-key-info --access-key-id $AWS_ACCESS_KEY_ID --output text"
    assert in_shell(keyed_server, second, whose) == "111122223333"
    in_shell(keyed_server, second, "aws ecs create-cluster --cluster-name theirs")
    listed = "aws ecs list-clusters --query clusterArns --output text"
    assert in_shell(keyed_server, first, listed) == ""
    assert in_shell(keyed_server, second, listed).endswith(":111122223333:cluster/theirs")


def test_it_says_when_it_is_ready_and_ends_when_it_is_told_to(own_server):
    for _ in range(3):
        own_server.start()
        assert own_server.stop() == 0
    assert own_server.log.read_text().count(f"is ready on {own_server.url}") == 3


def test_the_secret_is_in_no_log(keyed_server):
    secret = next(
        line.partition("=")[2]
        for line in openecs(keyed_server, "env").stdout.splitlines()
        if "SECRET" in line
    )
    assert len(secret) == 40
    assert secret not in keyed_server.log.read_text()


def test_status_shows_clusters_tasks_and_ports(own_server):
    assert "openecs up" in openecs(own_server, "status", status=3).stderr
    own_server.start()
    assert "No clusters yet" in openecs(own_server, "status").stdout
    tasks = Tasks(own_server)
    arn = tasks.launch(WAITS | {"portMappings": [{"containerPort": 80}]})
    tasks.running(arn)
    shown = openecs(own_server, "status", COLUMNS="200").stdout
    for part in (tasks.cluster, arn.rpartition("/")[2], "app RUNNING 0.0.0.0:", "->80/tcp"):
        assert part in shown


def test_status_tells_what_does_not_work(own_server, tmp_path):
    own_server.start()
    assert "Note:" not in openecs(own_server, "status").stdout
    own_server.stop()
    own_server.extra["OPENECS_DOCKER_HOST"] = f"unix://{tmp_path}/nothing.sock"
    own_server.start()
    assert "Note: The container engine does not answer" in openecs(own_server, "status").stdout


def test_down_leaves_containers_running(own_server):
    own_server.start()
    tasks = Tasks(own_server)
    arn = tasks.launch(WAITS)
    tasks.running(arn)
    assert "containers go on" in openecs(own_server, "down").stdout
    assert own_server.process.wait(10) == 0
    assert len(containers_of(arn)) == 1


def test_down_with_tasks_stops_them_in_every_account_and_region(own_server):
    own_server.start()
    here = Tasks(own_server)
    there = OpenEcs(own_server.data_dir)
    there.url, there.client = own_server.url, lambda name: own_server.client(name, "eu-west-1")
    elsewhere = Tasks(there)
    arns = [here.launch(WAITS), here.launch(WAITS), elsewhere.launch(WAITS)]
    for tasks, arn in zip((here, here, elsewhere), arns, strict=True):
        tasks.running(arn)
    assert "Tasks stopped: 3." in openecs(own_server, "down", "--tasks").stdout
    assert own_server.process.wait(10) == 0
    assert [containers_of(arn) for arn in arns] == [[], [], []]


def test_down_with_tasks_stops_those_of_services_for_as_long_as_it_is_down(own_server):
    own_server.start()
    services = Services(own_server)
    services.create("web", services.define("web"), 2)
    services.running_of("web", 2)
    assert "Tasks stopped: 2." in openecs(own_server, "down", "--tasks").stdout
    assert own_server.process.wait(10) == 0
    assert services.containers() == []
    own_server.start()
    services.running_of("web", 2)
    assert services.agrees_with_the_engine("web", 2)


def test_down_with_tasks_drains_nothing_since_no_load_balancer_runs(own_server):
    own_server.start()
    balanced = Balanced(Services(own_server), delay=300)
    balanced.serve(2)
    eventually(lambda: set(balanced.health().values()) == {"healthy"})
    # The deregistration delay is longer than a command of a test may take.
    assert "Tasks stopped: 2." in openecs(own_server, "down", "--tasks").stdout
    assert own_server.process.wait(10) == 0


def test_one_server_a_data_directory_and_a_port(own_server, tmp_path):
    own_server.start()
    again = openecs(own_server, "up", status=1).stderr
    assert own_server.url in again
    assert "openecs down" in again
    other = openecs(own_server, "up", status=1, OPENECS_DATA_DIR=str(tmp_path / "other")).stderr
    assert "--port" in other


def test_a_killed_server_is_not_believed_in(own_server):
    own_server.start()
    own_server.kill()
    assert "no server runs" in openecs(own_server, "down", status=3).stderr
    own_server.start()
    assert own_server.url in openecs(own_server, "status").stdout


def test_reset_empties_an_ephemeral_server(ephemeral_server):
    tasks = Tasks(ephemeral_server)
    arn = tasks.launch(WAITS)
    tasks.running(arn)
    begun = time.monotonic()
    assert openecs(ephemeral_server, "reset").stdout == "empty\n"
    took = time.monotonic() - begun
    assert tasks.ecs.list_clusters()["clusterArns"] == []
    assert containers_of(arn, everything=True) == []
    assert took < 3.0


def test_an_ephemeral_server_takes_its_containers_along(ephemeral_server):
    tasks = Tasks(ephemeral_server)
    arn = tasks.launch(WAITS)
    tasks.running(arn)
    assert ephemeral_server.end(signal.SIGINT) == 0
    assert eventually(lambda: containers_of(arn, everything=True) == [], within=5)


def test_a_server_that_keeps_its_data_is_not_emptied(own_server):
    own_server.start()
    own_server.client("ecs").create_cluster(clusterName="kept")
    assert "--ephemeral" in openecs(own_server, "reset", status=1).stderr
    assert len(own_server.client("ecs").list_clusters()["clusterArns"]) == 1


def test_an_ephemeral_server_without_a_directory_leaves_none(tmp_path):
    runtime = tmp_path / "runtime"
    server = OpenEcs(
        tmp_path / "log", "--ephemeral", OPENECS_DATA_DIR="", XDG_RUNTIME_DIR=str(runtime)
    )
    server.start()
    assert server.url in openecs(server, "env").stdout
    assert (runtime / "openecs" / f"ephemeral-{server.port}").is_dir()
    assert server.stop() == 0
    assert not (runtime / "openecs" / f"ephemeral-{server.port}").exists()
