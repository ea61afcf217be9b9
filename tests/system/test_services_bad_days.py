"""Bad days of services: whatever dies in whatever moment, in the end all is as it was promised."""

import http.client
import http.server
import json
import socket
import threading
import time
import urllib.parse

import pytest

from openecs_server import OpenEcs, docker, eventually
from services import NEVER_STARTS, RUNS, Services, runtime_id
from test_bad_days import own_engine

__all__ = ["own_engine"]

pytestmark = [pytest.mark.system, pytest.mark.timeout(180)]

QUICK = {"OPENECS_DEPLOYMENT_HEALTHY_AFTER": "1"}
BREAKER = {"deploymentCircuitBreaker": {"enable": True, "rollback": True}}
ENDS_AT_ONCE = {"command": ["false"], "memory": 6}


@pytest.fixture
def quick_own_server(tmp_path):
    """A quick server to kill and start again, not started yet."""
    openecs = OpenEcs(tmp_path / "data", **QUICK)
    yield openecs
    openecs.clean()


@pytest.fixture
def own(quick_own_server) -> Services:
    return Services(quick_own_server.start())


def converged(services: Services, count: int, host: str = "") -> None:
    """The service is stable, and the engine runs just the containers of its tasks."""
    services.stable("s")
    eventually(lambda: services.agrees_with_the_engine("s", count, host), within=30)


def test_kill_9_while_scaling(own):
    own.started("s", own.define("f"), 2)
    before = set(own.containers())
    own.update("s", desiredCount=12)
    eventually(lambda: len(own.containers()) >= 4, every=0.01)
    own.server.kill()
    assert before <= set(own.containers())
    own.server.start()
    converged(own, 12)
    assert before <= set(own.containers())
    own.update("s", desiredCount=3)
    eventually(lambda: len(own.containers()) <= 11, every=0.01)
    own.server.kill()
    own.server.start()
    converged(own, 3)


def test_kill_9_while_deploying(own):
    own.started("s", own.define("f"), 6)
    own.update("s", taskDefinition=own.define("f"))
    new = "label=com.amazonaws.ecs.task-definition-version=2"
    eventually(lambda: own.containers(new), every=0.01)
    own.server.kill()
    assert len(own.containers()) >= 6
    own.server.start()
    eventually(lambda: len(own.containers(new)) == 6, every=0.01)
    own.server.kill()
    own.server.start()
    converged(own, 6)
    assert len(own.containers(new)) == 6


def test_kill_9_while_healing(own):
    own.started("s", own.define("f"), 4)
    tasks = own.tasks_of("s")
    docker("rm", "-f", *map(runtime_id, tasks[:2]))
    own.server.kill()
    docker("kill", runtime_id(tasks[2]))
    own.server.start()
    converged(own, 4)
    assert tasks[3]["taskArn"] in own.task_arns("s")
    docker("kill", runtime_id(tasks[3]))
    own.server.kill()
    own.server.start()
    converged(own, 4)
    assert not {t["taskArn"] for t in tasks} & set(own.task_arns("s"))


def test_the_engine_is_restarted(quick_own_server, own_engine):
    quick_own_server.extra["OPENECS_DOCKER_HOST"] = own_engine.host
    own = Services(quick_own_server.start())
    own.started("s", own.define("f"), 3)
    before = set(own.task_arns("s"))
    own_engine.stop()
    own.update("s", desiredCount=4)
    own_engine.start()
    converged(own, 4, own_engine.host)
    assert not before & set(own.task_arns("s"))


