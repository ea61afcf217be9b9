"""Who may: the cases of the IAM User Guide's policy evaluation logic."""

import json
from dataclasses import replace

from openecs.decide.access.documents import identity_policy, resource_policy, trust_policy
from openecs.decide.access.evaluation import Policies, PolicyKind, denied, message
from openecs.model.policies import AccessRequest, Principal, PrincipalKind

ACCOUNT = "111122223333"
SECRET = f"arn:aws:secretsmanager:eu-west-1:{ACCOUNT}:secret:db-a1b2c3"
ROLE = f"arn:aws:iam::{ACCOUNT}:role/web"
ANN = Principal(kind=PrincipalKind.USER, arn=f"arn:aws:iam::{ACCOUNT}:user/ann", account=ACCOUNT)
ROOT = Principal(kind=PrincipalKind.ROOT, arn=f"arn:aws:iam::{ACCOUNT}:root", account=ACCOUNT)
SESSION = Principal(
    kind=PrincipalKind.ROLE,
    arn=f"arn:aws:sts::{ACCOUNT}:assumed-role/web/task",
    account=ACCOUNT,
    role_arn=ROLE,
)
READ = AccessRequest(principal=ANN, action="secretsmanager:GetSecretValue", resource=SECRET)


def document(effect="Allow", action="*", resource="*", **more):
    statement = {"Effect": effect, "Action": action, "Resource": resource, **more}
    return json.dumps({"Version": "2012-10-17", "Statement": statement})


def policy(*args, **kwargs):
    return identity_policy(document(*args, **kwargs))


def of_secret(principal, effect="Allow"):
    return resource_policy(document(effect, Principal=principal))


def trusts(principal):
    statement = {"Effect": "Allow", "Principal": principal, "Action": "sts:AssumeRole"}
    return trust_policy(json.dumps({"Version": "2012-10-17", "Statement": statement}))


def test_nobody_may_without_a_policy():
    found = denied(READ, Policies())
    assert found is not None
    assert message(READ, found) == (
        f"User: {ANN.arn} is not authorized to perform: secretsmanager:GetSecretValue on "
        f"resource: {SECRET} because no identity-based policy allows the "
        "secretsmanager:GetSecretValue action"
    )


def test_the_root_user_needs_no_policy():
    assert denied(replace(READ, principal=ROOT), Policies()) is None


def test_actions_are_the_same_in_any_case_and_resources_are_not():
    allowed = Policies(identity=(policy(action="SECRETSMANAGER:get*", resource=SECRET),))
    assert denied(READ, allowed) is None
    other = Policies(identity=(policy(resource=SECRET.upper().replace("ARN:", "arn:")),))
    assert denied(READ, other) is not None


def test_a_statement_that_denies_wins_over_all_that_allow():
    policies = Policies(identity=(policy(), policy("Deny", action="secretsmanager:*")))
    found = denied(READ, policies)
    assert found is not None
    assert found.reason(READ.action) == "with an explicit deny in an identity-based policy"


def test_a_boundary_and_a_session_policy_must_allow_too():
    narrow = policy(action="ecs:*")
    bounded = denied(READ, Policies(identity=(policy(),), boundary=narrow))
    assert bounded is not None
    assert bounded.reason("a:b") == "because no permissions boundary allows the a:b action"
    session = denied(READ, Policies(identity=(policy(),), sessions=(narrow,)))
    assert session is not None
    assert session.reason("a:b") == "because no session policy allows the a:b action"
    assert denied(READ, Policies(identity=(policy(),), boundary=policy())) is None


def test_a_boundary_grants_nothing():
    found = denied(READ, Policies(boundary=policy()))
    assert found is not None
    assert found.kind is PolicyKind.IDENTITY


def test_a_resource_may_name_a_user_who_then_needs_no_policy_and_no_boundary():
    named = of_secret({"AWS": ANN.arn})
    assert denied(READ, Policies(resource=named, boundary=policy(action="ecs:*"))) is None


def test_a_resource_that_names_a_role_is_limited_by_its_boundary():
    request = replace(READ, principal=SESSION)
    named = of_secret({"AWS": ROLE})
    assert denied(request, Policies(resource=named)) is None
    assert denied(request, Policies(resource=named, boundary=policy(action="ecs:*"))) is not None
    session = of_secret({"AWS": SESSION.arn})
    assert denied(request, Policies(resource=session, boundary=policy(action="ecs:*"))) is None


