"""How the owner of a domain is asked, as DescribeCertificate shows it.

The authority is the installation's own, so nobody has to be asked: every domain is valid at once.
What would prove it at AWS is shown nevertheless, as tools go by it (Terraform makes the CNAME
records). AWS Certificate Manager User Guide, "DNS validation", "Email validation".
"""

from __future__ import annotations

from collections.abc import Sequence
from hashlib import sha256

from openecs.api.base import Members, ServiceError
from openecs.model.certificates import Certificate

_MAILBOXES = ("administrator", "hostmaster", "postmaster", "webmaster", "admin")


def parse(options: Sequence[Members] | None, names: Sequence[str]) -> dict[str, str]:
    """Names to the domain whose owner is asked: the name itself or one above it.

    Raises ``InvalidDomainValidationOptionsException``.
    """
    given = {one["DomainName"]: one["ValidationDomain"] for one in options or ()}
    for name, domain in given.items():
        bare = _bare(name)
        if name not in names or (bare != domain and not bare.endswith(f".{domain}")):
            raise ServiceError(
                "InvalidDomainValidationOptionsException",
                f"The validation domain {domain} is not a superdomain of {name}, or {name} is "
                "not in the request.",
            )
    return given


def show(certificate: Certificate) -> list[Members]:
    """An entry for each name."""
    return [_show(certificate, name) for name in certificate.facts.names]


def _show(certificate: Certificate, name: str) -> Members:
    domain = certificate.validation_domains.get(name, name)
    entry = {
        "DomainName": name,
        "ValidationDomain": domain,
        "ValidationStatus": "SUCCESS",
        "ValidationMethod": certificate.validation_method,
    }
    if certificate.validation_method == "DNS":
        return {**entry, "ResourceRecord": _record(certificate.scope.account, _bare(name))}
    return {**entry, "ValidationEmails": [f"{box}@{_bare(domain)}" for box in _MAILBOXES]}


def _record(account: str, domain: str) -> Members:
    """The record that shows for ever that the account may have certificates of a domain.

    It is the same for a domain and its wildcard, as at AWS.
    """
    digest = sha256(f"{account}/{domain}".encode()).hexdigest()
    zone = "".join(chr(ord("a") + int(digit, 16)) for digit in digest[22:32])
    return {
        "Name": f"_{digest[:32]}.{domain}.",
        "Type": "CNAME",
        "Value": f"_{digest[32:]}.{zone}.acm-validations.aws.",
    }


def _bare(name: str) -> str:
    return name.removeprefix("*.")
