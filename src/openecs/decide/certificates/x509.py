"""Reading X.509 certificates and keys: PEM texts in, what they say or what is wrong with them out.

Rules: AWS Certificate Manager User Guide, "Prerequisites for importing ACM certificates" and
"Certificate and key format for importing"; IAM's server certificates have the same.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import Enum, auto
from itertools import pairwise

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.asymmetric.types import (
    CertificatePublicKeyTypes,
    PrivateKeyTypes,
)
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
)
from cryptography.x509.oid import NameOID

from openecs.model.certificates import Facts, KeyPair

_RSA_BITS = frozenset({1024, 2048, 3072, 4096})
_CURVES = {
    "secp256r1": "EC_prime256v1",
    "secp384r1": "EC_secp384r1",
    "secp521r1": "EC_secp521r1",
}
_KEY_USAGES = (
    ("digital_signature", "DIGITAL_SIGNATURE"),
    ("content_commitment", "NON_REPUDIATION"),
    ("key_encipherment", "KEY_ENCIPHERMENT"),
    ("data_encipherment", "DATA_ENCIPHERMENT"),
    ("key_agreement", "KEY_AGREEMENT"),
    ("key_cert_sign", "CERTIFICATE_SIGNING"),
    ("crl_sign", "CRL_SIGNING"),
)
#: Object identifiers of signatures start so: RFC 8017, RFC 5758.
_SIGNATURES = {"1.2.840.113549.1.1.": "RSA", "1.2.840.10045.4.": "ECDSA"}

_UNREADABLE = (
    ValueError,
    UnsupportedAlgorithm,
    x509.DuplicateExtension,
    x509.InvalidVersion,
    x509.UnsupportedGeneralNameType,
)


class Flaw(Enum):
    """What is wrong with a certificate, its key or its chain."""

    CERTIFICATE_NOT_PEM = auto()
    SEVERAL_CERTIFICATES = auto()
    KEY_NOT_PEM = auto()
    KEY_ENCRYPTED = auto()
    KEY_LENGTH = auto()
    KEY_KIND = auto()
    KEY_MISMATCH = auto()
    NOT_YET_VALID = auto()
    EXPIRED = auto()
    CHAIN_NOT_PEM = auto()
    #: No chain, and nobody can check the certificate without one.
    CHAIN_MISSING = auto()
    #: The first certificate of the chain did not sign the server's.
    CHAIN_OF_ANOTHER = auto()
    #: One certificate of the chain did not sign that before it.
    CHAIN_BROKEN = auto()


@dataclass(frozen=True, slots=True, kw_only=True)
class Flawed:
    """Why something cannot be used; ``index`` is a place in the chain, from 0."""

    flaw: Flaw
    index: int = -1


@dataclass(frozen=True, slots=True, kw_only=True)
class Usable:
    """A certificate with its key and chain, written anew, and what it says."""

    key_pair: KeyPair
    facts: Facts


def examine(
    certificate: str,
    private_key: str,
    chain: str | None,
    now: datetime,
    *,
    needs_chain: bool = True,
) -> Usable | Flawed:
    """Whether a server can use these.

    ``needs_chain``: a certificate that did not sign itself is refused without a chain.
    """
    found = _certificates(certificate)
    if len(found) != 1:
        return Flawed(flaw=Flaw.SEVERAL_CERTIFICATES if found else Flaw.CERTIFICATE_NOT_PEM)
    key = _private_key(private_key)
    if isinstance(key, Flaw):
        return Flawed(flaw=key)
    try:
        return _examine(found[0], key, chain, now, needs_chain=needs_chain)
    # What is wrong inside a certificate shows when that part of it is read.
    except _UNREADABLE:
        return Flawed(flaw=Flaw.CERTIFICATE_NOT_PEM)


def facts(certificate: str) -> Facts:
    """What a certificate says. ``ValueError``: it is none."""
    return _facts(x509.load_pem_x509_certificate(certificate.encode()))


def _examine(
    own: x509.Certificate,
    key: PrivateKeyTypes,
    chain: str | None,
    now: datetime,
    *,
    needs_chain: bool,
) -> Usable | Flawed:
    wrong = _key_flaw(own, key) or _time_flaw(own, now)
    if wrong is not None:
        return Flawed(flaw=wrong)
    if chain is None and needs_chain and not _signed(own, own):
        return Flawed(flaw=Flaw.CHAIN_MISSING)
    links = _certificates(chain) if chain is not None else ()
    broken = _chain_flaw(own, links) if chain is not None else None
    if broken is not None:
        return broken
    pair = KeyPair(
        certificate=_pem(own),
        private_key=_key_pem(key),
        chain="".join(map(_pem, links)) or None,
    )
    return Usable(key_pair=pair, facts=_facts(own))


def _certificates(text: str) -> tuple[x509.Certificate, ...]:
    """The certificates of a PEM text; none where it is anything else."""
    try:
        return tuple(x509.load_pem_x509_certificates(text.encode()))
    except _UNREADABLE:
        return ()


def _private_key(text: str) -> PrivateKeyTypes | Flaw:
    try:
        return load_pem_private_key(text.encode(), password=None)
    except TypeError:
        return Flaw.KEY_ENCRYPTED
    except (ValueError, UnsupportedAlgorithm):
        return Flaw.KEY_NOT_PEM


def _key_flaw(own: x509.Certificate, key: PrivateKeyTypes) -> Flaw | None:
    match key:
        case rsa.RSAPrivateKey() if key.key_size not in _RSA_BITS:
            return Flaw.KEY_LENGTH
        case ec.EllipticCurvePrivateKey() if key.curve.name not in _CURVES:
            return Flaw.KEY_LENGTH
        case rsa.RSAPrivateKey() | ec.EllipticCurvePrivateKey():
            same = _key_bytes(key.public_key()) == _key_bytes(own.public_key())
            return None if same else Flaw.KEY_MISMATCH
        case _:
            return Flaw.KEY_KIND


def _key_bytes(key: CertificatePublicKeyTypes) -> bytes:
    return key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)


def _time_flaw(own: x509.Certificate, now: datetime) -> Flaw | None:
    if now < own.not_valid_before_utc:
        return Flaw.NOT_YET_VALID
    return Flaw.EXPIRED if now > own.not_valid_after_utc else None


def _chain_flaw(own: x509.Certificate, links: Sequence[x509.Certificate]) -> Flawed | None:
    if not links:
        return Flawed(flaw=Flaw.CHAIN_NOT_PEM)
    if not _signed(own, links[0]):
        return Flawed(flaw=Flaw.CHAIN_OF_ANOTHER, index=0)
    for index, (signed, signer) in enumerate(pairwise(links), start=1):
        if not _signed(signed, signer):
            return Flawed(flaw=Flaw.CHAIN_BROKEN, index=index)
    return None


def _signed(own: x509.Certificate, signer: x509.Certificate) -> bool:
    try:
        own.verify_directly_issued_by(signer)
    except (*_UNREADABLE, TypeError, InvalidSignature):
        return False
    return True


def _facts(own: x509.Certificate) -> Facts:
    return Facts(
        subject=",".join(part.rfc4514_string() for part in own.subject),
        issuer=_issuer(own.issuer),
        serial=_pairs(own.serial_number),
        names=_names(own),
        not_before=own.not_valid_before_utc,
        not_after=own.not_valid_after_utc,
        key_algorithm=_key_algorithm(own.public_key()),
        signature_algorithm=_signature_algorithm(own),
        key_usages=_key_usages(own),
        extended_key_usages=_extended_key_usages(own),
    )


def _issuer(name: x509.Name) -> str:
    """The organization, as AWS shows issuers, else the common name."""
    for kind in (NameOID.ORGANIZATION_NAME, NameOID.COMMON_NAME):
        if found := name.get_attributes_for_oid(kind):
            return str(found[0].value)
    return name.rfc4514_string()


def _pairs(number: int) -> str:
    digits = f"{number:x}"
    return bytes.fromhex(digits.zfill(len(digits) + len(digits) % 2)).hex(":")


def _names(own: x509.Certificate) -> tuple[str, ...]:
    common = [str(one.value) for one in own.subject.get_attributes_for_oid(NameOID.COMMON_NAME)]
    try:
        others = own.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except x509.ExtensionNotFound:
        return tuple(common)
    dns = others.get_values_for_type(x509.DNSName)
    addresses = map(str, others.get_values_for_type(x509.IPAddress))
    return tuple(dict.fromkeys([*common, *dns, *addresses]))


def _key_algorithm(key: CertificatePublicKeyTypes) -> str:
    match key:
        case rsa.RSAPublicKey():
            return f"RSA_{key.key_size}"
        case ec.EllipticCurvePublicKey():
            return _CURVES.get(key.curve.name, key.curve.name)
        case _:
            return type(key).__name__


def _signature_algorithm(own: x509.Certificate) -> str:
    oid = own.signature_algorithm_oid.dotted_string
    kind = next((word for start, word in _SIGNATURES.items() if oid.startswith(start)), oid)
    made_with = own.signature_hash_algorithm
    return f"{made_with.name.upper()}WITH{kind}" if made_with else kind


def _key_usages(own: x509.Certificate) -> tuple[str, ...]:
    try:
        usage = own.extensions.get_extension_for_class(x509.KeyUsage).value
    except x509.ExtensionNotFound:
        return ()
    return tuple(word for name, word in _KEY_USAGES if getattr(usage, name))


def _extended_key_usages(own: x509.Certificate) -> tuple[str, ...]:
    try:
        usages = own.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
    except x509.ExtensionNotFound:
        return ()
    return tuple(one.dotted_string for one in usages)


def _pem(own: x509.Certificate) -> str:
    return own.public_bytes(Encoding.PEM).decode()


def _key_pem(key: PrivateKeyTypes) -> str:
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()
