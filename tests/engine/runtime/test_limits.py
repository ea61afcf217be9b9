"""Limits of containers and tasks, read back from the kernel."""

import re
from pathlib import Path

import pytest

from engine.runtime.conftest import says, waits
from openecs.model.task_definitions import KernelCapabilities, LinuxParameters, Tmpfs, Ulimit
from openecs.model.tasks import ContainerOverride, LaunchType, TaskOverride
from openecs.runtime.base import CannotStartContainer
from openecs.testing.builders import a_task

MIB = 1024 * 1024


def limit(version: str, kind: str, group: str, file: str) -> str:
    """What a cgroup file says; ``kind`` is the controller of version 1."""
    root = Path("/sys/fs/cgroup") / ("" if version == "2" else kind)
    return (root / group.strip("/") / file).read_text().strip()


def group_of(container: str) -> str:
    """The cgroup of a container; engines name them differently."""
    root = Path("/sys/fs/cgroup/cpu")
    [found] = root.glob(f"*/*{container}")
    return str(found.relative_to(root))


def folders(group: str) -> list[Path]:
    root = Path("/sys/fs/cgroup")
    return [*root.glob(group), *root.glob(f"*/{group}")]


async def test_container_memory_and_shares(engine):
    task = await engine.run(waits(memory=64, memory_reservation=32, cpu=256))
    host = task.shown()["HostConfig"]
    assert (host["Memory"], host["MemoryReservation"]) == (64 * MIB, 32 * MIB)
    assert host["CpuShares"] == 256
    if engine.info.cgroup_version == "1":
        group = group_of(task.shown()["Id"])
        assert limit("1", "memory", group, "memory.limit_in_bytes") == str(64 * MIB)
        assert limit("1", "cpu", group, "cpu.shares") == "256"


async def test_the_overrides_limits_win(engine):
    override = ContainerOverride(name="app", memory=96, cpu=128)
    over = a_task(overrides=TaskOverride(container_overrides=(override,)))
    task = await engine.run(waits(memory=64, cpu=256), task=over)
    host = task.shown()["HostConfig"]
    assert (host["Memory"], host["CpuShares"]) == (96 * MIB, 128)


async def test_task_limits_hold_for_all_containers_together(engine):
    task = await engine.run(waits("a"), waits("b"), cpu=512, memory=256)
    group = task.spec.group.cgroup_parent
    for name in ("a", "b"):
        assert task.shown(name)["HostConfig"]["CgroupParent"] == group
        cgroup = task.run("cat", "/proc/self/cgroup", container=name)
        assert engine.info.cgroup_version == "2" or group in cgroup
    if engine.info.cgroup_version == "1":
        assert limit("1", "memory", group, "memory.limit_in_bytes") == str(256 * MIB)
        assert limit("1", "cpu", group, "cpu.cfs_quota_us") == "50000"
        assert limit("1", "cpu", group, "cpu.cfs_period_us") == "100000"
    else:
        assert limit("2", "", group, "memory.max") == str(256 * MIB)
        assert limit("2", "", group, "cpu.max") == "50000 100000"


async def test_a_tasks_group_goes_with_it(engine):
    task = await engine.run(waits(), cpu=256, memory=128)
    group = task.spec.group.cgroup_parent.strip("/")
    assert folders(group)
    await engine.runtime.remove(task.name())
    await engine.runtime.remove_group(task.spec.group.cgroup_parent)
    assert folders(group) == []


async def test_too_much_memory_is_an_out_of_memory_kill(engine):
    engine.unless_podman("4.3 does not tell of it on cgroup v1")
    greedy = says("x=0123456789; while :; do x=$x$x; done", memory=8)
    task = await engine.run(greedy)
    observed = await task.exited()
    assert observed.oom_killed
    assert observed.exit_code == 137


async def test_too_much_memory_for_the_task_kills_too(engine):
    greedy = says("x=0123456789; while :; do x=$x$x; done", memory=None)
    task = await engine.run(greedy, cpu=256, memory=16)
    observed = await task.exited()
    assert observed.exit_code == 137


async def test_ulimits(engine):
    engine.unless_podman("a ulimit replaces the defaults of containers.conf")
    given = Ulimit(name="nofile", soft_limit=100, hard_limit=200)
    task = await engine.run(waits(ulimits=(given,)))
    assert task.run("sh", "-c", "ulimit -Sn; ulimit -Hn").split() == ["100", "200"]


async def test_fargate_opens_65535_files_or_what_the_engine_may(engine):
    limits = ("sh", "-c", "ulimit -Sn; ulimit -Hn")
    plain = (await engine.run(waits())).run(*limits).split()
    task = await engine.run(waits(), task=a_task(launch_type=LaunchType.FARGATE))
    assert task.run(*limits).split() in (["65535", "65535"], plain)


async def test_a_limit_the_engine_may_not_give_is_refused_not_dropped(engine):
    beyond = Ulimit(name="nofile", soft_limit=2**31, hard_limit=2**31)
    with pytest.raises(CannotStartContainer, match="rlimit"):
        await engine.run(waits(ulimits=(beyond,)))


async def test_tmpfs_and_shared_memory(engine):
    linux = LinuxParameters(
        shared_memory_size=32,
        tmpfs=(Tmpfs(container_path="/scratch", size=8, mount_options=("noexec",)),),
    )
    task = await engine.run(waits(linux_parameters=linux))
    mounts = task.run("cat", "/proc/mounts")
    scratch = re.search(r"^tmpfs /scratch tmpfs (\S+)", mounts, re.MULTILINE)
    assert {"noexec", "size=8192k"} <= set(scratch[1].split(","))
    shm = re.search(r"^shm /dev/shm tmpfs (\S+)", mounts, re.MULTILINE)
    assert "size=32768k" in shm[1].split(",")


@pytest.mark.parametrize(
    ("capabilities", "bits"),
    [
        (KernelCapabilities(add=("NET_ADMIN",)), {12: True}),
        (KernelCapabilities(drop=("ALL",)), {0: False, 12: False}),
    ],
)
async def test_capabilities(engine, capabilities, bits):
    task = await engine.run(waits(linux_parameters=LinuxParameters(capabilities=capabilities)))
    effective = int(re.search(r"CapEff:\s+(\w+)", task.run("cat", "/proc/1/status"))[1], 16)
    assert {bit: bool(effective >> bit & 1) for bit in bits} == bits


async def test_init(engine):
    task = await engine.run(waits(linux_parameters=LinuxParameters(init_process_enabled=True)))
    assert "init" in task.run("cat", "/proc/1/comm")


async def test_read_only_root(engine):
    task = await engine.run(says("touch /file", readonly_root_filesystem=True))
    assert (await task.exited()).exit_code == 1


async def test_user_directory_and_hostname(engine):
    task = await engine.run(waits(user="33:33", working_directory="/var", hostname="there"))
    assert task.run("sh", "-c", "id -u; id -g; pwd; hostname").split() == [
        "33",
        "33",
        "/var",
        "there",
    ]


async def test_a_refused_setting_is_the_engines_own_word(engine):
    with pytest.raises(CannotStartContainer, match="unable to find user nobody-here"):
        await engine.run(waits(user="nobody-here"))
