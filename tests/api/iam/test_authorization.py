"""Who may do what, through the door: users, roles, boundaries, sessions."""

from __future__ import annotations

import pytest

from gateway_door import ACCOUNT, ROOT

from .conftest import allow, document, key, trust

REGION = "eu-central-1"
CLUSTER = f"arn:aws:ecs:{REGION}:{ACCOUNT}:cluster/web"


def session_of(answer):
    given = answer["Credentials"]
    return key(given["AccessKeyId"], given["SecretAccessKey"], given["SessionToken"])


def test_a_user_without_a_policy_may_only_ask_who_it_is(client, user, refused):
    ada = user("ada")
    assert client("sts", ada).get_caller_identity()["Arn"] == f"arn:aws:iam::{ACCOUNT}:user/ada"
    code, text = refused(client("ecs", ada).list_clusters)
    assert code == "AccessDeniedException"
    assert text == (
        f"User: arn:aws:iam::{ACCOUNT}:user/ada is not authorized to perform: ecs:ListClusters on "
        "resource: * because no identity-based policy allows the ecs:ListClusters action"
    )
    assert refused(client("iam", ada).list_users)[0] == "AccessDenied"


def test_a_narrow_policy_lets_one_service_be_updated_and_nothing_else(client, user, refused):
    service = f"arn:aws:ecs:{REGION}:{ACCOUNT}:service/web/api"
    ada = client("ecs", user("ada", allow("ecs:UpdateService", resource=service)))
    root = client("ecs")
    root.create_cluster(clusterName="web")
    # The one that it may gets as far as the service that is not there.
    code, _ = refused(ada.update_service, cluster="web", service="api", desiredCount=2)
    assert code == "ServiceNotFoundException"
    code, _ = refused(ada.update_service, cluster=CLUSTER, service=service, desiredCount=2)
    assert code == "ServiceNotFoundException"
    code, text = refused(ada.update_service, cluster="web", service="other", desiredCount=2)
    assert code == "AccessDeniedException"
    assert "service/web/other because no identity-based policy allows" in text
    assert refused(ada.delete_service, cluster="web", service="api")[0] == "AccessDeniedException"
    assert refused(ada.update_service, service="api")[0] == "AccessDeniedException"


def test_nobody_learns_what_exists(client, user, refused):
    ada = client("ecs", user("ada"))
    client("ecs").create_cluster(clusterName="there")
    for name in ("there", "not-there"):
        code, _ = refused(ada.delete_cluster, cluster=name)
        assert code == "AccessDeniedException"


def test_conditions_on_the_cluster_and_on_tags(client, user, refused):
    in_web = {"ArnEquals": {"ecs:cluster": CLUSTER}}
    tagged = {"StringEquals": {"aws:RequestTag/team": "a"}}
    own = {"StringEquals": {"ecs:ResourceTag/team": "a"}}
    ada = client(
        "ecs",
        user(
            "ada",
            allow("ecs:ListTasks", Condition=in_web),
            allow("ecs:CreateCluster", Condition=tagged),
            allow("ecs:DeleteCluster", Condition=own),
        ),
    )
    client("ecs").create_cluster(clusterName="web")
    assert ada.list_tasks(cluster="web")["taskArns"] == []
    assert refused(ada.list_tasks)[0] == "AccessDeniedException"
    assert refused(ada.create_cluster, clusterName="mine")[0] == "AccessDeniedException"
    ada.create_cluster(clusterName="mine", tags=[{"key": "team", "value": "a"}])
    assert refused(ada.delete_cluster, cluster="web")[0] == "AccessDeniedException"
    ada.delete_cluster(cluster="mine")


def test_a_role_is_handed_on_only_by_who_may_pass_it(client, user, refused):
    role = f"arn:aws:iam::{ACCOUNT}:role/task"
    to_tasks = {"StringEquals": {"iam:PassedToService": "ecs-tasks.amazonaws.com"}}
    container = {"name": "a", "image": "busybox", "memory": 16}
    members = {"family": "a", "taskRoleArn": role, "containerDefinitions": [container]}
    ada = client("ecs", user("ada", allow("ecs:RegisterTaskDefinition")))
    code, text = refused(ada.register_task_definition, **members)
    assert code == "AccessDeniedException"
    assert f"is not authorized to perform: iam:PassRole on resource: {role} because" in text
    bob = client(
        "ecs",
        user(
            "bob",
            allow("ecs:RegisterTaskDefinition"),
            allow("iam:PassRole", resource=role, Condition=to_tasks),
        ),
    )
    assert bob.register_task_definition(**members)["taskDefinition"]["taskRoleArn"] == role


