"""The alarm that has a deployment of an Express service go back when answers fail.

Its name, queries and bounds are those that Amazon ECS gives it: more than 1 % of the requests of
either target group answered 4XX (five a minute at least) or 5XX, in two of three minutes. Answers
of one kind alone count too: what was not reported is 0 here.
"""

from __future__ import annotations

from openecs.api.base import Call, Members
from openecs.api.cloudwatch.alarms import put_metric_alarm
from openecs.model.express import ExpressGateway
from openecs.model.identity import parse_arn
from openecs.store.base import Transaction

_ERRORS = "Sum of 4XX and 5XX errors percentage"
_COUNTED = {
    "4xx": "HTTPCode_Target_4XX_Count",
    "5xx": "HTTPCode_Target_5XX_Count",
    "total": "RequestCountPerTarget",
}


def name(gateway: ExpressGateway) -> str:
    """``CLUSTER/SERVICE/RollbackAlarm``."""
    return f"{gateway.cluster}/{gateway.service}/RollbackAlarm"


def watched_by(gateway: ExpressGateway) -> Members:
    """The alarms of the service's deployments, as CreateService takes them."""
    return {"alarmNames": [name(gateway)], "enable": True, "rollback": True}


def put(tx: Transaction, call: Call, gateway: ExpressGateway, *, on_alternate: bool) -> None:
    """Make the alarm, or make it anew for a deployment to the alternate target group or back."""
    primary, canary = gateway.target_group_arns
    if not on_alternate:
        primary, canary = canary, primary
    request = {
        "AlarmName": name(gateway),
        "AlarmDescription": "Rate of 4XX and 5XX errors",
        "ComparisonOperator": "GreaterThanThreshold",
        "EvaluationPeriods": 3,
        "DatapointsToAlarm": 2,
        "Threshold": 1.0,
        "TreatMissingData": "notBreaching",
        "Metrics": [
            *_rate(gateway, 0, canary, "canary"),
            *_rate(gateway, 1, primary, "primary"),
            _expression("e", "MAX([em0, em1])", _ERRORS, is_returned=True),
        ],
    }
    put_metric_alarm(tx, call, request)


def _rate(gateway: ExpressGateway, number: int, group: str, which: str) -> list[Members]:
    """The percentage of requests that fail at one target group."""
    counted = [
        {
            "Id": f"m{number}_{what}",
            "ReturnData": False,
            "MetricStat": {"Metric": _metric(gateway, group, metric), "Period": 60, "Stat": "Sum"},
        }
        for what, metric in _COUNTED.items()
    ]
    few, bad = (f"FILL(m{number}_{what}, 0)" for what in ("4xx", "5xx"))
    failed = f"100 * (IF({few} < 5, 0, {few}) + {bad}) / FILL(m{number}_total, 1)"
    label = f"{_ERRORS} for {which} target group"
    return [*counted, _expression(f"em{number}", failed, label, is_returned=False)]


def _expression(named: str, text: str, label: str, *, is_returned: bool) -> Members:
    return {"Id": named, "Expression": text, "Label": label, "ReturnData": is_returned}


def _metric(gateway: ExpressGateway, group: str, metric: str) -> Members:
    balancer = parse_arn(gateway.load_balancer_arn)
    target_group = parse_arn(group)
    of_balancer = balancer.resource.removeprefix("loadbalancer/") if balancer else ""
    return {
        "Namespace": "AWS/ApplicationELB",
        "MetricName": metric,
        "Dimensions": [
            {"Name": "LoadBalancer", "Value": of_balancer},
            {"Name": "TargetGroup", "Value": target_group.resource if target_group else ""},
        ],
    }
