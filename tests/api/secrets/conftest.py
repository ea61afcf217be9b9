"""Secrets Manager on a real socket, with SQLite behind it."""

from __future__ import annotations

import json

import pytest
from botocore.exceptions import ClientError

from gateway_door import ROOT, client_of, gateway_of, served
from openecs.api import iam, secretsmanager
from openecs.gateway.credentials import AccessKey
from openecs.sealing import Keys
from openecs.store.sql import SqlStore

ACCOUNT = ROOT.account


@pytest.fixture
def database(tmp_path):
    return tmp_path / "openecs.db"


@pytest.fixture
def door(database):
    store = SqlStore(f"sqlite:///{database}", seal=Keys([b"k" * 32]))
    with served(gateway_of(secretsmanager.SERVICE, iam.SERVICE, store=store)) as url:
        yield url


@pytest.fixture
def secrets(door):
    return client_of(door, "secretsmanager")


@pytest.fixture
def user(door):
    """Makes a client of a user with some statements."""
    manager = client_of(door, "iam")

    def make(*statements: dict):
        manager.create_user(UserName="u")
        document = json.dumps({"Version": "2012-10-17", "Statement": list(statements)})
        manager.put_user_policy(UserName="u", PolicyName="p", PolicyDocument=document)
        made = manager.create_access_key(UserName="u")["AccessKey"]
        key = AccessKey(
            access_key_id=made["AccessKeyId"],
            secret=made["SecretAccessKey"],
            account=ACCOUNT,
            arn="",
            user_id="",
        )
        return client_of(door, "secretsmanager", key=key)

    return make


@pytest.fixture
def refused():
    """Calls, and gives the code and the message of the error that is the answer."""

    def call(function, **members):
        with pytest.raises(ClientError) as caught:
            function(**members)
        error = caught.value.response["Error"]
        return error["Code"], error["Message"]

    return call
