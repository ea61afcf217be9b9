"""The installation's own certificate authority: what RequestCertificate issues, it has signed.

Its key and certificate are one file of the data directory that only its owner reads, made when they
are first needed. Whoever trusts the certificate (``openecs ca`` prints it) trusts what it issues.
"""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    KeySerializationEncryption,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from openecs import private_files
from openecs.model.certificates import AuthorityUnavailable, KeyPair

FILE = "certificate-authority.pem"
#: 13 months, as ACM's.
TERM = timedelta(days=395)
#: Of the authority itself: nobody wants to trust another one every year.
OWN_TERM = timedelta(days=3650)

#: RFC 5280, ub-common-name.
COMMON_NAME_LIMIT = 64

_Key = rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey


@dataclass(frozen=True, slots=True)
class _Signer:
    key: ec.EllipticCurvePrivateKey
    certificate: x509.Certificate


class LocalAuthority:
    """The authority of the data directory ``directory``."""

    def __init__(self, directory: Path) -> None:
        self._path = directory / FILE
        self._signer: _Signer | None = None

    def certificate(self, now: datetime) -> str:
        """Its own certificate, to be trusted, as PEM text. Raises ``AuthorityUnavailable``."""
        return _pem(self._ensure(now).certificate)

    def issue(self, names: Sequence[str], key_algorithm: str, now: datetime) -> KeyPair:
        """See ``model.certificates.Authority``. Valid from this day on, for 395 days."""
        signer = self._ensure(now)
        key = _new_key(key_algorithm)
        certificate = _server(names, key, signer, _midnight(now))
        return KeyPair(
            certificate=_pem(certificate),
            private_key=_key_pem(key, NoEncryption()),
            chain=_pem(signer.certificate),
        )

    def encrypt(self, private_key: str, passphrase: bytes) -> str:
        """See ``model.certificates.Authority``."""
        key = load_pem_private_key(private_key.encode(), password=None)
        if not isinstance(key, _Key):
            raise TypeError(f"a {type(key).__name__} is no server's key")
        return _key_pem(key, BestAvailableEncryption(passphrase))

    def _ensure(self, now: datetime) -> _Signer:
        """Key and certificate, made and on the disk before anything is signed with them."""
        if self._signer is None:
            try:
                with private_files.alone(self._path.parent):
                    self._signer = self._read() or self._make(now)
            except OSError as error:
                raise AuthorityUnavailable(f"{self._path}: {error.strerror}") from error
        return self._signer

    def _read(self) -> _Signer | None:
        try:
            text = self._path.read_bytes()
        except FileNotFoundError:
            return None
        try:
            key = load_pem_private_key(text, password=None)
            certificate = x509.load_pem_x509_certificate(text)
        except (ValueError, TypeError) as error:
            raise AuthorityUnavailable(f"{self._path} holds no authority: {error}") from error
        if not isinstance(key, ec.EllipticCurvePrivateKey):
            raise AuthorityUnavailable(f"{self._path} holds no authority: its key is another kind")
        return _Signer(key, certificate)

    def _make(self, now: datetime) -> _Signer:
        signer = _new_authority(_midnight(now))
        private_files.write(
            self._path, _key_pem(signer.key, NoEncryption()) + _pem(signer.certificate)
        )
        return signer


def _new_authority(start: datetime) -> _Signer:
    key = ec.generate_private_key(ec.SECP256R1())
    # The digits tell apart the authorities of several installations in one list of trusted ones.
    common = f"OpenECS certificate authority {secrets.token_hex(4)}"
    name = x509.Name([x509.NameAttribute(NameOID.ORGANIZATION_NAME, "OpenECS"), *_name(common)])
    certificate = (
        _builder(key, name, name, start, start + OWN_TERM)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(_usage(signs_certificates=True), critical=True)
        .sign(key, SHA256())
    )
    return _Signer(key, certificate)


def _server(names: Sequence[str], key: _Key, signer: _Signer, start: datetime) -> x509.Certificate:
    subject = _name(names[0]) if len(names[0]) <= COMMON_NAME_LIMIT else x509.Name([])
    alternatives = x509.SubjectAlternativeName([x509.DNSName(name) for name in names])
    issuer = signer.certificate
    issuer_key = x509.AuthorityKeyIdentifier.from_issuer_public_key(signer.key.public_key())
    end = min(start + TERM - timedelta(seconds=1), issuer.not_valid_after_utc)
    return (
        _builder(key, subject, issuer.subject, start, end)
        .add_extension(alternatives, critical=not list(subject))
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(_usage(enciphers=isinstance(key, rsa.RSAPrivateKey)), critical=True)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
        .add_extension(issuer_key, critical=False)
        .sign(signer.key, SHA256())
    )


def _builder(
    key: _Key, subject: x509.Name, issuer: x509.Name, start: datetime, end: datetime
) -> x509.CertificateBuilder:
    public = key.public_key()
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(public)
        .serial_number(x509.random_serial_number())
        .not_valid_before(start)
        .not_valid_after(end)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(public), critical=False)
    )


def _usage(*, signs_certificates: bool = False, enciphers: bool = False) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not signs_certificates,
        key_encipherment=enciphers,
        key_cert_sign=signs_certificates,
        crl_sign=signs_certificates,
        content_commitment=False,
        data_encipherment=False,
        key_agreement=False,
        encipher_only=False,
        decipher_only=False,
    )


def _new_key(algorithm: str) -> _Key:
    match algorithm:
        case "RSA_2048":
            return rsa.generate_private_key(public_exponent=65537, key_size=2048)
        case "EC_prime256v1":
            return ec.generate_private_key(ec.SECP256R1())
        case "EC_secp384r1":
            return ec.generate_private_key(ec.SECP384R1())
        case _:
            raise ValueError(f"no keys of {algorithm} are made")


def _name(common_name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common_name)])


def _midnight(now: datetime) -> datetime:
    return datetime.combine(now.astimezone(UTC).date(), time(), UTC)


def _pem(certificate: x509.Certificate) -> str:
    return certificate.public_bytes(Encoding.PEM).decode()


def _key_pem(key: _Key, encryption: KeySerializationEncryption) -> str:
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, encryption).decode()
