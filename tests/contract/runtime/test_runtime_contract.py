"""What every engine does, whichever it is."""

import asyncio
from contextlib import aclosing
from datetime import UTC, datetime, timedelta

import pytest

from engine_access import Work, when
from openecs.model.containers import ContainerState, Health
from openecs.model.task_definitions import HealthCheck
from openecs.runtime.base import (
    LABEL_TASK_ARN,
    CannotCreateContainer,
    CannotCreateVolume,
    CannotPullContainer,
    CannotStartContainer,
    Mount,
    PortBinding,
    PullBehavior,
    TaskGroupSpec,
    VolumeSpec,
)

GRACE = timedelta(seconds=10)
WELL = HealthCheck(command=("CMD-SHELL", "test -f /well"), interval=1, retries=1)


def has_exited(observed):
    return observed.state is ContainerState.EXITED


async def test_it_says_what_machine_it_is(world):
    info = await world.runtime.info()
    assert info.cpus > 0
    assert info.memory > 0
    assert info.architecture
    assert info.version


async def test_a_created_container_has_not_started(world):
    spec = world.spec(labels={LABEL_TASK_ARN: "arn"})
    made = await world.runtime.create(spec)
    observed = await world.runtime.inspect(spec.name)
    assert observed.id == made
    assert observed.name == spec.name
    assert observed.labels[LABEL_TASK_ARN] == "arn"
    assert observed.state is ContainerState.CREATED
    assert observed.exit_code is None
    assert observed.started_at is None
    assert observed.finished_at is None
    assert observed.health is Health.NONE


async def test_a_container_is_made_once(world):
    first = await world.runtime.create(world.spec())
    assert await world.runtime.create(world.spec()) == first


async def test_a_running_container_is_adopted_untouched(world):
    name = await world.started()
    before = await world.runtime.inspect(name)
    assert await world.runtime.create(world.spec()) == before.id
    await world.runtime.start(name)
    assert await world.runtime.inspect(name) == before


async def test_a_stranger_of_the_same_name_is_not_adopted(world):
    stranger = world.spec(installation="somebody-else")
    made = await world.runtime.create(stranger)
    try:
        with pytest.raises(CannotCreateContainer, match="already in use"):
            await world.runtime.create(world.spec())
        assert (await world.runtime.inspect(stranger.name)).id == made
    finally:
        await world.runtime.remove(stranger.name)


async def test_an_image_that_is_not_there(world):
    with pytest.raises(
        CannotCreateContainer, match=r"(?i)no such image: (docker.io/)?openecs/none"
    ):
        await world.runtime.create(world.spec(image="openecs/none"))


async def test_an_image_that_cannot_be_pulled(world):
    with pytest.raises(CannotPullContainer):
        await world.runtime.pull("No/Such-Image", PullBehavior.ALWAYS, None)


async def test_an_image_at_hand_is_not_pulled(world):
    await world.runtime.pull("busybox", PullBehavior.PREFER_CACHED, None)


async def test_a_started_container_runs(world):
    name = await world.started()
    observed = await world.runtime.inspect(name)
    assert observed.state is ContainerState.RUNNING
    assert observed.exit_code is None
    assert observed.finished_at is None
    assert abs(observed.started_at - datetime.now(UTC)) < timedelta(seconds=30)
    assert observed.ip_address
    assert observed.image_id.startswith("sha256:")


async def test_a_container_that_ends_by_itself(world):
    name = await world.started(command=Work.FAILS)
    observed = await when(world.runtime, name, has_exited)
    assert observed.exit_code == 3
    assert observed.error == ""
    assert not observed.oom_killed


async def test_a_stopped_container_starts_again(world):
    name = await world.started(command=Work.FAILS)
    first = await when(world.runtime, name, has_exited)
    await world.runtime.start(name)
    second = await when(
        world.runtime, name, lambda o: has_exited(o) and o.started_at > first.started_at
    )
    assert second.id == first.id
    assert second.exit_code == 3


async def test_a_program_that_is_not_there(world):
    spec = world.spec(command=Work.NO_PROGRAM)
    await world.runtime.create(spec)
    with pytest.raises(CannotStartContainer, match=r"(?i)no such file|not found"):
        await world.runtime.start(spec.name)
    observed = await world.runtime.inspect(spec.name)
    assert observed.state is ContainerState.CREATED
    assert observed.exit_code is None
    assert "/no/such/program" in observed.error


