"""Whatever tasks do: never two on an instance, never more drained than allowed, in the end all."""

from __future__ import annotations

from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from openecs.model.daemons import DaemonDeploymentConfiguration, DaemonDeploymentStatus
from openecs.model.tasks import TaskStatus
from openecs.testing.daemon_world import DaemonWorld

DONE = (
    DaemonDeploymentStatus.SUCCESSFUL,
    DaemonDeploymentStatus.ROLLBACK_SUCCESSFUL,
    DaemonDeploymentStatus.STOPPED,
    DaemonDeploymentStatus.ROLLBACK_FAILED,
)


def disturb(world: DaemonWorld, data: st.DataObject) -> None:
    """Each task moves on, dies or stays as it is."""
    for task in tuple(world.tasks.values()):
        fate = data.draw(st.sampled_from(["stay", "move", "move", "die"]))
        if task.last_status is TaskStatus.STOPPED or fate == "stay":
            continue
        if task.desired_status is TaskStatus.STOPPED or fate == "die":
            world.end(task)
        elif task.last_status is TaskStatus.PENDING:
            world.run(task)


def check_one_each(world: DaemonWorld) -> None:
    present = [t for t in world.tasks.values() if t.last_status is not TaskStatus.STOPPED]
    counts = Counter(t.container_instance for t in present)
    assert all(count == 1 for count in counts.values()), counts


@given(size=st.integers(0, 6), percent=st.floats(0, 100), data=st.data())
def test_one_task_an_instance_whatever_happens(size: int, percent: float, data) -> None:
    world = DaemonWorld(tuple("abcdef"[:size]))
    configuration = DaemonDeploymentConfiguration(drain_percent=percent)
    world.deploy("1", configuration=configuration)
    for number in range(2, 14):
        world.step()
        check_one_each(world)
        disturb(world, data)
        if data.draw(st.integers(0, 5)) == 0:
            world.deploy(str(number), configuration=configuration)
    world.work(40)
    assert world.status in DONE
    if world.status is not DaemonDeploymentStatus.STOPPED:
        assert sorted(t.container_instance for t in world.live()) == list(world.places)
        assert len(world.live(world.deployment.wanted)) == size


@given(size=st.integers(1, 12), percent=st.floats(0, 100))
def test_no_more_are_drained_than_allowed(size: int, percent: float) -> None:
    world = DaemonWorld(tuple(f"i{n:02}" for n in range(size)))
    world.work(4)
    world.deploy("2", configuration=DaemonDeploymentConfiguration(drain_percent=percent))
    allowed = max(1, int(size * percent / 100))
    for _ in range(4 * size):
        world.work(1)
        running = [t for t in world.live() if t.last_status is TaskStatus.RUNNING]
        assert len(running) >= size - allowed
    assert world.status is DaemonDeploymentStatus.SUCCESSFUL
    assert len(world.live("2")) == size
