"""``GET /metrics``: what Prometheus scrapes.

Prometheus does not sign its requests: an access key is its user and password (HTTP's Basic
authentication, RFC 7617), and the key's user needs ``cloudwatch:GetMetricData``.
"""

from __future__ import annotations

import binascii
import hmac
from base64 import b64decode
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta

from openecs.api.base import Asked, Caller
from openecs.api.iam import judging, principals
from openecs.gateway import exposition
from openecs.gateway.authorization import is_root
from openecs.gateway.credentials import AccessKey, Credentials
from openecs.gateway.exchange import Reply, Request
from openecs.model.identity import Scope
from openecs.model.metrics import Datapoint, Metric, Statistics, merged
from openecs.store.base import Store, View
from openecs.store.kinds import CLUSTERS, LOAD_BALANCERS
from openecs.store.metrics import MetricFilter, MetricStore, Span

_ASKED = Asked(action="cloudwatch:GetMetricData")
_MINUTE = timedelta(minutes=1)
#: A metric that nobody told for so long is not told any more.
_FRESH = 5 * _MINUTE


class Scraping:
    """Tells the newest whole minute of the caller's metrics, in all regions that have something."""

    def __init__(
        self,
        *,
        store: Store,
        metrics: MetricStore,
        credentials: Credentials,
        clock: Callable[[], datetime],
    ) -> None:
        self._store = store
        self._metrics = metrics
        self._credentials = credentials
        self._clock = clock

    async def __call__(self, request: Request) -> Reply:
        """Answer a scrape: 401 without a key that is good, 403 where its user may not."""
        key = await self._key(request)
        if key is None:
            return _refusal(401, "An access key id and its secret are needed as user and password.")
        caller = Caller(
            arn=key.arn, user_id=key.user_id, account=key.account, access_key_id=key.access_key_id
        )
        refused = await self._store.read(lambda view: self._refusal(view, caller))
        if refused is not None:
            return _refusal(403, refused)
        scopes = await self._store.read(lambda view: _scopes(view, key.account))
        told = [each for scope in scopes for each in await self._told(scope)]
        headers = {"Content-Type": exposition.CONTENT_TYPE}
        return Reply(status=200, headers=headers, body=exposition.text(told))

    async def _key(self, request: Request) -> AccessKey | None:
        given = _given(request.headers.get("authorization", ""))
        if given is None:
            return None
        name, secret = given
        key = await self._credentials.find(name)
        # Temporary keys come with a token, which this scheme has no place for.
        if key is None or not key.active or key.session_token is not None:
            return None
        return key if hmac.compare_digest(key.secret.encode(), secret.encode()) else None

    def _refusal(self, view: View, caller: Caller) -> str | None:
        if is_root(caller):
            return None
        now = judging.circumstances(self._clock(), "")
        return judging.refusal(principals.known(view, caller), [_ASKED], now)

    async def _told(self, scope: Scope) -> list[tuple[Metric, Statistics]]:
        now = self._clock()
        end = now.replace(second=0, microsecond=0)
        start = end - _FRESH
        found = await self._metrics.metrics(MetricFilter(scope=scope, active_since=start))
        spans = [Span(metric=each, start=start, end=end, period=60) for each in found]
        read = await self._metrics.read(spans)
        return [(m, newest) for m, p in zip(found, read, strict=True) if (newest := _newest(p))]


def _given(authorization: str) -> tuple[str, str] | None:
    scheme, _, encoded = authorization.partition(" ")
    if scheme.lower() != "basic":
        return None
    try:
        name, colon, secret = b64decode(encoded.strip(), validate=True).decode().partition(":")
    except (binascii.Error, UnicodeDecodeError):
        return None
    return (name, secret) if colon else None


def _refusal(status: int, why: str) -> Reply:
    asked = {"WWW-Authenticate": 'Basic realm="OpenECS metrics"'} if status == 401 else {}
    headers = {"Content-Type": "text/plain; charset=utf-8", **asked}
    return Reply(status=status, headers=headers, body=f"{why}\n".encode())


def _scopes(view: View, account: str) -> list[Scope]:
    """Where the account has something that is measured."""
    clusters = {each.scope for each in view.scan(CLUSTERS, None)}
    balancers = {each.scope for each in view.scan(LOAD_BALANCERS, None)}
    found = (scope for scope in clusters | balancers if scope.account == account)
    return sorted(found, key=lambda scope: scope.region)


def _newest(points: Sequence[Datapoint]) -> Statistics | None:
    """The statistics of the last minute there is, of all units together."""
    if not points:
        return None
    last = max(each.timestamp for each in points)
    return merged([each.statistics for each in points if each.timestamp == last])
