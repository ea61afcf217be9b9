"""Policy documents: what is read, and IAM's words for what is not."""

import json

import pytest

from openecs.decide.access.documents import (
    Malformed,
    identity_policy,
    resource_policy,
    trust_policy,
)
from openecs.model.policies import Condition, Effect, Listed, Principals

ALLOW = {"Effect": "Allow", "Action": "ecs:*", "Resource": "*"}
TRUST = {
    "Effect": "Allow",
    "Principal": {"Service": "ecs-tasks.amazonaws.com"},
    "Action": "sts:AssumeRole",
}


def text(*statements, version="2012-10-17"):
    return json.dumps({"Version": version, "Statement": list(statements)})


def test_a_whole_statement():
    condition = {
        "StringEqualsIfExists": {"aws:RequestedRegion": "eu-west-1"},
        "ForAnyValue:StringLike": {"aws:TagKeys": ["a*", "b"]},
        "Bool": {"aws:SecureTransport": True},
        "NumericLessThan": {"ecs:task-cpu": 512},
    }
    policy = identity_policy(text({**ALLOW, "Sid": "One", "Condition": condition}))
    (statement,) = policy.statements
    assert statement.effect is Effect.ALLOW
    assert statement.sid == "One"
    assert statement.actions == Listed(("ecs:*",))
    assert statement.resources == Listed(("*",))
    assert statement.conditions == (
        Condition("StringEquals", "aws:RequestedRegion", ("eu-west-1",), if_exists=True),
        Condition("StringLike", "aws:TagKeys", ("a*", "b"), "ForAnyValue"),
        Condition("Bool", "aws:SecureTransport", ("true",)),
        Condition("NumericLessThan", "ecs:task-cpu", ("512",)),
    )


def test_one_statement_needs_no_list_and_old_policies_have_no_variables():
    policy = identity_policy(json.dumps({"Statement": ALLOW}))
    assert len(policy.statements) == 1
    assert not policy.has_variables


def test_negated_elements():
    policy = identity_policy(text({"Effect": "Deny", "NotAction": "iam:*", "NotResource": "*"}))
    assert policy.statements[0].actions == Listed(("iam:*",), negated=True)
    assert policy.statements[0].resources == Listed(("*",), negated=True)


def test_principals_of_every_kind():
    named = {"AWS": ["123456789012", "arn:aws:iam::1:role/r"], "Service": "ecs.amazonaws.com"}
    policy = resource_policy(text({**ALLOW, "Principal": named}))
    assert policy.statements[0].principals == Principals(
        (
            ("AWS", "123456789012"),
            ("AWS", "arn:aws:iam::1:role/r"),
            ("Service", "ecs.amazonaws.com"),
        )
    )
    everybody = resource_policy(text({**ALLOW, "Principal": "*"}))
    assert everybody.statements[0].principals == Principals((("AWS", "*"),))


@pytest.mark.parametrize(
    ("document", "message"),
    [
        ("{", "Syntax errors in policy."),
        ("[]", "Syntax errors in policy."),
        ("{}", "Syntax errors in policy."),
        ('{"Statement": [], "Statement": []}', "Syntax errors in policy."),
        (text(), "Syntax errors in policy."),
        (text(ALLOW, version="2020-01-01"), "Syntax errors in policy."),
        (text({**ALLOW, "Effect": "allow"}), "Syntax errors in policy."),
        (text({**ALLOW, "Actions": "x"}), "Syntax errors in policy."),
        (text({**ALLOW, "NotAction": "ecs:*"}), "Syntax errors in policy."),
        (text({**ALLOW, "Sid": "not-a-sid"}), "Syntax errors in policy."),
        (text({**ALLOW, "Action": 1}), "Syntax errors in policy."),
        (text({**ALLOW, "Condition": []}), "Syntax errors in policy."),
        (text({**ALLOW, "Condition": {"Bool": {"k": {}}}}), "Syntax errors in policy."),
        ("[" * 100_000, "Syntax errors in policy."),
        (text({"Effect": "Allow", "Resource": "*"}), "Policy statement must contain actions."),
        (text({"Effect": "Allow", "Action": "a:b"}), "Policy statement must contain resources."),
        (
            text({**ALLOW, "Action": "RunTask"}),
            "Actions/Conditions must be prefaced by a vendor, e.g., iam, sdb, ec2, etc.",
        ),
        (text({**ALLOW, "Action": "a:b:c"}), "Actions/Condition can contain only one colon."),
        (text({**ALLOW, "Resource": "x"}), 'Resource x must be in ARN format or "*".'),
        (
            text({**ALLOW, "Sid": "a"}, {**ALLOW, "Sid": "a"}),
            "Statement IDs (SID) in a single policy must be unique.",
        ),
        (
            text({**ALLOW, "Principal": "*"}),
            "Policy document should not specify a principal.",
        ),
        (
            text({**ALLOW, "Condition": {"StringSounds": {"k": "v"}}}),
            "Invalid Condition type : StringSounds.",
        ),
        (
            text({**ALLOW, "Condition": {"ForSome:StringLike": {"k": "v"}}}),
            "Invalid Condition type : ForSome:StringLike.",
        ),
        (
            text({**ALLOW, "Condition": {"NullIfExists": {"k": "true"}}}),
            "Invalid Condition type : NullIfExists.",
        ),
    ],
)
def test_malformed_policies(document, message):
    with pytest.raises(Malformed) as refused:
        identity_policy(document)
    assert str(refused.value) == message


@pytest.mark.parametrize(
    ("statement", "message"),
    [
        ({**TRUST, "Resource": "*"}, "Has prohibited field Resource."),
        (
            {**TRUST, "Principal": {"Service": "ecs-tasks"}},
            'Invalid principal in policy: "SERVICE":"ecs-tasks"',
        ),
        (
            {**TRUST, "Principal": {"AWS": "arn:aws:iam::1:role/*"}},
            'Invalid principal in policy: "AWS":"arn:aws:iam::1:role/*"',
        ),
        (
            {**TRUST, "Action": "ecs:RunTask"},
            "AssumeRole policy may only specify STS AssumeRole actions.",
        ),
        (
            {"Effect": "Allow", "Action": "sts:AssumeRole"},
            "AssumeRole policy must contain principals.",
        ),
    ],
)
def test_malformed_trust_policies(statement, message):
    with pytest.raises(Malformed) as refused:
        trust_policy(text(statement))
    assert str(refused.value) == message


def test_a_trust_policy():
    assert trust_policy(text(TRUST)).statements[0].principals == Principals(
        (("Service", "ecs-tasks.amazonaws.com"),)
    )
