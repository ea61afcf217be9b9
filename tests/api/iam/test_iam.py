"""Users, groups, roles, policies, instance profiles: made, shown, changed, deleted."""

from __future__ import annotations

import json

import pytest

from gateway_door import ACCOUNT, ROOT

from .conftest import allow, document, trust

TASKS = trust({"Service": "ecs-tasks.amazonaws.com"})
TAGS = [{"Key": "team", "Value": "a"}]


@pytest.mark.covers(
    "iam:CreateUser",
    "iam:GetUser",
    "iam:ListUsers",
    "iam:UpdateUser",
    "iam:DeleteUser",
    "iam:TagUser",
    "iam:UntagUser",
    "iam:ListUserTags",
)
def test_the_life_of_a_user(iam_client, refused):
    made = iam_client.create_user(UserName="Ada", Path="/team/", Tags=TAGS)["User"]
    assert made["Arn"] == f"arn:aws:iam::{ACCOUNT}:user/team/Ada"
    assert made["UserId"].startswith("AIDA")
    assert len(made["UserId"]) == 21
    assert refused(iam_client.create_user, UserName="ada") == (
        "EntityAlreadyExists",
        "User with name ada already exists.",
    )
    assert iam_client.get_user(UserName="ada")["User"] == made
    iam_client.tag_user(UserName="Ada", Tags=[{"Key": "b", "Value": "2"}])
    iam_client.untag_user(UserName="Ada", TagKeys=["team"])
    assert iam_client.list_user_tags(UserName="Ada")["Tags"] == [{"Key": "b", "Value": "2"}]
    iam_client.create_access_key(UserName="Ada")
    iam_client.update_user(UserName="Ada", NewUserName="Eve", NewPath="/")
    (listed,) = iam_client.list_users()["Users"]
    assert listed["Arn"] == f"arn:aws:iam::{ACCOUNT}:user/Eve"
    assert iam_client.list_users(PathPrefix="/team/")["Users"] == []
    (key,) = iam_client.list_access_keys(UserName="Eve")["AccessKeyMetadata"]
    code, text = refused(iam_client.delete_user, UserName="Eve")
    assert (code, text) == (
        "DeleteConflict",
        "Cannot delete entity, must delete access keys first.",
    )
    iam_client.delete_access_key(UserName="Eve", AccessKeyId=key["AccessKeyId"])
    iam_client.delete_user(UserName="Eve")
    assert refused(iam_client.get_user, UserName="Eve") == (
        "NoSuchEntity",
        "The user with name Eve cannot be found.",
    )


def test_who_names_no_user_means_itself(client, iam_client, user):
    assert iam_client.get_user()["User"]["Arn"] == ROOT.arn
    ada = client("iam", user("ada", allow("iam:*")))
    assert ada.get_user()["User"]["UserName"] == "ada"
    (key,) = ada.list_access_keys()["AccessKeyMetadata"]
    assert key["UserName"] == "ada"


@pytest.mark.covers(
    "iam:CreateAccessKey",
    "iam:ListAccessKeys",
    "iam:UpdateAccessKey",
    "iam:DeleteAccessKey",
)
def test_a_user_has_two_keys_at_most(iam_client, refused):
    iam_client.create_user(UserName="ada")
    first = iam_client.create_access_key(UserName="ada")["AccessKey"]
    assert (len(first["AccessKeyId"]), len(first["SecretAccessKey"])) == (20, 40)
    iam_client.create_access_key(UserName="ada")
    assert refused(iam_client.create_access_key, UserName="ada") == (
        "LimitExceeded",
        "Cannot exceed quota for AccessKeysPerUser: 2",
    )
    iam_client.update_access_key(
        UserName="ada", AccessKeyId=first["AccessKeyId"], Status="Inactive"
    )
    listed = iam_client.list_access_keys(UserName="ada")["AccessKeyMetadata"]
    assert {key["Status"] for key in listed} == {"Active", "Inactive"}
    assert all("SecretAccessKey" not in key for key in listed)
    iam_client.delete_access_key(UserName="ada", AccessKeyId=first["AccessKeyId"])
    code, text = refused(
        iam_client.delete_access_key, UserName="ada", AccessKeyId=first["AccessKeyId"]
    )
    assert code == "NoSuchEntity"
    assert text == f"The Access Key with id {first['AccessKeyId']} cannot be found."


