"""A gateway on a real socket, with small services of the tests' own behind it."""

from __future__ import annotations

import asyncio
import socket
import threading
from datetime import UTC, datetime

import boto3
import pytest
import uvicorn
from botocore.config import Config

from openecs.api import sts
from openecs.api.base import ApiSettings, Reads, Service, ServiceError, Writes
from openecs.gateway.app import Gateway, Open, RootOnly
from openecs.gateway.credentials import AccessKey
from openecs.gateway.exchange import Reply
from openecs.model.clusters import Cluster
from openecs.store.base import StoreUnavailable
from openecs.store.kinds import CLUSTERS
from openecs.store.memory import MemoryStore
from openecs.store.memory_metrics import MemoryMetricStore
from openecs.testing.builders import CountingIds

ACCOUNT = "123456789012"
ROOT = AccessKey(
    access_key_id="AKIAROOT",
    secret="root-secret",
    account=ACCOUNT,
    arn=f"arn:aws:iam::{ACCOUNT}:root",
    user_id=ACCOUNT,
)
USER = AccessKey(
    access_key_id="AKIAUSER",
    secret="user-secret",
    account=ACCOUNT,
    arn=f"arn:aws:iam::{ACCOUNT}:user/ada",
    user_id="AIDAUSER",
)


class TwoKeys:
    async def find(self, access_key_id):
        return {key.access_key_id: key for key in (ROOT, USER)}.get(access_key_id)


def create_cluster(transaction, call, request):
    name = request.get("clusterName", "default")
    cluster = Cluster(scope=call.scope, name=name, created_at=call.now)
    transaction.put(CLUSTERS, cluster)
    return {"cluster": {"clusterArn": cluster.arn, "clusterName": name, "settings": None}}


def list_clusters(view, call, _):
    return {"clusterArns": [cluster.arn for cluster in view.scan(CLUSTERS, call.scope)]}


def conflict(*_):
    raise ServiceError("ConflictException", "Not so.", resourceIds=["a", "b"])


def bug(*_):
    return {"failures": 1 / 0}


def no_disk(*_):
    raise StoreUnavailable("the disk is full")


def get_schedule(_, call, request):
    if request["Name"] == "absent":
        raise ServiceError("ResourceNotFoundException", "No such schedule.")
    return {"Name": request["Name"], "GroupName": request["GroupName"], "CreationDate": call.now}


def no_alarm(_, __, request):
    raise ServiceError("ResourceNotFound", f"No alarm {request['AlarmName']}.")


def put_metric_data(_, __, request):
    count = len(request["MetricData"])
    raise ServiceError("InvalidParameterValue", f"{count} data")


SERVICES = (
    sts.SERVICE,
    Service(
        name="ecs",
        operations={
            "CreateCluster": Writes(create_cluster),
            "ListClusters": Reads(list_clusters),
            "StopTask": Reads(conflict),
            "DescribeTasks": Reads(bug),
            "ListTasks": Reads(no_disk),
        },
    ),
    Service(name="scheduler", operations={"GetSchedule": Reads(get_schedule)}),
    Service(
        name="cloudwatch",
        operations={
            "SetAlarmState": Reads(no_alarm),
            "PutMetricData": Reads(put_metric_data),
        },
    ),
)


async def healthy():
    return Reply(status=200, headers={"content-type": "application/json"}, body=b'{"ok":true}')


async def reset(caller):
    return Reply(status=200, headers={}, body=caller.arn.encode())


@pytest.fixture(scope="session")
def door():
    """The gateway's address."""
    gateway = Gateway(
        store=MemoryStore(),
        metrics=MemoryMetricStore(),
        services=SERVICES,
        credentials=TwoKeys(),
        clock=lambda: datetime.now(UTC),
        ids=CountingIds(),
        settings=ApiSettings(),
        special={
            ("GET", "/_openecs/health"): Open(healthy),
            ("POST", "/_openecs/reset"): RootOnly(reset),
        },
    )
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        listening.listen()
        config = uvicorn.Config(
            gateway, log_config=None, access_log=False, date_header=False, server_header=False
        )
        server = uvicorn.Server(config)
        thread = threading.Thread(target=lambda: asyncio.run(server.serve([listening])))
        thread.start()
        yield f"http://127.0.0.1:{listening.getsockname()[1]}"
        server.should_exit = True
        thread.join()


@pytest.fixture
def client(door):
    """Makes a boto3 client of a service that speaks to the gateway."""

    def make(service, *, key=ROOT, secret=None, region="eu-central-1", **config):
        return boto3.client(
            service,
            region_name=region,
            endpoint_url=door,
            aws_access_key_id=key.access_key_id,
            aws_secret_access_key=secret or key.secret,
            config=Config(retries={"total_max_attempts": 1}, **config),
        )

    return make
