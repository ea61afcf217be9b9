"""Lists of certificates that their authorities have revoked: RFC 5280, section 5."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import lru_cache

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding

_PEM = re.compile(rb"-----BEGIN X509 CRL-----.*?-----END X509 CRL-----", re.DOTALL)
_UNREADABLE = (ValueError, TypeError, UnsupportedAlgorithm, x509.DuplicateExtension)


def revocation_lists(content: bytes, authorities: tuple[str, ...]) -> tuple[str, ...] | None:
    """The lists of a file, PEM texts; None: there are none, or one is no list of the authorities.

    ``content`` has lists as PEM, or one as DER. Lists of changes to another one are none.
    """
    try:
        found = [x509.load_pem_x509_crl(each) for each in _PEM.findall(content)]
        found = found or [x509.load_der_x509_crl(content)]
        if not all(any(_issuers(each, authorities)) and _is_whole(each) for each in found):
            return None
    except _UNREADABLE:
        return None
    return tuple(each.public_bytes(Encoding.PEM).decode() for each in found)


def number_of_entries(lists: tuple[str, ...]) -> int:
    """How many certificates lists revoke."""
    return sum(len(_read(each)) for each in lists)


@lru_cache(maxsize=64)
def revoked(lists: tuple[str, ...], authorities: tuple[str, ...]) -> frozenset[tuple[str, str]]:
    """The SHA-256 fingerprint of the issuer and the serial number of what is revoked.

    Both are lower-case hexadecimal digits, whole bytes.
    """
    read = [_read(each) for each in lists]
    return frozenset(
        (issuer, _digits(entry.serial_number))
        for each in read
        for issuer in _issuers(each, authorities)
        for entry in each
    )


def _read(text: str) -> x509.CertificateRevocationList:
    return x509.load_pem_x509_crl(text.encode())


def _issuers(found: x509.CertificateRevocationList, authorities: tuple[str, ...]) -> Iterator[str]:
    """Fingerprints of the authorities that have signed a list."""
    for pem in authorities:
        authority = x509.load_pem_x509_certificate(pem.encode())
        key = authority.public_key()
        # What else a certificate may have signs no lists; the types are those it takes.
        if found.issuer == authority.subject and found.is_signature_valid(key):  # type: ignore[arg-type]
            yield authority.fingerprint(SHA256()).hex()


def _is_whole(found: x509.CertificateRevocationList) -> bool:
    return not any(isinstance(each.value, x509.DeltaCRLIndicator) for each in found.extensions)


def _digits(number: int) -> str:
    return number.to_bytes(max((number.bit_length() + 7) // 8, 1)).hex()
