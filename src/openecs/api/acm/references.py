"""The certificate that a request names."""

from __future__ import annotations

from openecs.api.acm import errors
from openecs.api.base import Call
from openecs.model.certificates import Certificate
from openecs.model.identity import parse_arn
from openecs.store.base import View
from openecs.store.kinds import CERTIFICATES


def certificate(view: View, call: Call, arn: str) -> Certificate:
    """The certificate of an ARN.

    Raises ``InvalidArnException`` and ``ResourceNotFoundException``.
    """
    parsed = parse_arn(arn)
    kind, _, name = parsed.resource.partition("/") if parsed else ("", "", "")
    if parsed is None or parsed.service != "acm" or kind != "certificate":
        raise errors.invalid_arn(arn)
    found = view.get(CERTIFICATES, call.scope, name) if parsed.scope == call.scope else None
    if found is None:
        raise errors.not_found(arn, call.scope.account)
    return found
