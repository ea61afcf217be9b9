"""A gateway on a real socket, with two small services on the memory store behind it."""

from __future__ import annotations

import asyncio
import socket
import threading
from datetime import UTC, datetime

import boto3
import pytest
import uvicorn
from botocore.config import Config

from openecs.api import sts
from openecs.api.base import ApiSettings, Reads, Service, ServiceError, Writes
from openecs.gateway.app import Gateway, Open, RootOnly
from openecs.gateway.credentials import AccessKey
from openecs.gateway.exchange import Reply
from openecs.model.clusters import Cluster
from openecs.store.kinds import CLUSTERS
from openecs.store.memory import MemoryStore
from openecs.testing.builders import CountingIds

ACCOUNT = "123456789012"
ROOT = AccessKey(
    access_key_id="AKIAROOT",
    secret="root-secret",
    account=ACCOUNT,
    arn=f"arn:aws:iam::{ACCOUNT}:root",
    user_id=ACCOUNT,
)
USER = AccessKey(
    access_key_id="AKIAUSER",
    secret="user-secret",
    account=ACCOUNT,
    arn=f"arn:aws:iam::{ACCOUNT}:user/ada",
    user_id="AIDAUSER",
)
