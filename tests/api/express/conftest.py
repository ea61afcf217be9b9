"""Amazon ECS and what Express Mode makes elsewhere, on a real socket, with SQLite behind them."""

from __future__ import annotations

import pytest

from gateway_door import client_of, gateway_of, served
from openecs.api import acm, application_autoscaling, cloudwatch, ec2, ecs, elbv2, logs
from openecs.api.base import ApiSettings
from openecs.authority import LocalAuthority
from openecs.store.sql import SqlStore


@pytest.fixture
def door(tmp_path):
    """The gateway's address."""
    gateway = gateway_of(
        acm.SERVICE,
        application_autoscaling.SERVICE,
        cloudwatch.SERVICE,
        ec2.SERVICE,
        ecs.SERVICE,
        elbv2.SERVICE,
        logs.SERVICE,
        store=SqlStore(f"sqlite:///{tmp_path}/openecs.db"),
        settings=ApiSettings(authority=LocalAuthority(tmp_path)),
    )
    with served(gateway) as url:
        yield url


@pytest.fixture
def client(door):
    """Makes a boto3 client of a service that speaks to the gateway."""
    return lambda service: client_of(door, service)
