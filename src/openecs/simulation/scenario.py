"""What is to be tried: the requests that would be made of AWS, as JSON, and the service.

Files hold the very JSON of ``aws application-autoscaling put-scaling-policy --cli-input-json`` and
of its neighbours: one request, or a list of them. What a request is, its members tell.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import botocore.session
from botocore.exceptions import ParamValidationError
from botocore.validate import validate_parameters

Json = dict[str, Any]

CLUSTER, SERVICE_NAME = "simulated", "service"
RESOURCE = f"service/{CLUSTER}/{SERVICE_NAME}"
#: What the load balancer and the target group of the service would be called.
LABEL = "app/simulated/0123456789abcdef/targetgroup/simulated/0123456789abcdef"

#: What tells the operation, in this order.
_OPERATIONS = (
    ("AlarmName", "cloudwatch", "PutMetricAlarm"),
    ("ScheduledActionName", "application-autoscaling", "PutScheduledAction"),
    ("PolicyName", "application-autoscaling", "PutScalingPolicy"),
    ("MinCapacity", "application-autoscaling", "RegisterScalableTarget"),
    ("MaxCapacity", "application-autoscaling", "RegisterScalableTarget"),
)
_TARGET = {
    "ServiceNamespace": "ecs",
    "ResourceId": RESOURCE,
    "ScalableDimension": "ecs:service:DesiredCount",
}


class BadScenario(ValueError):
    """A file that is no request; the text says which and why."""


@dataclass(frozen=True, slots=True)
class Request:
    """A request, of whatever service; ``source`` is the file it came from."""

    service: str
    operation: str
    members: Mapping[str, Any]
    source: str


def read(paths: Iterable[Path]) -> list[Request]:
    """The requests in files, for the simulated service. Raises ``BadScenario``, ``OSError``."""
    return [request for path in paths for request in _read(path)]


def _read(path: Path) -> Iterator[Request]:
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise BadScenario(f"{path}: not JSON: {error}") from error
    for each in content if isinstance(content, list) else [content]:
        yield _request(str(path), each)


def _request(source: str, given: object) -> Request:
    if not isinstance(given, dict):
        raise BadScenario(f"{source}: a request is an object, not {type(given).__name__}")
    for member, service, operation in _OPERATIONS:
        if member in given:
            _check(source, service, operation, given)
            return Request(service, operation, _made_ours(operation, given), source)
    raise BadScenario(
        f"{source}: none of PolicyName, ScheduledActionName, AlarmName, MinCapacity and "
        "MaxCapacity is there: it is the JSON of put-scaling-policy, put-scheduled-action, "
        "put-metric-alarm or register-scalable-target that is wanted"
    )


def _made_ours(operation: str, given: Json) -> Json:
    """The same request for the simulated service, whoever it was for."""
    if operation == "PutMetricAlarm":
        return given
    made = {**given, **_TARGET}
    for name in ("StartTime", "EndTime"):
        if isinstance(made.get(name), str):
            made[name] = _moment(made[name])
    tracking = made.get("TargetTrackingScalingPolicyConfiguration") or {}
    predefined = tracking.get("PredefinedMetricSpecification") or {}
    if predefined.get("PredefinedMetricType") == "ALBRequestCountPerTarget":
        ours = {**predefined, "ResourceLabel": LABEL}
        made["TargetTrackingScalingPolicyConfiguration"] = {
            **tracking,
            "PredefinedMetricSpecification": ours,
        }
    return made


def _moment(text: str) -> datetime:
    try:
        return datetime.fromisoformat(text).astimezone()
    except ValueError as error:
        raise BadScenario(f"{text} is no time") from error


def _check(source: str, service: str, operation: str, given: Json) -> None:
    """Raise where AWS's own model of the request has something to say."""
    model = botocore.session.get_session().get_service_model(service)
    shape = model.operation_model(operation).input_shape
    # Whose service it is for does not matter, and need not be there.
    whole = {**_TARGET, **given} if operation != "PutMetricAlarm" else given
    try:
        validate_parameters(whole, shape)
    except ParamValidationError as error:
        raise BadScenario(f"{source}: {operation}: {error}") from error
