"""ACM and IAM on a real socket, with the store behind them within reach."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from gateway_door import ACCOUNT, client_of, gateway_of, served
from openecs.api import acm, iam
from openecs.api.base import ApiSettings
from openecs.authority import LocalAuthority
from openecs.model.identity import Scope
from openecs.model.load_balancing import Action, FixedResponseAction, Listener
from openecs.store.kinds import LISTENERS
from openecs.store.memory import MemoryStore
from openecs.testing.builders import NOW, CountingIds

REGION = "eu-central-1"
BALANCER = "app/web/0123456789abcdef"
BALANCER_ARN = f"arn:aws:elasticloadbalancing:{REGION}:{ACCOUNT}:loadbalancer/{BALANCER}"


@dataclass
class Door:
    """Clients of the gateway at ``url``."""

    url: str
    store: MemoryStore
    authority: LocalAuthority
    directory: Path

    def client(self, service: str, region: str = REGION) -> Any:
        return client_of(self.url, service, region=region)

    def listen(self, *certificates: str) -> None:
        """Let a listener use certificates, and no others any more."""
        answer = FixedResponseAction(status_code="200")
        listener = Listener(
            scope=Scope(ACCOUNT, REGION),
            load_balancer=BALANCER,
            id="0123456789abcdef",
            protocol="HTTPS",
            port=443,
            default_actions=(Action(type="fixed-response", fixed_response=answer),),
            certificates=certificates,
            created_at=NOW,
        )
        asyncio.run(self.store.write(lambda tx: tx.put(LISTENERS, listener)))

    def used(self) -> tuple[str, ...]:
        """The certificates that the listener uses."""
        (found,) = asyncio.run(self.store.read(lambda view: view.scan(LISTENERS, None)))
        return found.certificates


@pytest.fixture
def door(tmp_path):
    store, authority = MemoryStore(), LocalAuthority(tmp_path)
    gateway = gateway_of(
        acm.SERVICE,
        iam.SERVICE,
        store=store,
        ids=CountingIds(),
        settings=ApiSettings(authority=authority),
    )
    with served(gateway) as url:
        yield Door(url, store, authority, tmp_path)


@pytest.fixture
def acm_client(door):
    return door.client("acm")


@pytest.fixture
def iam_client(door):
    return door.client("iam", "us-east-1")
