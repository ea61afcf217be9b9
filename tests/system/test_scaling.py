"""Application Auto Scaling of a real server, on real containers."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from openecs_server import eventually


@pytest.mark.system
def test_bounds_and_schedules_scale_a_service(services, quick_server):
    scaling = quick_server.client("application-autoscaling")
    services.started("web", services.define("web"))
    where = {
        "ServiceNamespace": "ecs",
        "ResourceId": f"service/{services.cluster}/web",
        "ScalableDimension": "ecs:service:DesiredCount",
    }

    def activities() -> list[dict]:
        named = {key: where[key] for key in ("ServiceNamespace", "ResourceId")}
        return scaling.describe_scaling_activities(**named)["ScalingActivities"]

    def newest(cause: str) -> dict:
        return next(a for a in activities() if a["Cause"] == cause)

    scaling.register_scalable_target(**where, MinCapacity=2, MaxCapacity=4)
    eventually(lambda: services.show("web")["runningCount"] == 2)
    eventually(lambda: newest("minimum capacity was set to 2")["StatusCode"] == "Successful")

    soon = datetime.now(UTC) + timedelta(seconds=4)
    scaling.put_scheduled_action(
        **where,
        ScheduledActionName="night",
        Schedule=f"at({soon:%Y-%m-%dT%H:%M:%S})",
        ScalableTargetAction={"MinCapacity": 0, "MaxCapacity": 1},
    )
    eventually(lambda: services.show("web")["runningCount"] == 1)
    eventually(lambda: newest("maximum capacity was set to 1")["StatusCode"] == "Successful")
    assert newest("scheduled action name night was triggered")["StatusCode"] == "Successful"

    services.delete("web", force=True)
    eventually(
        lambda: (
            not scaling.describe_scalable_targets(
                ServiceNamespace="ecs", ResourceIds=[where["ResourceId"]]
            )["ScalableTargets"]
        )
    )
