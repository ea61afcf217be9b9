"""A service that is a scalable target, and the loop that looks after it."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from openecs.api.application_autoscaling import SERVICE
from openecs.control.scaling import Scaling
from openecs.model.alarms import AlarmState
from openecs.model.metrics import Metric, Sample, of_value
from openecs.model.services import RolloutState
from openecs.store.alarms import METRIC_ALARMS
from openecs.store.kinds import SERVICES
from openecs.store.memory_metrics import MemoryMetricStore
from openecs.testing.builders import NOW, SCOPE, CountingIds, a_call
from openecs.testing.service_world import a_deployment, a_service
from operations_world import World

WHERE = {
    "ServiceNamespace": "ecs",
    "ResourceId": "service/default/web",
    "ScalableDimension": "ecs:service:DesiredCount",
}
KEY = (SCOPE, "service/default/web")
CPU = {"PredefinedMetricType": "ECSServiceAverageCPUUtilization"}


class Scaled(World):
    """A service that is a scalable target, and the loop that looks after it."""

    def __init__(self, guard=None) -> None:
        super().__init__(SERVICE)
        self.now = NOW
        self.metrics = MemoryMetricStore()
        self.ids = CountingIds()
        self.begin_anew(guard)

    def begin_anew(self, guard=None) -> None:
        """A loop that knows nothing but what is stored, as after kill -9."""
        self.loop = Scaling(
            store=self.store,
            metrics=self.metrics,
            clock=lambda: self.now,
            ids=self.ids,
            guard=guard,
        )

    async def begin(self, least=1, most=10, count=2) -> None:
        deployment = a_deployment(desired_count=count, rollout_state=RolloutState.COMPLETED)
        web = a_service(desired_count=count, deployments=(deployment,))
        await self.put(SERVICES, [web])
        await self.do("RegisterScalableTarget", **WHERE, MinCapacity=least, MaxCapacity=most)

    async def track(self) -> None:
        await self.do(
            "PutScalingPolicy",
            **WHERE,
            PolicyName="cpu",
            PolicyType="TargetTrackingScaling",
            TargetTrackingScalingPolicyConfiguration={
                "TargetValue": 50.0,
                "PredefinedMetricSpecification": CPU,
            },
        )

    async def measured(self, value: float) -> None:
        metric = Metric(
            SCOPE,
            "AWS/ECS",
            "CPUUtilization",
            (("ClusterName", "default"), ("ServiceName", "web")),
        )
        at = self.now - timedelta(seconds=70)
        sample = Sample(metric=metric, timestamp=at, statistics=of_value(value), unit="Percent")
        await self.metrics.put([sample])

    async def alarm(self, which: str) -> None:
        alarms = await self.store.read(lambda view: view.scan(METRIC_ALARMS, SCOPE))
        found = next(a for a in alarms if which in a.name)
        await self.put(
            METRIC_ALARMS, [replace(found, state=AlarmState.ALARM, transitioned_at=self.now)]
        )

    async def look(self):
        await self.loop.observe()
        return await self.loop.reconcile(KEY)

    async def service(self):
        return await self.store.read(lambda view: view.get(SERVICES, SCOPE, "default/web"))

    async def desired(self) -> int:
        return (await self.service()).desired_count

    async def activities(self, **members):
        call = a_call(now=self.now)
        found = await self.do("DescribeScalingActivities", call, ServiceNamespace="ecs", **members)
        return found["ScalingActivities"]
