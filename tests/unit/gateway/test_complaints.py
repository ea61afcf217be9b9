from __future__ import annotations

import pytest

from openecs.gateway import complaints, services
from openecs.gateway.catalog import Catalog
from openecs.gateway.protocol.patterns import pattern

CATALOG = Catalog()
KNOWN = {known.name: known for known in services.SERVICES}


def complaint(service, operation, members):
    """The code and message of the service's error for such a request, or None."""
    loaded = CATALOG.service(KNOWN[service])
    shape = loaded.operation(operation).input_shape
    found = loaded.validator.complaints(shape, members)
    if not found:
        return None
    error = complaints.error(service, operation, found)
    return error.code, error.message


ROLE = {"RoleName": "a", "AssumeRolePolicyDocument": "{}"}
NULL = (
    "1 validation error detected: Value null at '{}' failed to satisfy constraint: "
    "Member must not be null"
)


@pytest.mark.parametrize(
    ("service", "operation", "members", "code", "message"),
    [
        (
            "iam",
            "CreateRole",
            ROLE | {"RoleName": "a b"},
            "ValidationError",
            (
                "1 validation error detected: Value 'a b' at 'roleName' failed to satisfy "
                "constraint: "
                r"Member must satisfy regular expression pattern: [\w+=,.@-]+"
            ),
        ),
        (
            "sts",
            "AssumeRole",
            {"RoleArn": "a" * 20, "RoleSessionName": "me", "DurationSeconds": 10},
            "ValidationError",
            (
                "1 validation error detected: Value '10' at 'durationSeconds' failed to satisfy "
                "constraint: Member must have value greater than or equal to 900"
            ),
        ),
        (
            "iam",
            "CreateRole",
            ROLE | {"MaxSessionDuration": 50_000, "Tags": [{"Key": "k" * 129, "Value": "v"}]},
            "ValidationError",
            (
                "2 validation errors detected: Value '50000' at 'maxSessionDuration' failed to "
                "satisfy constraint: Member must have value less than or equal to 43200; "
                f"Value '{'k' * 129}' at 'tags.1.member.key' failed to satisfy constraint: "
                "Member must have length less than or equal to 128"
            ),
        ),
        ("elbv2", "CreateLoadBalancer", {}, "ValidationError", NULL.format("name")),
        ("logs", "CreateLogGroup", {}, "InvalidParameterException", NULL.format("logGroupName")),
        (
            "logs",
            "CreateLogGroup",
            {"logGroupName": "a b"},
            "InvalidParameterException",
            (
                "1 validation error detected: Value 'a b' at 'logGroupName' failed to satisfy "
                r"constraint: Member must satisfy regular expression pattern: [\.\-_/#A-Za-z0-9]+"
            ),
        ),
        (
            "ssm",
            "GetParameters",
            {"Names": ["a", ""]},
            "ValidationException",
            (
                "1 validation error detected: Value '[a, ]' at 'names' failed to satisfy "
                "constraint: "
                "Member must satisfy constraint: [Member must have length greater than or equal "
                "to 1]"
            ),
        ),
        (
            "iam",
            "CreateLoginProfile",
            {"UserName": "a", "Password": "p" * 129},
            "ValidationError",
            (
                "1 validation error detected: Value at 'password' failed to satisfy constraint: "
                "Member must have length less than or equal to 128"
            ),
        ),
        (
            "cloudwatch",
            "PutMetricData",
            {"MetricData": []},
            "MissingParameter",
            "The parameter Namespace is required.",
        ),
        (
            "ec2",
            "CreateTags",
            {"Resources": []},
            "MissingParameter",
            "The request must contain the parameter Tags",
        ),
        (
            "ecs",
            "RunTask",
            {"taskDefinition": "a", "launchType": "MOON"},
            "InvalidParameterException",
            "launch type should be one of [EC2, FARGATE, EXTERNAL, MANAGED_INSTANCES]",
        ),
        (
            "ecs",
            "DescribeTasks",
            {"tasks": ["a"], "include": ["MOON"]},
            "InvalidParameterException",
            "include should be one of [TAGS]",
        ),
        (
            "ecs",
            "RunTask",
            {},
            "InvalidParameterException",
            "TaskDefinition should not be null or empty.",
        ),
        (
            "ecs",
            "RegisterTaskDefinition",
            {"containerDefinitions": []},
            "ClientException",
            "Family should not be null or empty.",
        ),
        (
            "ecs",
            "PutClusterCapacityProviders",
            {
                "cluster": "c",
                "capacityProviders": ["a", None],
                "defaultCapacityProviderStrategy": [],
            },
            "InvalidParameterException",
            "CapacityProviders should not be null or empty.",
        ),
    ],
)
def test_what_each_service_says(service, operation, members, code, message):
    assert complaint(service, operation, members) == (code, message)


def test_a_wrong_enum_lists_the_right_ones():
    members = {"ServiceNamespace": "moon"}
    code, message = complaint("application-autoscaling", "DescribeScalableTargets", members)
    assert code == "ValidationException"
    assert message.startswith(
        "1 validation error detected: Value 'moon' at 'serviceNamespace' failed to satisfy "
        "constraint: Member must satisfy enum value set: [ecs, elasticmapreduce, ec2"
    )


@pytest.mark.parametrize(
    ("service", "operation", "members"),
    [
        ("iam", "CreateRole", ROLE | {"Tags": [{"Key": "süß .:/=+-@", "Value": ""}]}),
        ("ecs", "RunTask", {"taskDefinition": "a", "tags": [{"key": "a\u00a0b", "value": "c"}]}),
        ("ecs", "CreateCluster", {}),
        (
            "logs",
            "PutLogEvents",
            {
                "logGroupName": "a",
                "logStreamName": "b",
                "logEvents": [{"timestamp": 1, "message": "m"}],
            },
        ),
        ("secretsmanager", "CreateSecret", {"Name": "a"}),
    ],
)
def test_what_is_right_is_let_through(service, operation, members):
    assert complaint(service, operation, members) is None


def test_every_service_has_words():
    for name in KNOWN:
        assert complaints._COMPLAIN[name]


#: Patterns that are not checked, since Python cannot say them.
UNCHECKED = {
    r"^([\p{L}\p{Z}\p{N}\p{P}\p{M}]*)$",
}


@pytest.mark.parametrize("known", services.SERVICES, ids=lambda known: known.name)
def test_which_patterns_are_not_checked(known):
    model = CATALOG.service(known).model
    java = {
        model.shape_for(name).metadata["pattern"]
        for name in model.shape_names
        if "pattern" in model.shape_for(name).metadata
    }
    assert {text for text in java if pattern(text) is None} <= UNCHECKED


@pytest.mark.parametrize(
    ("java", "fits", "does_not"),
    [
        (r"([\p{L}\p{Z}\p{N}_.:/=+\-@]*)", "ä \uff11\u3000_x", "a\tb"),
        (r"\p{Print}+", "a ~", "é"),
        (r"[\w-_]*", "a-_", "é"),
        (
            r"[\u0020-\uD7FF\uE000-\uFFFD\uD800\uDC00-\uDBFF\uDFFF\r\n\t]*",
            "a \U0001f600\n",
            "\x00",
        ),
        (r"[a-z]+", "abc", "abc\n"),
    ],
)
def test_patterns_match_as_in_java(java, fits, does_not):
    assert pattern(java).fullmatch(fits)
    assert not pattern(java).fullmatch(does_not)
