"""What an account has in all.

IAM API Reference, "GetAccountSummary", "GetAccountAuthorizationDetails".
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from openecs.api.base import Call, Members, Operation, Reads
from openecs.api.iam import access_keys, attachments, entities, managed, paging, policies, users
from openecs.model.iam import Entity, Group, ManagedPolicy, Role, User
from openecs.store.base import View
from openecs.store.iam import INSTANCE_PROFILES, POLICIES, iam_scope
from openecs.store.kinds import SERVER_CERTIFICATES

_QUOTAS = {
    "AccessKeysPerUserQuota": access_keys.QUOTA,
    "AssumeRolePolicySizeQuota": 2048,
    "AttachedPoliciesPerGroupQuota": attachments.QUOTA,
    "AttachedPoliciesPerRoleQuota": attachments.QUOTA,
    "AttachedPoliciesPerUserQuota": attachments.QUOTA,
    "GroupPolicySizeQuota": entities.GROUP.inline_quota,
    "GroupsPerUserQuota": users.GROUP_QUOTA,
    "PolicySizeQuota": policies.SIZE,
    "RolePolicySizeQuota": entities.ROLE.inline_quota,
    "UserPolicySizeQuota": entities.USER.inline_quota,
    "VersionsPerPolicyQuota": policies.VERSIONS,
}


def get_account_summary(view: View, call: Call, _: Members) -> Members:
    """How many there are of each, and how many there may be."""
    scope = iam_scope(call.scope.account)
    own = view.scan(POLICIES, scope)
    counts = {
        "Users": len(entities.USER.all(view, call)),
        "Groups": len(entities.GROUP.all(view, call)),
        "Roles": len(entities.ROLE.all(view, call)),
        "InstanceProfiles": len(view.scan(INSTANCE_PROFILES, scope)),
        "ServerCertificates": len(view.scan(SERVER_CERTIFICATES, scope)),
        "Policies": len(own),
        "PolicyVersionsInUse": sum(len(each.versions) for each in own),
        "Providers": 0,
        "MFADevices": 0,
        "MFADevicesInUse": 0,
        "AccountMFAEnabled": 0,
        "AccountAccessKeysPresent": 1,
        "AccountSigningCertificatesPresent": 0,
    }
    return {"SummaryMap": {**counts, **_QUOTAS}}


def list_account_aliases(_: View, __: Call, ___: Members) -> Members:
    """None: an account is known by its number here."""
    return {"AccountAliases": [], "IsTruncated": False}


def get_account_authorization_details(view: View, call: Call, request: Members) -> Members:
    """All users, groups, roles and policies with what they are allowed, page by page."""
    wanted = set(request.get("Filter") or _DETAILS)
    found = [(kind, each) for kind, each in _everything(view, call) if kind in wanted]
    shown, more = paging.page(found, lambda each: f"{each[0]}/{each[1].arn}", request)
    details: dict[str, list[Members]] = {name: [] for name in _DETAILS.values()}
    used = policies.usage(view, call)
    for kind, each in shown:
        details[_DETAILS[kind]].append(_detail(each, used))
    return {**details, **more}


_DETAILS = {
    "User": "UserDetailList",
    "Group": "GroupDetailList",
    "Role": "RoleDetailList",
    "LocalManagedPolicy": "Policies",
    "AWSManagedPolicy": "Policies",
}

OPERATIONS: dict[str, Operation] = {
    "GetAccountSummary": Reads(get_account_summary),
    "ListAccountAliases": Reads(list_account_aliases),
    "GetAccountAuthorizationDetails": Reads(get_account_authorization_details),
}


def _everything(view: View, call: Call) -> list[tuple[str, User | Group | Role | ManagedPolicy]]:
    used = policies.usage(view, call)
    attached = {*used.attached, *used.boundaries}
    theirs = [managed.lookup(view, call.scope.account, arn) for arn in attached]
    return [
        *(("User", each) for each in entities.USER.all(view, call)),
        *(("Group", each) for each in entities.GROUP.all(view, call)),
        *(("Role", each) for each in entities.ROLE.all(view, call)),
        *(
            ("LocalManagedPolicy", each)
            for each in view.scan(POLICIES, iam_scope(call.scope.account))
        ),
        *(("AWSManagedPolicy", each) for each in theirs if each and each.scope.account == "aws"),
    ]


def _detail(found: User | Group | Role | ManagedPolicy, used: policies.Usage) -> Members:
    match found:
        case User():
            own = {**entities.show_user(found), "GroupList": list(found.groups)}
            return {**own, **_policies_of(found, "UserPolicyList")}
        case Group():
            return {**entities.show_group(found), **_policies_of(found, "GroupPolicyList")}
        case Role():
            hidden = {"Description", "MaxSessionDuration"}
            shown = {k: v for k, v in entities.show_role(found).items() if k not in hidden}
            return {**shown, **_policies_of(found, "RolePolicyList")}
        case ManagedPolicy():
            versions = [
                policies.show_version(found, each, with_document=True) for each in found.versions
            ]
            return {**policies.show(found, used), "PolicyVersionList": versions}


def _policies_of(entity: Entity, member: str) -> Mapping[str, Any]:
    inline = [
        {"PolicyName": name, "PolicyDocument": entities.document(text)}
        for name, text in entity.inline.items()
    ]
    attached = [
        {"PolicyName": managed.named(arn).name, "PolicyArn": arn} for arn in entity.attached
    ]
    return {member: inline, "AttachedManagedPolicies": attached}