class Remover:
    """Removes containers of a cluster as they are created, until one had not been started.

    By the engine's API, on connections that are open already: a start takes only milliseconds.
    """

    def __init__(self, services: Services) -> None:
        filters = json.dumps({"label": [services.label.removeprefix("label=")]})
        self.events = engine_connection()
        self.events.request("GET", f"/events?filters={urllib.parse.quote(filters)}")
        self.stream = self.events.getresponse()
        self.removals = engine_connection()
        self.started: set[str] = set()
        #: The task whose container was removed in time.
        self.caught = ""

    def run(self) -> str:
        while not self.caught:
            self.note(json.loads(self.stream.readline()))
        self.events.close()
        self.removals.close()
        return self.caught

    def note(self, event: dict) -> None:
        match event["Action"]:
            case "create":
                self.removals.request("DELETE", f"/containers/{event['id']}?force=true")
                self.removals.getresponse().read()
            case "start":
                self.started.add(event["id"])
            case "destroy" if event["id"] not in self.started:
                self.caught = event["Actor"]["Attributes"]["com.amazonaws.ecs.task-arn"]


def engine_connection() -> http.client.HTTPConnection:
    connection = http.client.HTTPConnection("localhost", timeout=60)
    connection.sock = socket.socket(socket.AF_UNIX)
    connection.sock.settimeout(60)
    connection.sock.connect("/var/run/docker.sock")
    return connection


def test_a_container_removed_between_create_and_start(services):
    remover = Remover(services)
    services.create("s", services.define("f"), 4)
    task = services.stopped(remover.run())
    assert task["stopCode"] == "TaskFailedToStart"
    assert task["stoppedReason"].startswith("CannotStartContainerError: ")
    # Those that were caught too late may have made the service wait.
    services.update("s", forceNewDeployment=True)
    converged(services, 4)


class EmptyRegistry(http.server.BaseHTTPRequestHandler):
    """A registry that has no image."""

    def do_GET(self) -> None:
        body = b'{"errors": [{"code": "MANIFEST_UNKNOWN", "message": "manifest unknown"}]}'
        self.send_response(200 if self.path == "/v2/" else 404)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    do_HEAD = do_GET  # noqa: N815 - as above

    def log_message(self, *_arguments) -> None:
        """Not told."""


@pytest.fixture
def registry():
    """The address of a registry that has no image."""
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), EmptyRegistry) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"localhost:{server.server_port}"
        server.shutdown()
        thread.join()


def test_an_image_that_vanishes_between_two_deployments(services, registry):
    image = f"{registry}/vanishes:v1"
    docker("tag", "busybox", image)
    services.started("s", services.define("f", RUNS | {"image": image}), 2)
    before = set(services.task_arns("s"))
    docker("rmi", image)
    services.update("s", taskDefinition=services.define("f", RUNS | {"image": image}))
    (failed, *_) = eventually(lambda: services.stopped_of("s"))
    assert failed["stopCode"] == "TaskFailedToStart"
    assert failed["stoppedReason"].startswith("CannotPullContainerError: ")
    assert "manifest unknown" in failed["stoppedReason"]
    services.said("s", "is unable to consistently start tasks successfully.")
    assert set(services.task_arns("s")) >= before
    assert len(services.containers()) == 2
    services.update("s", forceNewDeployment=True, deploymentConfiguration=BREAKER)
    services.said("s", "rolling back to deployment")
    services.stable("s")
    assert set(services.task_arns("s")) == before


def test_two_hundred_tasks_crash_while_another_service_heals(own):
    own.started("s", own.define("f"), 2)
    for number, container in enumerate([ENDS_AT_ONCE, NEVER_STARTS | {"memory": 6}] * 2):
        own.create(f"crash-{number}", own.define(f"crash-{number}", container), 50)
    healed, answered = [], []
    for _ in range(2):
        time.sleep(1)
        victim = own.tasks_of("s")[0]
        begun = time.monotonic()
        own.ecs.describe_clusters(clusters=[own.cluster])
        answered.append(time.monotonic() - begun)
        docker("kill", runtime_id(victim))
        begun = time.monotonic()
        eventually(lambda gone=victim: gone["taskArn"] not in own.task_arns("s"))
        own.running_of("s", 2)
        healed.append(time.monotonic() - begun)
    assert max(healed) < 10
    assert max(answered) < 2
    own.said("crash-1", "is unable to consistently start tasks successfully.")
    own.clear()
