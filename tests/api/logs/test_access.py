"""What policies say of logs."""

from __future__ import annotations

import json

import pytest
from botocore.exceptions import ClientError

from gateway_door import ACCOUNT, client_of, gateway_of, served
from openecs.api import iam
from openecs.api import logs as service
from openecs.gateway.credentials import AccessKey

ARN = f"arn:aws:logs:eu-central-1:{ACCOUNT}:log-group"


@pytest.fixture
def ada():
    """Makes a client of a user who may do what the statements say."""
    with served(gateway_of(service.SERVICE, iam.SERVICE)) as url:
        root, users = client_of(url, "logs"), client_of(url, "iam")
        for name in ("own", "other"):
            root.create_log_group(logGroupName=name, tags={"of": name})

        def make(*statements):
            users.create_user(UserName="ada")
            document = {"Version": "2012-10-17", "Statement": statements}
            users.put_user_policy(
                UserName="ada", PolicyName="p", PolicyDocument=json.dumps(document)
            )
            made = users.create_access_key(UserName="ada")["AccessKey"]
            key = AccessKey(
                access_key_id=made["AccessKeyId"],
                secret=made["SecretAccessKey"],
                account=ACCOUNT,
                arn=f"arn:aws:iam::{ACCOUNT}:user/ada",
                user_id="",
            )
            return client_of(url, "logs", key=key)

        yield make


def allow(action, resource="*", **more):
    return {"Effect": "Allow", "Action": action, "Resource": resource, **more}


def denied(function, **members):
    with pytest.raises(ClientError, match="AccessDenied") as caught:
        function(**members)
    return caught.value.response["Error"]["Message"]


def test_groups_by_arn(ada):
    logs = ada(
        allow(["logs:CreateLogStream", "logs:FilterLogEvents"], f"{ARN}:own:*"),
        allow("logs:GetLogEvents", f"{ARN}:own:log-stream:a"),
        allow("logs:TagResource", f"{ARN}:own"),
    )
    for name in ("a", "b"):
        logs.create_log_stream(logGroupName="own", logStreamName=name)
    logs.filter_log_events(logGroupName="own")
    logs.get_log_events(logGroupName="own", logStreamName="a")
    logs.tag_resource(resourceArn=f"{ARN}:own", tags={"a": "b"})
    denied(logs.get_log_events, logGroupName="own", logStreamName="b")
    denied(logs.create_log_stream, logGroupName="other", logStreamName="a")
    denied(logs.tag_resource, resourceArn=f"{ARN}:other", tags={"a": "b"})
    assert f"{ARN}::log-stream:" in denied(logs.describe_log_groups)


def test_groups_by_tags(ada):
    tagged = {"StringEquals": {"aws:RequestTag/of": "ada"}}
    own = {"StringEquals": {"aws:ResourceTag/of": "own"}}
    logs = ada(
        allow("logs:CreateLogGroup", Condition=tagged),
        allow("logs:DeleteLogGroup", Condition=own),
    )
    logs.create_log_group(logGroupName="new", tags={"of": "ada"})
    denied(logs.create_log_group, logGroupName="newer")
    logs.delete_log_group(logGroupName="own")
    denied(logs.delete_log_group, logGroupName="other")
