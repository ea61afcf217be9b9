"""A gateway on a real socket, with small services of the tests' own behind it."""

from __future__ import annotations

import pytest

from gateway_door import ACCOUNT, ROOT, client_of, gateway_of, served
from openecs.api import sts
from openecs.api.base import Reads, Service, ServiceError, Writes
from openecs.gateway.app import Open, RootOnly
from openecs.gateway.credentials import AccessKey
from openecs.gateway.exchange import Reply
from openecs.model.clusters import Cluster
from openecs.store.base import StoreUnavailable
from openecs.store.kinds import CLUSTERS
from openecs.testing.builders import CountingIds

USER = AccessKey(
    access_key_id="AKIAUSER",
    secret="user-secret",
    account=ACCOUNT,
    arn=f"arn:aws:iam::{ACCOUNT}:user/ada",
    user_id="AIDAUSER",
)


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
    gateway = gateway_of(
        *SERVICES,
        keys=(ROOT, USER),
        ids=CountingIds(),
        special={
            ("GET", "/_openecs/health"): Open(healthy),
            ("POST", "/_openecs/reset"): RootOnly(reset),
        },
    )
    with served(gateway) as url:
        yield url


@pytest.fixture
def client(door):
    """Makes a boto3 client of a service that speaks to the gateway."""

    def make(service, *, key=ROOT, secret=None, region="eu-central-1", **config):
        return client_of(door, service, key=key, secret=secret, region=region, **config)

    return make
