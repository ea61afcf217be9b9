"""Signed requests to the server, through botocore: the commands are AWS clients like any other."""

from __future__ import annotations

import json
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from typing import Any

import botocore.session
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.config import Config
from botocore.credentials import Credentials
from botocore.exceptions import BotoCoreError, ClientError

from openecs.cli.failure import NOT_RUNNING, Failure
from openecs.root_keys import RootKey

#: Operations describe this many resources at most.
PAGE = 100


def ecs(url: str, key: RootKey, region: str) -> Any:
    """An Amazon ECS client for an account and region."""
    return _session().create_client(
        "ecs",
        region_name=region,
        endpoint_url=url,
        aws_access_key_id=key.access_key_id,
        aws_secret_access_key=key.secret_access_key,
        config=Config(retries={"max_attempts": 1}, connect_timeout=5, read_timeout=60),
    )


@contextmanager
def told() -> Iterator[None]:
    """What the server refuses, or that it is gone, as a ``Failure``."""
    try:
        yield
    except (BotoCoreError, ClientError) as error:
        raise Failure(f"the server did not do it: {error}") from error


def regions(also: str) -> list[str]:
    """The regions of AWS's in which there may be clusters, and one more."""
    known: list[str] = _session().get_available_regions("ecs")
    return sorted({*known, also})


def health(url: str) -> dict[str, Any]:
    """What the server says of itself. Raises ``Failure`` where it does not answer."""
    return _answer(urllib.request.Request(f"{url}/_openecs/health"))  # noqa: S310 - http by construction


def post(url: str, path: str, key: RootKey, region: str) -> dict[str, Any]:
    """A signed request to a path of OpenECS's own. Raises ``Failure``."""
    request = AWSRequest(method="POST", url=f"{url}{path}", data=b"")
    credentials = Credentials(key.access_key_id, key.secret_access_key)
    SigV4Auth(credentials, "ecs", region).add_auth(request)
    signed = urllib.request.Request(  # noqa: S310 - http by construction
        request.url, data=b"", headers=dict(request.headers.items()), method="POST"
    )
    return _answer(signed)


@cache
def _session() -> botocore.session.Session:
    return botocore.session.Session()


def _answer(request: urllib.request.Request) -> dict[str, Any]:
    try:
        with urllib.request.urlopen(request, timeout=60) as reply:  # noqa: S310 - http by construction
            answer: dict[str, str] = json.load(reply)
            return answer
    except urllib.error.HTTPError as error:
        raise Failure(f"{request.full_url}: {error.code} {error.read().decode()}") from error
    except OSError as error:
        raise Failure(
            f"the server on {request.host} does not answer: {error}. Is it still starting?",
            NOT_RUNNING,
        ) from error
