"""DescribeAlarmHistory. CloudWatch API Reference.

The history of an alarm that was deleted is kept like that of others.
"""

from __future__ import annotations

from collections.abc import Sequence

from openecs.api.base import Call, Members, Operation, Reads
from openecs.api.cloudwatch import alarm_paging
from openecs.model.alarms import AlarmType, HistoryItem
from openecs.store.alarms import ALARM_HISTORY
from openecs.store.base import View


def describe_alarm_history(view: View, call: Call, request: Members) -> Members:
    """What happened to an alarm, or to all of them; the newest first unless asked otherwise."""
    descending = request.get("ScanBy") != "TimestampAscending"
    items = [item for item in _items(view, call, request) if _is_meant(item, request)]
    if descending:
        items.reverse()
    shown, token = alarm_paging.page(request, items, ALARM_HISTORY.key, descending=descending)
    return {"AlarmHistoryItems": [_show(item) for item in shown], "NextToken": token}


OPERATIONS: dict[str, Operation] = {"DescribeAlarmHistory": Reads(describe_alarm_history)}


def _items(view: View, call: Call, request: Members) -> Sequence[HistoryItem]:
    if name := request.get("AlarmName"):
        return view.find(ALARM_HISTORY, call.scope, "alarm", (name,))
    return view.scan(ALARM_HISTORY, call.scope)


def _is_meant(item: HistoryItem, request: Members) -> bool:
    start, end = request.get("StartDate"), request.get("EndDate")
    return (
        item.alarm_type in (request.get("AlarmTypes") or [AlarmType.METRIC])
        and request.get("HistoryItemType") in {None, item.type}
        and request.get("AlarmContributorId") is None
        and (start is None or item.at >= start)
        and (end is None or item.at <= end)
    )


def _show(item: HistoryItem) -> Members:
    return {
        "AlarmName": item.alarm,
        "AlarmType": item.alarm_type,
        "Timestamp": item.at,
        "HistoryItemType": item.type,
        "HistorySummary": item.summary,
        "HistoryData": item.data,
    }
