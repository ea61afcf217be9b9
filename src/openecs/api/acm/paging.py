"""Pages of ListCertificates: ``MaxItems`` and ``NextToken``.

A token says where the page before it ended, and has a digest of the request it belongs to: with
other filters it is refused.
"""

from __future__ import annotations

import binascii
import json
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Iterable, Sequence
from hashlib import sha256

from openecs.api.acm import errors
from openecs.api.base import Call, Members
from openecs.model.certificates import Certificate

_LIMIT = 1000


def page(
    found: Iterable[Certificate], call: Call, request: Members
) -> tuple[Sequence[Certificate], str | None]:
    """The certificates of the page a request asks for, and the token of the next one.

    They come in the order of their creation, or the other way round. Raises
    ``ValidationException``.
    """
    descending = request.get("SortOrder") == "DESCENDING"
    ordered = sorted(found, key=_place, reverse=descending)
    digest = _digest(call, request)
    if token := request.get("NextToken"):
        last = _last(token, digest)
        ordered = [one for one in ordered if _is_behind(_place(one), last, descending=descending)]
    shown = ordered[: request.get("MaxItems") or _LIMIT]
    if len(shown) == len(ordered):
        return shown, None
    return shown, urlsafe_b64encode(json.dumps([digest, *_place(shown[-1])]).encode()).decode()


def _place(certificate: Certificate) -> tuple[str, str]:
    return certificate.created_at.isoformat(timespec="microseconds"), certificate.id


def _is_behind(place: tuple[str, str], last: tuple[str, str], *, descending: bool) -> bool:
    return place < last if descending else place > last


def _last(token: str, digest: str) -> tuple[str, str]:
    try:
        match json.loads(urlsafe_b64decode(token.encode())):
            case [str(owner), str(created_at), str(last)] if owner == digest:
                return created_at, last
    except (binascii.Error, ValueError, RecursionError):
        pass
    raise errors.validation("The token is invalid.")


def _digest(call: Call, request: Members) -> str:
    asked = {k: v for k, v in request.items() if k not in {"NextToken", "MaxItems"}}
    where = [call.scope.account, call.scope.region, asked]
    return sha256(json.dumps(where, sort_keys=True).encode()).hexdigest()[:16]
