"""RequestCertificate, RenewCertificate, UpdateCertificateOptions: certificates issued here.

The authority is the installation's own: a certificate is issued at once, whatever the validation
method. AWS Certificate Manager API Reference, ``RequestCertificate``.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from openecs.api.acm import errors, references, tags, validation
from openecs.api.base import Call, Members, Operation, ServiceError, Writes
from openecs.decide.certificates import renewal, x509
from openecs.model.certificates import Certificate, CertificateType
from openecs.store import certificates
from openecs.store.base import Transaction, View
from openecs.store.kinds import CERTIFICATES

#: What ACM issues: API Reference, ``KeyAlgorithm`` of RequestCertificate.
_KEY_ALGORITHMS = ("RSA_2048", "EC_prime256v1", "EC_secp384r1")
_TOKEN_LIFETIME = timedelta(hours=1)


def request_certificate(tx: Transaction, call: Call, request: Members) -> Members:
    """Issue a certificate; the same token and names within an hour give the same one."""
    names = _names(request)
    _check(request)
    token = request.get("IdempotencyToken")
    known = _same_request(tx, call, token, names) if token else None
    if known is not None:
        return {"CertificateArn": known.arn}
    options = request.get("Options") or {}
    algorithm = request.get("KeyAlgorithm") or "RSA_2048"
    method = request.get("ValidationMethod") or options.get("ValidationMethod") or "EMAIL"
    domains = validation.parse(request.get("DomainValidationOptions"), names)
    given = tags.parse(request.get("Tags"))
    pair = call.settings.authority.issue(names, algorithm, call.now)
    made = Certificate(
        scope=call.scope,
        id=call.ids.uuid(),
        type=CertificateType.AMAZON_ISSUED,
        key_pair=pair,
        facts=x509.facts(pair.certificate),
        created_at=call.now,
        issued_at=call.now,
        validation_method=method,
        validation_domains=domains,
        transparency_logging=options.get("CertificateTransparencyLoggingPreference") or "ENABLED",
        export=options.get("Export") or "DISABLED",
        idempotency_token=token,
        tags=given,
    )
    tx.put(CERTIFICATES, made)
    return {"CertificateArn": made.arn}


def renew_certificate(tx: Transaction, call: Call, request: Members) -> Members:
    """Give a certificate that is in use or was exported a new key and another term."""
    found = references.certificate(tx, call, request["CertificateArn"])
    in_use = bool(certificates.users(tx, call.scope).get(found.arn))
    if not renewal.is_eligible(found, in_use=in_use):
        raise errors.validation(f"Certificate {found.arn} is not eligible for renewal.")
    facts = found.facts
    pair = call.settings.authority.issue(facts.names, facts.key_algorithm, call.now)
    facts = x509.facts(pair.certificate)
    tx.put(CERTIFICATES, renewal.renewed(found, pair, facts, call.now))
    return {}


def update_certificate_options(tx: Transaction, call: Call, request: Members) -> Members:
    """Change what may be changed once a certificate is issued: whether it is logged."""
    found = references.certificate(tx, call, request["CertificateArn"])
    if found.type is not CertificateType.AMAZON_ISSUED:
        raise errors.invalid_state(f"Certificate {found.arn} was not issued by ACM.")
    options = request["Options"]
    if options.get("Export") not in {None, found.export}:
        raise errors.invalid_state(
            "The export option cannot be changed once the certificate is issued."
        )
    method = options.get("ValidationMethod") or found.validation_method
    if method == "HTTP":
        raise _only_for_cloudfront()
    logging = options.get("CertificateTransparencyLoggingPreference") or found.transparency_logging
    changed = replace(found, transparency_logging=logging, validation_method=method)
    tx.put(CERTIFICATES, changed)
    return {}


OPERATIONS: dict[str, Operation] = {
    "RequestCertificate": Writes(request_certificate),
    "RenewCertificate": Writes(renew_certificate),
    "UpdateCertificateOptions": Writes(update_certificate_options),
}


def _names(request: Members) -> tuple[str, ...]:
    """The domain and the alternative names, each once, in lower case as ACM keeps them."""
    given = [request["DomainName"], *(request.get("SubjectAlternativeNames") or ())]
    return tuple(dict.fromkeys(name.lower() for name in given))


def _check(request: Members) -> None:
    if authority := request.get("CertificateAuthorityArn"):
        message = f"There is no certificate authority {authority}: AWS Private CA is not here."
        raise ServiceError("InvalidArnException", message)
    options = request.get("Options") or {}
    if "HTTP" in {request.get("ValidationMethod"), options.get("ValidationMethod")}:
        raise _only_for_cloudfront()
    if request.get("ManagedBy"):
        raise errors.invalid_parameter("There is no CloudFront here to manage a certificate.")
    algorithm = request.get("KeyAlgorithm")
    if algorithm and algorithm not in _KEY_ALGORITHMS:
        known = ", ".join(_KEY_ALGORITHMS)
        message = f"The key algorithm {algorithm} is not supported. Supported are {known}."
        raise errors.invalid_parameter(message)


def _only_for_cloudfront() -> ServiceError:
    return errors.invalid_parameter(
        "HTTP validation is only for certificates that CloudFront manages."
    )


def _same_request(view: View, call: Call, token: str, names: tuple[str, ...]) -> Certificate | None:
    known = view.find(CERTIFICATES, call.scope, "token", (token,))
    fresh = (one for one in known if one.created_at + _TOKEN_LIFETIME > call.now)
    return next((one for one in fresh if one.facts.names == names), None)
