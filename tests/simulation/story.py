"""A story told by a seed: services, wishes, and everything that can go wrong, then calm."""

from __future__ import annotations

import asyncio
import re
from collections import Counter
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from openecs.api.base import ServiceError
from openecs.model.containers import ContainerState, Health
from openecs.model.services import RolloutState, SchedulingStrategy, Service, ServiceStatus
from openecs.model.tasks import TaskStatus
from openecs.runtime.base import LABEL_TASK_ARN
from openecs.runtime.behavior import SimulatedContainer
from openecs.store.kinds import SERVICE_DEPLOYMENTS
from openecs.testing.builders import SCOPE
from openecs.testing.simulation.faults import Weather
from simulation.images import BAD, GOOD
from simulation.world import World


def limits(
    least: int, most: int, *, breaker: bool = False, rollback: bool = False
) -> dict[str, object]:
    """A deployment configuration as the API takes it."""
    return {
        "minimumHealthyPercent": least,
        "maximumPercent": most,
        "deploymentCircuitBreaker": {"enable": breaker, "rollback": rollback},
    }


BOUNDS = (
    limits(100, 200),
    limits(50, 200),
    limits(50, 150),
    limits(0, 100),
    limits(100, 150),
    limits(100, 200, breaker=True),
    limits(100, 200, breaker=True, rollback=True),
    limits(50, 150, breaker=True, rollback=True),
)
#: Of a DAEMON, which has one task on each instance.
DAEMON_BOUNDS = (
    limits(0, 100),
    limits(50, 100),
    limits(34, 100),
    limits(0, 100, breaker=True, rollback=True),
)
#: Once nothing goes wrong any more: the longest back-off, a slow pull, and some.
SETTLES = timedelta(hours=1)


NAMES = ("service-0", "service-1", "service-2")
RUNS = (TaskStatus.RUNNING, TaskStatus.RUNNING)