async def test_starting_what_is_not_there(world):
    with pytest.raises(CannotStartContainer, match=r"(?i)no such container"):
        await world.runtime.start(world.name("none"))


async def test_stop_returns_once_it_has_exited(world):
    name = await world.started()
    await world.runtime.stop(name, GRACE)
    observed = await world.runtime.inspect(name)
    assert observed.state is ContainerState.EXITED
    assert observed.exit_code == 0


async def test_stop_kills_what_does_not_listen(world):
    name = await world.started(command=Work.IGNORES_STOP)
    await world.runtime.stop(name, timedelta(seconds=1))
    observed = await world.runtime.inspect(name)
    assert observed.exit_code == 137
    assert not observed.oom_killed


async def test_stopping_what_does_not_run_is_fine(world):
    spec = world.spec()
    await world.runtime.stop(spec.name, GRACE)
    await world.runtime.create(spec)
    await world.runtime.stop(spec.name, GRACE)
    assert (await world.runtime.inspect(spec.name)).state is ContainerState.CREATED


async def test_remove(world):
    name = await world.started()
    await world.runtime.remove(name)
    assert await world.runtime.inspect(name) is None
    await world.runtime.remove(name)


async def test_only_the_installations_containers_are_observed(world):
    mine = [await world.started("a"), (await world.started("b", Work.FAILS))]
    stranger = world.spec("c", installation="somebody-else")
    await world.runtime.create(stranger)
    try:
        observed = await world.runtime.observe(world.installation)
        assert sorted(o.name for o in observed) == sorted(mine)
    finally:
        await world.runtime.remove(stranger.name)


async def test_watch_begins_with_look_at_everything_and_tells_each_change(world):
    async with aclosing(world.runtime.watch(world.installation)) as events, asyncio.timeout(20):
        assert (await anext(events)).name == ""
        name = await world.started(labels={LABEL_TASK_ARN: "arn"})
        event = await anext(events)
        assert event.name == name
        assert event.labels[LABEL_TASK_ARN] == "arn"
        await world.runtime.stop(name, GRACE)
        async for event in events:
            assert event.name == name
            if (await world.runtime.inspect(name)).state is ContainerState.EXITED:
                break
        await world.runtime.remove(name)
        async for event in events:
            assert event.name == name
            if await world.runtime.inspect(name) is None:
                break


async def test_watch_says_nothing_of_strangers(world):
    async with aclosing(world.runtime.watch(world.installation)) as events, asyncio.timeout(20):
        await anext(events)
        stranger = world.spec("b", installation="somebody-else")
        await world.runtime.create(stranger)
        await world.runtime.remove(stranger.name)
        name = await world.started()
        assert (await anext(events)).name == name


@pytest.mark.parametrize(
    ("command", "health"), [(Work.IS_WELL, Health.HEALTHY), (Work.IS_ILL, Health.UNHEALTHY)]
)
async def test_health(world, command, health):
    name = await world.started(command=command, health_check=WELL)
    assert (await when(world.runtime, name, lambda o: o.health is health)).health is health


async def test_a_port_chosen_from_candidates(world):
    candidates = PortBinding(
        container_port=80, protocol="tcp", host_port_first=61_000, host_port_last=61_100
    )
    names = [await world.started(n, ports=(candidates,)) for n in ("a", "b")]
    ports = [(await world.runtime.inspect(name)).ports[0] for name in names]
    assert {p.container_port for p in ports} == {80}
    assert all(61_000 <= p.host_port <= 61_100 for p in ports)
    assert ports[0].host_port != ports[1].host_port


async def test_a_port_that_is_taken_and_given_back(world):
    port = PortBinding(
        container_port=80, protocol="tcp", host_port_first=61_234, host_port_last=61_234
    )
    first = await world.started("a", ports=(port,))
    second = world.spec("b", ports=(port,))
    await world.runtime.create(second)
    with pytest.raises(CannotStartContainer, match="already"):
        await world.runtime.start(second.name)
    await world.runtime.stop(first, GRACE)
    await world.runtime.start(second.name)
    assert {p.host_port for p in (await world.runtime.inspect(second.name)).ports} == {61_234}


