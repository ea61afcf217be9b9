"""A server that dies, by signal or by kill -9, and comes back."""

import os
import signal
import time

import pytest

from openecs_server import containers_of, docker, eventually
from tasks import WAITS, Tasks, container

pytestmark = pytest.mark.system


def started_at(runtime_id: str) -> str:
    return docker("inspect", "-f", "{{.State.StartedAt}} {{.State.Pid}}", runtime_id)


@pytest.mark.parametrize("how", ["kill", "stop"])
def test_what_runs_is_adopted_untouched(own_server, how):
    tasks = Tasks(own_server.start())
    arn = tasks.launch(WAITS)
    before = tasks.running(arn)
    runtime_id = container(before)["runtimeId"]
    since = started_at(runtime_id)
    getattr(own_server, how)()
    assert started_at(runtime_id) == since
    own_server.start()
    after = tasks.describe(arn)
    assert after["lastStatus"] == "RUNNING"
    assert after["startedAt"] == before["startedAt"]
    tasks.stop(arn)
    assert container(tasks.stopped(arn))["exitCode"] == 0
    assert started_at(runtime_id).split()[0] == since.split()[0]


def test_what_died_meanwhile_is_reported_with_its_exit_code(own_server):
    tasks = Tasks(own_server.start())
    arn = tasks.launch({"command": ["sh", "-c", "trap 'exit 42' TERM; sleep 300 & wait"]})
    runtime_id = container(tasks.running(arn))["runtimeId"]
    own_server.kill()
    docker("stop", runtime_id)
    own_server.start()
    task = tasks.stopped(arn)
    assert container(task)["exitCode"] == 42
    assert task["stopCode"] == "EssentialContainerExited"


def test_what_was_removed_meanwhile_is_reported_as_vanished(own_server):
    tasks = Tasks(own_server.start())
    arn = tasks.launch(WAITS)
    runtime_id = container(tasks.running(arn))["runtimeId"]
    own_server.kill()
    docker("rm", "-f", runtime_id)
    own_server.start()
    assert container(tasks.stopped(arn))["reason"].startswith("ContainerVanishedError")


def test_what_was_acknowledged_is_done_after_kill_9(own_server):
    """Killed right behind the answer: started tasks start, stopped tasks stop, none twice."""
    tasks = Tasks(own_server.start())
    definition = tasks.register(WAITS)
    kept = tasks.start(definition)
    tasks.running(kept)
    tasks.stop(kept)
    fresh = [t["taskArn"] for t in tasks.run(definition, count=5)["tasks"]]
    own_server.kill()
    own_server.start()
    tasks.stopped(kept)
    for arn in fresh:
        runtime_id = container(tasks.running(arn))["runtimeId"]
        assert containers_of(arn, everything=True) == [runtime_id]
    assert sorted(tasks.ecs.list_tasks(cluster=tasks.cluster)["taskArns"]) == sorted(fresh)


def test_killed_again_and_again_while_starting(own_server):
    tasks = Tasks(own_server.start())
    definition = tasks.register(WAITS)
    arns: list[str] = []
    for round_ in range(4):
        arns += [t["taskArn"] for t in tasks.run(definition, count=3)["tasks"]]
        time.sleep(0.1 * round_)  # another moment of the start each time
        own_server.kill()
        own_server.start()
    for arn in arns:
        tasks.running(arn)
        assert len(containers_of(arn, everything=True)) == 1


def test_containers_of_unknown_origin_are_never_touched(own_server):
    stranger = docker("run", "-d", "busybox", "sleep", "300")
    try:
        tasks = Tasks(own_server.start())
        arn = tasks.launch(WAITS)
        tasks.running(arn)
        own_server.kill()
        own_server.start()
        tasks.stop(arn)
        tasks.stopped(arn)
        assert docker("inspect", "-f", "{{.State.Running}}", stranger) == "true"
    finally:
        docker("rm", "-f", stranger)


def test_sigterm_ends_the_server_cleanly_and_leaves_containers(own_server):
    tasks = Tasks(own_server.start())
    arn = tasks.launch(WAITS)
    tasks.running(arn)
    assert own_server.stop() == 0
    assert len(containers_of(arn)) == 1


def test_a_second_server_on_the_same_data_is_refused(own_server):
    own_server.start()
    from openecs_server import OpenEcs

    second = OpenEcs(own_server.data_dir)
    with pytest.raises(AssertionError, match="did not come up"):
        second.start()
    own_server.client("ecs").list_clusters()


def test_ctrl_c_ends_the_server(own_server):
    own_server.start()
    os.kill(own_server.process.pid, signal.SIGINT)
    assert eventually(lambda: own_server.process.poll() is not None) is True
    assert own_server.process.returncode == 0
