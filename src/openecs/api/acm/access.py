"""What operations on certificates ask of policies.

Service Authorization Reference, "Actions, resources, and condition keys for AWS Certificate
Manager".
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from openecs.api.access import Context, request_tags, resource_tags
from openecs.api.base import Access, Asked, Call, Members
from openecs.model.identity import parse_arn
from openecs.store.base import View
from openecs.store.kinds import CERTIFICATES

#: Operations on one certificate, and the member that names it.
_ON_CERTIFICATES = {
    "AddTagsToCertificate": "CertificateArn",
    "DeleteCertificate": "CertificateArn",
    "DescribeCertificate": "CertificateArn",
    "ExportCertificate": "CertificateArn",
    "GetCertificate": "CertificateArn",
    "ImportCertificate": "CertificateArn",
    "ListTagsForCertificate": "CertificateArn",
    "ListTagsForResource": "ResourceArn",
    "RemoveTagsFromCertificate": "CertificateArn",
    "RenewCertificate": "CertificateArn",
    "TagResource": "ResourceArn",
    "UntagResource": "ResourceArn",
    "UpdateCertificateOptions": "CertificateArn",
}


def _on_certificate(operation: str, member: str) -> Access:
    def asks(view: View, call: Call, request: Members) -> Iterator[Asked]:
        # What is imported anew has no name yet.
        arn = request.get(member) or call.scope.arn("acm", "certificate/*")
        context = {**_request_tags(request), **_tags(view, call, arn)}
        yield Asked(action=f"acm:{operation}", resource=arn, context=context)

    return asks


def _request(_: View, __: Call, request: Members) -> Iterator[Asked]:
    names = [request.get("DomainName"), *(request.get("SubjectAlternativeNames") or ())]
    context = {
        **_request_tags(request),
        "acm:domainnames": tuple(name.lower() for name in names if name),
    }
    for key, member in (
        ("acm:validationmethod", "ValidationMethod"),
        ("acm:keyalgorithm", "KeyAlgorithm"),
    ):
        if request.get(member):
            context[key] = (request[member],)
    yield Asked(action="acm:RequestCertificate", resource="*", context=context)


ACCESS: Mapping[str, Access] = {
    **{name: _on_certificate(name, member) for name, member in _ON_CERTIFICATES.items()},
    "RequestCertificate": _request,
}


def _request_tags(request: Members) -> Context:
    tags = request.get("Tags") or ()
    context = dict(request_tags((tag.get("Key", ""), tag.get("Value") or "") for tag in tags))
    if keys := request.get("TagKeys"):
        context["aws:tagkeys"] = tuple(keys)
    return context


def _tags(view: View, call: Call, arn: str) -> Context:
    parsed = parse_arn(arn)
    if parsed is None or parsed.scope != call.scope:
        return {}
    found = view.get(CERTIFICATES, call.scope, parsed.resource.removeprefix("certificate/"))
    return resource_tags(found.tags) if found else {}
