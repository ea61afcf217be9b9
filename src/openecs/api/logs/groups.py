"""Log groups, and how long they keep what is in them.

API Reference, CreateLogGroup, DescribeLogGroups, PutRetentionPolicy.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from openecs.api.base import Call, Logs, Members, Operation, Writes
from openecs.api.logs import errors, paging, references, tags
from openecs.model.logs import LogGroup, milliseconds
from openecs.store.base import Transaction, View
from openecs.store.logs import (
    LOG_GROUPS,
    LOG_METRIC_FILTERS,
    LOG_SUBSCRIPTION_FILTERS,
    LogStore,
    filter_key,
)

_RETENTIONS = (
    *(1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192),
    *(2557, 2922, 3288, 3653),
)
_CLASSES = ("STANDARD", "INFREQUENT_ACCESS")


def create_log_group(tx: Transaction, call: Call, request: Members) -> Members:
    """Make a group."""
    errors.refuse(request, "kmsKeyId", "deletionProtectionEnabled")
    name, log_class = request["logGroupName"], request.get("logGroupClass") or _CLASSES[0]
    if log_class not in _CLASSES:
        raise errors.invalid(f"OpenECS does not build the log group class {log_class}.")
    if tx.get(LOG_GROUPS, call.scope, name) is not None:
        raise errors.exists("group")
    group = LogGroup(
        scope=call.scope,
        name=name,
        id=int(call.ids.digits(18)),
        created=milliseconds(call.now),
        tags=tags.checked(request.get("tags") or {}),
        log_class=log_class,
    )
    tx.put(LOG_GROUPS, group)
    return {}


def delete_log_group(tx: Transaction, call: Call, request: Members) -> Members:
    """Drop a group; its events go with the next pass of retention."""
    group = references.named(tx, call, request["logGroupName"])
    for each in tx.find(LOG_METRIC_FILTERS, call.scope, "group", (group.name,)):
        tx.delete(LOG_METRIC_FILTERS, call.scope, filter_key(each.group, each.name))
    for sent in tx.find(LOG_SUBSCRIPTION_FILTERS, call.scope, "group", (group.name,)):
        tx.delete(LOG_SUBSCRIPTION_FILTERS, call.scope, filter_key(sent.group, sent.name))
    tx.delete(LOG_GROUPS, call.scope, group.name)
    return {}


def put_retention_policy(tx: Transaction, call: Call, request: Members) -> Members:
    """Keep events for so many days."""
    days = request["retentionInDays"]
    if days not in _RETENTIONS:
        known = ", ".join(map(str, _RETENTIONS))
        raise errors.invalid(
            f"1 validation error detected: Value '{days}' at 'retentionInDays' failed to satisfy "
            f"constraint: Member must satisfy enum value set: [{known}]"
        )
    group = references.named(tx, call, request["logGroupName"])
    tx.put(LOG_GROUPS, replace(group, retention=days))
    return {}


def delete_retention_policy(tx: Transaction, call: Call, request: Members) -> Members:
    """Keep events for ever."""
    group = references.named(tx, call, request["logGroupName"])
    tx.put(LOG_GROUPS, replace(group, retention=None))
    return {}


@dataclass(frozen=True, slots=True)
class _Page:
    groups: Sequence[LogGroup]
    #: How many metric filters each of them has.
    filters: Sequence[int]
    has_more: bool


def _find_page(view: View, call: Call, request: Members) -> _Page:
    errors.refuse(request, "includeLinkedAccounts", "accountIdentifiers")
    prefix, part = request.get("logGroupNamePrefix") or "", request.get("logGroupNamePattern") or ""
    if prefix and part:
        raise errors.invalid(
            "LogGroup name prefix and LogGroup name pattern are mutually exclusive parameters."
        )
    after = paging.key_of(request["nextToken"], str) if request.get("nextToken") else ""
    named = {references.name_of(each) for each in request.get("logGroupIdentifiers") or ()}
    log_class = request.get("logGroupClass")
    found = [
        group
        for group in view.scan(LOG_GROUPS, call.scope, prefix=prefix, after=after)
        if part in group.name
        and (not named or group.name in named)
        and log_class in {None, group.log_class}
    ]
    most = paging.limit(request)
    shown = found[:most]
    counts = [view.count(LOG_METRIC_FILTERS, call.scope, "group", (g.name,)) for g in shown]
    return _Page(shown, counts, len(found) > most)


async def describe_log_groups(store: LogStore, _: Call, __: Members, page: _Page) -> Members:
    """The groups, by name."""
    sizes = await store.sizes([group.id for group in page.groups])
    more = {"nextToken": paging.token(page.groups[-1].name)} if page.has_more else {}
    known = zip(page.groups, page.filters, strict=True)
    return {"logGroups": [_shown(group, sizes[group.id], count) for group, count in known], **more}


OPERATIONS: dict[str, Operation] = {
    "CreateLogGroup": Writes(create_log_group),
    "DeleteLogGroup": Writes(delete_log_group),
    "DescribeLogGroups": Logs(_find_page, describe_log_groups),
    "PutRetentionPolicy": Writes(put_retention_policy),
    "DeleteRetentionPolicy": Writes(delete_retention_policy),
}


def _shown(group: LogGroup, size: int, filters: int) -> Members:
    return {
        "logGroupName": group.name,
        "creationTime": group.created,
        "retentionInDays": group.retention,
        "metricFilterCount": filters,
        "arn": f"{group.arn}:*",
        "logGroupArn": group.arn,
        "storedBytes": size,
        "logGroupClass": group.log_class,
        "deletionProtectionEnabled": False,
    }
