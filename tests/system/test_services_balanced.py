"""Services behind load balancers: traffic reaches their tasks, and no request is lost."""

import pytest

from balanced import SAYS_ITS_NAME, SAYS_NO, Balanced
from openecs.testing.traffic import traffic
from openecs_server import containers_of, docker, eventually
from services import short

pytestmark = [pytest.mark.system, pytest.mark.timeout(150)]


@pytest.fixture
def balanced(services):
    balanced = Balanced(services)
    yield balanced
    balanced.close()


def names(balanced) -> set[str]:
    """The host names of the service's containers."""
    tasks = balanced.services.tasks_of("s")
    return {
        docker("inspect", "-f", "{{.Config.Hostname}}", *containers_of(t["taskArn"])) for t in tasks
    }


def test_every_task_gets_its_share(balanced):
    service = balanced.serve(3)
    assert service["loadBalancers"] == balanced.binding
    assert set(balanced.answers()) == names(balanced)
    assert list(balanced.health().values()) == ["healthy"] * 3
    told = balanced.services.messages("s")
    assert told.count(f"(service s) registered 1 targets in (target-group {balanced.group})") == 3


def test_a_deployment_loses_no_request(balanced):
    balanced.serve(3)
    before = names(balanced)
    with traffic(f"http://127.0.0.1:{balanced.port}/", host=balanced.host) as load:
        balanced.services.update("s", taskDefinition=balanced.services.define("f", SAYS_ITS_NAME))
        balanced.services.stable("s", within=90)
        eventually(lambda: len(balanced.health()) == 3, within=30)
    assert load.failures == []
    assert names(balanced).isdisjoint(before)
    assert set(load.bodies) >= before | names(balanced)


def test_scaling_loses_no_request(balanced):
    balanced.serve(1)
    with traffic(f"http://127.0.0.1:{balanced.port}/", host=balanced.host) as load:
        for count in (4, 1):
            balanced.services.update("s", desiredCount=count)
            balanced.services.running_of("s", count)
            eventually(lambda count=count: list(balanced.health().values()) == ["healthy"] * count)
    assert load.failures == []
    assert len(load.bodies) == 4


def test_a_killed_task_leaves_at_once(balanced):
    balanced.serve(3)
    victim = balanced.services.tasks_of("s")[0]
    with traffic(f"http://127.0.0.1:{balanced.port}/", host=balanced.host) as load:
        docker("rm", "-f", *containers_of(victim["taskArn"]))
        balanced.services.running_of("s", 3)
        eventually(lambda: list(balanced.health().values()) == ["healthy"] * 3)
    # What it had begun to answer when it was killed nobody can answer in its place.
    begun = [each for each in load.failures if each.what.startswith("IncompleteRead")]
    assert load.failures == begun
    assert len(begun) <= 2


def test_a_task_drains_before_it_is_told_to_stop(services):
    balanced = Balanced(services, delay=4)
    try:
        balanced.serve(1)
        (task,) = services.tasks_of("s")
        services.update("s", desiredCount=0)
        status = eventually(lambda: _status(services, task) == "DEACTIVATING" and "DEACTIVATING")
        assert status
        assert list(balanced.health().values()) == ["draining"]
        assert containers_of(task["taskArn"])
        eventually(lambda: _status(services, task) == "STOPPED", within=30)
        assert balanced.health() == {}
    finally:
        balanced.close()


def test_what_fails_the_checks_is_replaced_and_told(balanced):
    services = balanced.services
    services.create("s", services.define("f", SAYS_NO), 1, loadBalancers=balanced.binding)
    part = "(reason Health checks failed with these codes: [404])"
    said = services.said("s", part, within=40)
    assert f"is unhealthy in (target-group {balanced.group}) due to" in said
    stopped = eventually(lambda: services.stopped_of("s"), within=30)
    expected = f"Task failed ELB health checks in (target-group {balanced.group})"
    assert stopped[0]["stoppedReason"] == expected
    assert short(stopped[0])


def test_a_kill_of_the_server_loses_no_request(own_server):
    from services import Services

    own_server.extra["OPENECS_DEPLOYMENT_HEALTHY_AFTER"] = "1"
    own_server.start()
    services = Services(own_server)
    balanced = Balanced(services)
    balanced.serve(2)
    try:
        with traffic(f"http://127.0.0.1:{balanced.port}/", host=balanced.host) as load:
            own_server.kill()
            eventually(lambda: load.sent > 300)
            own_server.start()
            services.update("s", forceNewDeployment=True)
            services.stable("s", within=90)
        assert load.failures == []
    finally:
        balanced.close()


def _status(services, task) -> str:
    found = services.ecs.describe_tasks(cluster=services.cluster, tasks=[task["taskArn"]])
    return found["tasks"][0]["lastStatus"]
