"""Tasks of services that die, in every way containers do, are replaced."""

import time

import pytest

from openecs_server import docker, eventually
from services import CHECKED, NEVER_STARTS, RUNS, runtime_id, short, watch

pytestmark = [pytest.mark.system, pytest.mark.timeout(120)]

ALLOCATES = "b = []\nwhile True: b.append(bytearray(1 << 20))"
RUNS_TO_ITS_END = RUNS | {
    "command": ["sh", "-c", "while [ ! -f /done ]; do sleep 0.1; done; exit 3"]
}


def replaced(services, old: dict, within: float = 20.0) -> dict:
    """The task that runs in the place of another."""

    def look() -> dict | None:
        found = services.tasks_of("s")
        is_new = [t["taskArn"] != old["taskArn"] for t in found] == [True]
        return found[0] if is_new and found[0]["lastStatus"] == "RUNNING" else None

    new = eventually(look, within)
    eventually(lambda: services.containers() == [runtime_id(new)], within)
    return new


@pytest.fixture
def one(services):
    """The only task of a service."""

    def start(container: dict, **members) -> dict:
        services.started("s", services.define("f", container), 1, **members)
        return services.tasks_of("s")[0]

    return start


def test_an_essential_container_that_ends(services, one):
    task = one(RUNS_TO_ITS_END)
    docker("exec", runtime_id(task), "touch", "/done")
    new = replaced(services, task)
    old = services.describe(task["taskArn"])
    assert old["stoppedReason"] == "Essential container in task exited"
    assert old["containers"][0]["exitCode"] == 3
    started = services.said("s", f"(task {short(new)})")
    assert started == f"(service s) has started 1 tasks: (task {short(new)})."


@pytest.mark.parametrize("how", ["kill", "rm -f", "stop -t 0"])
def test_a_container_that_is_ended_by_hand(services, one, how):
    task = one(RUNS)
    begun = time.monotonic()
    docker(*how.split(), runtime_id(task))
    new = replaced(services, task)
    assert time.monotonic() - begun < 5
    assert new["startedBy"] == task["startedBy"] == services.show("s")["deployments"][0]["id"]
    assert new["group"] == "service:s"


def test_a_container_that_runs_out_of_memory(services, one):
    python = {"image": "python:3-slim", "memory": 24}
    waits = f"import os, time\nwhile not os.path.exists('/go'): time.sleep(0.1)\n{ALLOCATES}"
    task = one(python | {"command": ["python3", "-c", waits]})
    docker("exec", runtime_id(task), "touch", "/go")
    replaced(services, task)
    old = services.describe(task["taskArn"])
    assert old["containers"][0]["exitCode"] == 137
    assert old["containers"][0]["reason"].startswith("OutOfMemoryError")


def test_unhealthy_tasks_are_replaced_as_the_bounds_allow(services):
    """Before they are stopped where there is room for one more, after it otherwise."""
    definition = services.define("f", CHECKED)
    tight = {"maximumPercent": 100, "minimumHealthyPercent": 0}
    services.create("roomy", definition, 1)
    services.create("tight", definition, 1, deploymentConfiguration=tight)
    old = {name: only(services, name) for name in ("roomy", "tight")}
    assert {task["healthStatus"] for task in old.values()} == {"HEALTHY"}
    with watch(services) as engine:
        for task in old.values():
            docker("exec", runtime_id(task), "rm", "/ok")
        eventually(lambda: len(engine.died()) == 2, within=40)
        new = {name: only(services, name) for name in ("roomy", "tight")}
        moments = engine.moments()

    def order(name: str) -> list[str]:
        arns = {old[name]["taskArn"]: "old", new[name]["taskArn"]: "new"}
        return [f"{arns[m.task]} {m.action}" for m in moments if m.task in arns]

    assert order("roomy") == ["new start", "old die"]
    assert order("tight") == ["old die", "new start"]
    assert new["roomy"]["healthStatus"] == "HEALTHY"
    before, after = short(old["roomy"]), short(new["roomy"])
    complaint = services.said("roomy", "failed container health checks")
    assert complaint == f"(service roomy) (task {before}) failed container health checks."
    assert services.said("roomy", f"(task {after})") == (
        f"(service roomy) has started 1 tasks: (task {after}). "
        "Amazon ECS replaced 1 tasks due to an unhealthy status."
    )


def only(services, name: str) -> dict:
    """The only task of a stable service."""
    services.stable(name)
    (task,) = services.tasks_of(name)
    return task


def test_a_crash_loop_is_slowed_down_and_says_so(services):
    services.create("s", services.define("f", NEVER_STARTS), 1)
    services.said("s", "is unable to consistently start tasks successfully.", within=30)
    deployment = services.show("s")["deployments"][0]
    assert (deployment["rolloutState"], deployment["runningCount"]) == ("IN_PROGRESS", 0)
    tried = len(services.stopped_of("s"))
    time.sleep(3)
    assert len(services.stopped_of("s")) - tried <= 2
    # A new deployment does not inherit the wait.
    services.update("s", taskDefinition=services.define("f", RUNS))
    services.stable("s", within=15)
