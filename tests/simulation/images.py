"""Images by how their containers behave; each has a task definition, ``NAME:1``."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from openecs.model.containers import Health
from openecs.model.task_definitions import HealthCheck, TaskDefinition
from openecs.runtime.base import ContainerSpec
from openecs.runtime.behavior import Behavior, RemoteImage
from openecs.testing.builders import a_container_definition, a_task_definition


def _seconds(count: float) -> timedelta:
    return timedelta(seconds=count)


RUNS = Behavior()


@dataclass(frozen=True, slots=True, kw_only=True)
class Image:
    behavior: Behavior = RUNS
    #: How long its pull takes; None: it is not to be had.
    pull: timedelta | None = timedelta(seconds=1)
    checked: bool = False
    #: Whether a service of it can ever be what it is to be.
    is_good: bool = True


IMAGES = {
    "good": Image(),
    "slow": Image(pull=_seconds(90)),
    "checked": Image(checked=True, behavior=Behavior(health_after=_seconds(7))),
    "stubborn": Image(behavior=Behavior(exit_code_on_stop=None)),
    "crash": Image(is_good=False, behavior=Behavior(exits_after=_seconds(0.5), exit_code=1)),
    "broken": Image(is_good=False, behavior=Behavior(start_error="no such file")),
    "missing": Image(is_good=False, pull=None),
    "sick": Image(
        is_good=False,
        checked=True,
        behavior=Behavior(health=Health.UNHEALTHY, health_after=_seconds(7)),
    ),
}
GOOD = tuple(name for name, image in IMAGES.items() if image.is_good)
BAD = tuple(name for name in IMAGES if name not in GOOD)


def behaves(spec: ContainerSpec) -> Behavior:
    return IMAGES[spec.image].behavior


def registry() -> dict[str, RemoteImage]:
    return {n: RemoteImage(takes=i.pull) for n, i in IMAGES.items() if i.pull is not None}


def definition(name: str) -> TaskDefinition:
    check = HealthCheck(command=("CMD", "true")) if IMAGES[name].checked else None
    container = a_container_definition(image=name, health_check=check)
    return a_task_definition(name, 1, container)
