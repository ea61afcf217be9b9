"""What ``valueFrom`` means."""

import pytest

from openecs.decide.secret_references import SecretReference, secret_reference

ARN = "arn:aws:secretsmanager:us-east-1:123456789012:secret:prod/db-AbCdEf"


@pytest.mark.parametrize(
    ("value_from", "meant"),
    [
        (ARN, SecretReference(secret=ARN)),
        (f"{ARN}:user::", SecretReference(secret=ARN, json_key="user")),
        (f"{ARN}::AWSPREVIOUS:", SecretReference(secret=ARN, stage="AWSPREVIOUS")),
        (f"{ARN}:::v1", SecretReference(secret=ARN, version="v1")),
        (f"{ARN}:user:S:v1", SecretReference(secret=ARN, json_key="user", stage="S", version="v1")),
        ("arn:aws:ssm:us-east-1:123456789012:parameter/p", None),
        ("parameter", None),
    ],
)
def test_the_parts_behind_an_arn_say_which_value(value_from, meant):
    assert secret_reference(value_from) == meant
