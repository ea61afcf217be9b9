"""What the parts of a service's history have in common: how they are named, and whose they are."""

from __future__ import annotations

from collections.abc import Iterable

from openecs.api.base import Call, Members
from openecs.api.ecs import errors, references
from openecs.model.identity import parse_arn
from openecs.model.services import ServiceDeployment, ServiceRevision
from openecs.store.kinds import part_key

DESCRIBE_LIMIT = 20


def named(request: Members, member: str) -> Iterable[str]:
    """The ARNs of a request, each once: 1 to 20. Raises ``InvalidParameterException``."""
    arns = request[member]
    if not arns:
        raise errors.invalid_parameter(f"{member} cannot be empty.")
    if len(arns) > DESCRIBE_LIMIT:
        raise errors.invalid_parameter(f"{member} cannot have more than {DESCRIBE_LIMIT} elements.")
    return dict.fromkeys(arns)


def key_of(call: Call, text: str, kind: str) -> str:
    """The key behind an ARN of this account and region. Raises ``InvalidParameterException``."""
    arn = parse_arn(text)
    if arn is None or arn.service != "ecs":
        raise errors.invalid_parameter("The ARN provided is invalid.")
    references.check_scope(call, arn)
    match arn.resource.split("/"):
        case [type_, cluster, service, identifier] if type_ == kind:
            return part_key(cluster, service, identifier)
        case _:
            raise errors.invalid_parameter("The ARN provided is invalid.")


def show_owner(part: ServiceDeployment | ServiceRevision) -> Members:
    """The members that say whose part it is."""
    scope, cluster = part.scope, part.cluster
    return {
        "serviceArn": scope.arn("ecs", f"service/{cluster}/{part.service}"),
        "clusterArn": scope.arn("ecs", f"cluster/{cluster}"),
    }
