"""Amazon EC2 on a real socket, spoken to by botocore; every test has a region of its own."""

from __future__ import annotations

import itertools

import pytest
from botocore.exceptions import ClientError

from gateway_door import client_of, gateway_of, served
from openecs.api import ec2 as api

REGIONS = itertools.count(1)


@pytest.fixture(scope="session")
def ec2_door():
    with served(gateway_of(api.SERVICE)) as url:
        yield url


@pytest.fixture
def ec2(ec2_door):
    return client_of(ec2_door, "ec2", region=f"eu-north-{next(REGIONS)}")


@pytest.fixture
def vpc(ec2):
    """The id of a VPC with the range 10.0.0.0/16."""
    return ec2.create_vpc(CidrBlock="10.0.0.0/16")["Vpc"]["VpcId"]


@pytest.fixture
def refused():
    """Calls, and gives the code and the message of the error that is the answer."""

    def call(function, **members):
        with pytest.raises(ClientError) as caught:
            function(**members)
        error = caught.value.response["Error"]
        return error["Code"], error["Message"]

    return call
