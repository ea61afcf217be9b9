"""ListSecrets, with its filters and orders. User Guide, "Find secrets in Secrets Manager"."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime

from openecs.api.base import Call, Members, Operation, Reads
from openecs.api.secretsmanager import paging, views
from openecs.model.secrets import Secret
from openecs.store.base import View
from openecs.store.secrets import SECRETS

_NEVER = datetime(1970, 1, 1, tzinfo=UTC)


def list_secrets(view: View, call: Call, request: Members) -> Members:
    """The secrets there are, without their values."""
    is_descending = request.get("SortOrder") != "asc"
    order = _ORDERS[request.get("SortBy") or "created-date"]

    def key(secret: Secret) -> str:
        return f"{order(secret)}|{secret.name}"

    items = sorted(found(view, call, request), key=key, reverse=is_descending)
    shown, token = paging.page(request, items, key, descending=is_descending)
    return {"SecretList": [views.listed(secret) for secret in shown], "NextToken": token}


def found(view: View, call: Call, request: Members) -> list[Secret]:
    """The secrets that the filters of a request keep."""
    filters = request.get("Filters") or ()
    return [
        secret
        for secret in view.scan(SECRETS, call.scope)
        if (request.get("IncludePlannedDeletion") or secret.deleted_at is None)
        and all(_matches(secret, each) for each in filters)
    ]


OPERATIONS: dict[str, Operation] = {"ListSecrets": Reads(list_secrets)}


def _at(moment: datetime | None) -> str:
    return f"{(moment or _NEVER).astimezone(UTC):%Y%m%dT%H%M%S.%f}"


_ORDERS: Mapping[str, Callable[[Secret], str]] = {
    "created-date": lambda secret: _at(secret.created_at),
    "last-accessed-date": lambda secret: _at(secret.accessed_at),
    "last-changed-date": lambda secret: _at(secret.changed_at),
    "name": lambda secret: secret.name,
}

#: What a filter looks at; ``all`` is of its own kind.
_TEXTS: Mapping[str, Callable[[Secret], Iterable[str]]] = {
    "name": lambda secret: [secret.name],
    "description": lambda secret: [secret.description or ""],
    "tag-key": lambda secret: list(secret.tags),
    "tag-value": lambda secret: list(secret.tags.values()),
    "primary-region": lambda secret: [secret.scope.region],
    "owning-service": lambda _: [],
}


def _matches(secret: Secret, filter_: Members) -> bool:
    """Any of the values will do; one with ``!`` before it must not be found."""
    key, values = filter_.get("Key") or "all", filter_.get("Values") or ()
    return any(
        _has(secret, key, v[1:]) is False if v[:1] == "!" else _has(secret, key, v) for v in values
    )


def _has(secret: Secret, key: str, value: str) -> bool:
    if key == "all":
        texts = [text.lower() for read in _TEXTS.values() for text in read(secret)]
        return all(any(word in text for text in texts) for word in value.lower().split())
    texts = list(_TEXTS[key](secret))
    if key == "description":
        return any(text.lower().startswith(value.lower()) for text in texts)
    return any(text.startswith(value) for text in texts)
