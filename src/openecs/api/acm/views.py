"""Certificates as ACM shows them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from openecs.api.acm import validation
from openecs.api.base import Members
from openecs.decide.certificates import renewal
from openecs.model.certificates import Certificate, CertificateType

#: Object identifiers of extended key usages: RFC 5280, section 4.2.1.12, and RFC 4945.
_EXTENDED_KEY_USAGES = {
    "1.3.6.1.5.5.7.3.1": "TLS_WEB_SERVER_AUTHENTICATION",
    "1.3.6.1.5.5.7.3.2": "TLS_WEB_CLIENT_AUTHENTICATION",
    "1.3.6.1.5.5.7.3.3": "CODE_SIGNING",
    "1.3.6.1.5.5.7.3.4": "EMAIL_PROTECTION",
    "1.3.6.1.5.5.7.3.5": "IPSEC_END_SYSTEM",
    "1.3.6.1.5.5.7.3.6": "IPSEC_TUNNEL",
    "1.3.6.1.5.5.7.3.7": "IPSEC_USER",
    "1.3.6.1.5.5.7.3.8": "TIME_STAMPING",
    "1.3.6.1.5.5.7.3.9": "OCSP_SIGNING",
    "2.5.29.37.0": "ANY",
}
#: More names than these are only in the certificate's own description.
_NAMES_IN_SUMMARY = 100


def extended_key_usages(certificate: Certificate) -> list[str]:
    """ACM's words for them."""
    oids = certificate.facts.extended_key_usages
    return [_EXTENDED_KEY_USAGES.get(oid, "CUSTOM") for oid in oids] or ["NONE"]


def key_pair_origin(certificate: Certificate) -> str:
    """Who made the key."""
    imported = certificate.type is CertificateType.IMPORTED
    return "CUSTOMER_PROVIDED" if imported else "AWS_MANAGED"


def detail(certificate: Certificate, users: Sequence[str], now: datetime) -> Members:
    """``CertificateDetail``."""
    facts = certificate.facts
    oids = facts.extended_key_usages
    return {
        **_common(certificate, users, now),
        **(_issued(certificate) if certificate.type is CertificateType.AMAZON_ISSUED else {}),
        "SubjectAlternativeNames": list(facts.names),
        "Serial": facts.serial,
        "Subject": facts.subject,
        "Issuer": facts.issuer,
        "SignatureAlgorithm": facts.signature_algorithm,
        "InUseBy": list(users),
        "KeyUsages": [{"Name": usage} for usage in facts.key_usages],
        "ExtendedKeyUsages": [
            {"Name": _EXTENDED_KEY_USAGES.get(oid, "CUSTOM"), "OID": oid} for oid in oids
        ],
        "Options": {
            "CertificateTransparencyLoggingPreference": certificate.transparency_logging,
            "Export": certificate.export,
        },
    }


def summary(certificate: Certificate, users: Sequence[str], now: datetime) -> Members:
    """``CertificateSummary``."""
    facts = certificate.facts
    return {
        **_common(certificate, users, now),
        "SubjectAlternativeNameSummaries": list(facts.names[:_NAMES_IN_SUMMARY]),
        "HasAdditionalSubjectAlternativeNames": len(facts.names) > _NAMES_IN_SUMMARY,
        "KeyUsages": list(facts.key_usages),
        "ExtendedKeyUsages": extended_key_usages(certificate),
        "ExportOption": certificate.export,
        "InUse": bool(users),
        "Exported": certificate.exported,
    }


def _common(certificate: Certificate, users: Sequence[str], now: datetime) -> Members:
    eligible = renewal.is_eligible(certificate, in_use=bool(users))
    return {
        "CertificateArn": certificate.arn,
        "DomainName": certificate.domain_name,
        "CreatedAt": certificate.created_at,
        "IssuedAt": certificate.issued_at,
        "ImportedAt": certificate.imported_at,
        "Status": renewal.status(certificate, now),
        "Type": certificate.type,
        "NotBefore": certificate.facts.not_before,
        "NotAfter": certificate.facts.not_after,
        "KeyAlgorithm": certificate.facts.key_algorithm,
        "RenewalEligibility": "ELIGIBLE" if eligible else "INELIGIBLE",
        "CertificateKeyPairOrigin": key_pair_origin(certificate),
    }


def _issued(certificate: Certificate) -> Members:
    options = validation.show(certificate)
    if certificate.renewed_at is None:
        return {"DomainValidationOptions": options}
    return {
        "DomainValidationOptions": options,
        "RenewalSummary": {
            "RenewalStatus": "SUCCESS",
            "DomainValidationOptions": options,
            "UpdatedAt": certificate.renewed_at,
        },
    }
