"""What an AWS operation is made of: the call, the error, the operation, the service.

An operation is a synchronous function ``(view or transaction, call, request) -> response``, or an
asynchronous one of a store of bulk data (metrics, logs). The gateway has parsed and validated
``request`` against the service's model before: members are spelled as in AWS's API, timestamps are
aware datetimes, blobs are bytes, unknown members are gone. The response is
spelled the same way; members that are None are left out.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any, TypeVar

from openecs.decide.access.evaluation import PolicyKind
from openecs.model.certificates import Authority, NoAuthority
from openecs.model.identity import Ids, Scope
from openecs.model.policies import Policy
from openecs.store.base import Transaction, View
from openecs.store.logs import LogStore
from openecs.store.metrics import MetricStore

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
    #: Where subscription filters send to: ARNs mapped to a URL.
    log_destinations: Mapping[str, str] = field(default_factory=dict)
    #: Where the events of alarms go; empty: nowhere.
    alarm_webhook_url: str = ""
    #: The period of the alarms of target tracking in seconds, and the datapoints that raise each.
    scaling_period: int = 60
    scale_out_datapoints: int = 3
    scale_in_datapoints: int = 15
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


@dataclass(frozen=True, slots=True)
class Measures:
    """An operation on metrics, which are no resources and take part in no transaction."""

    function: Callable[[MetricStore, Call, Any], Awaitable[Members]]


@dataclass(frozen=True, slots=True)
class Logs:
    """An operation on logs: ``find`` looks up the resources it concerns, ``function`` has them."""

    find: Callable[[View, Call, Any], Any]
    function: Callable[[LogStore, Call, Any, Any], Awaitable[Members]]


#: The name of an event in an operation's stream, and what is in it.
Told = tuple[str, Members]


@dataclass(frozen=True, slots=True)
class Streams:
    """An operation that tells of logs for a while. ``find`` refuses what cannot be meant."""

    find: Callable[[View, Call, Any], Any]
    function: Callable[[LogStore, Call, Any, Any], AsyncIterator[Told]]


Operation = Reads | Writes | Measures | Logs | Streams


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """One action on one resource, that policies must allow.

    ``resource`` None: the action has resources, and which one is not known here: then only ``*``
    allows it, and every statement that denies the action does. ``policy`` is the resource's own.
    """

    action: str
    resource: str | None = None
    context: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    policy: Policy | None = None
    policy_kind: PolicyKind = PolicyKind.RESOURCE


Access = Callable[[View, Call, Any], Iterable[Asked]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Service:
    """A service by botocore's name (``ecs``, ``elbv2``) and its built operations by AWS's."""

    name: str
    operations: Mapping[str, Operation]
    #: What operations ask of policies; one that is not here asks for itself, on any resource.
    access: Mapping[str, Access] = field(default_factory=dict)
    #: Whether resources of it have policies, that even the root user may be denied by.
    has_resource_policies: bool = False
