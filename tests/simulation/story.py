"""A story told by a seed: services, wishes, and everything that can go wrong, then calm."""

from __future__ import annotations

import asyncio
import re
from collections import Counter
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import timedelta

from openecs.model.clusters import ContainerInstanceStatus
from openecs.model.containers import ContainerState, Health
from openecs.model.services import RolloutState, SchedulingStrategy, Service, ServiceStatus
from openecs.model.tasks import TaskStatus
from openecs.runtime.base import LABEL_TASK_ARN
from openecs.runtime.behavior import SimulatedContainer
from openecs.testing.simulation.faults import Weather
from simulation import wishes
from simulation.images import BAD, GOOD, IMAGES
from simulation.world import World

BOUNDS = (
    wishes.bounds(100, 200),
    wishes.bounds(50, 200),
    wishes.bounds(50, 150),
    wishes.bounds(0, 100),
    wishes.bounds(100, 150),
    wishes.bounds(100, 200, breaker=True),
    wishes.bounds(100, 200, breaker=True, rollback=True),
    wishes.bounds(50, 150, breaker=True, rollback=True),
)
#: Of a DAEMON, which has one task on each instance.
DAEMON_BOUNDS = (
    wishes.bounds(0, 100),
    wishes.bounds(50, 100),
    wishes.bounds(100, 200),
    wishes.bounds(0, 100, breaker=True, rollback=True),
)
#: Once nothing goes wrong any more: the longest back-off, a slow pull, and some.
SETTLES = timedelta(hours=1)


@dataclass(slots=True)
class Story:
    """One story; ``told`` is what was done, for whoever wants to know what went wrong."""

    seed: int
    world: World = field(init=False)
    told: list[str] = field(default_factory=list)

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

    async def _trouble(self) -> None:
        chance = self.world.chance
        for number in range(chance.randint(1, 3)):
            await self._create(f"service-{number}")
        ends = self.world.clock() + timedelta(minutes=chance.randint(3, 25))
        mean = chance.choice((1, 5, 20))
        while self.world.clock() < ends and not self.world.checks.broken:
            await asyncio.sleep(chance.expovariate(1 / mean))
            happening, weight = zip(*self._happenings(), strict=True)
            (chosen,) = chance.choices(happening, weight)
            await chosen()

    def _happenings(self) -> list[tuple[Callable[[], Awaitable[None]], int]]:
        return [
            (self._scale, 4),
            (self._deploy, 4),
            (self._delete, 1),
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
            (self._weather_turns, 3),
        ]

    async def _create(self, name: str) -> None:
        chance = self.world.chance
        daemon = chance.random() < 0.2
        image, desired = self._image(), 0 if daemon else chance.randint(0, 6)
        limits = chance.choice(DAEMON_BOUNDS if daemon else BOUNDS)
        strategy = SchedulingStrategy.DAEMON if daemon else SchedulingStrategy.REPLICA
        self._say(f"create {strategy} {name} of {desired} {image} within {limits}")
        await wishes.create(
            self.world,
            name,
            image,
            desired,
            deployment_configuration=limits,
            scheduling_strategy=strategy,
        )

    async def _scale(self) -> None:
        name, desired = self._name(), self.world.chance.randint(0, 6)
        service = self.world.service(name)
        if service and service.scheduling_strategy is SchedulingStrategy.REPLICA:
            self._say(f"scale {name} to {desired}")
            await wishes.scale(self.world, name, desired)

    async def _deploy(self) -> None:
        name, image = self._name(), self._image()
        self._say(f"deploy {name} with {image}")
        await wishes.deploy(self.world, name, image)

    async def _delete(self) -> None:
        name = self._name()
        self._say(f"delete {name}")
        await wishes.delete(self.world, name)

    async def _protect(self) -> None:
        name, minutes = self._name(), self.world.chance.choice((0, 1, 10))
        self._say(f"protect {name} for {minutes} minutes")
        await wishes.protect(self.world, name, minutes)

    async def _stop_task(self) -> None:
        tasks = self.world.tasks()
        if tasks:
            task = self.world.chance.choice(tasks)
            self._say(f"stop task {task.id}")
            await self.world.call("StopTask", task=task.id)

    async def _drain(self) -> None:
        await self._set(ContainerInstanceStatus.DRAINING)

    async def _activate(self) -> None:
        await self._set(ContainerInstanceStatus.ACTIVE)

    async def _set(self, status: ContainerInstanceStatus) -> None:
        instances = list(self.world.checks.instances)
        if instances:
            instance = self.world.chance.choice(instances)
            self._say(f"instance {instance} is set to {status}")
            await wishes.drain(self.world, instance, status)

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
        for instance in self.world.checks.instances:
            await wishes.drain(self.world, instance, ContainerInstanceStatus.ACTIVE)
        for service in self.world.services():
            await wishes.protect(self.world, service.name, 0)
        for machine in self.world.fleet:
            for container in machine.engine.containers.values():
                wanted = IMAGES[container.spec.image].behavior.health
                if container.is_running and container.health not in {Health.NONE, wanted}:
                    machine.engine.turn(container.spec.name, wanted)

    def _is_settled(self) -> bool:
        return not self._left()

    def _left(self) -> list[str]:
        """What is not as it has to be in the end."""
        left = [each for service in self.world.services() for each in self._unmet(service)]
        return left + self._strays() + self._unaccounted() + self._untold()

    def _unmet(self, service: Service) -> list[str]:
        tasks = self.world.tasks(service.name)
        if service.status is not ServiceStatus.ACTIVE:
            if service.status is ServiceStatus.INACTIVE and not tasks:
                return []
            return [f"{service.name} is {service.status} and has {len(tasks)} tasks"]
        primary = service.primary
        if primary is None:
            return [f"{service.name} has no deployment"]
        if primary.rollout_state is RolloutState.FAILED:
            return []
        if primary.revision.family in BAD and service.desired_count:
            return []
        limits = service.deployment_configuration
        stuck = (
            len(service.deployments) > 1
            and service.desired_count * limits.maximum_percent // 100 <= service.desired_count
            and -(-service.desired_count * limits.minimum_healthy_percent // 100)
            >= service.desired_count
        )
        if stuck:
            return []
        counts = Counter((t.last_status, t.desired_status) for t in tasks)
        running = counts.pop((TaskStatus.RUNNING, TaskStatus.RUNNING), 0)
        shape = f"{running} of {service.desired_count} running, others: {dict(counts)}"
        if service.scheduling_strategy is SchedulingStrategy.DAEMON:
            places = {t.container_instance for t in tasks}
            if len(places) != len(tasks) or len(tasks) != len(self.world.checks.instances):
                return [f"{service.name} is not once on each instance: {shape}"]
        is_done = (
            primary.rollout_state is RolloutState.COMPLETED
            and len(service.deployments) == 1
            and running == service.desired_count
            and not counts
            and service.steady_at is not None
        )
        return [] if is_done else [f"{service.name} is {primary.rollout_state}: {shape}"]

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
        return [f"started and told: {started[t]} and {told[t]} times task {t}"
                for t in sorted(started | told) if started[t] != told[t]]

    def _say(self, what: str) -> None:
        self.told.append(f"{self.world.clock():%H:%M:%S.%f} {what}")

    def _name(self) -> str:
        return self.world.chance.choice(self.world.services()).name

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
