"""CloudWatch on a real socket, with the store behind them within reach."""

from __future__ import annotations

import asyncio
import socket
import threading
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import boto3
import pytest
import uvicorn
from botocore.config import Config

from openecs.api import cloudwatch as service
from openecs.api.base import ApiSettings
from openecs.gateway.app import Gateway
from openecs.gateway.credentials import AccessKey
from openecs.store.memory import MemoryStore
from openecs.store.memory_metrics import MemoryMetricStore
from openecs.testing.builders import CountingIds

ACCOUNT = "123456789012"
REGION = "eu-central-1"
KEY = AccessKey(
    access_key_id="AKIAROOT",
    secret="root-secret",
    account=ACCOUNT,
    arn=f"arn:aws:iam::{ACCOUNT}:root",
    user_id=ACCOUNT,
)


class OneKey:
    async def find(self, access_key_id):
        return KEY if access_key_id == KEY.access_key_id else None


@dataclass
class Door:
    """Clients of the gateway at ``url``."""

    url: str
    store: MemoryStore

    def client(self, service: str, region: str = REGION) -> Any:
        return boto3.client(
            service,
            region_name=region,
            endpoint_url=self.url,
            aws_access_key_id=KEY.access_key_id,
            aws_secret_access_key=KEY.secret,
            config=Config(retries={"total_max_attempts": 1}),
        )


@pytest.fixture
def door():
    store = MemoryStore()
    gateway = Gateway(
        store=store,
        metrics=MemoryMetricStore(),
        services=(service.SERVICE,),
        credentials=OneKey(),
        clock=lambda: datetime.now(UTC),
        ids=CountingIds(),
        settings=ApiSettings(alarm_webhook_url="http://127.0.0.1:1"),
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
        yield Door(where, store)
        server.should_exit = True
        thread.join()


@pytest.fixture
def cloudwatch(door):
    return door.client("cloudwatch")