@dataclass(slots=True)
class Story:
    """One story; ``told`` is what was done, for whoever wants to know what went wrong."""

    seed: int
    world: World = field(init=False)
    told: list[str] = field(default_factory=list)
    #: The desired counts that were asked for last.
    wanted: dict[str, int] = field(default_factory=dict)

    async def run(self) -> list[str]:
        """Live through it; the rules that were broken."""
        self.world = World(seed=self.seed, machines=1 + self.seed % 3)
        try:
            await self.world.begin()
            await self._trouble()
            await self._calm()
            await self.world.until(self._is_settled, SETTLES)
            return [*self.world.broken, *self.world.checks.broken, *self._left()]
        finally:
            await self.world.end()

    def events(self) -> list[str]:
        """What the services told."""
        return [f"{key} {message}" for key, message in self.world.checks.events.values()]

    async def _trouble(self) -> None:
        chance = self.world.chance
        for name in NAMES[: chance.randint(1, 3)]:
            await self._create(name)
        mean = chance.choice((0.1, 1, 5, 20))
        for _ in range(chance.randint(10, 150)):
            if self.world.checks.broken:
                return
            await asyncio.sleep(chance.expovariate(1 / mean))
            happening, weight = zip(*self._happenings(), strict=True)
            (chosen,) = chance.choices(happening, weight)
            await chosen()

    def _happenings(self) -> list[tuple[Callable[[], Awaitable[None]], int]]:
        return [
            (self._scale, 4),
            (self._deploy, 4),
            (self._configure, 1),
            (self._go_back, 1),
            (self._delete, 1),
            (self._create_anew, 1),
            (self._protect, 2),
            (self._stop_task, 3),
            (self._drain, 2),
            (self._activate, 3),
            (self._container_ends, 6),
            (self._container_is_removed, 4),
            (self._health_turns, 4),
            (self._engine_leaves, 2),
            (self._engine_returns, 4),
            (self._process_dies, 4),
            (self._process_starts, 8),
            (self._process_freezes, 2),
            (self._processes_thaw, 4),
            (self._weather_turns, 3),
        ]

    async def _ask(self, operation: str, **request: Any) -> None:
        """Ask the API; a refusal is an answer too."""
        try:
            await self.world.call(operation, **request)
        except ServiceError as refusal:
            self._say(f"{operation} {request}: {refusal.code}")
        else:
            self._say(f"{operation} {request}")
            self._remember(operation, request)

    def _remember(self, operation: str, request: dict[str, Any]) -> None:
        name = request.get("serviceName") or request.get("service")
        if operation == "DeleteService":
            self.wanted[name] = 0
        elif name and "desiredCount" in request:
            self.wanted[name] = request["desiredCount"]

    async def _create(self, name: str) -> None:
        chance = self.world.chance
        daemon = chance.random() < 0.2
        kind = (
            {"schedulingStrategy": "DAEMON"} if daemon else {"desiredCount": chance.randint(0, 6)}
        )
        await self._ask(
            "CreateService",
            serviceName=name,
            taskDefinition=self._image(),
            deploymentConfiguration=chance.choice(DAEMON_BOUNDS if daemon else BOUNDS),
            **kind,
        )

    async def _create_anew(self) -> None:
        there = [s.name for s in self.world.services() if s.status is ServiceStatus.ACTIVE]
        if gone := [name for name in NAMES if name not in there]:
            await self._create(self.world.chance.choice(gone))

    async def _scale(self) -> None:
        name, desired = self._name(), self.world.chance.randint(0, 6)
        await self._ask("UpdateService", service=name, desiredCount=desired)

    async def _deploy(self) -> None:
        name, image = self._name(), self._image()
        forces = self.world.chance.random() < 0.3
        request = {"forceNewDeployment": True} if forces else {"taskDefinition": image}
        await self._ask("UpdateService", service=name, **request)

    async def _configure(self) -> None:
        name, chosen = self._name(), self.world.chance.choice(BOUNDS)
        await self._ask("UpdateService", service=name, deploymentConfiguration=chosen)

    async def _go_back(self) -> None:
        service = self.world.service(self._name())
        if service and service.current_service_deployment:
            path = f"{service.cluster}/{service.name}/{service.current_service_deployment}"
            arn = SCOPE.arn("ecs", f"service-deployment/{path}")
            await self._ask("StopServiceDeployment", serviceDeploymentArn=arn)

    async def _delete(self) -> None:
        await self._ask("DeleteService", service=self._name(), force=True)

    async def _protect(self) -> None:
        minutes = self.world.chance.choice((0, 1, 10))
        tasks = [t.id for t in self.world.tasks(self._name())]
        await self._set_protection(tasks, minutes)

    async def _set_protection(self, tasks: list[str], minutes: int) -> None:
        request: dict[str, Any] = {"protectionEnabled": minutes > 0}
        if minutes:
            request["expiresInMinutes"] = minutes
        for first in range(0, len(tasks), 10):
            some = tasks[first : first + 10]
            await self._ask("UpdateTaskProtection", cluster="default", tasks=some, **request)

    async def _stop_task(self) -> None:
        tasks = self.world.tasks()
        if tasks:
            await self._ask("StopTask", task=self.world.chance.choice(tasks).id)

    async def _drain(self) -> None:
        await self._set("DRAINING")

    async def _activate(self) -> None:
        await self._set("ACTIVE")

    async def _set(self, status: str) -> None:
        instances = list(self.world.checks.instances)
        if instances:
            chosen = [self.world.chance.choice(instances)]
            request = {"containerInstances": chosen, "status": status}
            await self._ask("UpdateContainerInstancesState", **request)

    async def _container_ends(self) -> None:
        found = self._container()
        if found:
            engine, container = found
            self._say(f"container {container.spec.name} is killed")
            engine.end(container.spec.name, self.world.chance.choice((0, 1, 137)))

    async def _container_is_removed(self) -> None:
        found = self._container()
        if found:
            engine, container = found
            self._say(f"container {container.spec.name} is removed")
            engine.take_away(container.spec.name)

    async def _health_turns(self) -> None:
        found = self._container()
        if found and found[1].spec.health_check:
            engine, container = found
            health = self.world.chance.choice((Health.HEALTHY, Health.UNHEALTHY))
            self._say(f"container {container.spec.name} turns {health}")
            engine.turn(container.spec.name, health)

    async def _engine_leaves(self) -> None:
        machine = self.world.chance.choice(self.world.fleet)
        self._say(f"the engine of {machine.name} goes away")
        machine.engine.go_away()

    async def _engine_returns(self) -> None:
        for machine in self.world.fleet:
            machine.engine.come_back()

    async def _process_dies(self) -> None:
        machine = self.world.chance.choice(self.world.fleet)
        self._say(f"the process of {machine.name} is killed")
        await self.world.kill(machine)

    async def _process_starts(self) -> None:
        for machine in self.world.fleet:
            self.world.start(machine)

    async def _process_freezes(self) -> None:
        machine = self.world.chance.choice(self.world.fleet)
        if machine.is_up and machine.line:
            self._say(f"the process of {machine.name} is frozen")
            machine.line.freeze()

    async def _processes_thaw(self) -> None:
        for machine in self.world.fleet:
            machine.thaw()

    async def _weather_turns(self) -> None:
        chance, weather = self.world.chance, self.world.weather
        weather.delay = timedelta(seconds=chance.choice((0, 0.02, 0.5)))
        weather.conflicts = chance.choice((0, 0, 0.05, 0.3))
        weather.store_away = chance.choice((0, 0, 0.02, 0.3))
        weather.feed_truncated = chance.choice((0, 0, 0.02))
        weather.engine_silent = chance.choice((0, 0, 0.05, 0.3))
        weather.events_lost = chance.choice((0, 0, 0.3))
        weather.events_repeated = chance.choice((0, 0, 0.3))
        self._say(f"weather: {weather}")

    async def _calm(self) -> None:
        """Nothing goes wrong from here on."""
        self._say("calm")
        fair = Weather()
        for name in Weather.__dataclass_fields__:
            setattr(self.world.weather, name, getattr(fair, name))
        for machine in self.world.fleet:
            machine.engine.come_back()
            self.world.start(machine)
            machine.thaw()
        for instance in self.world.checks.instances:
            request = {"containerInstances": [instance], "status": "ACTIVE"}
            await self._ask("UpdateContainerInstancesState", **request)
        protected = [t.id for t in self.world.tasks() if t.protection]
        await self._set_protection(protected, 0)

    def _is_settled(self) -> bool:
        return not self._left()

    def _left(self) -> list[str]:
        """What is not as it has to be in the end."""
        left = [each for service in self.world.services() for each in self._unmet(service)]
        told = self._open() + self._unaccounted() + self._untold()
        return left + self._strays() + told

    def _unmet(self, service: Service) -> list[str]:
        tasks = self.world.tasks(service.name)
        is_daemon = service.scheduling_strategy is SchedulingStrategy.DAEMON
        if not is_daemon and service.desired_count != self.wanted[service.name]:
            return [f"{service.name}: {self.wanted[service.name]} were wanted last: {service}"]
        if service.status is not ServiceStatus.ACTIVE:
            is_over = service.status is ServiceStatus.INACTIVE and not tasks
            return (
                [] if is_over else [f"{service.name} is {service.status} with {len(tasks)} tasks"]
            )
        if _is_hopeless(service):
            return []
        primary = service.primary
        states = [(t.last_status, t.desired_status) for t in tasks]
        is_done = (
            primary is not None
            and primary.rollout_state is RolloutState.COMPLETED
            and len(service.deployments) == 1
            and states == [RUNS] * service.desired_count
            and service.steady_at is not None
            and self._is_well_placed(service)
        )
        if is_done:
            return []
        return [f"{service.name}, {service.desired_count} wanted, has {states}, {primary}"]

    def _is_well_placed(self, service: Service) -> bool:
        """A DAEMON has one task on each instance; where others are is for placement to say."""
        places = Counter(t.container_instance for t in self.world.tasks(service.name))
        is_daemon = service.scheduling_strategy is SchedulingStrategy.DAEMON
        return not is_daemon or places == Counter(self.world.checks.instances.keys())

    def _strays(self) -> list[str]:
        """Containers that run for no task, and tasks that run without a container."""
        runs = {t.arn for t in self.world.tasks() if t.last_status is TaskStatus.RUNNING}
        alive = {t.arn for t in self.world.tasks()}
        there = {
            c.spec.labels[LABEL_TASK_ARN]
            for m in self.world.fleet
            for c in m.engine.containers.values()
            if c.state is ContainerState.RUNNING
        }
        strays = [f"a container of {arn} runs" for arn in sorted(there - alive)]
        return strays + [f"{arn} is RUNNING without a container" for arn in sorted(runs - there)]

    def _open(self) -> list[str]:
        """The history of a change ends with its deployment."""
        under_way = {
            service.primary.service_deployment
            for service in self.world.services()
            if service.primary and service.primary.rollout_state is RolloutState.IN_PROGRESS
        }
        records = self.world.store._state.scan(SERVICE_DEPLOYMENTS, SCOPE)
        open_ones = {r.id for r in records if not (r.finished_at or r.stopped_at)}
        return [f"service deployment {each} has not ended" for each in open_ones - under_way]

    def _unaccounted(self) -> list[str]:
        tasks = self.world.checks.tasks.values()
        open_ones = [t for t in tasks if t.service and t.last_status is TaskStatus.STOPPED]
        return [f"task {t.id} is not accounted for" for t in open_ones if not t.accounted]

    def _untold(self) -> list[str]:
        """Every task was told of once, when it was started."""
        messages = (message for _, message in self.world.checks.events.values())
        told = Counter(
            task
            for message in messages
            if "has started" in message
            for task in re.findall(r"\(task (\w+)\)", message)
        )
        started = Counter(t.id for t in self.world.checks.tasks.values() if t.service)
        return [
            f"started and told: {started[t]} and {told[t]} times task {t}"
            for t in sorted(started | told)
            if started[t] != told[t]
        ]

    def _say(self, what: str) -> None:
        self.told.append(f"{self.world.clock():%H:%M:%S.%f} {what}")

    def _name(self) -> str:
        return self.world.chance.choice(NAMES)

    def _image(self) -> str:
        """A good one, mostly."""
        chance = self.world.chance
        return chance.choice(BAD if chance.random() < 0.25 else GOOD)

    def _container(self):
        """Some running container, and the engine it is on."""
        running: list[tuple[object, SimulatedContainer]] = [
            (machine.engine, container)
            for machine in self.world.fleet
            for container in machine.engine.containers.values()
            if container.is_running
        ]
        return self.world.chance.choice(running) if running else None


def _is_hopeless(service: Service) -> bool:
    """Whether it cannot be what it is to be: given up, its image is bad, its bounds hold it."""
    primary, limits = service.primary, service.deployment_configuration
    if primary is None or primary.rollout_state is RolloutState.FAILED:
        return primary is not None
    desired = service.desired_count
    if primary.revision.family in BAD:
        return desired > 0
    most = desired * limits.maximum_percent // 100
    least = -(-desired * limits.minimum_healthy_percent // 100)
    return len(service.deployments) > 1 and most <= desired <= least
