"""DescribeAlarmHistory. CloudWatch API Reference.

The history of an alarm that was deleted is kept like that of others.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import islice

from openecs.api.base import Call, Members, Operation, Reads
from openecs.api.cloudwatch import alarm_paging
from openecs.model.alarms import AlarmType, HistoryItem
from openecs.store.alarms import ALARM_HISTORY
from openecs.store.base import View

#: How many items are read at once.
_PAGE = 200


def describe_alarm_history(view: View, call: Call, request: Members) -> Members:
    """What happened to an alarm, or to all of them; the newest first unless asked otherwise."""
    descending = request.get("ScanBy") != "TimestampAscending"
    wanted = alarm_paging.size(request) + 1
    items = (item for item in _items(view, call, request) if _is_meant(item, request))
    found = list(islice(items, wanted))
    shown, token = alarm_paging.page(request, found, ALARM_HISTORY.key, descending=descending)
    return {"AlarmHistoryItems": [_show(item) for item in shown], "NextToken": token}


OPERATIONS: dict[str, Operation] = {"DescribeAlarmHistory": Reads(describe_alarm_history)}


def _items(view: View, call: Call, request: Members) -> Iterable[HistoryItem]:
    """What comes behind the token of the request, in the order it asks for."""
    descending = request.get("ScanBy") != "TimestampAscending"
    last = alarm_paging.last(request)
    name = request.get("AlarmName")
    if name is None:
        return _all(view, call, last, descending=descending)
    of_alarm = view.find(ALARM_HISTORY, call.scope, "alarm", (name,))
    keys = ((ALARM_HISTORY.key(item), item) for item in of_alarm)
    left = [i for key, i in keys if not last or (key < last if descending else key > last)]
    return reversed(left) if descending else left


def _all(view: View, call: Call, last: str, *, descending: bool) -> Iterator[HistoryItem]:
    while True:
        page = view.scan(ALARM_HISTORY, call.scope, after=last, limit=_PAGE, descending=descending)
        yield from page
        if len(page) < _PAGE:
            return
        last = ALARM_HISTORY.key(page[-1])


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
