"""What the node knows of the engine's containers, kept fresh by its events.

An event only marks a container stale; it is looked at when its task is reconciled next. A full
observation replaces everything but what was looked at since it began.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from collections.abc import Set as AbstractSet
from types import MappingProxyType

from openecs.model.containers import ContainerObservation
from openecs.runtime.base import LABEL_CONTAINER_NAME, LABEL_TASK_ARN, ContainerEvent, Runtime


class EngineView:
    """The engine's containers by task ARN and container name."""

    def __init__(self, runtime: Runtime, installation: str) -> None:
        self._runtime = runtime
        self._installation = installation
        self._tasks: dict[str, dict[str, ContainerObservation]] = {}
        #: Engine names to look at again, by task ARN, with the container's own name.
        self._stale: dict[str, dict[str, str]] = defaultdict(dict)
        self._looks = 0
        self._looked: dict[str, int] = {}

    def of(self, task_arn: str) -> Mapping[str, ContainerObservation]:
        """The containers of a task by their names in its definition."""
        return MappingProxyType(dict(self._tasks.get(task_arn, {})))

    def mark(self, event: ContainerEvent) -> str | None:
        """Note that a container changed; the ARN of its task, None for a stranger."""
        arn = event.labels.get(LABEL_TASK_ARN)
        name = event.labels.get(LABEL_CONTAINER_NAME)
        if not arn or not name:
            return None
        self._stale[arn][event.name] = name
        return arn

    def mark_container(self, task_arn: str, engine_name: str, name: str) -> None:
        """Note that a container is to be looked at again."""
        self._stale[task_arn][engine_name] = name

    async def freshen(self, task_arn: str, busy: AbstractSet[str]) -> None:
        """Look again at the stale containers of a task, but for those somebody works on."""
        stale = self._stale.get(task_arn, {})
        for engine_name, name in list(stale.items()):
            if name in busy:
                continue
            del stale[engine_name]
            await self._look(task_arn, engine_name, name)
        if not stale:
            self._stale.pop(task_arn, None)

    async def observe(self) -> None:
        """Look at everything. Raises ``EngineUnavailable``."""
        self._looks += 1
        begun = self._looks
        tasks: dict[str, dict[str, ContainerObservation]] = defaultdict(dict)
        for observed in await self._runtime.observe(self._installation):
            arn, name = observed.labels.get(LABEL_TASK_ARN), _name(observed)
            if arn and name and self._looked.get(observed.name, 0) < begun:
                tasks[arn][name] = observed
        for arn, known in self._tasks.items():
            for name, observed in known.items():
                if self._looked.get(observed.name, 0) >= begun:
                    tasks[arn][name] = observed
        self._tasks = dict(tasks)
        self._looked = {n: look for n, look in self._looked.items() if look >= begun}

    def forget(self) -> None:
        """Know nothing any more: the engine was emptied."""
        self._tasks.clear()
        self._stale.clear()
        self._looked.clear()

    async def _look(self, task_arn: str, engine_name: str, name: str) -> None:
        try:
            observed = await self._runtime.inspect(engine_name)
        except BaseException:
            self._stale[task_arn][engine_name] = name
            raise
        self._looks += 1
        self._looked[engine_name] = self._looks
        containers = self._tasks.setdefault(task_arn, {})
        if observed is None:
            containers.pop(name, None)
        else:
            containers[name] = observed
        if not containers:
            self._tasks.pop(task_arn, None)


def _name(observed: ContainerObservation) -> str | None:
    return observed.labels.get(LABEL_CONTAINER_NAME)
