"""What operations on logs ask of policies.

Service Authorization Reference, "Actions, resources, and condition keys for Amazon CloudWatch
Logs". What concerns a group as a whole asks for the stream without a name in it, so that policies
may end in ``:*``; tags ask for the group itself.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from openecs.api.access import Context, request_tags, resource_tags
from openecs.api.base import Access, Asked, Call, Members
from openecs.api.logs import references
from openecs.model.logs import SERVICE
from openecs.store.base import View
from openecs.store.logs import LOG_GROUPS

_ON_GROUPS = (
    "CreateLogGroup",
    "DeleteLogGroup",
    "PutRetentionPolicy",
    "DeleteRetentionPolicy",
    "DescribeLogStreams",
    "FilterLogEvents",
    "PutMetricFilter",
    "DeleteMetricFilter",
    "DescribeMetricFilters",
    "PutSubscriptionFilter",
    "DeleteSubscriptionFilter",
    "DescribeSubscriptionFilters",
)
_ON_STREAMS = ("CreateLogStream", "DeleteLogStream", "PutLogEvents", "GetLogEvents")
#: Where no group is named, all are meant.
_MAYBE_ON_GROUPS = ("DescribeMetricFilters",)
_ON_NONE = (
    "PutQueryDefinition",
    "DescribeQueryDefinitions",
    "DeleteQueryDefinition",
    "TestMetricFilter",
    "GetQueryResults",
    "StopQuery",
    "DescribeQueries",
)
_ON_SEVERAL = ("StartLiveTail", "StartQuery")
_ON_ALL = ("DescribeLogGroups",)
_TAGS_BY_NAME = ("TagLogGroup", "UntagLogGroup", "ListTagsLogGroup")
_TAGS_BY_ARN = ("TagResource", "UntagResource", "ListTagsForResource")


def _on_stream(operation: str) -> Access:
    def asks(view: View, call: Call, request: Members) -> Iterator[Asked]:
        is_on_all = operation in _MAYBE_ON_GROUPS and not request.get("logGroupName")
        name = "" if is_on_all else references.name_in(request)
        resource = _stream_arn(call, name, request.get("logStreamName") or "")
        yield _asked(view, call, operation, name, resource, request)

    return asks


def _on_several(operation: str) -> Access:
    def asks(view: View, call: Call, request: Members) -> Iterator[Asked]:
        for name in references.names_in(request):
            yield _asked(view, call, operation, name, _stream_arn(call, name, ""), request)

    return asks


def _on_all(operation: str) -> Access:
    def asks(_: View, call: Call, __: Members) -> Iterator[Asked]:
        yield Asked(action=f"{SERVICE}:{operation}", resource=_stream_arn(call, "", ""))

    return asks


def _on_tags(operation: str, member: str) -> Access:
    def asks(view: View, call: Call, request: Members) -> Iterator[Asked]:
        name = references.name_of(request[member])
        resource = call.scope.arn(SERVICE, f"log-group:{name}")
        yield _asked(view, call, operation, name, resource, request)

    return asks


def _on_none(operation: str) -> Access:
    def asks(_: View, __: Call, ___: Members) -> Iterator[Asked]:
        yield Asked(action=f"{SERVICE}:{operation}", resource="*")

    return asks


ACCESS: Mapping[str, Access] = {
    **{name: _on_none(name) for name in _ON_NONE},
    **{name: _on_stream(name) for name in (*_ON_GROUPS, *_ON_STREAMS)},
    **{name: _on_several(name) for name in _ON_SEVERAL},
    **{name: _on_all(name) for name in _ON_ALL},
    **{name: _on_tags(name, "logGroupName") for name in _TAGS_BY_NAME},
    **{name: _on_tags(name, "resourceArn") for name in _TAGS_BY_ARN},
}


def _stream_arn(call: Call, group: str, stream: str) -> str:
    return call.scope.arn(SERVICE, f"log-group:{group}:log-stream:{stream}")


def _asked(
    view: View, call: Call, operation: str, name: str, resource: str, request: Members
) -> Asked:
    group = view.get(LOG_GROUPS, call.scope, name)
    own: Context = resource_tags(group.tags) if group else {}
    context = {**_told(request), **own}
    return Asked(action=f"{SERVICE}:{operation}", resource=resource, context=context)


def _told(request: Members) -> Context:
    """The condition keys of the tags in a request, or of their keys alone."""
    tags = request.get("tags") or {}
    keys: Sequence[str] = request.get("tagKeys") or (tags if isinstance(tags, list) else ())
    if keys:
        return {"aws:tagkeys": tuple(keys)}
    return request_tags(tags.items()) if isinstance(tags, dict) else {}
