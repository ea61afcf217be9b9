"""DescribeListenerAttributes, ModifyListenerAttributes.

Keys, defaults and ranges: Elastic Load Balancing API Reference, ListenerAttribute; User Guide for
Application Load Balancers, "HTTP header modification".
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace

from openecs.api.base import Call, Members, Operation, Reads, Writes
from openecs.api.elbv2 import attributes, errors, references
from openecs.api.elbv2.attributes import Attribute, Table, flag, number
from openecs.model.listener_headers import ANSWERED, SERVER, TOLD, told_as
from openecs.model.load_balancing import Listener
from openecs.store.base import Transaction, View
from openecs.store.kinds import LISTENERS

_VALUES = re.compile(r"[ -~]{0,1024}")
_NAMES = re.compile(r"[A-Za-z0-9_-]{0,40}")
#: What the load balancer itself goes by, or tells targets under these names.
_TAKEN = frozenset(
    {
        *("connection", "content-length", "expect", "host", "keep-alive", "te", "trailer"),
        *("transfer-encoding", "upgrade", "cookie", "x-amzn-trace-id"),
        *("x-forwarded-for", "x-forwarded-port", "x-forwarded-proto"),
    }
)


def _allows_name(value: str) -> bool:
    return _NAMES.fullmatch(value) is not None and value.lower() not in _TAKEN


def _allows_value(value: str) -> bool:
    return _VALUES.fullmatch(value) is not None


_FLOWS: Table = {"tcp.idle_timeout.seconds": number("350", 60, 6000)}
_PLAIN: Table = {
    SERVER: flag("true"),
    **{key: Attribute("", _allows_value, "is not a valid header value") for key in ANSWERED},
}
_SECURE: Table = {
    **{
        key: Attribute(name, _allows_name, "is not a valid header name")
        for key, name in TOLD.items()
    },
    **_PLAIN,
}
_TABLES: Mapping[str, Table] = {"TCP": _FLOWS, "HTTP": _PLAIN, "HTTPS": _SECURE}


def describe_listener_attributes(view: View, call: Call, request: Members) -> Members:
    """All attributes that listeners of the protocol have."""
    listener = references.listener(view, call, request["ListenerArn"])
    return {"Attributes": attributes.show(_table(listener), listener.attributes)}


def modify_listener_attributes(tx: Transaction, call: Call, request: Members) -> Members:
    """Set some attributes; the others stay. An empty value is the default again."""
    listener = references.listener(tx, call, request["ListenerArn"])
    table = _table(listener)
    stored = attributes.changed("Listener", table, listener.attributes, request["Attributes"])
    stored = {key: value for key, value in stored.items() if value}
    names = told_as(stored).values()
    if len(set(names)) < len(names):
        raise errors.validation("Header names must be unique")
    tx.put(LISTENERS, replace(listener, attributes=stored))
    return {"Attributes": attributes.show(table, stored)}


OPERATIONS: dict[str, Operation] = {
    "DescribeListenerAttributes": Reads(describe_listener_attributes),
    "ModifyListenerAttributes": Writes(modify_listener_attributes),
}


def _table(listener: Listener) -> Table:
    return _TABLES.get(listener.protocol, {})
