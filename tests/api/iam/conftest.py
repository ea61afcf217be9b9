"""IAM, STS and ECS behind policies, on a real socket."""

from __future__ import annotations

import json

import pytest
from botocore.exceptions import ClientError

from gateway_door import ACCOUNT, ROOT, client_of, gateway_of, served
from openecs.api import acm, ec2, ecs, elbv2, iam, sts
from openecs.api.base import ApiSettings
from openecs.authority import LocalAuthority
from openecs.gateway.credentials import AccessKey


@pytest.fixture
def door(tmp_path):
    services = (
        acm.SERVICE,
        ec2.SERVICE,
        ecs.SERVICE,
        elbv2.SERVICE,
        iam.SERVICE,
        sts.SERVICE,
    )
    settings = ApiSettings(authority=LocalAuthority(tmp_path))
    with served(gateway_of(*services, settings=settings)) as url:
        yield url


@pytest.fixture
def client(door):
    """Makes a client of a service, root's unless another key is given."""

    def make(service, key=ROOT, **more):
        return client_of(door, service, key=key, **more)

    return make


@pytest.fixture
def iam_client(client):
    return client("iam")


@pytest.fixture
def refused():
    """Calls, and gives the code and the message of the error that is the answer."""

    def call(function, **members):
        with pytest.raises(ClientError) as caught:
            function(**members)
        error = caught.value.response["Error"]
        return error["Code"], error["Message"]

    return call


@pytest.fixture
def user(iam_client):
    """Makes a user with an inline policy of these statements, and gives its key."""

    def make(name, *statements):
        iam_client.create_user(UserName=name)
        if statements:
            iam_client.put_user_policy(
                UserName=name, PolicyName="own", PolicyDocument=document(*statements)
            )
        made = iam_client.create_access_key(UserName=name)["AccessKey"]
        return key(made["AccessKeyId"], made["SecretAccessKey"])

    return make


def document(*statements):
    return json.dumps({"Version": "2012-10-17", "Statement": list(statements)})


def allow(*actions, resource="*", **more):
    return {"Effect": "Allow", "Action": list(actions), "Resource": resource, **more}


def trust(principal):
    statement = {"Effect": "Allow", "Principal": principal, "Action": "sts:AssumeRole"}
    return document(statement)


def key(access_key_id, secret, token=None):
    return AccessKey(
        access_key_id=access_key_id,
        secret=secret,
        account=ACCOUNT,
        arn="",
        user_id="",
        session_token=token,
    )
