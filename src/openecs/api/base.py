"""What an AWS operation is made of: the call, the error, the operation, the service.

An operation is a synchronous function ``(view or transaction, call, request) -> response``. The
gateway has parsed and validated ``request`` against the service's model before: members are spelled
as in AWS's API, timestamps are aware datetimes, blobs are bytes, unknown members are gone. The
response is spelled the same way; members that are None are left out.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any, TypeVar

from openecs.model.certificates import Authority, NoAuthority
from openecs.model.identity import Ids, Scope
from openecs.store.base import Transaction, View

Members = Mapping[str, Any]
F = TypeVar("F", bound=Callable[..., Members])


@dataclass(frozen=True, slots=True, kw_only=True)
class Caller:
    """The authenticated principal: ``arn``, its unique ``user_id`` and the access key it used."""

    arn: str
    user_id: str
    account: str
    access_key_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """One API call: who, where, when; the sources of time and chance; the settings that matter."""

    scope: Scope
    caller: Caller
    request_id: str
    now: datetime
    ids: Ids
    settings: ApiSettings


@dataclass(frozen=True, slots=True, kw_only=True)
class ApiSettings:
    """What an installation sets of the API's behaviour."""

    #: File systems (``fs-...``) mapped to a local path; tasks with any other are refused.
    file_systems: Mapping[str, str] = field(default_factory=dict)
    #: Who issues the certificates that are requested.
    authority: Authority = field(default_factory=NoAuthority)
    #: Where functions are invoked, of lifecycle hooks and as targets; empty: nowhere.
    lambda_url: str = ""
    #: Where objects of Amazon S3 are read: ``DIRECTORY/BUCKET/KEY``; None: nowhere.
    objects: Path | None = None


class ServiceError(Exception):
    """An error of AWS's, as its API documents it: the code, the message, modelled members."""

    def __init__(self, code: str, message: str, **members: object) -> None:
        super().__init__(f"{code}: {message}")
        self.code = code
        self.message = message
        self.members = members


@dataclass(frozen=True, slots=True)
class Reads:
    """An operation that only looks."""

    function: Callable[[View, Call, Any], Members]


@dataclass(frozen=True, slots=True)
class Writes:
    """An operation that changes something, in one transaction."""

    function: Callable[[Transaction, Call, Any], Members]


Operation = Reads | Writes


@dataclass(frozen=True, slots=True, kw_only=True)
class Service:
    """A service by botocore's name (``ecs``, ``elbv2``) and its built operations by AWS's."""

    name: str
    operations: Mapping[str, Operation]
