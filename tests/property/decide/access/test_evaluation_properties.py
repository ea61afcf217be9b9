"""What holds of all policies and requests."""

import json
import re
from contextlib import suppress
from dataclasses import replace

from hypothesis import assume, given
from hypothesis import strategies as st

from openecs.decide.access.documents import Malformed, identity_policy
from openecs.decide.access.evaluation import Policies, denied
from openecs.decide.access.patterns import glob, matches
from openecs.model.policies import (
    AccessRequest,
    Condition,
    Effect,
    Listed,
    Policy,
    Principal,
    PrincipalKind,
    Principals,
    Statement,
)

ARNS = ["*", "arn:aws:ecs:r:1:service/c/s", "arn:aws:ecs:r:1:*", "arn:aws:ecs:r:1:task/c/t"]
USER = "arn:aws:iam::1:user/ann"
patterns = st.text("ab*?", max_size=8)
listed = st.builds(
    Listed,
    st.lists(st.sampled_from(["*", "ecs:*", "ecs:RunTask", "iam:?et*"]), min_size=1).map(tuple),
    st.booleans(),
)
conditions = st.builds(
    Condition,
    st.sampled_from(["StringEquals", "StringNotLike", "NumericLessThan", "Bool", "Null"]),
    st.sampled_from(["k", "l"]),
    st.lists(st.sampled_from(["1", "true", "${k}", "x*"]), min_size=1, max_size=2).map(tuple),
    st.sampled_from(["", "ForAllValues", "ForAnyValue"]),
    st.booleans(),
)
statements = st.builds(
    Statement,
    effect=st.sampled_from(Effect),
    sid=st.none(),
    actions=listed,
    resources=st.builds(
        Listed, st.lists(st.sampled_from(ARNS), min_size=1).map(tuple), st.booleans()
    ),
    principals=st.none(),
    conditions=st.lists(conditions, max_size=2).map(tuple),
)
policies_of_identity = st.builds(Policy, st.lists(statements, min_size=1, max_size=3).map(tuple))
named = st.lists(
    st.sampled_from([("AWS", "*"), ("AWS", "1"), ("AWS", USER), ("Service", "x.amazonaws.com")]),
    min_size=1,
).map(tuple)
policies_of_resource = st.builds(
    Policy,
    st.lists(
        st.builds(replace, statements, principals=st.builds(Principals, named, st.booleans())),
        min_size=1,
        max_size=2,
    ).map(tuple),
)
everything = st.builds(
    Policies,
    identity=st.lists(policies_of_identity, max_size=3).map(tuple),
    boundary=st.none() | policies_of_identity,
    sessions=st.none() | st.lists(policies_of_identity, max_size=2).map(tuple),
    resource=st.none() | policies_of_resource,
)
requests = st.builds(
    AccessRequest,
    principal=st.builds(
        Principal,
        kind=st.sampled_from([PrincipalKind.USER, PrincipalKind.ROLE, PrincipalKind.ROOT]),
        arn=st.just(USER),
        account=st.just("1"),
        role_arn=st.none(),
    ),
    action=st.sampled_from(["ecs:RunTask", "iam:GetUser"]),
    resource=st.sampled_from(ARNS),
    context=st.dictionaries(
        st.sampled_from(["k", "l"]),
        st.lists(st.sampled_from(["1", "0", "true", "x"]), max_size=2).map(tuple),
    ),
)
DENIES = Policy((Statement(effect=Effect.DENY, actions=Listed(("*",)), resources=Listed(("*",))),))


@given(requests, everything, policies_of_identity)
def test_one_more_policy_that_only_denies_never_allows(request, policies, extra):
    denying = Policy(tuple(replace(each, effect=Effect.DENY) for each in extra.statements))
    assume(denied(request, policies) is not None)
    assert denied(request, replace(policies, identity=(*policies.identity, denying))) is not None


@given(requests, everything)
def test_a_statement_that_denies_all_always_wins(request, policies):
    found = denied(request, replace(policies, identity=(*policies.identity, DENIES)))
    assert found is not None
    assert found.explicit


@given(requests, everything, policies_of_identity)
def test_one_more_policy_that_only_allows_never_denies(request, policies, extra):
    allowing = Policy(tuple(replace(each, effect=Effect.ALLOW) for each in extra.statements))
    assume(denied(request, policies) is None)
    assert denied(request, replace(policies, identity=(*policies.identity, allowing))) is None


@given(requests, everything)
def test_boundaries_and_session_policies_only_take_away(request, policies):
    assume(denied(request, policies) is None)
    assert denied(request, replace(policies, boundary=None, sessions=None)) is None


@given(requests, everything)
def test_without_any_policy_only_root_may(request, policies):
    nothing = Policies()
    is_root = request.principal.kind is PrincipalKind.ROOT
    assert (denied(request, nothing) is None) == is_root
    if not is_root and denied(request, policies) is None:
        assert policies.identity or policies.resource


@given(patterns, st.text("ab*?", max_size=8))
def test_patterns_match_as_regular_expressions_do(pattern, text):
    made = glob(pattern, {})
    assert made is not None
    expression = re.escape(pattern).replace(r"\*", ".*").replace(r"\?", ".")
    assert matches(made, text) == (re.fullmatch(expression, text, re.DOTALL) is not None)


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(),
        lambda inner: (
            st.lists(inner)
            | st.dictionaries(
                st.sampled_from(
                    ["Version", "Statement", "Effect", "Action", "Resource", "Condition"]
                ),
                inner,
            )
        ),
    )
)
def test_any_document_is_a_policy_or_refused(read):
    # Anything but these two is a bug, and fails the test.
    with suppress(Malformed):
        assert identity_policy(json.dumps(read)).statements
