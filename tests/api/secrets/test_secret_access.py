"""Who may read which secret: identity policies, and the secret's own."""

from __future__ import annotations

import json

import pytest

USER = "arn:aws:iam::123456789012:user/u"


def policy(effect: str, principal: object) -> str:
    statement = {
        "Effect": effect,
        "Principal": principal,
        "Action": "secretsmanager:GetSecretValue",
        "Resource": "*",
    }
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})


def test_a_policy_opens_the_secrets_it_names_only(secrets, user, refused):
    arn = secrets.create_secret(Name="mine", SecretString="1")["ARN"]
    other = secrets.create_secret(Name="other", SecretString="2")["ARN"]
    client = user(
        {"Effect": "Allow", "Action": "secretsmanager:GetSecretValue", "Resource": f"{arn[:-6]}*"}
    )
    assert client.get_secret_value(SecretId="mine")["SecretString"] == "1"
    action = "secretsmanager:GetSecretValue"
    assert refused(client.get_secret_value, SecretId="other") == (
        "AccessDeniedException",
        (
            f"User: {USER} is not authorized to perform: {action} on resource: {other} because no "
            f"identity-based policy allows the {action} action"
        ),
    )
    assert refused(client.describe_secret, SecretId="mine")[0] == "AccessDeniedException"


def test_tags_tell_who_may(secrets, user, refused):
    secrets.create_secret(Name="a", SecretString="1", Tags=[{"Key": "team", "Value": "web"}])
    secrets.create_secret(Name="b", SecretString="2", Tags=[{"Key": "team", "Value": "db"}])
    client = user(
        {
            "Effect": "Allow",
            "Action": "secretsmanager:*",
            "Resource": "*",
            "Condition": {"StringEquals": {"secretsmanager:ResourceTag/team": "web"}},
        }
    )
    assert client.get_secret_value(SecretId="a")["SecretString"] == "1"
    assert refused(client.get_secret_value, SecretId="b")[0] == "AccessDeniedException"


@pytest.mark.covers(
    "secretsmanager:PutResourcePolicy",
    "secretsmanager:GetResourcePolicy",
    "secretsmanager:DeleteResourcePolicy",
)
def test_a_secret_has_a_policy_of_its_own(secrets, user, refused):
    secrets.create_secret(Name="a", SecretString="1")
    client = user({"Effect": "Allow", "Action": "iam:ListUsers", "Resource": "*"})
    assert refused(client.get_secret_value, SecretId="a")[0] == "AccessDeniedException"
    allowed = policy("Allow", {"AWS": USER})
    secrets.put_resource_policy(SecretId="a", ResourcePolicy=allowed)
    assert secrets.get_resource_policy(SecretId="a")["ResourcePolicy"] == allowed
    assert client.get_secret_value(SecretId="a")["SecretString"] == "1"
    secrets.put_resource_policy(SecretId="a", ResourcePolicy=policy("Deny", {"AWS": USER}))
    assert refused(client.get_secret_value, SecretId="a")[0] == "AccessDeniedException"
    secrets.delete_resource_policy(SecretId="a")
    assert "ResourcePolicy" not in secrets.get_resource_policy(SecretId="a")


@pytest.mark.covers("secretsmanager:ValidateResourcePolicy")
def test_policies_that_open_a_secret_to_all_are_told(secrets, refused):
    secrets.create_secret(Name="a", SecretString="1")
    broad = policy("Allow", "*")
    told = secrets.validate_resource_policy(ResourcePolicy=broad)
    assert told["PolicyValidationPassed"] is False
    assert secrets.validate_resource_policy(ResourcePolicy=policy("Allow", {"AWS": USER}))[
        "PolicyValidationPassed"
    ]
    members = {"SecretId": "a", "ResourcePolicy": broad, "BlockPublicPolicy": True}
    assert refused(secrets.put_resource_policy, **members)[0] == "PublicPolicyException"
    code, _ = refused(secrets.put_resource_policy, SecretId="a", ResourcePolicy="{}")
    assert code == "MalformedPolicyDocumentException"
