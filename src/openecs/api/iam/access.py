"""What IAM's operations ask of policies.

Service Authorization Reference, "Actions, resources, and condition keys for AWS IAM".
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

from openecs.api.access import Context, pass_role, request_tags, resource_tags
from openecs.api.base import Access, Asked, Call, Members
from openecs.model.iam import Group
from openecs.store.base import Kind, View
from openecs.store.iam import (
    GROUPS,
    INSTANCE_PROFILES,
    ROLES,
    USERS,
    iam_scope,
    name_key,
)

#: Members that name a resource to the type in its ARN and its kind; the first that is there names
#: what the operation is on (groups before the users that are put into them).
_RESOURCES: tuple[tuple[str, str, Kind[Any]], ...] = (
    ("InstanceProfileName", "instance-profile", INSTANCE_PROFILES),
    ("GroupName", "group", GROUPS),
    ("RoleName", "role", ROLES),
    ("UserName", "user", USERS),
)
#: Operations on no resource, or on all.
_ON_NONE = (
    "GetAccountAuthorizationDetails",
    "GetAccountSummary",
    "ListAccountAliases",
    "ListGroups",
    "ListInstanceProfiles",
    "ListPolicies",
    "ListRoles",
    "ListServerCertificates",
    "ListUsers",
    "SimulateCustomPolicy",
)


def access(operations: Iterable[str]) -> Mapping[str, Access]:
    """What each of the operations asks."""
    return {name: _access(name) for name in operations}


def _access(operation: str) -> Access:
    def asks(view: View, call: Call, request: Members) -> Iterator[Asked]:
        arn, tags = _resource(view, call, operation, request)
        yield Asked(
            action=f"iam:{operation}",
            resource=arn,
            context={**_context(request), **resource_tags(tags, "iam")},
        )
        if operation == "AddRoleToInstanceProfile":
            role, _ = _named(view, call, ROLES, "role", request.get("RoleName") or "")
            yield pass_role(role, "ec2.amazonaws.com")

    return asks


def _context(request: Members) -> Context:
    tags = [(tag.get("Key", ""), tag.get("Value", "")) for tag in request.get("Tags") or ()]
    told = dict(request_tags(tags))
    for key, member in (
        ("iam:policyarn", "PolicyArn"),
        ("iam:permissionsboundary", "PermissionsBoundary"),
        ("iam:awsservicename", "AWSServiceName"),
    ):
        if request.get(member):
            told[key] = (request[member],)
    return told


def _resource(
    view: View, call: Call, operation: str, request: Members
) -> tuple[str | None, Mapping[str, str]]:
    """The ARN of what the operation is on, and its tags."""
    if operation in _ON_NONE:
        return "*", {}
    for member, word, kind in _RESOURCES:
        if request.get(member):
            path = request.get("Path") or "/"
            return _named(view, call, kind, word, request[member], path)
    if request.get("PolicyArn"):
        return request["PolicyArn"], {}
    special = _SPECIAL.get(operation)
    return (special(call, request) if special else None), {}


def _named(
    view: View, call: Call, kind: Kind[Any], word: str, name: str, path: str = "/"
) -> tuple[str, Mapping[str, str]]:
    """The ARN of what has the name, or would have it."""
    scope = iam_scope(call.scope.account)
    found = view.get(kind, scope, name_key(name))
    if found is None:
        return scope.arn("iam", f"{word}{path}{name}"), {}
    return found.arn, {} if isinstance(found, Group) else found.tags


def _own_user(call: Call, _: Members) -> str:
    """Operations on keys are on the caller's own where they name nobody."""
    return call.caller.arn


def _new_policy(call: Call, request: Members) -> str:
    path, name = request.get("Path") or "/", request.get("PolicyName") or ""
    return iam_scope(call.scope.account).arn("iam", f"policy{path}{name}")


def _service_linked_role(call: Call, request: Members) -> str:
    service = request.get("AWSServiceName") or ""
    return iam_scope(call.scope.account).arn("iam", f"role/aws-service-role/{service}/*")


def _server_certificate(call: Call, request: Members) -> str:
    path, name = request.get("Path") or "/", request.get("ServerCertificateName") or ""
    return iam_scope(call.scope.account).arn("iam", f"server-certificate{path}{name}")


_SPECIAL: Mapping[str, Callable[[Call, Members], str]] = {
    "CreateAccessKey": _own_user,
    "ListAccessKeys": _own_user,
    "UpdateAccessKey": _own_user,
    "DeleteAccessKey": _own_user,
    "GetUser": _own_user,
    "CreatePolicy": _new_policy,
    "CreateServiceLinkedRole": _service_linked_role,
    "UploadServerCertificate": _server_certificate,
}