@pytest.mark.covers(
    "iam:CreateGroup",
    "iam:GetGroup",
    "iam:ListGroups",
    "iam:UpdateGroup",
    "iam:DeleteGroup",
    "iam:AddUserToGroup",
    "iam:RemoveUserFromGroup",
    "iam:ListGroupsForUser",
)
def test_the_life_of_a_group(iam_client, refused):
    made = iam_client.create_group(GroupName="ops", Path="/team/")["Group"]
    assert made["Arn"] == f"arn:aws:iam::{ACCOUNT}:group/team/ops"
    iam_client.create_user(UserName="ada")
    iam_client.add_user_to_group(GroupName="ops", UserName="ada")
    iam_client.update_group(GroupName="ops", NewGroupName="crew")
    shown = iam_client.get_group(GroupName="crew")
    assert [user["UserName"] for user in shown["Users"]] == ["ada"]
    groups = iam_client.list_groups_for_user(UserName="ada")["Groups"]
    assert [group["GroupName"] for group in groups] == ["crew"]
    assert [group["GroupName"] for group in iam_client.list_groups()["Groups"]] == ["crew"]
    assert refused(iam_client.delete_group, GroupName="crew")[0] == "DeleteConflict"
    assert refused(iam_client.delete_user, UserName="ada")[0] == "DeleteConflict"
    iam_client.remove_user_from_group(GroupName="crew", UserName="ada")
    iam_client.delete_group(GroupName="crew")
    assert refused(iam_client.get_group, GroupName="crew")[0] == "NoSuchEntity"


@pytest.mark.covers(
    "iam:CreateRole",
    "iam:GetRole",
    "iam:ListRoles",
    "iam:UpdateRole",
    "iam:UpdateRoleDescription",
    "iam:UpdateAssumeRolePolicy",
    "iam:DeleteRole",
    "iam:TagRole",
    "iam:UntagRole",
    "iam:ListRoleTags",
)
def test_the_life_of_a_role(iam_client, refused):
    made = iam_client.create_role(RoleName="task", AssumeRolePolicyDocument=TASKS, Tags=TAGS)[
        "Role"
    ]
    assert made["Arn"] == f"arn:aws:iam::{ACCOUNT}:role/task"
    assert made["MaxSessionDuration"] == 3600
    assert made["AssumeRolePolicyDocument"] == json.loads(TASKS)
    assert refused(iam_client.create_role, RoleName="TASK", AssumeRolePolicyDocument=TASKS) == (
        "EntityAlreadyExists",
        "Role with name TASK already exists.",
    )
    iam_client.update_role(RoleName="task", Description="d", MaxSessionDuration=7200)
    iam_client.update_role_description(RoleName="task", Description="of tasks")
    other = trust({"Service": "ec2.amazonaws.com"})
    iam_client.update_assume_role_policy(RoleName="task", PolicyDocument=other)
    iam_client.tag_role(RoleName="task", Tags=[{"Key": "b", "Value": "2"}])
    iam_client.untag_role(RoleName="task", TagKeys=["team"])
    assert iam_client.list_role_tags(RoleName="task")["Tags"] == [{"Key": "b", "Value": "2"}]
    shown = iam_client.get_role(RoleName="task")["Role"]
    assert shown["Description"] == "of tasks"
    assert shown["MaxSessionDuration"] == 7200
    assert shown["AssumeRolePolicyDocument"] == json.loads(other)
    assert [role["RoleName"] for role in iam_client.list_roles()["Roles"]] == ["task"]
    iam_client.delete_role(RoleName="task")
    assert refused(iam_client.get_role, RoleName="task") == (
        "NoSuchEntity",
        "The role with name task cannot be found.",
    )


def test_a_trust_policy_is_read_before_it_is_kept(iam_client, refused):
    wrong = trust({"Service": "ecs-tasks"})
    assert refused(iam_client.create_role, RoleName="r", AssumeRolePolicyDocument=wrong) == (
        "MalformedPolicyDocument",
        'Invalid principal in policy: "SERVICE":"ecs-tasks"',
    )
    assert iam_client.list_roles()["Roles"] == []


