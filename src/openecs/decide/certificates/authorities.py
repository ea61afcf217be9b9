"""The certificates of authorities that a bundle has, one after the other as PEM texts.

User Guide for Application Load Balancers, "Configuring mutual TLS": they are of X.509 version 3;
anything may stand between them.
"""

from __future__ import annotations

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.serialization import Encoding

_UNREADABLE = (ValueError, UnsupportedAlgorithm, x509.DuplicateExtension, x509.InvalidVersion)


def authorities(bundle: bytes) -> tuple[str, ...] | None:
    """The certificates, written anew, each once; None: there are none, or one is no authority's."""
    try:
        found = x509.load_pem_x509_certificates(bundle)
        if not all(map(_is_authority, found)):
            return None
    except _UNREADABLE:
        return None
    pems = (each.public_bytes(Encoding.PEM).decode() for each in found)
    return tuple(dict.fromkeys(pems)) or None


def _is_authority(certificate: x509.Certificate) -> bool:
    try:
        constraints = certificate.extensions.get_extension_for_class(x509.BasicConstraints)
    except x509.ExtensionNotFound:
        return False
    return certificate.version is x509.Version.v3 and constraints.value.ca
