"""Services, as far as there can be any: none. Describing and listing them tells just that."""

from __future__ import annotations

from openecs.api.base import Call, Members, Operation, Reads
from openecs.api.ecs import errors, references
from openecs.api.ecs.paging import open_page
from openecs.store.base import View


def describe_services(view: View, call: Call, request: Members) -> Members:
    """Every named service is missing."""
    cluster = references.active_cluster(view, call, request.get("cluster"))
    named = request["services"]
    if not named:
        raise errors.invalid_parameter("Services cannot be empty.")
    if len(named) > 10:
        raise errors.invalid_parameter("Services cannot have more than 10 elements.")
    names = dict.fromkeys(references.service_name(call, cluster.name, each) for each in named)
    arns = [call.scope.arn("ecs", f"service/{cluster.name}/{name}") for name in names]
    return {"services": [], "failures": [errors.failure(arn, "MISSING") for arn in arns]}


def list_services(view: View, call: Call, request: Members) -> Members:
    """No services, for a cluster that exists."""
    references.active_cluster(view, call, request.get("cluster"))
    open_page(call, "ListServices", request, default=10)
    return {"serviceArns": []}


OPERATIONS: dict[str, Operation] = {
    "DescribeServices": Reads(describe_services),
    "ListServices": Reads(list_services),
}
