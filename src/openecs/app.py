"""The composition root: the only place that knows concrete classes, the clock and the dice.

Starts in stages (store, engine, node, door), stops them in reverse; containers outlive it.
"""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import secrets
import signal
import socket
import uuid
from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import structlog
import uvicorn

from openecs import __version__
from openecs.api import ecs, sts
from openecs.api.base import ApiSettings
from openecs.config import Settings
from openecs.control.retention import Retention
from openecs.gateway.app import Gateway
from openecs.node.node import Node
from openecs.node.settings import NodeSettings
from openecs.root_keys import RootKeys
from openecs.runtime.base import PullBehavior, RegistryAuth
from openecs.runtime.docker import DockerRuntime
from openecs.store.base import Store
from openecs.store.memory import MemoryStore
from openecs.store.sql import SqlStore

log = structlog.get_logger(__name__)


class SystemIds:
    """Identifiers from the system's randomness."""

    def uuid(self) -> str:
        """A random UUID."""
        return str(uuid.uuid4())

    def hex32(self) -> str:
        """32 random hexadecimal digits."""
        return uuid.uuid4().hex

    def digits(self, count: int) -> str:
        """Random decimal digits, the first not 0."""
        return str(10 ** (count - 1) + secrets.randbelow(9 * 10 ** (count - 1)))


def now() -> datetime:
    """The time, in UTC."""
    return datetime.now(UTC)
