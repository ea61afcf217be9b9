"""Scaling activities: what scaling has done, and what it has not and why."""

from __future__ import annotations

from openecs.api.application_autoscaling import paging, references
from openecs.api.base import Call, Members, Operation, Reads
from openecs.decide import retention
from openecs.model.scaling import DIMENSION, NAMESPACE, NotScaled, ScalingActivity
from openecs.store.base import View
from openecs.store.scaling import SCALING_ACTIVITIES


def describe_scaling_activities(view: View, call: Call, request: Members) -> Members:
    """The activities of the last six weeks, the newest first."""
    if request["ServiceNamespace"] != NAMESPACE:
        return {"ScalingActivities": []}
    references.check_namespace(request)
    named, with_all = request.get("ResourceId"), request.get("IncludeNotScaledActivities")
    found = [
        activity
        for activity in view.scan(SCALING_ACTIVITIES, call.scope, descending=True)
        if named in {None, activity.resource_id}
        and (with_all or activity.not_scaled is None)
        and activity.started_at >= call.now - retention.SCALING_ACTIVITIES
    ]
    shown, token = paging.page(request, found, SCALING_ACTIVITIES.key, descending=True)
    return {"ScalingActivities": [_shown(each) for each in shown], "NextToken": token}


OPERATIONS: dict[str, Operation] = {"DescribeScalingActivities": Reads(describe_scaling_activities)}


def _shown(activity: ScalingActivity) -> Members:
    return {
        "ActivityId": activity.id,
        "ServiceNamespace": NAMESPACE,
        "ResourceId": activity.resource_id,
        "ScalableDimension": DIMENSION,
        "Description": activity.description,
        "Cause": activity.cause,
        "StartTime": activity.started_at,
        "EndTime": activity.ended_at,
        "StatusCode": str(activity.status),
        "StatusMessage": activity.message,
        "NotScaledReasons": [_reason(activity)] if activity.not_scaled else None,
    }


def _reason(activity: ScalingActivity) -> Members:
    code = activity.not_scaled
    return {
        "Code": str(code),
        "MaxCapacity": activity.maximum if code is NotScaled.AT_MAX else None,
        "MinCapacity": activity.minimum if code is NotScaled.AT_MIN else None,
        "CurrentCapacity": activity.current,
    }
