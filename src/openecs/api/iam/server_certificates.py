"""Server certificates: uploaded, shown, renamed, deleted.

IAM has no regions: every region's listeners find them. IAM User Guide, "Manage server certificates
in IAM".
"""

from __future__ import annotations

from dataclasses import replace

from openecs.api.base import Call, Members, Operation, Reads, Writes
from openecs.api.iam import errors, names, paging, references, tags
from openecs.decide.certificates import x509
from openecs.decide.certificates.x509 import Flawed, Usable
from openecs.model.certificates import ServerCertificate
from openecs.store import certificates
from openecs.store.base import Transaction, View
from openecs.store.iam import iam_scope
from openecs.store.kinds import SERVER_CERTIFICATES


def upload_server_certificate(tx: Transaction, call: Call, request: Members) -> Members:
    """Keep a certificate with its key and, where one is given, its chain."""
    scope, name = iam_scope(call.scope.account), request["ServerCertificateName"]
    given = tags.parse(request.get("Tags"), "ServerCertificate")
    found = _examined(request, call)
    if tx.get(SERVER_CERTIFICATES, scope, name) is not None:
        raise errors.server_certificate_exists(name)
    made = ServerCertificate(
        scope=scope,
        name=name,
        id=names.unique_id(call.ids, names.SERVER_CERTIFICATE),
        path=request.get("Path") or "/",
        key_pair=found.key_pair,
        facts=found.facts,
        uploaded_at=call.now,
        tags=given,
    )
    tx.put(SERVER_CERTIFICATES, made)
    return {"ServerCertificateMetadata": _metadata(made), "Tags": tags.show(given) or None}


def get_server_certificate(view: View, call: Call, request: Members) -> Members:
    """The certificate and its chain; the key leaves IAM never."""
    found = references.server_certificate(view, call, request)
    shown = {
        "ServerCertificateMetadata": _metadata(found),
        # IAM gives them without the last line's end, and Terraform sees a change in one with it.
        "CertificateBody": found.key_pair.certificate.strip(),
        "CertificateChain": (found.key_pair.chain or "").strip() or None,
        "Tags": tags.show(found.tags) or None,
    }
    return {"ServerCertificate": shown}


def list_server_certificates(view: View, call: Call, request: Members) -> Members:
    """Those whose path starts with ``PathPrefix``, by name, page by page."""
    prefix = request.get("PathPrefix") or "/"
    found = view.scan(SERVER_CERTIFICATES, iam_scope(call.scope.account))
    kept = (one for one in found if one.path.startswith(prefix))
    shown, more = paging.page(kept, lambda one: one.name, request)
    return {"ServerCertificateMetadataList": [_metadata(one) for one in shown], **more}


def update_server_certificate(tx: Transaction, call: Call, request: Members) -> Members:
    """Give it another name or path, and so another ARN; the listeners that use it go on with it."""
    found = references.server_certificate(tx, call, request)
    name = request.get("NewServerCertificateName") or found.name
    if name != found.name and tx.get(SERVER_CERTIFICATES, found.scope, name) is not None:
        raise errors.server_certificate_exists(name)
    tx.delete(SERVER_CERTIFICATES, found.scope, found.name)
    changed = replace(found, name=name, path=request.get("NewPath") or found.path)
    tx.put(SERVER_CERTIFICATES, changed)
    certificates.rename(tx, found.arn, changed.arn)
    return {}


def delete_server_certificate(tx: Transaction, call: Call, request: Members) -> Members:
    """Delete one that no listener uses."""
    found = references.server_certificate(tx, call, request)
    if users := certificates.users(tx, None).get(found.arn):
        raise errors.server_certificate_in_use(found.id, users[0])
    tx.delete(SERVER_CERTIFICATES, found.scope, found.name)
    return {}


OPERATIONS: dict[str, Operation] = {
    "UploadServerCertificate": Writes(upload_server_certificate),
    "GetServerCertificate": Reads(get_server_certificate),
    "ListServerCertificates": Reads(list_server_certificates),
    "UpdateServerCertificate": Writes(update_server_certificate),
    "DeleteServerCertificate": Writes(delete_server_certificate),
    **tags.Tagged(
        word="ServerCertificate", kind=SERVER_CERTIFICATES, find=references.server_certificate
    ).operations(),
}


def _examined(request: Members, call: Call) -> Usable:
    """IAM, unlike ACM, takes a certificate of another's signing without its chain."""
    found = x509.examine(
        request["CertificateBody"],
        request["PrivateKey"],
        request.get("CertificateChain"),
        call.now,
        needs_chain=False,
    )
    if isinstance(found, Flawed):
        raise errors.flawed(found)
    return found


def _metadata(certificate: ServerCertificate) -> Members:
    return {
        "Path": certificate.path,
        "ServerCertificateName": certificate.name,
        "ServerCertificateId": certificate.id,
        "Arn": certificate.arn,
        "UploadDate": certificate.uploaded_at,
        "Expiration": certificate.facts.not_after,
    }
