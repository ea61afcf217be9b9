"""Amazon EC2 on a real socket, spoken to by botocore; every test has a region of its own."""

from __future__ import annotations

import asyncio
import itertools
import socket
import threading
from datetime import UTC, datetime

import boto3
import pytest
import uvicorn
from botocore.config import Config
from botocore.exceptions import ClientError

from openecs.api import ec2 as api
from openecs.api.base import ApiSettings
from openecs.app import SystemIds
from openecs.gateway.app import Gateway
from openecs.gateway.credentials import AccessKey
from openecs.store.memory import MemoryStore
from openecs.store.memory_metrics import MemoryMetricStore

ROOT = AccessKey(
    access_key_id="AKIAROOT",
    secret="root-secret",
    account="123456789012",
    arn="arn:aws:iam::123456789012:root",
    user_id="123456789012",
)
REGIONS = itertools.count(1)


class OneKey:
    async def find(self, access_key_id):
        return ROOT if access_key_id == ROOT.access_key_id else None


@pytest.fixture(scope="session")
def ec2_door():
    gateway = Gateway(
        store=MemoryStore(),
        metrics=MemoryMetricStore(),
        services=(api.SERVICE,),
        credentials=OneKey(),
        clock=lambda: datetime.now(UTC),
        ids=SystemIds(),
        settings=ApiSettings(),
        special={},
    )
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        listening.listen()
        server = uvicorn.Server(uvicorn.Config(gateway, log_config=None, access_log=False))
        thread = threading.Thread(target=lambda: asyncio.run(server.serve([listening])))
        thread.start()
        yield f"http://127.0.0.1:{listening.getsockname()[1]}"
        server.should_exit = True
        thread.join()


@pytest.fixture
def ec2(ec2_door):
    return boto3.client(
        "ec2",
        region_name=f"eu-north-{next(REGIONS)}",
        endpoint_url=ec2_door,
        aws_access_key_id=ROOT.access_key_id,
        aws_secret_access_key=ROOT.secret,
        config=Config(retries={"total_max_attempts": 1}),
    )


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
