"""PutCompositeAlarm. CloudWatch API Reference."""

from __future__ import annotations

from collections.abc import Sequence

from openecs.api.base import Call, Members, Operation, Writes
from openecs.api.cloudwatch import alarm_errors as errors
from openecs.api.cloudwatch import alarm_requests
from openecs.decide import composite_alarms
from openecs.decide.alarm_transitions import configured
from openecs.model.alarm_rules import Rule, RuleProblem
from openecs.model.alarms import AlarmState, CompositeAlarm
from openecs.store.alarms import ALARM_HISTORY, COMPOSITE_ALARMS, METRIC_ALARMS
from openecs.store.base import Transaction, View

_LONGEST_PERIOD = 86_400
#: Actions that composite alarms do not have.
_FOREIGN = ("arn:aws:automate:", "arn:aws:swf:", "arn:aws:autoscaling:")
_PERIODS = ("ActionsSuppressorWaitPeriod", "ActionsSuppressorExtensionPeriod")


def put_composite_alarm(tx: Transaction, call: Call, request: Members) -> Members:
    """Make an alarm on other alarms, or change it."""
    name = request["AlarmName"]
    if tx.get(METRIC_ALARMS, call.scope, name) is not None:
        raise errors.validation(f"A metric alarm with the name {name} exists.")
    _check_rule(tx, call, name, request["AlarmRule"])
    wait, extension = _suppressor_periods(request)
    if (suppressor := request.get("ActionsSuppressor")) and not _is_there(tx, call, suppressor):
        raise errors.validation(f"The suppressor alarm {suppressor} does not exist.")
    existing = tx.get(COMPOSITE_ALARMS, call.scope, name)
    actions = alarm_requests.actions(request)
    _check_actions((*actions.ok, *actions.alarm, *actions.insufficient_data))
    alarm = CompositeAlarm(
        scope=call.scope,
        name=name,
        description=request.get("AlarmDescription"),
        actions=actions,
        rule=request["AlarmRule"],
        suppressor=suppressor,
        wait_period=wait,
        extension_period=extension,
        configured_at=call.now,
        state=existing.state if existing else AlarmState.INSUFFICIENT_DATA,
        reason=existing.reason if existing else "Unchecked: Initial alarm creation",
        reason_data=existing.reason_data if existing else None,
        updated_at=existing.updated_at if existing else call.now,
        transitioned_at=existing.transitioned_at if existing else call.now,
        acted_on=existing.acted_on if existing else AlarmState.INSUFFICIENT_DATA,
        tags=existing.tags if existing else alarm_requests.tags(request.get("Tags")),
    )
    tx.put(COMPOSITE_ALARMS, alarm)
    what = "Update" if existing else "Create"
    tx.add(ALARM_HISTORY, configured(alarm, what, call.ids.uuid(), call.now))
    return {}


OPERATIONS: dict[str, Operation] = {"PutCompositeAlarm": Writes(put_composite_alarm)}


def _check_rule(view: View, call: Call, name: str, text: str) -> None:
    rule = composite_alarms.parse(text)
    if isinstance(rule, RuleProblem):
        raise errors.validation(f"Error in alarm rule: {rule.reason}")
    children = composite_alarms.children(rule)
    if len(children) > composite_alarms.MOST_CHILDREN:
        raise errors.validation(
            f"An alarm rule can have at most {composite_alarms.MOST_CHILDREN} alarms."
        )

    def rule_of(child: str) -> Rule | None:
        parent = view.get(COMPOSITE_ALARMS, call.scope, child)
        parsed = composite_alarms.parse(parent.rule) if parent else None
        return None if isinstance(parsed, RuleProblem) else parsed

    if composite_alarms.is_cyclic(name, rule, rule_of):
        raise errors.validation(f"Cycle detected: the alarm {name} would depend on itself.")
    unknown = sorted(child for child in children if not _is_there(view, call, child))
    if unknown:
        raise errors.validation(
            f"Could not save the composite alarm as alarms [{', '.join(unknown)}] in the alarm "
            "rule do not exist"
        )


def _is_there(view: View, call: Call, reference: str) -> bool:
    name = composite_alarms.alarm_name(reference)
    return (
        view.get(METRIC_ALARMS, call.scope, name) is not None
        or view.get(COMPOSITE_ALARMS, call.scope, name) is not None
    )


def _suppressor_periods(request: Members) -> tuple[int | None, int | None]:
    given = [request.get(period) for period in _PERIODS]
    has_suppressor = request.get("ActionsSuppressor") is not None
    for period, seconds in zip(_PERIODS, given, strict=True):
        if has_suppressor and seconds is None:
            raise errors.validation(f"{period} is required with ActionsSuppressor.")
        if not has_suppressor and seconds is not None:
            raise errors.validation(f"{period} requires ActionsSuppressor.")
        if seconds is not None and not 0 <= seconds <= _LONGEST_PERIOD:
            raise errors.validation(f"{period} must be between 0 and {_LONGEST_PERIOD}.")
    return given[0], given[1]


def _check_actions(arns: Sequence[str]) -> None:
    for arn in arns:
        if arn.startswith(_FOREIGN):
            raise errors.validation(f"Invalid action for a composite alarm: {arn}")
