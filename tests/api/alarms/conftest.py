"""CloudWatch on a real socket, with the store behind it within reach."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pytest

from gateway_door import client_of, gateway_of, served
from openecs.api import cloudwatch as service
from openecs.api.base import ApiSettings
from openecs.store.memory import MemoryStore
from openecs.testing.builders import CountingIds

REGION = "eu-central-1"


@dataclass
class Door:
    """Clients of the gateway at ``url``."""

    url: str
    store: MemoryStore

    def client(self, service: str, region: str = REGION) -> Any:
        return client_of(self.url, service, region=region)


@pytest.fixture
def door():
    gateway = gateway_of(
        service.SERVICE,
        store=MemoryStore(),
        ids=CountingIds(),
        settings=ApiSettings(alarm_webhook_url="http://127.0.0.1:1"),
    )
    with served(gateway) as url:
        yield Door(url, gateway.store)


@pytest.fixture
def cloudwatch(door):
    return door.client("cloudwatch")
