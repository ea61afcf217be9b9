"""Dashboards: put, told, listed and removed.

API Reference, PutDashboard, GetDashboard, ListDashboards, DeleteDashboards.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

from openecs.api.access import Context, request_tags, resource_tags
from openecs.api.base import Access, Asked, Call, Members, Operation, Reads, ServiceError, Writes
from openecs.api.cloudwatch import alarm_errors, alarm_requests, metric_tokens
from openecs.decide import dashboards as bodies
from openecs.model.alarms import SERVICE
from openecs.model.dashboards import Dashboard
from openecs.store.base import Transaction, View
from openecs.store.dashboards import DASHBOARDS, dashboard_scope

_NAME = re.compile(r"[A-Za-z0-9_-]{1,255}")
_PREFIX = re.compile(r"[A-Za-z0-9._-]{0,255}")
_PAGE, _MOST_DELETED = 1000, 100


def put_dashboard(tx: Transaction, call: Call, request: Members) -> Members:
    """Create a dashboard, or replace what one shows; its tags stay, unless it is new."""
    name, body = request["DashboardName"], request["DashboardBody"]
    if _NAME.fullmatch(name) is None:
        raise _invalid(
            f"The value {name} for field DashboardName contains invalid characters. It can only "
            "contain alphanumerics, dash (-) and underscore (_).",
            [],
        )
    if found := bodies.problems(_parsed(body)):
        raise _refused(found)
    scope = dashboard_scope(call.scope.account)
    known = tx.get(DASHBOARDS, scope, name)
    tags = known.tags if known else alarm_requests.tags(request.get("Tags"))
    made = Dashboard(scope=scope, name=name, body=body, modified_at=call.now, tags=tags)
    tx.put(DASHBOARDS, made)
    return {"DashboardValidationMessages": []}


def get_dashboard(view: View, call: Call, request: Members) -> Members:
    """A dashboard with its body."""
    name = request["DashboardName"]
    found = view.get(DASHBOARDS, dashboard_scope(call.scope.account), name)
    if found is None:
        raise _no_dashboard(name)
    return {"DashboardArn": found.arn, "DashboardBody": found.body, "DashboardName": name}


def list_dashboards(view: View, call: Call, request: Members) -> Members:
    """The dashboards of the account, or those whose names begin so, page by page."""
    prefix = request.get("DashboardNamePrefix") or ""
    if _PREFIX.fullmatch(prefix) is None:
        raise alarm_errors.invalid_parameter(
            f"The value {prefix} for field DashboardNamePrefix contains invalid characters."
        )
    token = request.get("NextToken")
    last = metric_tokens.decoded(token) if token else ""
    every = view.scan(DASHBOARDS, dashboard_scope(call.scope.account), prefix=prefix)
    left = [each for each in every if each.name > last]
    shown = left[:_PAGE]
    more = metric_tokens.encoded(shown[-1].name) if len(left) > _PAGE else None
    return {"DashboardEntries": [_entry(each) for each in shown], "NextToken": more}


def delete_dashboards(tx: Transaction, call: Call, request: Members) -> Members:
    """Remove dashboards: all of them, or where one is not there, none."""
    names, scope = request["DashboardNames"], dashboard_scope(call.scope.account)
    if not 0 < len(names) <= _MOST_DELETED:
        raise alarm_errors.invalid_parameter(
            f"DashboardNames must have 1 to {_MOST_DELETED} members."
        )
    unknown = [name for name in names if tx.get(DASHBOARDS, scope, name) is None]
    if unknown:
        raise _no_dashboard(", ".join(unknown))
    for name in dict.fromkeys(names):
        tx.delete(DASHBOARDS, scope, name)
    return {}


OPERATIONS: dict[str, Operation] = {
    "PutDashboard": Writes(put_dashboard),
    "GetDashboard": Reads(get_dashboard),
    "ListDashboards": Reads(list_dashboards),
    "DeleteDashboards": Writes(delete_dashboards),
}


def _asks(operation: str) -> Access:
    def asks(view: View, call: Call, request: Members) -> Iterator[Asked]:
        given = request.get("DashboardNames") or [request.get("DashboardName") or ""]
        told = request_tags((t["Key"], t.get("Value") or "") for t in request.get("Tags") or ())
        for name in given:
            yield Asked(
                action=f"{SERVICE}:{operation}",
                resource=dashboard_scope(call.scope.account).arn(SERVICE, f"dashboard/{name}"),
                context={**told, **_tags(view, call, name)},
            )

    return asks


def _lists(_: View, __: Call, ___: Members) -> Iterator[Asked]:
    yield Asked(action=f"{SERVICE}:ListDashboards", resource="*")


ACCESS: Mapping[str, Access] = {
    **{name: _asks(name) for name in OPERATIONS if name != "ListDashboards"},
    "ListDashboards": _lists,
}


def _tags(view: View, call: Call, name: str) -> Context:
    known = view.get(DASHBOARDS, dashboard_scope(call.scope.account), name)
    return resource_tags(known.tags) if known else {}


def _parsed(body: str) -> Mapping[str, Any]:
    try:
        parsed = json.loads(body)
    except (ValueError, RecursionError):
        parsed = None
    if not isinstance(parsed, dict):
        message = "The field DashboardBody must be a valid JSON object"
        raise _invalid(message, [{"Message": message}])
    return parsed


def _refused(found: list[bodies.Problem]) -> ServiceError:
    told = [{"DataPath": each.path, "Message": each.message} for each in found]
    message = (
        f"The dashboard body is invalid, there are {len(found)} validation errors: "
        f"{json.dumps([{'dataPath': e.path, 'message': e.message} for e in found])}"
    )
    return _invalid(message, told)


def _invalid(message: str, told: list[dict[str, str]]) -> ServiceError:
    return ServiceError("InvalidParameterInput", message, dashboardValidationMessages=told)


def _no_dashboard(names: str) -> ServiceError:
    return ServiceError("ResourceNotFound", f"Dashboard {names} does not exist")


def _entry(dashboard: Dashboard) -> Members:
    return {
        "DashboardArn": dashboard.arn,
        "DashboardName": dashboard.name,
        "LastModified": dashboard.modified_at,
        "Size": len(dashboard.body.encode()),
    }
