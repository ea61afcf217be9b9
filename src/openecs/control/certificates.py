"""Certificates that run out: those issued here are renewed, of others there is word in the log."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial

import structlog

from openecs.decide.certificates import renewal, x509
from openecs.model.certificates import Authority, AuthorityUnavailable, Certificate
from openecs.model.certificates import CertificateAccount as Account
from openecs.store import certificates
from openecs.store.base import Conflict, Revision, Store, StoreError, Transaction, View
from openecs.store.kinds import CERTIFICATE_ACCOUNTS, CERTIFICATES

log = structlog.get_logger(__name__)

INTERVAL = timedelta(hours=1)
DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class _Seen:
    """What one look found: certificates to renew, at their revisions, and to tell of."""

    due: Sequence[tuple[Certificate, Revision | None]]
    running_out: Sequence[Certificate]


class Certificates:
    """Looks at every certificate now and then, and renews what is in use and ends soon.

    A renewed one keeps its ARN, so that the listeners that use it find the new key by themselves.
    """

    def __init__(
        self,
        *,
        store: Store,
        clock: Callable[[], datetime],
        authority: Authority,
        guard: Callable[[Transaction], None] | None = None,
    ) -> None:
        self._store = store
        self._clock = clock
        self._authority = authority
        self._guard = guard
        self._told: dict[str, datetime] = {}

    async def run(self) -> None:
        """Work until cancelled."""
        while True:
            try:
                await self.run_once()
            except (StoreError, AuthorityUnavailable) as error:
                log.warning("certificates not renewed", reason=str(error))
            await asyncio.sleep(INTERVAL.total_seconds())

    async def run_once(self) -> None:
        """One look. Raises ``AuthorityUnavailable`` and ``StoreError``."""
        now = self._clock()
        seen = await self._store.read(partial(_look, now))
        for certificate in seen.running_out:
            self._tell(certificate, now)
        for certificate, revision in seen.due:
            await self._renew(certificate, revision, now)

    def _tell(self, certificate: Certificate, now: datetime) -> None:
        """Say it once a day, as ACM's events do."""
        last = self._told.get(certificate.arn)
        if last is not None and now - last < DAY:
            return
        self._told[certificate.arn] = now
        ends = certificate.facts.not_after.isoformat()
        log.warning("certificate runs out", certificate=certificate.arn, ends=ends)

    async def _renew(
        self, certificate: Certificate, revision: Revision | None, now: datetime
    ) -> None:
        facts = certificate.facts
        # In a thread: making a key takes a while, and others wait for the loop.
        pair = await asyncio.to_thread(self._authority.issue, facts.names, facts.key_algorithm, now)
        renewed = renewal.renewed(certificate, pair, x509.facts(pair.certificate), now)
        try:
            await self._store.write(partial(self._write, renewed, revision))
        except Conflict:
            return
        log.info("certificate renewed", certificate=certificate.arn)

    def _write(self, renewed: Certificate, revision: Revision | None, tx: Transaction) -> None:
        if self._guard is not None:
            self._guard(tx)
        tx.expect(CERTIFICATES, renewed.scope, renewed.id, revision)
        tx.put(CERTIFICATES, renewed)


def _look(now: datetime, view: View) -> _Seen:
    found = view.scan(CERTIFICATES, None)
    users = certificates.users(view, None)
    in_use = {one.arn for one in found if users.get(one.arn)}
    due = [one for one in found if renewal.is_due(one, in_use=one.arn in in_use, now=now)]
    running_out = [
        one
        for one in found
        if renewal.runs_out(one, in_use=one.arn in in_use, days=_days(view, one), now=now)
    ]
    return _Seen(
        due=[(one, view.revision_of(CERTIFICATES, one.scope, one.id)) for one in due],
        running_out=running_out,
    )


def _days(view: View, certificate: Certificate) -> int:
    scope = certificate.scope
    account = view.get(CERTIFICATE_ACCOUNTS, scope, "") or Account(scope=scope)
    return account.days_before_expiry
