"""Application Auto Scaling on a real socket, with the store behind it within reach."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest

from gateway_door import ACCOUNT, client_of, gateway_of, served
from openecs.api import application_autoscaling as service
from openecs.model.identity import Scope
from openecs.store.kinds import SERVICES
from openecs.store.memory import MemoryStore
from openecs.testing.builders import CountingIds
from openecs.testing.service_world import a_service

SCOPE = Scope(ACCOUNT, "eu-central-1")


@pytest.fixture
def store():
    return MemoryStore()


@pytest.fixture
def scaling(store):
    web = replace(a_service(), scope=SCOPE, desired_count=2)
    asyncio.run(store.write(lambda tx: tx.put(SERVICES, web)))
    with served(gateway_of(service.SERVICE, store=store, ids=CountingIds())) as url:
        yield client_of(url, "application-autoscaling", region=SCOPE.region)
