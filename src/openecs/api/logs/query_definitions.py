"""Queries that are kept under a name.

API Reference, PutQueryDefinition, DescribeQueryDefinitions, DeleteQueryDefinition.
"""

from __future__ import annotations

from openecs.api.base import Call, Members, Operation, Reads, ServiceError, Writes
from openecs.api.logs import errors, paging
from openecs.model.log_queries import QueryDefinition
from openecs.model.logs import milliseconds
from openecs.store.base import Transaction, View
from openecs.store.logs import LOG_QUERY_DEFINITIONS

_MOST, _LANGUAGE = 1_000, "CWLI"


def put_query_definition(tx: Transaction, call: Call, request: Members) -> Members:
    """Keep a query, or change the one of an id."""
    errors.refuse(request, "parameters")
    if (request.get("queryLanguage") or _LANGUAGE) != _LANGUAGE:
        raise errors.invalid(f"OpenECS does not build the language {request['queryLanguage']}.")
    id_ = request.get("queryDefinitionId")
    if id_ and tx.get(LOG_QUERY_DEFINITIONS, call.scope, id_) is None:
        raise _missing()
    if not id_ and tx.count(LOG_QUERY_DEFINITIONS, call.scope, "present", ()) >= _MOST:
        raise ServiceError("LimitExceededException", "Resource limit exceeded.")
    new = QueryDefinition(
        scope=call.scope,
        id=id_ or call.ids.uuid(),
        name=request["name"],
        text=request["queryString"],
        groups=tuple(request.get("logGroupNames") or ()),
        modified=milliseconds(call.now),
    )
    tx.put(LOG_QUERY_DEFINITIONS, new)
    return {"queryDefinitionId": new.id}


def describe_query_definitions(view: View, call: Call, request: Members) -> Members:
    """Those whose names start so, by name."""
    prefix = request.get("queryDefinitionNamePrefix") or ""
    token, most = request.get("nextToken"), request.get("maxResults") or _MOST
    first = paging.key_of(token, int) if token else 0
    found = sorted(
        (
            each
            for each in view.find(LOG_QUERY_DEFINITIONS, call.scope, "present", ())
            if each.name.startswith(prefix)
        ),
        key=lambda each: (each.name, each.id),
    )
    more = {"nextToken": paging.token(first + most)} if first + most < len(found) else {}
    return {"queryDefinitions": [_shown(each) for each in found[first : first + most]], **more}


def delete_query_definition(tx: Transaction, call: Call, request: Members) -> Members:
    """Keep it no more."""
    id_ = request["queryDefinitionId"]
    if tx.get(LOG_QUERY_DEFINITIONS, call.scope, id_) is None:
        raise _missing()
    tx.delete(LOG_QUERY_DEFINITIONS, call.scope, id_)
    return {"success": True}


OPERATIONS: dict[str, Operation] = {
    "PutQueryDefinition": Writes(put_query_definition),
    "DescribeQueryDefinitions": Reads(describe_query_definitions),
    "DeleteQueryDefinition": Writes(delete_query_definition),
}


def _missing() -> ServiceError:
    message = "The specified query definition does not exist."
    return ServiceError("ResourceNotFoundException", message)


def _shown(each: QueryDefinition) -> Members:
    return {
        "queryLanguage": _LANGUAGE,
        "queryDefinitionId": each.id,
        "name": each.name,
        "queryString": each.text,
        "lastModified": each.modified,
        "logGroupNames": each.groups,
    }
