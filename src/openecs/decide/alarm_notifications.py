"""How an action of an alarm is done: what is sent, or why nothing can be.

Amazon SNS Developer Guide, "Parsing Amazon SNS message formats".
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import UTC, timedelta

from openecs.decide.alarm_transitions import EVENT
from openecs.model.alarms import DueAction

#: How long is tried to deliver, as EventBridge does.
GIVEN_UP_AFTER = timedelta(hours=24)
_NO_WEBHOOK = "OpenECS delivers notifications to the setting alarm_webhook_url, which is not set"


@dataclass(frozen=True, slots=True)
class Post:
    """A body that is sent, and the headers that tell what it is."""

    body: str
    headers: dict[str, str]


def delivery(due: DueAction, *, has_webhook: bool) -> Post | str | None:
    """What is sent for an action; why it fails; or None where nobody listens."""
    if due.action == EVENT:
        return Post(due.body, {"Content-Type": "application/json"}) if has_webhook else None
    if not due.action.startswith("arn:aws:sns:"):
        return f"OpenECS does not build actions of this kind: {due.action}"
    return _notification(due) if has_webhook else _NO_WEBHOOK


def _notification(due: DueAction) -> Post:
    message = json.loads(due.body)
    told = {
        "Type": "Notification",
        "MessageId": due.id,
        "TopicArn": due.action,
        "Subject": f'{message["NewStateValue"]}: "{due.alarm}" in {due.scope.region}',
        "Message": due.body,
        "Timestamp": f"{due.at.astimezone(UTC):%Y-%m-%dT%H:%M:%S}.{due.at.microsecond // 1000:03}Z",
    }
    headers = {
        "Content-Type": "text/plain; charset=UTF-8",
        "x-amz-sns-message-type": "Notification",
        "x-amz-sns-message-id": due.id,
        "x-amz-sns-topic-arn": due.action,
    }
    return Post(json.dumps(told), headers)
