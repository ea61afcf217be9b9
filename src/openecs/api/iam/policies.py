"""Managed policies and their versions.

IAM User Guide, "Managed policies and inline policies", "Versioning IAM policies".
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, replace

from openecs.api.base import Call, Members, Operation, Reads, Writes
from openecs.api.iam import documents, entities, errors, managed, names, paging, tags
from openecs.decide.access.aws_policies import AWS_POLICIES
from openecs.model.iam import ManagedPolicy, PolicyVersion
from openecs.store.base import Transaction, View
from openecs.store.iam import POLICIES, iam_scope, name_key

#: Characters of a document, white space not counted.
SIZE = 6144
#: Versions of a policy.
VERSIONS = 5


@dataclass(frozen=True, slots=True)
class Usage:
    """How often policies are attached, and how often they are boundaries, by ARN."""

    attached: Counter[str]
    boundaries: Counter[str]


def usage(view: View, call: Call) -> Usage:
    """How the policies of the account are used."""
    users, roles = entities.USER.all(view, call), entities.ROLE.all(view, call)
    everybody = (*users, *entities.GROUP.all(view, call), *roles)
    return Usage(
        attached=Counter(arn for each in everybody for arn in each.attached),
        boundaries=Counter(
            arn for arn in (*(u.boundary for u in users), *(r.boundary for r in roles)) if arn
        ),
    )


def show(policy: ManagedPolicy, used: Usage, *, whole: bool = True) -> Members:
    """A policy as AWS shows it; listings leave out description and tags."""
    return {
        "PolicyName": policy.name,
        "PolicyId": policy.id,
        "Arn": policy.arn,
        "Path": policy.path,
        "DefaultVersionId": f"v{policy.default}",
        "AttachmentCount": used.attached[policy.arn],
        "PermissionsBoundaryUsageCount": used.boundaries[policy.arn],
        "IsAttachable": True,
        "Description": policy.description if whole else None,
        "CreateDate": policy.created_at,
        "UpdateDate": policy.updated_at,
        "Tags": tags.show(policy.tags) if whole and policy.tags else None,
    }


def create_policy(tx: Transaction, call: Call, request: Members) -> Members:
    """Make a policy of one version."""
    scope, name = iam_scope(call.scope.account), request["PolicyName"]
    document = _document(request)
    given = tags.parse(request.get("Tags"), "Policy")
    if tx.get(POLICIES, scope, name_key(name)) is not None:
        raise errors.policy_exists(name)
    made = ManagedPolicy(
        scope=scope,
        name=name,
        id=names.unique_id(call.ids, names.POLICY),
        path=request.get("Path") or "/",
        description=request.get("Description"),
        created_at=call.now,
        updated_at=call.now,
        versions=(PolicyVersion(number=1, document=document, created_at=call.now),),
        tags=given,
    )
    tx.put(POLICIES, made)
    return {"Policy": show(made, Usage(Counter(), Counter()))}


def get_policy(view: View, call: Call, request: Members) -> Members:
    """A policy, without its document."""
    found = managed.find(view, call, request["PolicyArn"])
    return {"Policy": show(found, usage(view, call))}


def list_policies(view: View, call: Call, request: Members) -> Members:
    """The account's and AWS's policies, by name, page by page."""
    used = usage(view, call)
    kept = [each for each in _of_scope(view, call, request) if _is_wanted(each, used, request)]
    shown, more = paging.page(kept, lambda each: f"{each.name}/{each.arn}", request)
    return {"Policies": [show(each, used, whole=False) for each in shown], **more}


def delete_policy(tx: Transaction, call: Call, request: Members) -> Members:
    """Delete a policy that nobody has and that has one version only."""
    found = managed.own(tx, call, request["PolicyArn"])
    used = usage(tx, call)
    if used.attached[found.arn] or used.boundaries[found.arn]:
        raise errors.conflict("Cannot delete a policy attached to entities.")
    if len(found.versions) > 1:
        raise errors.conflict(
            "This policy has more than one version. Before you delete a policy, you must delete "
            "the policy's versions. The default version is deleted with the policy."
        )
    tx.delete(POLICIES, found.scope, name_key(found.name))
    return {}


def list_entities_for_policy(view: View, call: Call, request: Members) -> Members:
    """Who has the policy attached, or as boundary."""
    arn = managed.find(view, call, request["PolicyArn"]).arn
    prefix, wanted = request.get("PathPrefix") or "/", request.get("PolicyUsageFilter")
    everybody = (
        *(("Group", each, None) for each in entities.GROUP.all(view, call)),
        *(("Role", each, each.boundary) for each in entities.ROLE.all(view, call)),
        *(("User", each, each.boundary) for each in entities.USER.all(view, call)),
    )
    kept = [
        (word, each)
        for word, each, boundary in everybody
        if each.path.startswith(prefix)
        and request.get("EntityFilter") in {None, word}
        and (
            (arn in each.attached and wanted != "PermissionsBoundary")
            or (arn == boundary and wanted != "PermissionsPolicy")
        )
    ]
    shown, more = paging.page(kept, lambda each: f"{each[0]}/{each[1].name}", request)
    listed = {
        f"Policy{word}s": [
            {f"{word}Name": each.name, f"{word}Id": each.id} for kind, each in shown if kind == word
        ]
        for word in ("Group", "Role", "User")
    }
    return {**listed, **more}


def create_policy_version(tx: Transaction, call: Call, request: Members) -> Members:
    """Add a version, and let it count where the request says so."""
    found = managed.own(tx, call, request["PolicyArn"])
    document = _document(request)
    if len(found.versions) >= VERSIONS:
        raise errors.limit_exceeded(
            f"A managed policy can have up to {VERSIONS} versions. Before you create a new "
            "version, you must delete an existing version."
        )
    number = max(each.number for each in found.versions) + 1
    made = PolicyVersion(number=number, document=document, created_at=call.now)
    changed = replace(
        found,
        versions=(*found.versions, made),
        default=number if request.get("SetAsDefault") else found.default,
        updated_at=call.now,
    )
    tx.put(POLICIES, changed)
    return {"PolicyVersion": show_version(changed, made, with_document=False)}


def get_policy_version(view: View, call: Call, request: Members) -> Members:
    """A version with its document."""
    found = managed.find(view, call, request["PolicyArn"])
    version = _version(found, request["VersionId"])
    return {"PolicyVersion": show_version(found, version, with_document=True)}


def list_policy_versions(view: View, call: Call, request: Members) -> Members:
    """The versions, the newest first."""
    found = managed.find(view, call, request["PolicyArn"])
    shown, more = paging.page(
        found.versions, lambda each: f"{1_000_000_000 - each.number:010d}", request
    )
    return {"Versions": [show_version(found, v, with_document=False) for v in shown], **more}


def set_default_policy_version(tx: Transaction, call: Call, request: Members) -> Members:
    """Let another version count."""
    found = managed.own(tx, call, request["PolicyArn"])
    number = _version(found, request["VersionId"]).number
    tx.put(POLICIES, replace(found, default=number, updated_at=call.now))
    return {}


def delete_policy_version(tx: Transaction, call: Call, request: Members) -> Members:
    """Delete a version that does not count."""
    found = managed.own(tx, call, request["PolicyArn"])
    gone = _version(found, request["VersionId"])
    if gone.number == found.default:
        raise errors.conflict("Cannot delete the default version of a policy.")
    kept = tuple(each for each in found.versions if each != gone)
    tx.put(POLICIES, replace(found, versions=kept))
    return {}


OPERATIONS: dict[str, Operation] = {
    "CreatePolicy": Writes(create_policy),
    "GetPolicy": Reads(get_policy),
    "ListPolicies": Reads(list_policies),
    "DeletePolicy": Writes(delete_policy),
    "ListEntitiesForPolicy": Reads(list_entities_for_policy),
    "CreatePolicyVersion": Writes(create_policy_version),
    "GetPolicyVersion": Reads(get_policy_version),
    "ListPolicyVersions": Reads(list_policy_versions),
    "SetDefaultPolicyVersion": Writes(set_default_policy_version),
    "DeletePolicyVersion": Writes(delete_policy_version),
    **tags.Tagged(
        word="Policy",
        kind=POLICIES,
        find=lambda view, call, request: managed.own(view, call, request["PolicyArn"]),
    ).operations(),
}


def _document(request: Members) -> str:
    document = documents.checked(request["PolicyDocument"])
    if entities.size(document) > SIZE:
        raise errors.limit_exceeded(f"Cannot exceed quota for PolicySize: {SIZE}")
    return document


def _of_scope(view: View, call: Call, request: Members) -> Iterable[ManagedPolicy]:
    scope = request.get("Scope") or "All"
    if scope != "AWS":
        yield from view.scan(POLICIES, iam_scope(call.scope.account))
    if scope != "Local":
        yield from AWS_POLICIES.values()


def _is_wanted(policy: ManagedPolicy, used: Usage, request: Members) -> bool:
    match request.get("PolicyUsageFilter"):
        case "PermissionsBoundary":
            counts = used.boundaries[policy.arn]
        case _:
            counts = used.attached[policy.arn]
    is_used = counts > 0 or not request.get("OnlyAttached")
    return is_used and policy.path.startswith(request.get("PathPrefix") or "/")


def _version(policy: ManagedPolicy, version_id: str) -> PolicyVersion:
    for each in policy.versions:
        if f"v{each.number}" == version_id:
            return each
    raise errors.missing(
        f"Policy {policy.arn} version {version_id} does not exist or is not attachable."
    )


def show_version(policy: ManagedPolicy, version: PolicyVersion, *, with_document: bool) -> Members:
    """A version as AWS shows it."""
    return {
        "Document": entities.document(version.document) if with_document else None,
        "VersionId": f"v{version.number}",
        "IsDefaultVersion": version.number == policy.default,
        "CreateDate": version.created_at,
    }
