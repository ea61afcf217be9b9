"""What a request names."""

from __future__ import annotations

from openecs.api.base import Call, Members
from openecs.api.iam import errors
from openecs.model.certificates import ServerCertificate
from openecs.store.base import View
from openecs.store.iam import iam_scope
from openecs.store.kinds import SERVER_CERTIFICATES


def server_certificate(view: View, call: Call, request: Members) -> ServerCertificate:
    """The server certificate that the request names. Raises ``NoSuchEntity``."""
    name = request["ServerCertificateName"]
    found = view.get(SERVER_CERTIFICATES, iam_scope(call.scope.account), name)
    if found is None:
        raise errors.no_such_server_certificate(name)
    return found
