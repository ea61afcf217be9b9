"""Client tokens: a call that is repeated with its token does nothing twice.

API Reference, "Ensuring idempotency". Each operation has tokens of its own.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from openecs.api.base import Call, Members, ServiceError
from openecs.api.ecs import errors
from openecs.model.clusters import IdempotencyRecord
from openecs.store.base import Transaction, View
from openecs.store.kinds import IDEMPOTENCY

_TOKEN = re.compile(r"[!-~]+")


@dataclass(frozen=True, slots=True, kw_only=True)
class Tokens:
    """The client tokens of one operation: how long they may be, and the error for another use."""

    operation: str
    limit: int = 36
    #: From the ARNs that the token was used for.
    mismatch: Callable[[Sequence[str]], ServiceError]

    def resources(self, view: View, call: Call, request: Members) -> tuple[str, ...] | None:
        """What the call that used the same token before made; None: there was none.

        Raises ``InvalidParameterException`` for what can be no token, and ``mismatch`` where that
        call had other parameters.
        """
        token = request.get("clientToken")
        if not token:
            return None
        if len(token) > self.limit or not _TOKEN.fullmatch(token):
            raise errors.invalid_parameter(
                f"clientToken is not valid: up to {self.limit} of ASCII 33 to 126."
            )
        known = view.get(IDEMPOTENCY, call.scope, f"{self.operation}/{token}")
        if known is None:
            return None
        if known.fingerprint != _fingerprint(request):
            raise self.mismatch(known.resources)
        return known.resources

    def remember(
        self, tx: Transaction, call: Call, request: Members, resources: Sequence[str]
    ) -> None:
        """Note what a call made, if it has a token."""
        token = request.get("clientToken")
        if not token:
            return
        record = IdempotencyRecord(
            scope=call.scope,
            token=f"{self.operation}/{token}",
            fingerprint=_fingerprint(request),
            resources=tuple(resources),
            created_at=call.now,
        )
        tx.put(IDEMPOTENCY, record)


def used_otherwise(_: Sequence[str]) -> ServiceError:
    """The token was used with other parameters, and AWS does not say for what."""
    return errors.invalid_parameter("The client token was used before with other parameters.")


def _fingerprint(request: Members) -> str:
    text = json.dumps(request, default=str, sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()
