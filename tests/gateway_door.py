"""A gateway of some services on a real socket, and clients of it."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import threading
from datetime import UTC, datetime
from typing import Any

import boto3
import uvicorn
from botocore.config import Config

from openecs.api.base import ApiSettings
from openecs.app import SystemIds
from openecs.gateway.app import Gateway
from openecs.gateway.authorization import Authorization
from openecs.gateway.credentials import AccessKey, StoredCredentials
from openecs.store.memory import MemoryStore
from openecs.store.memory_logs import MemoryLogStore
from openecs.store.memory_metrics import MemoryMetricStore

ACCOUNT = "123456789012"
ROOT = AccessKey(
    access_key_id="AKIAROOT",
    secret="root-secret",
    account=ACCOUNT,
    arn=f"arn:aws:iam::{ACCOUNT}:root",
    user_id=ACCOUNT,
)


class Keys:
    """The access keys of somebody, and no others."""

    def __init__(self, *keys):
        self._keys = {key.access_key_id: key for key in keys}

    async def find(self, access_key_id):
        return self._keys.get(access_key_id)


def gateway_of(*services, store=None, keys=(ROOT,), **parts) -> Gateway:
    """A gateway on a store in memory, unless ``parts`` say otherwise."""
    store = store if store is not None else MemoryStore()
    given = {
        "metrics": MemoryMetricStore(),
        "logs": MemoryLogStore(),
        "clock": lambda: datetime.now(UTC),
        "ids": SystemIds(),
        "settings": ApiSettings(),
        "special": {},
        **parts,
    }
    return Gateway(
        store=store,
        services=services,
        credentials=StoredCredentials(Keys(*keys), store),
        authorize=Authorization(store, services),
        **given,
    )


@contextlib.contextmanager
def served(gateway):
    """The URL of a server of the gateway."""
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        listening.listen()
        config = uvicorn.Config(
            gateway, log_config=None, access_log=False, date_header=False, server_header=False
        )
        server = uvicorn.Server(config)
        work = _serve(gateway, server, listening)
        thread = threading.Thread(target=lambda: asyncio.run(work))
        thread.start()
        yield f"http://127.0.0.1:{listening.getsockname()[1]}"
        server.should_exit = True
        thread.join()


async def _serve(gateway, server, listening):
    await gateway.store.open()
    try:
        await server.serve([listening])
    finally:
        await gateway.store.close()


def client_of(
    url, service, *, key=ROOT, secret=None, region="eu-central-1", token=None, **config
) -> Any:
    """A client of boto3's that asks once."""
    return boto3.client(
        service,
        region_name=region,
        endpoint_url=url,
        aws_access_key_id=key.access_key_id,
        aws_secret_access_key=secret or key.secret,
        aws_session_token=token or key.session_token,
        config=Config(retries={"total_max_attempts": 1}, **config),
    )