@pytest.mark.parametrize("word", ["user", "group", "role"])
@pytest.mark.covers(
    "iam:PutUserPolicy",
    "iam:GetUserPolicy",
    "iam:DeleteUserPolicy",
    "iam:ListUserPolicies",
    "iam:AttachUserPolicy",
    "iam:DetachUserPolicy",
    "iam:ListAttachedUserPolicies",
    "iam:PutGroupPolicy",
    "iam:GetGroupPolicy",
    "iam:DeleteGroupPolicy",
    "iam:ListGroupPolicies",
    "iam:AttachGroupPolicy",
    "iam:DetachGroupPolicy",
    "iam:ListAttachedGroupPolicies",
    "iam:PutRolePolicy",
    "iam:GetRolePolicy",
    "iam:DeleteRolePolicy",
    "iam:ListRolePolicies",
    "iam:AttachRolePolicy",
    "iam:DetachRolePolicy",
    "iam:ListAttachedRolePolicies",
)
def test_policies_inside_and_attached(iam_client, refused, word):
    more = {"AssumeRolePolicyDocument": TASKS} if word == "role" else {}
    name = {f"{word.capitalize()}Name": "x"}
    getattr(iam_client, f"create_{word}")(**name, **more)

    def call(operation, **members):
        return getattr(iam_client, operation)(**name, **members)

    text = document(allow("ecs:*"))
    call(f"put_{word}_policy", PolicyName="p", PolicyDocument=text)
    shown = call(f"get_{word}_policy", PolicyName="p")
    assert shown["PolicyDocument"] == json.loads(text)
    assert call(f"list_{word}_policies")["PolicyNames"] == ["p"]
    delete = getattr(iam_client, f"delete_{word}")
    assert refused(delete, **name) == (
        "DeleteConflict",
        "Cannot delete entity, must delete policies first.",
    )
    call(f"delete_{word}_policy", PolicyName="p")
    get = getattr(iam_client, f"get_{word}_policy")
    assert refused(get, **name, PolicyName="p") == (
        "NoSuchEntity",
        f"The {word} policy with name p cannot be found.",
    )
    put = getattr(iam_client, f"put_{word}_policy")
    code, _ = refused(put, **name, PolicyName="p", PolicyDocument="{}")
    assert code == "MalformedPolicyDocument"
    huge = document(allow(*(f"ecs:Action{n:05d}" for n in range(2000))))
    assert refused(put, **name, PolicyName="p", PolicyDocument=huge)[0] == "LimitExceeded"

    arn = "arn:aws:iam::aws:policy/service-role/AmazonECSTaskExecutionRolePolicy"
    call(f"attach_{word}_policy", PolicyArn=arn)
    call(f"attach_{word}_policy", PolicyArn=arn)
    listed = call(f"list_attached_{word}_policies")["AttachedPolicies"]
    assert listed == [{"PolicyName": "AmazonECSTaskExecutionRolePolicy", "PolicyArn": arn}]
    assert refused(delete, **name) == (
        "DeleteConflict",
        "Cannot delete entity, must detach all policies first.",
    )
    call(f"detach_{word}_policy", PolicyArn=arn)
    detach = getattr(iam_client, f"detach_{word}_policy")
    assert refused(detach, **name, PolicyArn=arn)[0] == "NoSuchEntity"
    attach = getattr(iam_client, f"attach_{word}_policy")
    missing = f"arn:aws:iam::{ACCOUNT}:policy/none"
    assert refused(attach, **name, PolicyArn=missing) == (
        "NoSuchEntity",
        f"Policy {missing} does not exist or is not attachable.",
    )