def test_an_express_service_is_given_only_roles_that_may_be_passed(client, user, refused):
    execution, infrastructure = (f"arn:aws:iam::{ACCOUNT}:role/{n}" for n in ("tasks", "made"))
    request = {
        "cluster": "web",
        "serviceName": "api",
        "executionRoleArn": execution,
        "infrastructureRoleArn": infrastructure,
        "primaryContainer": {"image": "busybox"},
    }
    service = f"arn:aws:ecs:{REGION}:{ACCOUNT}:service/web/api"
    create = allow("ecs:*ExpressGatewayService", resource=service)
    to_ecs = {"StringEquals": {"iam:PassedToService": "ecs.amazonaws.com"}}
    passes = allow("iam:PassRole", resource=infrastructure, Condition=to_ecs)
    ada = client("ecs", user("ada", create, passes))
    code, text = refused(ada.create_express_gateway_service, **request)
    assert code == "AccessDeniedException"
    assert f"iam:PassRole on resource: {execution} because" in text
    bob = client("ecs", user("bob", create, passes, allow("iam:PassRole", resource=execution)))
    # That it may: the cluster is not there.
    assert refused(bob.create_express_gateway_service, **request)[0] == "ClusterNotFoundException"
    code, _ = refused(bob.create_express_gateway_service, **request | {"serviceName": "other"})
    assert code == "AccessDeniedException"
    code, _ = refused(bob.delete_express_gateway_service, serviceArn=service)
    assert code == "ServiceNotFoundException"
    other = f"arn:aws:iam::{ACCOUNT}:role/other"
    code, text = refused(
        bob.update_express_gateway_service, serviceArn=service, executionRoleArn=other
    )
    assert f"iam:PassRole on resource: {other} because" in text


def test_groups_managed_policies_and_boundaries(client, iam_client, user, refused):
    ada = client("ecs", user("ada"))
    iam_client.create_group(GroupName="readers")
    iam_client.attach_group_policy(
        GroupName="readers", PolicyArn="arn:aws:iam::aws:policy/ReadOnlyAccess"
    )
    iam_client.add_user_to_group(GroupName="readers", UserName="ada")
    assert ada.list_clusters()["clusterArns"] == []
    assert refused(ada.create_cluster)[0] == "AccessDeniedException"
    iam_client.attach_user_policy(
        UserName="ada", PolicyArn="arn:aws:iam::aws:policy/AdministratorAccess"
    )
    ada.create_cluster()
    boundary = iam_client.create_policy(
        PolicyName="limit", PolicyDocument=document(allow("ecs:List*"))
    )["Policy"]["Arn"]
    iam_client.put_user_permissions_boundary(UserName="ada", PermissionsBoundary=boundary)
    ada.list_clusters()
    code, text = refused(ada.create_cluster)
    assert code == "AccessDeniedException"
    assert text.endswith("because no permissions boundary allows the ecs:CreateCluster action")
    iam_client.delete_user_permissions_boundary(UserName="ada")
    ada.create_cluster()


def test_a_new_version_of_a_policy_counts_at_once(client, iam_client, user, refused):
    ada = client("ecs", user("ada"))
    arn = iam_client.create_policy(
        PolicyName="p", PolicyDocument=document(allow("ecs:ListClusters"))
    )["Policy"]["Arn"]
    iam_client.attach_user_policy(UserName="ada", PolicyArn=arn)
    ada.list_clusters()
    denies = document({"Effect": "Deny", "Action": "ecs:*", "Resource": "*"})
    iam_client.create_policy_version(PolicyArn=arn, PolicyDocument=denies, SetAsDefault=True)
    code, text = refused(ada.list_clusters)
    assert code == "AccessDeniedException"
    assert text.endswith("with an explicit deny in an identity-based policy")


def test_keys_that_are_switched_off_or_deleted_open_nothing(client, iam_client, user, refused):
    made = user("ada", allow("*"))
    ada = client("ecs", made)
    ada.list_clusters()
    name = {"UserName": "ada", "AccessKeyId": made.access_key_id}
    iam_client.update_access_key(**name, Status="Inactive")
    assert refused(ada.list_clusters)[0] == "UnrecognizedClientException"
    iam_client.update_access_key(**name, Status="Active")
    ada.list_clusters()
    iam_client.delete_access_key(**name)
    assert refused(ada.list_clusters)[0] == "UnrecognizedClientException"


