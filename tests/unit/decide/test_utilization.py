"""How busy tasks are, told as AWS tells it."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from openecs.decide import utilization
from openecs.decide.utilization import BusyTask, Membership, Work, work_between
from openecs.model.containers import ContainerUsage
from openecs.model.metrics import HIGH_RESOLUTION, dimensions
from openecs.model.task_definitions import NetworkMode
from openecs.model.tasks import ContainerOverride, TaskOverride
from openecs.testing.builders import (
    NOW,
    SCOPE,
    a_container,
    a_container_definition,
    a_machine,
    a_task,
    a_task_definition,
)

MIB = 1024 * 1024
SERVICE = dimensions(ClusterName="default", ServiceName="web")
CLUSTER = dimensions(ClusterName="default")


def used(cpu=0, memory=0, **others):
    return ContainerUsage(cpu=cpu, memory=memory, **others)


def busy(number=1, cpu=0.0, memory=0.0, *, definition=None, **members):
    definition = definition or a_task_definition(
        container_definitions=(a_container_definition(cpu=256, memory=512),)
    )
    task = a_task(number, **{"group": "service:web", "cpu": 256, "memory": 512, **members})
    return BusyTask(
        task=task, definition=definition, containers={"app": Work(cpu=cpu, memory=memory)}
    )


def told(*tasks, memberships=()):
    found = utilization.samples(tasks, memberships, NOW)
    return {(each.metric.name, each.metric.dimensions): each for each in found}


def of_service(name, *tasks):
    return told(*tasks)[name, SERVICE].statistics


def test_a_core_for_the_whole_time_is_1024_units():
    work = work_between({"a": used(cpu=5)}, {"a": used(cpu=5 + 10**10)}, 10.0)
    assert work["a"].cpu == pytest.approx(1024)


def test_rates_are_by_the_second():
    now = used(received=500, sent=400, read=300, written=200, memory=3 * MIB)
    work = work_between({"a": used()}, {"a": now}, 10.0)["a"]
    assert (work.received, work.sent, work.read, work.written) == (50, 40, 30, 20)
    assert work.memory == 3


def test_of_a_container_seen_for_the_first_time_only_memory_is_known():
    work = work_between({}, {"a": used(cpu=9, memory=MIB)}, 10.0)["a"]
    assert (work.cpu, work.memory, work.received) == (None, 1, 0)


def test_a_container_that_was_started_again_counts_from_nothing():
    before, now = used(cpu=10**12, received=10**9), used(cpu=10**9, received=50)
    work = work_between({"a": before}, {"a": now}, 1.0)["a"]
    assert (work.cpu, work.received) == (1024, 50)


@pytest.mark.parametrize("seconds", [0.0, -5.0])
def test_a_clock_that_did_not_go_on_tells_of_no_cpu(seconds):
    assert work_between({"a": used()}, {"a": used(cpu=9)}, seconds)["a"].cpu is None


usages = st.builds(
    used,
    *(st.integers(0, 10**15) for _ in range(2)),
    received=st.integers(0, 10**12),
    written=st.integers(0, 10**12),
)


@given(before=usages, now=usages, seconds=st.floats(-10, 100))
def test_no_reading_makes_an_absurd_value(before, now, seconds):
    work = work_between({"a": before}, {"a": now}, seconds)["a"]
    numbers = (work.cpu or 0.0, work.memory, work.received, work.sent, work.read, work.written)
    assert all(number >= 0 for number in numbers)
    assert work.cpu is None or work.cpu * seconds <= now.cpu / 1e9 * 1024 * 1.000001


def test_the_utilization_of_a_service_is_what_is_used_of_what_is_reserved():
    cpu = of_service("CPUUtilization", busy(1, cpu=64), busy(2, cpu=192))
    assert cpu.count == 2
    assert cpu.sum / cpu.count == pytest.approx(50)
    assert (cpu.minimum, cpu.maximum) == (25, 75)


def test_tasks_of_different_size_weigh_as_much_as_they_reserve():
    large = a_task_definition(cpu=1024, memory=2048)
    cpu = of_service("CPUUtilization", busy(1, cpu=256), busy(2, cpu=0, definition=large))
    assert cpu.sum / cpu.count == pytest.approx(100 * 256 / (256 + 1024))


def test_a_task_that_bursts_is_beyond_100_percent():
    assert of_service("CPUUtilization", busy(1, cpu=512)).maximum == 200


def test_memory_is_told_of_the_soft_limit_where_there_is_one():
    definition = a_task_definition(
        container_definitions=(a_container_definition(memory=512, memory_reservation=128),)
    )
    memory = of_service("MemoryUtilization", busy(1, memory=64, definition=definition))
    assert memory.maximum == 50


def test_what_run_task_changed_is_what_is_reserved():
    overrides = TaskOverride(container_overrides=(ContainerOverride(name="app", cpu=512),))
    assert of_service("CPUUtilization", busy(1, cpu=256, overrides=overrides)).maximum == 50


def test_a_task_that_reserves_no_cpu_is_told_of_the_least_there_is():
    definition = a_task_definition(container_definitions=(a_container_definition(cpu=0),))
    assert of_service("CPUUtilization", busy(1, cpu=2, definition=definition)).maximum == 100


def test_a_task_just_started_has_memory_but_no_cpu_yet():
    found = told(busy(1, cpu=None, memory=1))
    assert ("CPUUtilization", SERVICE) not in found
    assert ("MemoryUtilization", SERVICE) in found


def test_a_task_without_a_service_is_in_no_service():
    assert told(busy(1, group="family:web")) == {}


def test_the_utilization_of_a_cluster_is_of_its_machine():
    member = Membership(scope=SCOPE, cluster="default", machine=a_machine(cpu=2048, memory=4096))
    alone = busy(2, cpu=512, memory=1024, group="family:web")
    elsewhere = busy(3, cpu=2048, cluster="other")
    fargate = busy(4, cpu=2048, container_instance=None)
    found = told(busy(1, cpu=512), alone, elsewhere, fargate, memberships=[member])
    values = {name: found[name, CLUSTER].statistics.sum for name, of in found if of == CLUSTER}
    assert values == {
        "CPUUtilization": 50,
        "MemoryUtilization": 25,
        "CPUReservation": 25,
        "MemoryReservation": 25,
    }


def test_a_cluster_without_tasks_tells_nothing():
    member = Membership(scope=SCOPE, cluster="default", machine=a_machine())
    assert told(memberships=[member]) == {}


def test_samples_are_percents_of_high_resolution():
    (sample, *_) = told(busy(1, cpu=1)).values()
    assert (sample.unit, sample.resolution, sample.timestamp) == ("Percent", HIGH_RESOLUTION, NOW)


def insights(*tasks, enhanced):
    arn = tasks[0].task.cluster_arn
    found = utilization.insights(tasks, {arn: enhanced}, NOW)
    return {(each.metric.name, each.metric.dimensions): each for each in found}


def test_container_insights_are_by_cluster_service_and_family():
    found = insights(busy(1, cpu=64, memory=8), busy(2, cpu=192, memory=8), enhanced=False)
    family = dimensions(ClusterName="default", TaskDefinitionFamily="web")
    assert {of for _, of in found} == {CLUSTER, SERVICE, family}
    assert found["CpuUtilized", SERVICE].statistics.sum == 256
    assert found["CpuReserved", SERVICE].statistics.sum == 512
    assert found["MemoryUtilized", CLUSTER].statistics.maximum == 8
    assert found["MemoryUtilized", CLUSTER].unit == "Megabytes"


def test_enhanced_container_insights_are_by_task_too():
    one = busy(1, cpu=64)
    found = insights(one, enhanced=True)
    named = dimensions(ClusterName="default", TaskDefinitionFamily="web", TaskId=one.task.id)
    assert found["CpuUtilized", named].statistics.sum == 64


def test_clusters_without_container_insights_have_none():
    assert utilization.insights([busy(1, cpu=1)], {}, NOW) == []


@pytest.mark.parametrize(
    ("mode", "received"),
    [(NetworkMode.AWSVPC, 30), (NetworkMode.BRIDGE, 50), (NetworkMode.HOST, 0)],
)
def test_the_network_of_a_task_is_what_its_containers_have_of_their_own(mode, received):
    definition = a_task_definition(network_mode=mode)
    work = Work(cpu=1, memory=0)
    containers = {"a": replace(work, received=20), "b": replace(work, received=30)}
    task = BusyTask(task=a_task(), definition=definition, containers=containers)
    assert task.whole.received == received


def test_a_task_whose_containers_are_not_known_is_not_busy():
    task = a_task(containers=(a_container(runtime_id="a"), a_container("b")))
    assert utilization.busy(task, a_task_definition(), {}) is None
    found = utilization.busy(task, a_task_definition(), {"a": Work(cpu=1, memory=1)})
    assert set(found.containers) == {"app"}
    assert utilization.reads([task]) == ["a"]