@pytest.mark.covers(
    "iam:CreatePolicy",
    "iam:GetPolicy",
    "iam:ListPolicies",
    "iam:DeletePolicy",
    "iam:CreatePolicyVersion",
    "iam:GetPolicyVersion",
    "iam:ListPolicyVersions",
    "iam:SetDefaultPolicyVersion",
    "iam:DeletePolicyVersion",
    "iam:ListEntitiesForPolicy",
    "iam:TagPolicy",
    "iam:UntagPolicy",
    "iam:ListPolicyTags",
)
def test_the_life_of_a_managed_policy(iam_client, refused):
    first, second = document(allow("ecs:List*")), document(allow("ecs:Describe*"))
    made = iam_client.create_policy(
        PolicyName="own", Path="/team/", PolicyDocument=first, Tags=TAGS
    )["Policy"]
    arn = made["Arn"]
    assert arn == f"arn:aws:iam::{ACCOUNT}:policy/team/own"
    assert refused(iam_client.create_policy, PolicyName="own", PolicyDocument=first) == (
        "EntityAlreadyExists",
        "A policy called own already exists. Duplicate names are not allowed.",
    )
    iam_client.create_policy_version(PolicyArn=arn, PolicyDocument=second)
    assert iam_client.get_policy(PolicyArn=arn)["Policy"]["DefaultVersionId"] == "v1"
    iam_client.set_default_policy_version(PolicyArn=arn, VersionId="v2")
    versions = iam_client.list_policy_versions(PolicyArn=arn)["Versions"]
    assert [(v["VersionId"], v["IsDefaultVersion"]) for v in versions] == [
        ("v2", True),
        ("v1", False),
    ]
    shown = iam_client.get_policy_version(PolicyArn=arn, VersionId="v2")["PolicyVersion"]
    assert shown["Document"] == json.loads(second)
    for _ in range(3):
        iam_client.create_policy_version(PolicyArn=arn, PolicyDocument=second)
    code, text = refused(iam_client.create_policy_version, PolicyArn=arn, PolicyDocument=second)
    assert code == "LimitExceeded"
    assert text.startswith("A managed policy can have up to 5 versions.")
    iam_client.create_role(RoleName="task", AssumeRolePolicyDocument=TASKS, PermissionsBoundary=arn)
    iam_client.attach_role_policy(RoleName="task", PolicyArn=arn)
    counted = iam_client.get_policy(PolicyArn=arn)["Policy"]
    assert (counted["AttachmentCount"], counted["PermissionsBoundaryUsageCount"]) == (1, 1)
    having = iam_client.list_entities_for_policy(PolicyArn=arn)
    assert [role["RoleName"] for role in having["PolicyRoles"]] == ["task"]
    (attached,) = iam_client.list_policies(OnlyAttached=True)["Policies"]
    assert attached["Arn"] == arn
    assert refused(iam_client.delete_policy, PolicyArn=arn) == (
        "DeleteConflict",
        "Cannot delete a policy attached to entities.",
    )
    iam_client.detach_role_policy(RoleName="task", PolicyArn=arn)
    iam_client.delete_role_permissions_boundary(RoleName="task")
    assert refused(iam_client.delete_policy, PolicyArn=arn)[0] == "DeleteConflict"
    assert refused(iam_client.delete_policy_version, PolicyArn=arn, VersionId="v2") == (
        "DeleteConflict",
        "Cannot delete the default version of a policy.",
    )
    for version in ("v1", "v3", "v4", "v5"):
        iam_client.delete_policy_version(PolicyArn=arn, VersionId=version)
    iam_client.untag_policy(PolicyArn=arn, TagKeys=["team"])
    iam_client.tag_policy(PolicyArn=arn, Tags=[{"Key": "b", "Value": "2"}])
    assert iam_client.list_policy_tags(PolicyArn=arn)["Tags"] == [{"Key": "b", "Value": "2"}]
    iam_client.delete_policy(PolicyArn=arn)
    assert refused(iam_client.get_policy, PolicyArn=arn) == (
        "NoSuchEntity",
        f"Policy {arn} was not found.",
    )


def test_policies_of_aws(iam_client, refused):
    pages = iam_client.get_paginator("list_policies").paginate(Scope="AWS", MaxItems=10)
    arns = [policy["Arn"] for page in pages for policy in page["Policies"]]
    assert len(arns) == len(set(arns)) > 30
    for arn in arns:
        version = iam_client.get_policy_version(PolicyArn=arn, VersionId="v1")["PolicyVersion"]
        assert version["Document"]["Statement"]
    assert refused(iam_client.delete_policy, PolicyArn=arns[0])[0] == "AccessDenied"


@pytest.mark.covers(
    "iam:PutUserPermissionsBoundary",
    "iam:DeleteUserPermissionsBoundary",
    "iam:PutRolePermissionsBoundary",
    "iam:DeleteRolePermissionsBoundary",
)
@pytest.mark.parametrize("word", ["user", "role"])
def test_boundaries(iam_client, refused, word):
    more = {"AssumeRolePolicyDocument": TASKS} if word == "role" else {}
    name = {f"{word.capitalize()}Name": "x"}
    getattr(iam_client, f"create_{word}")(**name, **more)
    arn = "arn:aws:iam::aws:policy/PowerUserAccess"
    put = getattr(iam_client, f"put_{word}_permissions_boundary")
    delete = getattr(iam_client, f"delete_{word}_permissions_boundary")
    put(**name, PermissionsBoundary=arn)
    shown = getattr(iam_client, f"get_{word}")(**name)[word.capitalize()]
    assert shown["PermissionsBoundary"] == {
        "PermissionsBoundaryType": "Policy",
        "PermissionsBoundaryArn": arn,
    }
    delete(**name)
    assert refused(delete, **name)[0] == "NoSuchEntity"


