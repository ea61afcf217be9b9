"""The cgroup above all containers of a task: its limits hold for them together.

As the ECS agent's task cgroup (``/ecs/TASK``): Amazon ECS Developer Guide, task size.
"""

from __future__ import annotations

from pathlib import Path

from openecs.runtime.base import TaskGroupSpec

ROOT = Path("/sys/fs/cgroup")
PERIOD = 100_000
#: Controllers of version 1 that hold our limits; the engine makes the others as it needs them.
V1_CONTROLLERS = ("cpu", "memory")


def ensure(spec: TaskGroupSpec, version: str) -> bool:
    """Make the group with its limits; False where this process may not. Blocks."""
    try:
        if version == "2":
            _write_v2(spec)
        else:
            _write_v1(spec)
    except OSError:
        return False
    return True


def remove(cgroup_parent: str) -> bool:
    """Remove the group and what an engine left in it; False where a process is in it. Blocks."""
    inner = cgroup_parent.strip("/")
    paths = [ROOT / inner, *(c / inner for c in ROOT.iterdir() if c.is_dir())]
    for path in paths:
        _remove_tree(path)
    return not any(path.exists() for path in paths)


def _remove_tree(group: Path) -> None:
    try:
        for inner in [path for path in group.iterdir() if path.is_dir()]:
            _remove_tree(inner)
        group.rmdir()
    except OSError:
        return


def _write_v1(spec: TaskGroupSpec) -> None:
    for controller in V1_CONTROLLERS:
        _folder(ROOT / controller, spec).mkdir(parents=True, exist_ok=True)
    if spec.memory:
        limit = _folder(ROOT / "memory", spec) / "memory.limit_in_bytes"
        limit.write_text(str(spec.memory), encoding="ascii")
    if spec.cpu_quota:
        folder = _folder(ROOT / "cpu", spec)
        (folder / "cpu.cfs_period_us").write_text(str(PERIOD), encoding="ascii")
        (folder / "cpu.cfs_quota_us").write_text(str(spec.cpu_quota), encoding="ascii")


def _write_v2(spec: TaskGroupSpec) -> None:
    folder = _folder(ROOT, spec)
    folder.parent.mkdir(exist_ok=True)
    for parent in (ROOT, folder.parent):
        (parent / "cgroup.subtree_control").write_text("+cpu +memory +pids", encoding="ascii")
    folder.mkdir(exist_ok=True)
    (folder / "cgroup.subtree_control").write_text("+cpu +memory +pids", encoding="ascii")
    if spec.memory:
        (folder / "memory.max").write_text(str(spec.memory), encoding="ascii")
    if spec.cpu_quota:
        (folder / "cpu.max").write_text(f"{spec.cpu_quota} {PERIOD}", encoding="ascii")


def _folder(root: Path, spec: TaskGroupSpec) -> Path:
    return root / spec.cgroup_parent.strip("/")
