"""ImportCertificate and ExportCertificate: certificates that come from elsewhere, and go there.

AWS Certificate Manager User Guide, "Import certificates", "Reimport a certificate", "Export an ACM
public certificate".
"""

from __future__ import annotations

from dataclasses import replace

from openecs.api.acm import errors, references, tags
from openecs.api.base import Call, Members, Operation, Writes
from openecs.decide.certificates import x509
from openecs.decide.certificates.x509 import Flawed, Usable
from openecs.model.certificates import Certificate, CertificateType
from openecs.store.base import Transaction
from openecs.store.kinds import CERTIFICATES


def import_certificate(tx: Transaction, call: Call, request: Members) -> Members:
    """Keep a certificate made elsewhere, or put it in the place of one imported before."""
    arn = request.get("CertificateArn")
    if arn and request.get("Tags"):
        raise errors.validation("Tagging is not permitted on re-import.")
    before = references.certificate(tx, call, arn) if arn else None
    chain = request.get("CertificateChain")
    found = x509.examine(
        _text(request["Certificate"]),
        _text(request["PrivateKey"]),
        _text(chain) if chain is not None else None,
        call.now,
    )
    if isinstance(found, Flawed):
        raise errors.flawed(found)
    if before is None:
        kept = _new(call, request, found)
    else:
        _check_successor(before, found)
        kept = replace(before, key_pair=found.key_pair, facts=found.facts, imported_at=call.now)
    tx.put(CERTIFICATES, kept)
    return {"CertificateArn": kept.arn}


def export_certificate(tx: Transaction, call: Call, request: Members) -> Members:
    """The certificate, its chain and its key, encrypted, if it was requested to be exportable."""
    found = references.certificate(tx, call, request["CertificateArn"])
    if found.export != "ENABLED":
        raise errors.validation(
            f"Certificate ARN: {found.arn} is not a private certificate and was not requested to "
            "be exportable."
        )
    if not found.exported:
        tx.put(CERTIFICATES, replace(found, exported=True))
    pair = found.key_pair
    return {
        "Certificate": pair.certificate,
        "CertificateChain": pair.chain,
        "PrivateKey": call.settings.authority.encrypt(pair.private_key, request["Passphrase"]),
    }


OPERATIONS: dict[str, Operation] = {
    "ImportCertificate": Writes(import_certificate),
    "ExportCertificate": Writes(export_certificate),
}


def _text(given: bytes) -> str:
    return given.decode("utf-8", "replace")


def _new(call: Call, request: Members, found: Usable) -> Certificate:
    return Certificate(
        scope=call.scope,
        id=call.ids.uuid(),
        type=CertificateType.IMPORTED,
        key_pair=found.key_pair,
        facts=found.facts,
        created_at=call.now,
        imported_at=call.now,
        tags=tags.parse(request.get("Tags")),
    )


def _check_successor(before: Certificate, found: Usable) -> None:
    if before.type is not CertificateType.IMPORTED:
        raise errors.validation(f"Certificate {before.arn} is not an imported certificate.")
    if before.facts.key_algorithm != found.facts.key_algorithm:
        raise errors.validation(
            f"The key algorithm of the certificate cannot be changed from "
            f"{before.facts.key_algorithm} to {found.facts.key_algorithm}."
        )
