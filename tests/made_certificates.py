"""Certificates for tests, good ones and bad ones, as PEM texts."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
)
from cryptography.x509.oid import NameOID

DAY = timedelta(days=1)


@dataclass(frozen=True)
class Made:
    """A certificate and its key."""

    certificate: x509.Certificate
    key: rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey

    @property
    def pem(self) -> str:
        return self.certificate.public_bytes(Encoding.PEM).decode()

    @property
    def key_pem(self) -> str:
        return self._key(NoEncryption())

    @property
    def locked_key_pem(self) -> str:
        return self._key(BestAvailableEncryption(b"secret"))

    def _key(self, encryption) -> str:
        return self.key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, encryption).decode()


def revoking(by: Made, *certificates: Made, start=None) -> bytes:
    """A list of certificates that their authority has revoked, as PEM."""
    start = start or datetime.now(UTC) - DAY
    builder = x509.CertificateRevocationListBuilder().issuer_name(by.certificate.subject)
    builder = builder.last_update(start).next_update(start + 30 * DAY)
    for each in certificates:
        entry = x509.RevokedCertificateBuilder().serial_number(each.certificate.serial_number)
        builder = builder.add_revoked_certificate(entry.revocation_date(start).build())
    return builder.sign(by.key, SHA256()).public_bytes(Encoding.PEM)


def elliptic(curve=ec.SECP256R1):
    return ec.generate_private_key(curve())


def rsa_key(bits: int = 2048):
    return rsa.generate_private_key(public_exponent=65537, key_size=bits)


def make(
    name="a.test", *, by: Made | None = None, key=None, start=None, days=90, names=(), ca=False
) -> Made:
    """A certificate, signed by another's key or by its own; ``ca``: of an authority."""
    key = key or elliptic()
    start = start or datetime.now(UTC) - DAY
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(by.certificate.subject if by else subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(start)
        .not_valid_after(start + timedelta(days=days))
    )
    if names:
        alternatives = x509.SubjectAlternativeName([x509.DNSName(each) for each in names])
        builder = builder.add_extension(alternatives, critical=False)
    if ca:
        constraints = x509.BasicConstraints(ca=True, path_length=None)
        builder = builder.add_extension(constraints, critical=True)
    return Made(builder.sign(by.key if by else key, SHA256()), key)
