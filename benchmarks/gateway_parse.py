"""How many requests a second the gateway alone answers: signed DescribeClusters, no socket.

Run: python benchmarks/gateway_parse.py [seconds]
"""

from __future__ import annotations

import asyncio
import sys
import time
from datetime import UTC, datetime

from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from openecs.api.base import ApiSettings, Reads, Service
from openecs.gateway.app import Gateway
from openecs.gateway.credentials import AccessKey
from openecs.store.memory import MemoryStore
from openecs.testing.builders import CountingIds

KEY = AccessKey(
    access_key_id="AKIDEXAMPLE",
    secret="secret",
    account="123456789012",
    arn="arn:aws:iam::123456789012:root",
    user_id="123456789012",
)
CLUSTER = {
    "clusterArn": "arn:aws:ecs:us-east-1:123456789012:cluster/default",
    "clusterName": "default",
    "status": "ACTIVE",
    "registeredContainerInstancesCount": 1,
    "runningTasksCount": 10,
    "pendingTasksCount": 0,
    "activeServicesCount": 2,
    "statistics": [],
    "tags": [],
    "settings": [{"name": "containerInsights", "value": "disabled"}],
    "capacityProviders": [],
    "defaultCapacityProviderStrategy": [],
}


class OneKey:
    """Every key is this one."""

    async def find(self, _: str) -> AccessKey:
        """The key."""
        return KEY


async def main(seconds: float) -> None:
    """Ask for that long and print the rate."""
    describe = Reads(lambda *_: {"clusters": [CLUSTER], "failures": []})
    gateway = Gateway(
        store=MemoryStore(),
        services=[Service(name="ecs", operations={"DescribeClusters": describe})],
        credentials=OneKey(),
        clock=lambda: datetime.now(UTC),
        ids=CountingIds(),
        settings=ApiSettings(),
        special={},
    )
    scope, body = signed()
    statuses = set()

    async def receive() -> dict[str, object]:
        return {"type": "http.request", "body": body}

    async def send(message: dict[str, object]) -> None:
        statuses.add(message.get("status", 200))

    count, start = 0, time.perf_counter()
    while time.perf_counter() - start < seconds:
        await gateway(scope, receive, send)
        count += 1
    rate = count / (time.perf_counter() - start)
    print(f"{rate:.0f} requests/s, {1e6 / rate:.0f} us each, statuses {sorted(statuses)}")


def signed() -> tuple[dict[str, object], bytes]:
    """The ASGI scope and the body of a signed request."""
    request = AWSRequest(
        method="POST",
        url="http://127.0.0.1:4566/",
        data=b'{"clusters": ["default"], "include": ["TAGS"]}',
        headers={
            "Host": "127.0.0.1:4566",
            "X-Amz-Target": "AmazonEC2ContainerServiceV20141113.DescribeClusters",
            "Content-Type": "application/x-amz-json-1.1",
        },
    )
    credentials = Credentials(KEY.access_key_id, KEY.secret)
    SigV4Auth(credentials, "ecs", "us-east-1").add_auth(request)
    headers = [(name.lower().encode(), value.encode()) for name, value in request.headers.items()]
    scope = {
        "type": "http",
        "method": "POST",
        "path": "/",
        "raw_path": b"/",
        "query_string": b"",
        "headers": headers,
    }
    return scope, request.data


if __name__ == "__main__":
    asyncio.run(main(float(sys.argv[1]) if len(sys.argv) > 1 else 3))
