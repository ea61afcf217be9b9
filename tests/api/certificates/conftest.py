"""ACM and IAM on a real socket, with the store behind them within reach."""

from __future__ import annotations

import asyncio
import socket
import threading
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import boto3
import pytest
import uvicorn
from botocore.config import Config

from openecs.api import acm, iam
from openecs.api.base import ApiSettings
from openecs.authority import LocalAuthority
from openecs.gateway.app import Gateway
from openecs.gateway.credentials import AccessKey
from openecs.model.identity import Scope
from openecs.model.load_balancing import Action, FixedResponseAction, Listener
from openecs.store.kinds import LISTENERS
from openecs.store.memory import MemoryStore
from openecs.store.memory_metrics import MemoryMetricStore
from openecs.testing.builders import NOW, CountingIds

ACCOUNT = "123456789012"
REGION = "eu-central-1"
KEY = AccessKey(
    access_key_id="AKIAROOT",
    secret="root-secret",
    account=ACCOUNT,
    arn=f"arn:aws:iam::{ACCOUNT}:root",
    user_id=ACCOUNT,
)
BALANCER = "app/web/0123456789abcdef"
BALANCER_ARN = f"arn:aws:elasticloadbalancing:{REGION}:{ACCOUNT}:loadbalancer/{BALANCER}"


class OneKey:
    async def find(self, access_key_id):
        return KEY if access_key_id == KEY.access_key_id else None


@dataclass
class Door:
    """Clients of the gateway at ``url``."""

    url: str
    store: MemoryStore
    authority: LocalAuthority
    directory: Path

    def client(self, service: str, region: str = REGION) -> Any:
        return boto3.client(
            service,
            region_name=region,
            endpoint_url=self.url,
            aws_access_key_id=KEY.access_key_id,
            aws_secret_access_key=KEY.secret,
            config=Config(retries={"total_max_attempts": 1}),
        )

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
    gateway = Gateway(
        store=store,
        metrics=MemoryMetricStore(),
        services=(acm.SERVICE, iam.SERVICE),
        credentials=OneKey(),
        clock=lambda: datetime.now(UTC),
        ids=CountingIds(),
        settings=ApiSettings(authority=authority),
        special={},
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
        where = f"http://127.0.0.1:{listening.getsockname()[1]}"
        yield Door(where, store, authority, tmp_path)
        server.should_exit = True
        thread.join()


@pytest.fixture
def acm_client(door):
    return door.client("acm")


@pytest.fixture
def iam_client(door):
    return door.client("iam", "us-east-1")
