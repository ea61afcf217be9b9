"""CloudWatch Logs Insights: queries, that a loop answers.

API Reference, StartQuery, GetQueryResults, StopQuery, DescribeQueries.
"""

from __future__ import annotations

from dataclasses import replace

from openecs.api.base import Call, Members, Operation, Reads, ServiceError, Writes
from openecs.api.logs import errors, paging, references
from openecs.decide.insights import QueryProblem, compiled
from openecs.model.log_queries import LogQuery, QueryStatus
from openecs.model.logs import milliseconds
from openecs.store.base import Transaction, View
from openecs.store.logs import LOG_QUERIES

_MOST_GROUPS, _MOST_WAITING, _MOST_ROWS = 50, 30, 10_000
_LANGUAGE = "CWLI"


def start_query(tx: Transaction, call: Call, request: Members) -> Members:
    """Have a query answered."""
    if (request.get("queryLanguage") or _LANGUAGE) != _LANGUAGE:
        raise errors.invalid(f"OpenECS does not build the language {request['queryLanguage']}.")
    text, limit = request["queryString"], request.get("limit") or _MOST_ROWS
    _check(text, limit, call)
    names = references.names_in(request)
    if not 0 < len(names) <= _MOST_GROUPS:
        raise errors.invalid(f"A query is of 1 to {_MOST_GROUPS} log groups.")
    groups = [references.named(tx, call, name) for name in names]
    if request["startTime"] > request["endTime"]:
        raise errors.invalid("Query start time is after its end time.")
    waiting = [q for q in _all(tx, call) if q.status is QueryStatus.SCHEDULED]
    if len(waiting) >= _MOST_WAITING:
        raise ServiceError("LimitExceededException", "Too many queries are running.")
    now = milliseconds(call.now)
    query = LogQuery(
        scope=call.scope,
        id=call.ids.uuid(),
        text=text,
        groups=tuple(group.name for group in groups),
        start=max(_moment(request["startTime"]), min(g.oldest(now) for g in groups)),
        end=_moment(request["endTime"]) + (0 if _is_fine(request["endTime"]) else 999),
        limit=min(limit, _MOST_ROWS),
        created=now,
        caller=call.caller.arn,
    )
    tx.put(LOG_QUERIES, query)
    return {"queryId": query.id}


def get_query_results(view: View, call: Call, request: Members) -> Members:
    """What a query has come to so far."""
    query = _known(view, call, request["queryId"])
    most = request.get("maxItems") or _MOST_ROWS
    token = request.get("nextToken")
    first = paging.key_of(token, int) if token else 0
    rows = query.rows[first : first + most]
    more = first + most < len(query.rows)
    return {
        "queryLanguage": _LANGUAGE,
        "results": [[{"field": name, "value": value} for name, value in row] for row in rows],
        "statistics": {
            "recordsScanned": float(query.scanned),
            "bytesScanned": float(query.size),
            "logGroupsScanned": float(len(query.groups)),
            "resultCount": float(len(query.rows)),
        },
        "status": query.status.value,
        **({"nextToken": paging.token(first + most)} if more else {}),
    }


def stop_query(tx: Transaction, call: Call, request: Members) -> Members:
    """Have it answered no more."""
    query = _known(tx, call, request["queryId"])
    if query.status is not QueryStatus.SCHEDULED:
        raise errors.invalid(
            f"Query with query id {query.id} has ended with status {query.status.value}"
        )
    tx.put(LOG_QUERIES, replace(query, status=QueryStatus.CANCELLED))
    return {"success": True}


def describe_queries(view: View, call: Call, request: Members) -> Members:
    """The queries of the account, the newest first."""
    group, status = request.get("logGroupName"), request.get("status")
    if group is not None:
        references.named(view, call, group)
    found = [
        query
        for query in sorted(_all(view, call), key=lambda q: (-q.created, q.id))
        if group in {None, *query.groups} and status in {None, query.status.value}
    ]
    token, most = request.get("nextToken"), request.get("maxResults") or 1_000
    first = paging.key_of(token, int) if token else 0
    more = {"nextToken": paging.token(first + most)} if first + most < len(found) else {}
    return {"queries": [_shown(query) for query in found[first : first + most]], **more}


OPERATIONS: dict[str, Operation] = {
    "StartQuery": Writes(start_query),
    "GetQueryResults": Reads(get_query_results),
    "StopQuery": Writes(stop_query),
    "DescribeQueries": Reads(describe_queries),
}


def _check(text: str, limit: int, call: Call) -> None:
    try:
        compiled(text, limit, milliseconds(call.now))
    except QueryProblem as problem:
        location = {"startCharOffset": problem.start, "endCharOffset": problem.end}
        raise ServiceError(
            "MalformedQueryException",
            str(problem),
            queryCompileError={"location": location, "message": str(problem)},
        ) from problem


def _is_fine(moment: int) -> bool:
    """Whether it is milliseconds, which are taken as well as seconds."""
    return moment > 100_000_000_000


def _moment(given: int) -> int:
    return given if _is_fine(given) else given * 1000


def _known(view: View, call: Call, id_: str) -> LogQuery:
    query = view.get(LOG_QUERIES, call.scope, id_)
    if query is None:
        message = "Query ID is not recognized."
        raise ServiceError("ResourceNotFoundException", message)
    return query


def _all(view: View, call: Call) -> list[LogQuery]:
    found = view.find(LOG_QUERIES, None, "present", ())
    return [query for query in found if query.scope == call.scope]


def _shown(query: LogQuery) -> Members:
    return {
        "queryLanguage": _LANGUAGE,
        "queryId": query.id,
        "queryString": query.text,
        "status": query.status.value,
        "createTime": query.created,
        "logGroupName": query.groups[0],
        "queryDuration": query.took,
        "bytesScanned": float(query.size),
        "userIdentity": query.caller,
    }
