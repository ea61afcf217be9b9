"""PutMetricAlarm and DeleteAlarms. CloudWatch API Reference."""

from __future__ import annotations

from openecs.api.base import Call, Members, Operation, Writes
from openecs.api.cloudwatch import alarm_errors as errors
from openecs.api.cloudwatch import alarm_requests
from openecs.decide import composite_alarms
from openecs.decide.alarm_transitions import configured
from openecs.model.alarm_rules import RuleProblem
from openecs.store.alarms import ALARM_HISTORY, COMPOSITE_ALARMS, METRIC_ALARMS
from openecs.store.base import Transaction


def put_metric_alarm(tx: Transaction, call: Call, request: Members) -> Members:
    """Make an alarm, or change it; it is judged with the next period of the clock."""
    name = request["AlarmName"]
    if tx.get(COMPOSITE_ALARMS, call.scope, name) is not None:
        raise errors.validation(f"A composite alarm with the name {name} exists.")
    existing = tx.get(METRIC_ALARMS, call.scope, name)
    alarm = alarm_requests.metric_alarm(call, request, existing)
    tx.put(METRIC_ALARMS, alarm)
    what = "Update" if existing else "Create"
    tx.add(ALARM_HISTORY, configured(alarm, what, call.ids.uuid(), call.now))
    return {}


def delete_alarms(tx: Transaction, call: Call, request: Members) -> Members:
    """Remove alarms that no other depends on; names of none matter only where all are so."""
    names = request["AlarmNames"]
    metric = [a for name in names if (a := tx.get(METRIC_ALARMS, call.scope, name))]
    composite = [c for name in names if (c := tx.get(COMPOSITE_ALARMS, call.scope, name))]
    if not metric and not composite:
        raise errors.not_found(", ".join(names))
    if len(composite) > 1:
        raise errors.validation("Only one composite alarm can be deleted with one request.")
    _check_dependents(tx, call, set(names))
    for alarm in metric:
        tx.add(ALARM_HISTORY, configured(alarm, "Delete", call.ids.uuid(), call.now))
        tx.delete(METRIC_ALARMS, call.scope, alarm.name)
    for parent in composite:
        tx.add(ALARM_HISTORY, configured(parent, "Delete", call.ids.uuid(), call.now))
        tx.delete(COMPOSITE_ALARMS, call.scope, parent.name)
    return {}


OPERATIONS: dict[str, Operation] = {
    "PutMetricAlarm": Writes(put_metric_alarm),
    "DeleteAlarms": Writes(delete_alarms),
}


def _check_dependents(tx: Transaction, call: Call, names: set[str]) -> None:
    for parent in tx.scan(COMPOSITE_ALARMS, call.scope):
        if parent.name in names:
            continue
        rule = composite_alarms.parse(parent.rule)
        needed = set() if isinstance(rule, RuleProblem) else composite_alarms.children(rule)
        if needed := names & needed:
            listed = ", ".join(sorted(needed))
            raise errors.validation(
                f"Cannot delete {listed} as there are composite alarm(s) depending on it: "
                f"{parent.name}"
            )