@pytest.mark.covers("sts:AssumeRole")
def test_a_role_that_trusts_a_user_is_assumed(client, iam_client, user, refused):
    ada = user("ada")
    arn = f"arn:aws:iam::{ACCOUNT}:user/ada"
    role = iam_client.create_role(
        RoleName="ops", AssumeRolePolicyDocument=trust({"AWS": arn}), MaxSessionDuration=3600
    )["Role"]
    iam_client.put_role_policy(
        RoleName="ops", PolicyName="p", PolicyDocument=document(allow("ecs:*"))
    )
    answer = client("sts", ada).assume_role(RoleArn=role["Arn"], RoleSessionName="s1")
    session = session_of(answer)
    expected = f"arn:aws:sts::{ACCOUNT}:assumed-role/ops/s1"
    assert answer["AssumedRoleUser"] == {
        "AssumedRoleId": f"{role['RoleId']}:s1",
        "Arn": expected,
    }
    who = client("sts", session).get_caller_identity()
    assert (who["Arn"], who["UserId"]) == (expected, f"{role['RoleId']}:s1")
    client("ecs", session).create_cluster()
    assert refused(client("iam", session).list_users)[0] == "AccessDenied"
    # Without the token the key is none.
    stripped = key(session.access_key_id, session.secret)
    assert refused(client("ecs", stripped).list_clusters)[0] == "UnrecognizedClientException"
    code, text = refused(
        client("sts", ada).assume_role,
        RoleArn=role["Arn"],
        RoleSessionName="s1",
        DurationSeconds=7200,
    )
    assert code == "ValidationError"
    assert text.startswith("The requested DurationSeconds exceeds the MaxSessionDuration")


def test_a_role_that_trusts_others_and_one_that_is_none_look_alike(
    client, iam_client, user, refused
):
    ada = client("sts", user("ada", allow("sts:AssumeRole")))
    iam_client.create_role(
        RoleName="task", AssumeRolePolicyDocument=trust({"Service": "ecs-tasks.amazonaws.com"})
    )
    for name in ("task", "none"):
        role = f"arn:aws:iam::{ACCOUNT}:role/{name}"
        code, text = refused(ada.assume_role, RoleArn=role, RoleSessionName="s1")
        assert code == "AccessDenied"
        assert f"is not authorized to perform: sts:AssumeRole on resource: {role}" in text


def test_a_role_that_trusts_the_account_needs_a_policy_of_the_user_too(
    client, iam_client, user, refused
):
    role = iam_client.create_role(RoleName="ops", AssumeRolePolicyDocument=trust({"AWS": ACCOUNT}))[
        "Role"
    ]["Arn"]
    asked = {"RoleArn": role, "RoleSessionName": "s1"}
    assert refused(client("sts", user("ada")).assume_role, **asked)[0] == "AccessDenied"
    client("sts", user("bob", allow("sts:AssumeRole", resource=role))).assume_role(**asked)
    assert refused(client("sts").assume_role, **asked) == (
        "AccessDenied",
        "Roles may not be assumed by root accounts.",
    )


def test_a_session_policy_takes_away(client, iam_client, user, refused):
    ada = user("ada")
    role = iam_client.create_role(
        RoleName="ops",
        AssumeRolePolicyDocument=trust({"AWS": f"arn:aws:iam::{ACCOUNT}:user/ada"}),
    )["Role"]["Arn"]
    iam_client.attach_role_policy(
        RoleName="ops", PolicyArn="arn:aws:iam::aws:policy/AdministratorAccess"
    )
    answer = client("sts", ada).assume_role(
        RoleArn=role, RoleSessionName="s1", Policy=document(allow("ecs:List*"))
    )
    assert answer["PackedPolicySize"] > 0
    session = client("ecs", session_of(answer))
    session.list_clusters()
    code, text = refused(session.create_cluster)
    assert code == "AccessDeniedException"
    assert text.endswith("because no session policy allows the ecs:CreateCluster action")


@pytest.mark.covers("sts:GetSessionToken", "sts:GetAccessKeyInfo")
def test_session_tokens_of_users_and_root(client, iam_client, user, refused):
    ada = user("ada", allow("ecs:ListClusters", "sts:GetAccessKeyInfo"))
    session = session_of(client("sts", ada).get_session_token())
    who = client("sts", session).get_caller_identity()
    assert who["Arn"] == f"arn:aws:iam::{ACCOUNT}:user/ada"
    client("ecs", session).list_clusters()
    assert refused(client("ecs", session).create_cluster)[0] == "AccessDeniedException"
    assert refused(client("sts", session).get_session_token)[0] == "AccessDenied"
    info = client("sts", ada).get_access_key_info(AccessKeyId=session.access_key_id)
    assert info["Account"] == ACCOUNT
    root = session_of(client("sts").get_session_token())
    assert client("sts", root).get_caller_identity()["Arn"] == ROOT.arn
    client("iam", root).list_users()
    # Who is deleted has no session any more.
    iam_client.delete_access_key(UserName="ada", AccessKeyId=ada.access_key_id)
    iam_client.delete_user_policy(UserName="ada", PolicyName="own")
    iam_client.delete_user(UserName="ada")
    assert refused(client("ecs", session).list_clusters)[0] == "AccessDeniedException"
