"""Subscription filters: what of logs is sent on, and where.

API Reference, PutSubscriptionFilter, DescribeSubscriptionFilters, DeleteSubscriptionFilter.
"""

from __future__ import annotations

from openecs.api.base import Call, Members, Operation, Reads, ServiceError, Writes
from openecs.api.logs import errors, paging, references
from openecs.api.logs.patterns import pattern_of
from openecs.decide.log_subscriptions import Destinations
from openecs.model.logs import LogSubscriptionFilter, milliseconds
from openecs.store.base import Transaction, View
from openecs.store.logs import LOG_SUBSCRIPTION_FILTERS, filter_key

_MOST = 2


def put_subscription_filter(tx: Transaction, call: Call, request: Members) -> Members:
    """Send what matches from now on; a filter of the name goes on with what is new in it."""
    errors.refuse(request, "applyOnTransformedLogs", "fieldSelectionCriteria", "emitSystemFields")
    group = references.named(tx, call, request["logGroupName"])
    pattern_of(request["filterPattern"])
    destination = _destination(call, request["destinationArn"])
    key = filter_key(group.name, request["filterName"])
    known = tx.get(LOG_SUBSCRIPTION_FILTERS, call.scope, key)
    count = tx.count(LOG_SUBSCRIPTION_FILTERS, call.scope, "group", (group.name,))
    if known is None and count >= _MOST:
        raise ServiceError("LimitExceededException", "Resource limit exceeded.")
    new = LogSubscriptionFilter(
        scope=call.scope,
        group=group.name,
        name=request["filterName"],
        pattern=request["filterPattern"],
        destination=destination,
        role=request.get("roleArn"),
        distribution=request.get("distribution") or "ByLogStream",
        created=known.created if known else milliseconds(call.now),
    )
    tx.put(LOG_SUBSCRIPTION_FILTERS, new)
    return {}


def delete_subscription_filter(tx: Transaction, call: Call, request: Members) -> Members:
    """Send no more."""
    group = references.named(tx, call, request["logGroupName"])
    key = filter_key(group.name, request["filterName"])
    if tx.get(LOG_SUBSCRIPTION_FILTERS, call.scope, key) is None:
        raise errors.no_subscription_filter()
    tx.delete(LOG_SUBSCRIPTION_FILTERS, call.scope, key)
    return {}


def describe_subscription_filters(view: View, call: Call, request: Members) -> Members:
    """The filters of a group."""
    group = references.named(view, call, request["logGroupName"])
    token = request.get("nextToken")
    found = view.scan(
        LOG_SUBSCRIPTION_FILTERS,
        call.scope,
        prefix=filter_key(group.name, request.get("filterNamePrefix") or ""),
        after=paging.key_of(token, str) if token else "",
    )
    most = paging.limit(request)
    last = found[most - 1] if len(found) > most else None
    more = {"nextToken": paging.token(filter_key(last.group, last.name))} if last else {}
    return {"subscriptionFilters": [_shown(each) for each in found[:most]], **more}


OPERATIONS: dict[str, Operation] = {
    "PutSubscriptionFilter": Writes(put_subscription_filter),
    "DeleteSubscriptionFilter": Writes(delete_subscription_filter),
    "DescribeSubscriptionFilters": Reads(describe_subscription_filters),
}


def _destination(call: Call, arn: str) -> str:
    known = Destinations(call.settings.log_destinations, call.settings.lambda_url)
    if known.url(arn) is None:
        raise errors.invalid(
            f"Could not deliver to {arn}. OpenECS sends to destinations that the setting "
            "log_destinations maps to a URL, and to Lambda functions where lambda_url is set."
        )
    return arn


def _shown(each: LogSubscriptionFilter) -> Members:
    return {
        "filterName": each.name,
        "logGroupName": each.group,
        "filterPattern": each.pattern,
        "destinationArn": each.destination,
        "roleArn": each.role,
        "distribution": each.distribution,
        "applyOnTransformedLogs": False,
        "creationTime": each.created,
    }