@pytest.mark.covers(
    "iam:CreateInstanceProfile",
    "iam:GetInstanceProfile",
    "iam:ListInstanceProfiles",
    "iam:ListInstanceProfilesForRole",
    "iam:AddRoleToInstanceProfile",
    "iam:RemoveRoleFromInstanceProfile",
    "iam:DeleteInstanceProfile",
    "iam:TagInstanceProfile",
    "iam:UntagInstanceProfile",
    "iam:ListInstanceProfileTags",
)
def test_the_life_of_an_instance_profile(iam_client, refused):
    name = {"InstanceProfileName": "node"}
    made = iam_client.create_instance_profile(**name, Tags=TAGS)["InstanceProfile"]
    assert made["Arn"] == f"arn:aws:iam::{ACCOUNT}:instance-profile/node"
    iam_client.create_role(RoleName="r", AssumeRolePolicyDocument=TASKS)
    iam_client.add_role_to_instance_profile(**name, RoleName="r")
    assert refused(iam_client.add_role_to_instance_profile, **name, RoleName="r") == (
        "LimitExceeded",
        "Cannot exceed quota for InstanceSessionsPerInstanceProfile: 1",
    )
    shown = iam_client.get_instance_profile(**name)["InstanceProfile"]
    assert [role["RoleName"] for role in shown["Roles"]] == ["r"]
    assert len(iam_client.list_instance_profiles()["InstanceProfiles"]) == 1
    assert len(iam_client.list_instance_profiles_for_role(RoleName="r")["InstanceProfiles"]) == 1
    assert refused(iam_client.delete_role, RoleName="r") == (
        "DeleteConflict",
        "Cannot delete entity, must remove roles from instance profile first.",
    )
    assert refused(iam_client.delete_instance_profile, **name)[0] == "DeleteConflict"
    iam_client.untag_instance_profile(**name, TagKeys=["team"])
    iam_client.tag_instance_profile(**name, Tags=[{"Key": "b", "Value": "2"}])
    tags = iam_client.list_instance_profile_tags(**name)["Tags"]
    assert tags == [{"Key": "b", "Value": "2"}]
    iam_client.remove_role_from_instance_profile(**name, RoleName="r")
    iam_client.delete_instance_profile(**name)
    assert refused(iam_client.get_instance_profile, **name) == (
        "NoSuchEntity",
        "Instance Profile node cannot be found.",
    )


@pytest.mark.covers(
    "iam:CreateServiceLinkedRole",
    "iam:DeleteServiceLinkedRole",
    "iam:GetServiceLinkedRoleDeletionStatus",
)
def test_the_role_of_a_service(iam_client, refused):
    made = iam_client.create_service_linked_role(AWSServiceName="ecs.amazonaws.com")["Role"]
    name = "AWSServiceRoleForECS"
    assert made["Arn"].endswith(f":role/aws-service-role/ecs.amazonaws.com/{name}")
    again = {"AWSServiceName": "ecs.amazonaws.com"}
    assert refused(iam_client.create_service_linked_role, **again) == (
        "InvalidInput",
        f"Service role name {name} has been taken in this account, please try a different suffix.",
    )
    assert refused(iam_client.delete_role, RoleName=name)[0] == "UnmodifiableEntity"
    task = iam_client.delete_service_linked_role(RoleName=name)["DeletionTaskId"]
    status = iam_client.get_service_linked_role_deletion_status(DeletionTaskId=task)
    assert status["Status"] == "SUCCEEDED"


@pytest.mark.covers(
    "iam:GetAccountSummary", "iam:ListAccountAliases", "iam:GetAccountAuthorizationDetails"
)
def test_what_an_account_has(iam_client):
    iam_client.create_user(UserName="ada")
    iam_client.create_role(RoleName="r", AssumeRolePolicyDocument=TASKS)
    iam_client.put_role_policy(
        RoleName="r", PolicyName="p", PolicyDocument=document(allow("ecs:*"))
    )
    summary = iam_client.get_account_summary()["SummaryMap"]
    assert (summary["Users"], summary["Roles"], summary["VersionsPerPolicyQuota"]) == (1, 1, 5)
    assert iam_client.list_account_aliases()["AccountAliases"] == []
    details = iam_client.get_account_authorization_details()
    assert [user["UserName"] for user in details["UserDetailList"]] == ["ada"]
    assert details["RoleDetailList"][0]["RolePolicyList"][0]["PolicyName"] == "p"
    roles = iam_client.get_account_authorization_details(Filter=["Role"])
    assert roles["UserDetailList"] == []


def test_pages(iam_client, refused):
    for number in range(5):
        iam_client.create_user(UserName=f"u{number}")
    first = iam_client.list_users(MaxItems=2)
    assert first["IsTruncated"]
    pages = iam_client.get_paginator("list_users").paginate(PaginationConfig={"PageSize": 2})
    assert [user["UserName"] for page in pages for user in page["Users"]] == [
        f"u{number}" for number in range(5)
    ]
    assert refused(iam_client.list_users, Marker="?")[0] == "ValidationError"
