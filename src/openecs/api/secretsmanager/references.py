"""The secret that a request names: by its name, its ARN, or its ARN without the last characters."""

from __future__ import annotations

from openecs.api.base import Call
from openecs.api.secretsmanager import errors
from openecs.model.identity import Scope, parse_arn
from openecs.model.secrets import SERVICE, Secret
from openecs.store.base import View
from openecs.store.secrets import SECRETS

#: A hyphen and six characters.
_TAIL = 7


def find(view: View, scope: Scope, secret_id: str) -> Secret | None:
    """The secret, deleted or not; one of another account by its ARN."""
    if not secret_id.startswith("arn:"):
        return view.get(SECRETS, scope, secret_id)
    arn = parse_arn(secret_id)
    if arn is None or arn.service != SERVICE or arn.region != scope.region:
        return None
    name = arn.resource.removeprefix("secret:")
    whole = view.get(SECRETS, arn.scope, name[:-_TAIL])
    if whole is not None and whole.arn == secret_id:
        return whole
    return view.get(SECRETS, arn.scope, name)


def secret(view: View, call: Call, secret_id: str) -> Secret:
    """The secret, deleted or not. Raises ``ResourceNotFoundException``."""
    found = find(view, call.scope, secret_id)
    if found is None:
        raise errors.not_found()
    return found


def usable(view: View, call: Call, secret_id: str) -> Secret:
    """The secret, which is not deleted."""
    found = secret(view, call, secret_id)
    if found.deleted_at is not None:
        raise errors.marked_for_deletion()
    return found
