"""Amazon ECS and what Express Mode makes elsewhere, on a real socket, with SQLite behind them."""

from __future__ import annotations

import asyncio
import socket
import threading
from datetime import UTC, datetime

import boto3
import pytest
import uvicorn
from botocore.config import Config

from openecs.api import acm, ec2, ecs, elbv2
from openecs.api.base import ApiSettings
from openecs.app import SystemIds
from openecs.authority import LocalAuthority
from openecs.gateway.app import Gateway
from openecs.gateway.credentials import AccessKey
from openecs.store.memory_metrics import MemoryMetricStore
from openecs.store.sql import SqlStore

ROOT = AccessKey(
    access_key_id="AKIAROOT",
    secret="root-secret",
    account="123456789012",
    arn="arn:aws:iam::123456789012:root",
    user_id="123456789012",
)


class OneKey:
    async def find(self, access_key_id):
        return ROOT if access_key_id == ROOT.access_key_id else None


async def _serve(store: SqlStore, server: uvicorn.Server, listening: socket.socket) -> None:
    await store.open()
    try:
        await server.serve([listening])
    finally:
        await store.close()


@pytest.fixture
def door(tmp_path):
    """The gateway's address."""
    store = SqlStore(f"sqlite:///{tmp_path}/openecs.db")
    gateway = Gateway(
        store=store,
        metrics=MemoryMetricStore(),
        services=(acm.SERVICE, ec2.SERVICE, ecs.SERVICE, elbv2.SERVICE),
        credentials=OneKey(),
        clock=lambda: datetime.now(UTC),
        ids=SystemIds(),
        settings=ApiSettings(authority=LocalAuthority(tmp_path)),
        special={},
    )
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        listening.listen()
        server = uvicorn.Server(uvicorn.Config(gateway, log_config=None, access_log=False))
        work = _serve(store, server, listening)
        thread = threading.Thread(target=lambda: asyncio.run(work))
        thread.start()
        yield f"http://127.0.0.1:{listening.getsockname()[1]}"
        server.should_exit = True
        thread.join()


@pytest.fixture
def client(door):
    """Makes a boto3 client of a service that speaks to the gateway."""

    def make(service: str):
        return boto3.client(
            service,
            region_name="eu-central-1",
            endpoint_url=door,
            aws_access_key_id=ROOT.access_key_id,
            aws_secret_access_key=ROOT.secret,
            config=Config(retries={"total_max_attempts": 1}),
        )

    return make
