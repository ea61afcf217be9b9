"""A simulation: the product's own operations, alarms and scaling, on stores in memory.

Only the service is a model and only the time is virtual: what sets the desired count is what does
so in production, down to the text of an error.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

from openecs.api import application_autoscaling, cloudwatch, ecs
from openecs.api.base import ApiSettings, Call, Caller, ServiceError, Writes
from openecs.control.metric_alarms import MetricAlarms
from openecs.control.scaling import Scaling
from openecs.decide import alarms as judging
from openecs.model.alarms import MetricAlarm, MetricStat
from openecs.model.identity import Ids, Scope
from openecs.model.metrics import HIGH_RESOLUTION, Metric, Sample, dimensions, of_value
from openecs.model.services import RolloutState, Service
from openecs.simulation.plant import Model, Moment, Plant
from openecs.simulation.scenario import CLUSTER, LABEL, RESOURCE, SERVICE_NAME, BadScenario, Request
from openecs.simulation.traces import Trace
from openecs.store.alarms import METRIC_ALARMS
from openecs.store.kinds import SERVICES, service_key
from openecs.store.memory import MemoryStore
from openecs.store.memory_metrics import MemoryMetricStore
from openecs.store.scaling import SCALING_POLICIES

STEP = 10.0
SCOPE = Scope("000000000000", "us-east-1")
_SERVICES = {
    each.name: each for each in (application_autoscaling.SERVICE, cloudwatch.SERVICE, ecs.SERVICE)
}
_ROOT = Caller(
    arn=f"arn:aws:iam::{SCOPE.account}:root",
    user_id=SCOPE.account,
    account=SCOPE.account,
    access_key_id="",
)
#: Samples of the last hours: no alarm looks further back in practice, and memory is not endless.
_KEPT = timedelta(hours=26)
_TRIMMED_EVERY = 3600.0
_STORE_KEEPS = timedelta(days=15)
_NAMED = dimensions(ClusterName=CLUSTER, ServiceName=SERVICE_NAME)
_GROUP = dimensions(TargetGroup=LABEL[LABEL.index("targetgroup/") :])
_CPU = Metric(SCOPE, "AWS/ECS", "CPUUtilization", _NAMED)
_MEMORY = Metric(SCOPE, "AWS/ECS", "MemoryUtilization", _NAMED)
_REQUESTS = Metric(SCOPE, "AWS/ApplicationELB", "RequestCountPerTarget", _GROUP)


#: Hears how far a simulation is, as a share of 1.
Progress = Callable[[float], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Setting:
    """What is simulated: the load, one task, the bounds, and when the service is deployed.

    ``deployments`` are seconds from the beginning; each replaces all tasks, and while it lasts
    nothing is scaled in.
    """

    trace: Trace
    model: Model
    minimum: int
    maximum: int
    start: datetime
    deployments: Sequence[float] = ()

    @property
    def deploying_for(self) -> float:
        """How long a deployment takes, in seconds."""
        return self.model.start_up + self.model.stop


@dataclass(slots=True)
class _Clock:
    now: datetime

    def __call__(self) -> datetime:
        return self.now


@dataclass(slots=True)
class _Ids:
    """Ids that are the same in every simulation."""

    _count: int = field(default=0)

    def uuid(self) -> str:
        return f"{self._next():08x}-0000-4000-8000-000000000000"

    def hex32(self) -> str:
        return f"{self._next():032x}"

    def digits(self, length: int) -> str:
        return f"{self._next():0{length}d}"

    def _next(self) -> int:
        self._count += 1
        return self._count


async def simulate(
    setting: Setting, requests: Sequence[Request], progress: Progress = lambda _: None
) -> list[Moment]:
    """How the service fares under the policies, every ``STEP`` seconds.

    Raises ``BadScenario`` with AWS's own words where a request is refused.
    """
    world = _World(setting)
    await world.begin(requests)
    moments = []
    for seconds in _steps(setting.trace.seconds):
        moments.append(await world.step(seconds))
        progress(min(seconds / setting.trace.seconds, 1.0))
    return moments


def _steps(until: float) -> Iterator[float]:
    number = 0
    while number * STEP <= until:
        yield number * STEP
        number += 1


class _World:
    def __init__(self, setting: Setting) -> None:
        self._setting = setting
        self._clock = _Clock(setting.start)
        self._ids: Ids = _Ids()
        self._store, self._metrics = MemoryStore(), MemoryMetricStore()
        self._alarms = MetricAlarms(
            store=self._store,
            metrics=self._metrics,
            clock=self._clock,
            ids=self._ids,
            publishes=False,
        )
        self._scaling = Scaling(
            store=self._store, metrics=self._metrics, clock=self._clock, ids=self._ids
        )
        self._plant = Plant(setting.model)
        self._judged = setting.start
        self._trimmed = 0.0

    async def begin(self, requests: Sequence[Request]) -> None:
        """Make the service and what the requests ask for."""
        await self._do("ecs", "CreateCluster", clusterName=CLUSTER)
        container = {"name": "app", "image": "simulated", "memory": 64}
        made = await self._do(
            "ecs",
            "RegisterTaskDefinition",
            family=SERVICE_NAME,
            containerDefinitions=[container],
        )
        await self._do(
            "ecs",
            "CreateService",
            cluster=CLUSTER,
            serviceName=SERVICE_NAME,
            taskDefinition=made["taskDefinition"]["taskDefinitionArn"],
            desiredCount=self._setting.minimum,
        )
        await self._change(_deploying(is_deploying=False))
        await self._ask(
            Request(
                "application-autoscaling",
                "RegisterScalableTarget",
                {
                    "ServiceNamespace": "ecs",
                    "ResourceId": RESOURCE,
                    "ScalableDimension": "ecs:service:DesiredCount",
                    "MinCapacity": self._setting.minimum,
                    "MaxCapacity": self._setting.maximum,
                },
                "the bounds",
            )
        )
        # Alarms name policies, which are to be there first; targets come before both.
        order = ("RegisterScalableTarget", "PutScalingPolicy", "PutScheduledAction")
        ranked = sorted(
            requests,
            key=lambda r: order.index(r.operation) if r.operation in order else len(order),
        )
        for request in ranked:
            await self._ask(request)
        await self._check_metrics()
        self._plant.begin((await self._service()).desired_count)

    async def step(self, seconds: float) -> Moment:
        """Move on by one step; how things stand then."""
        self._clock.now = self._setting.start + timedelta(seconds=seconds)
        await self._deploy(seconds)
        load = self._setting.trace.at(seconds)
        service = await self._service()
        moment = self._plant.step(seconds, service.desired_count, load)
        extra = moment.running if self._is_deploying(seconds) else 0
        moment = replace(moment, present=moment.present + extra)
        await self._measure(moment)
        await self._judge()
        return moment

    async def _deploy(self, seconds: float) -> None:
        was = self._is_deploying(seconds - STEP)
        if self._is_deploying(seconds) is not was:
            await self._change(_deploying(is_deploying=not was))

    def _is_deploying(self, seconds: float) -> bool:
        lasts = self._setting.deploying_for
        return any(at <= seconds < at + lasts for at in self._setting.deployments)

    async def _measure(self, moment: Moment) -> None:
        """What OpenECS would have measured in the step that begins now."""
        found = [
            (_CPU, moment.cpu, "Percent"),
            (_MEMORY, moment.memory, "Percent"),
            (_REQUESTS, moment.requests_per_target * STEP, "Count"),
        ]
        known = found if moment.running else []
        await self._metrics.put(
            [
                Sample(
                    metric=metric,
                    timestamp=self._clock.now,
                    statistics=of_value(value),
                    unit=unit,
                    resolution=HIGH_RESOLUTION,
                )
                for metric, value, unit in known
            ]
        )
        if moment.seconds - self._trimmed >= _TRIMMED_EVERY:
            self._trimmed = moment.seconds
            await self._metrics.trim(self._clock.now + _STORE_KEEPS - _KEPT)

    async def _judge(self) -> None:
        """What the loops do at the end of the step: judge alarms, and scale."""
        now = self._clock.now + timedelta(seconds=STEP)
        self._clock.now = now
        found = await self._store.read(lambda view: view.scan(METRIC_ALARMS, SCOPE))
        due = [each for each in found if judging.next_evaluation(each, self._judged) <= now]
        self._judged = now
        await self._alarms.judge(due, now)
        await self._scaling.observe()
        await self._scaling.reconcile((SCOPE, RESOURCE))

    async def _ask(self, request: Request) -> None:
        members = dict(request.members)
        if request.operation == "PutMetricAlarm":
            members["AlarmActions"] = await self._actions(members.get("AlarmActions") or ())
        try:
            await self._do(request.service, request.operation, **members)
        except ServiceError as error:
            raise BadScenario(
                f"{request.source}: {request.operation}: {error.code}: {error.message}"
            ) from error

    async def _actions(self, given: Sequence[str]) -> list[str]:
        """An alarm's actions: a policy by its name, or by the ARN it has elsewhere."""
        policies = await self._store.read(lambda view: view.scan(SCALING_POLICIES, SCOPE))
        arns = {policy.name: policy.arn for policy in policies}
        named = (each.rpartition("policyName/")[2].partition(":")[0] for each in given)
        return [arns.get(name, action) for name, action in zip(named, given, strict=True)]

    async def _check_metrics(self) -> None:
        """Raise for an alarm on what the model of the service does not have."""
        known = {_CPU, _MEMORY, _REQUESTS}
        for alarm in await self._store.read(lambda view: view.scan(METRIC_ALARMS, SCOPE)):
            for stat in _stats(alarm):
                if Metric(SCOPE, stat.namespace, stat.name, stat.dimensions) not in known:
                    raise BadScenario(
                        f"{alarm.name}: the simulated service has the metrics AWS/ECS "
                        f"CPUUtilization and MemoryUtilization (ClusterName {CLUSTER}, ServiceName "
                        f"{SERVICE_NAME}) and AWS/ApplicationELB RequestCountPerTarget "
                        f"(TargetGroup {_GROUP[0][1]}), and not {stat.namespace} {stat.name}"
                    )

    async def _service(self) -> Service:
        key = service_key(CLUSTER, SERVICE_NAME)
        found = await self._store.read(lambda view: view.get(SERVICES, SCOPE, key))
        if found is None:
            message = "the simulated service is gone"
            raise RuntimeError(message)
        return found

    async def _change(self, change: Callable[[Service], Service]) -> None:
        service = await self._service()
        await self._store.write(lambda tx: tx.put(SERVICES, change(service)))

    async def _do(self, service: str, operation: str, **members: Any) -> Any:
        call = Call(
            scope=SCOPE,
            caller=_ROOT,
            request_id=self._ids.uuid(),
            now=self._clock.now,
            ids=self._ids,
            settings=ApiSettings(),
        )
        match _SERVICES[service].operations[operation]:
            case Writes(function):
                return await self._store.write(lambda tx: function(tx, call, members))
            case _:
                message = f"{operation} writes nothing"
                raise TypeError(message)


def _stats(alarm: MetricAlarm) -> Iterator[MetricStat]:
    if alarm.metric is not None:
        yield alarm.metric
    yield from (query.stat for query in alarm.queries if query.stat is not None)


def _deploying(*, is_deploying: bool) -> Callable[[Service], Service]:
    """The service with its deployment under way, or over."""
    state = RolloutState.IN_PROGRESS if is_deploying else RolloutState.COMPLETED

    def change(service: Service) -> Service:
        primary, *older = service.deployments
        return replace(service, deployments=(replace(primary, rollout_state=state), *older))

    return change
