"""How an ACM certificate is, whether it can be renewed, and when it has to be."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

from openecs.model.certificates import (
    Certificate,
    CertificateStatus,
    CertificateType,
    Facts,
    KeyPair,
)

#: ACM begins with a renewal 60 days before the end: User Guide, "Managed certificate renewal".
BEFORE_EXPIRY = timedelta(days=60)


def status(certificate: Certificate, now: datetime) -> CertificateStatus:
    """Issued, until its time is over."""
    over = certificate.facts.not_after < now
    return CertificateStatus.EXPIRED if over else CertificateStatus.ISSUED


def is_eligible(certificate: Certificate, *, in_use: bool) -> bool:
    """Whether it is renewed by itself: issued here, and in use or exported."""
    issued = certificate.type is CertificateType.AMAZON_ISSUED
    return issued and (in_use or certificate.exported)


def is_due(certificate: Certificate, *, in_use: bool, now: datetime) -> bool:
    """Whether it is to be renewed now; one that ended while nobody looked is renewed too."""
    near = certificate.facts.not_after - BEFORE_EXPIRY <= now
    return near and is_eligible(certificate, in_use=in_use)


def runs_out(certificate: Certificate, *, in_use: bool, days: int, now: datetime) -> bool:
    """Whether there is to be word of it: it is in use, nobody renews it, and it ends soon."""
    near = certificate.facts.not_after - timedelta(days=days) <= now
    return near and in_use and not is_eligible(certificate, in_use=in_use)


def renewed(certificate: Certificate, pair: KeyPair, facts: Facts, now: datetime) -> Certificate:
    """The same certificate with a new key pair, so that its ARN and its users stay."""
    return replace(certificate, key_pair=pair, facts=facts, renewed_at=now)