async def test_exposed_ports_are_not_published(world):
    port = PortBinding(container_port=80, protocol="tcp", host_port_first=0, host_port_last=0)
    name = await world.started(ports=(port,))
    assert (await world.runtime.inspect(name)).ports == ()


async def test_the_pause_image_runs_and_owns_a_network(world):
    image = await world.runtime.prepare_pause()
    assert await world.runtime.prepare_pause() == image
    pause = await world.started("pause", (), image=image)
    inside = await world.started("in", network_mode=f"container:{pause}")
    assert (await world.runtime.inspect(pause)).ip_address
    assert (await world.runtime.inspect(inside)).ip_address == ""
    assert (await world.runtime.inspect(inside)).state is ContainerState.RUNNING


async def test_joining_the_network_of_what_does_not_run(world):
    owner = world.spec("owner")
    await world.runtime.create(owner)
    spec = world.spec("in", network_mode=f"container:{owner.name}")
    await world.runtime.create(spec)
    with pytest.raises(CannotStartContainer):
        await world.runtime.start(spec.name)


async def test_volumes(world):
    name = world.name("data")
    await world.runtime.ensure_volume(VolumeSpec(name=name))
    await world.runtime.ensure_volume(VolumeSpec(name=name))
    mount = Mount(type="volume", source=name, target="/data")
    container = await world.started(mounts=(mount,))
    await world.runtime.remove_volume(name)
    await world.runtime.ensure_volume(VolumeSpec(name=name, must_exist=True))
    await world.runtime.remove(container)
    await world.runtime.remove_volume(name)
    await world.runtime.remove_volume(name)
    with pytest.raises(CannotCreateVolume, match=name):
        await world.runtime.ensure_volume(VolumeSpec(name=name, must_exist=True))


async def test_a_volume_the_driver_refuses(world):
    with pytest.raises(CannotCreateVolume, match="none-such"):
        await world.runtime.ensure_volume(
            VolumeSpec(name=world.name("data"), driver_opts={"none-such": "1"})
        )


async def test_consecutive_ports(world):
    block = PortBinding(
        container_port=8000, protocol="tcp", host_port_first=62_000, host_port_last=62_100, count=5
    )
    for name in ("a", "b"):
        started = await world.started(name, ports=(block,))
        ports = {
            p.container_port: p.host_port for p in (await world.runtime.inspect(started)).ports
        }
        assert [ports[8000 + n] - ports[8000] for n in range(5)] == list(range(5))
        assert 62_000 <= ports[8000] <= 62_096


async def test_more_consecutive_ports_than_there_are(world):
    block = PortBinding(
        container_port=8000, protocol="tcp", host_port_first=62_200, host_port_last=62_203, count=5
    )
    with pytest.raises((CannotCreateContainer, CannotStartContainer), match="consecutive"):
        await world.started(ports=(block,))


async def test_a_task_group(world):
    group = TaskGroupSpec(
        cgroup_parent=f"/ecs/{world.installation}", cpu_quota=50_000, memory=64 * 1024 * 1024
    )
    made = await world.runtime.ensure_group(group)
    parent = group.cgroup_parent if made else ""
    name = await world.started(cgroup_parent=parent)
    assert await world.runtime.ensure_group(group) is made
    assert (await world.runtime.inspect(name)).state is ContainerState.RUNNING
    await world.runtime.remove(name)
    await world.runtime.remove_group(group.cgroup_parent)
    await world.runtime.remove_group(group.cgroup_parent)


async def test_it_says_what_a_running_container_uses(world):
    name = await world.started("busy", Work.BURNS)
    observed = await world.runtime.inspect(name)
    first = await world.runtime.usage([observed.id])
    async with asyncio.timeout(20):
        while (await world.runtime.usage([observed.id]))[observed.id].cpu == first[observed.id].cpu:
            await asyncio.sleep(0.02)
    assert first[observed.id].memory > 0


async def test_only_running_containers_use_anything(world):
    name = await world.started()
    observed = await world.runtime.inspect(name)
    assert set(await world.runtime.usage([observed.id, "0" * 64])) == {observed.id}
    await world.runtime.stop(name, GRACE)
    assert await world.runtime.usage([observed.id]) == {}
    await world.runtime.start(name)
    assert set(await world.runtime.usage([observed.id])) == {observed.id}