def test_a_resource_that_names_the_account_leaves_it_to_the_account():
    delegated = of_secret({"AWS": ACCOUNT})
    assert denied(READ, Policies(resource=delegated)) is not None
    assert denied(READ, Policies(resource=delegated, identity=(policy(),))) is None


def test_a_resource_may_deny_what_a_policy_allows_even_root():
    denying = of_secret({"AWS": ROOT.arn}, effect="Deny")
    for principal in (ANN, ROOT):
        found = denied(
            replace(READ, principal=principal), Policies(identity=(policy(),), resource=denying)
        )
        assert found is not None
        assert found.reason("a:b") == "with an explicit deny in a resource-based policy"


def test_other_accounts_need_the_leave_of_both():
    foreign = replace(READ, resource=SECRET.replace(ACCOUNT, "999999999999"))
    allowing = of_secret({"AWS": ANN.arn})
    assert denied(foreign, Policies(identity=(policy(),))) is not None
    assert denied(foreign, Policies(resource=allowing)) is not None
    assert denied(foreign, Policies(identity=(policy(),), resource=allowing)) is None


def test_a_role_is_assumed_only_by_whom_it_trusts():
    request = AccessRequest(principal=ANN, action="sts:AssumeRole", resource=ROLE)

    def by(principal, *identity):
        return denied(
            request,
            Policies(identity=identity, resource=trusts(principal), resource_kind=PolicyKind.TRUST),
        )

    refused = by({"Service": "ecs-tasks.amazonaws.com"}, policy())
    assert refused is not None
    assert refused.reason("sts:AssumeRole") == (
        "because no role trust policy allows the sts:AssumeRole action"
    )
    assert by({"AWS": ANN.arn}) is None
    assert by({"AWS": f"arn:aws:iam::{ACCOUNT}:root"}) is not None
    assert by({"AWS": f"arn:aws:iam::{ACCOUNT}:root"}, policy()) is None


def test_a_service_assumes_the_roles_that_trust_it():
    service = Principal(kind=PrincipalKind.SERVICE, arn="ecs-tasks.amazonaws.com", account=ACCOUNT)
    request = AccessRequest(
        principal=service,
        action="sts:AssumeRole",
        resource=ROLE,
        context={"aws:sourceaccount": (ACCOUNT,)},
    )
    trusted = trusts({"Service": "ecs-tasks.amazonaws.com"})
    assert denied(request, Policies(resource=trusted, resource_kind=PolicyKind.TRUST)) is None
    other = trusts({"Service": "ec2.amazonaws.com"})
    assert denied(request, Policies(resource=other, resource_kind=PolicyKind.TRUST)) is not None


def test_not_principal_means_everybody_else():
    statement = {"Effect": "Deny", "NotPrincipal": {"AWS": ANN.arn}, "Action": "*", "Resource": "*"}
    guarded = resource_policy(json.dumps({"Version": "2012-10-17", "Statement": statement}))
    policies = Policies(identity=(policy(),), resource=guarded)
    assert denied(READ, policies) is None
    assert denied(replace(READ, principal=SESSION), policies) is not None


def test_not_action_and_not_resource():
    all_but = json.dumps(
        {
            "Version": "2012-10-17",
            "Statement": {"Effect": "Allow", "NotAction": "iam:*", "NotResource": "arn:aws:iam::*"},
        }
    )
    policies = Policies(identity=(identity_policy(all_but),))
    assert denied(READ, policies) is None
    assert denied(replace(READ, action="iam:GetUser"), policies) is not None
    assert denied(replace(READ, resource="arn:aws:iam::1:user/x"), policies) is not None


def test_what_cannot_be_judged_counts_against_the_caller():
    odd = {"NumericLessThan": {"ecs:task-cpu": "many"}}
    request = replace(READ, context={"ecs:task-cpu": ("256",)})
    assert denied(request, Policies(identity=(policy(Condition=odd),))) is not None
    both = Policies(identity=(policy(), policy("Deny", Condition=odd)))
    assert denied(request, both) is not None


def test_variables_in_resources():
    own = policy(resource=f"arn:aws:secretsmanager:*:{ACCOUNT}:secret:${{aws:username}}-*")
    request = replace(
        READ, resource=SECRET.replace("db-", "ann-"), context={"aws:username": ("ann",)}
    )
    assert denied(request, Policies(identity=(own,))) is None
    assert denied(replace(request, context={}), Policies(identity=(own,))) is not None
    as_star = replace(request, context={"aws:username": ("*",)})
    assert denied(as_star, Policies(identity=(own,))) is not None
