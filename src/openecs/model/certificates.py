"""Certificates for listeners: AWS Certificate Manager's and IAM's server certificates.

Both hold what a TLS server shows and proves. Whether one is expired is a matter of the time, and
who uses one is found where it is used: neither is stored.
AWS Certificate Manager API Reference, ``CertificateDetail``; IAM API Reference,
``ServerCertificateMetadata``.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Protocol

from openecs.model.identity import Scope


class CertificateType(StrEnum):
    """Where an ACM certificate comes from."""

    IMPORTED = "IMPORTED"
    AMAZON_ISSUED = "AMAZON_ISSUED"


class CertificateStatus(StrEnum):
    """How an ACM certificate is, of those that can be here: all are issued at once."""

    ISSUED = "ISSUED"
    EXPIRED = "EXPIRED"


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyPair:
    """What a TLS server needs, as PEM texts."""

    #: The server's own certificate alone.
    certificate: str
    #: Not encrypted.
    private_key: str = field(repr=False)
    #: The certificates between the server's and a root, in that order; the root may be last.
    chain: str | None = None


class AuthorityUnavailable(Exception):
    """The authority's own key cannot be read or kept; the text says where and why."""


class Authority(Protocol):
    """Who issues certificates. All that needs chance is here: keys, serial numbers, salt."""

    def issue(self, names: Sequence[str], key_algorithm: str, now: datetime) -> KeyPair:
        """A certificate of these DNS names with a new key; the authority's own is the chain.

        ``key_algorithm`` is ``RSA_2048``, ``EC_prime256v1`` or ``EC_secp384r1``. Raises
        ``AuthorityUnavailable``.
        """
        ...

    def encrypt(self, private_key: str, passphrase: bytes) -> str:
        """A private key of PEM text as PKCS #8 PEM text that only the passphrase opens."""
        ...


class NoAuthority:
    """The authority of what is given none: it issues nothing."""

    def issue(self, names: Sequence[str], key_algorithm: str, now: datetime) -> KeyPair:
        """Raise ``RuntimeError``."""
        raise RuntimeError(f"there is no authority to issue {key_algorithm} {names} at {now}")

    def encrypt(self, private_key: str, passphrase: bytes) -> str:
        """Raise ``RuntimeError``."""
        del private_key, passphrase
        raise RuntimeError("there is no authority to encrypt a key")


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """What a certificate says of itself, read from it when it came."""

    subject: str
    issuer: str
    #: Pairs of hexadecimal digits with colons between.
    serial: str
    #: Whom it is for: its common name first, then its alternative names.
    names: tuple[str, ...]
    not_before: datetime
    not_after: datetime
    #: ``RSA_2048``, ``EC_prime256v1``.
    key_algorithm: str
    #: ``SHA256WITHRSA``.
    signature_algorithm: str
    #: ``DIGITAL_SIGNATURE``.
    key_usages: tuple[str, ...] = ()
    #: Object identifiers: ``1.3.6.1.5.5.7.3.1``.
    extended_key_usages: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Certificate:
    """A certificate of ACM: imported, or issued by this installation's own authority."""

    scope: Scope
    #: A UUID.
    id: str
    type: CertificateType
    key_pair: KeyPair
    facts: Facts
    created_at: datetime
    #: Of an issued one, when it was issued the first time.
    issued_at: datetime | None = None
    #: Of an imported one, when it was imported last.
    imported_at: datetime | None = None
    #: Of an issued one, when it was renewed last.
    renewed_at: datetime | None = None
    #: ``DNS``, ``EMAIL`` or ``HTTP``, as asked for.
    validation_method: str | None = None
    #: Domain names to the domain whose owner would be asked by mail, where one was named.
    validation_domains: dict[str, str] = field(default_factory=dict)
    #: ``ENABLED`` or ``DISABLED``.
    transparency_logging: str = "ENABLED"
    #: Whether its key may be exported: ``ENABLED`` or ``DISABLED``.
    export: str = "DISABLED"
    #: Whether its key has been exported.
    exported: bool = False
    idempotency_token: str | None = None
    tags: dict[str, str] = field(default_factory=dict)

    @property
    def domain_name(self) -> str:
        """The first name."""
        return self.facts.names[0] if self.facts.names else ""

    @property
    def arn(self) -> str:
        """``arn:aws:acm:R:A:certificate/UUID``."""
        return self.scope.arn("acm", f"certificate/{self.id}")


@dataclass(frozen=True, slots=True, kw_only=True)
class CertificateAccount:
    """What ACM is told for a whole account in a region."""

    scope: Scope
    #: How many days before their end there is word of certificates that run out.
    days_before_expiry: int = 45


@dataclass(frozen=True, slots=True, kw_only=True)
class ServerCertificate:
    """A certificate uploaded to IAM; ``name`` is its key. IAM has no regions: its scope has none.

    IAM User Guide, "Manage server certificates in IAM".
    """

    scope: Scope
    name: str
    #: ``ASCA`` and 17 letters and digits.
    id: str
    #: ``/``, ``/division/``; ``/cloudfront/...`` for CloudFront.
    path: str = "/"
    key_pair: KeyPair
    facts: Facts
    uploaded_at: datetime
    tags: dict[str, str] = field(default_factory=dict)

    @property
    def arn(self) -> str:
        """``arn:aws:iam::A:server-certificate/PATH/NAME``."""
        return self.scope.arn("iam", f"server-certificate{self.path}{self.name}")
