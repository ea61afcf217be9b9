"""Resource policies of secrets, and what is asked of them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from functools import lru_cache

from openecs.api.access import resource_tags
from openecs.api.base import Asked, Call, Members, Operation, Reads, ServiceError, Writes
from openecs.api.secretsmanager import errors, references
from openecs.decide.access.documents import Malformed, resource_policy
from openecs.model.identity import Scope
from openecs.model.policies import Effect, Policy
from openecs.model.secrets import SERVICE
from openecs.store.base import Transaction, View
from openecs.store.secrets import SECRETS

_LONGEST = 20_480
_BROAD = "You can't attach a resource policy that grants broad access to the secret."

_read = lru_cache(maxsize=256)(resource_policy)


def put_resource_policy(tx: Transaction, call: Call, request: Members) -> Members:
    """Attach a policy to a secret, in place of the one it has."""
    secret = references.usable(tx, call, request["SecretId"])
    document = request["ResourcePolicy"]
    policy = _checked(document)
    if request.get("BlockPublicPolicy") and _is_broad(policy):
        raise ServiceError("PublicPolicyException", _BROAD)
    tx.put(SECRETS, replace(secret, policy=document))
    return {"ARN": secret.arn, "Name": secret.name}


def get_resource_policy(view: View, call: Call, request: Members) -> Members:
    """The policy of a secret, as it was given."""
    secret = references.usable(view, call, request["SecretId"])
    return {"ARN": secret.arn, "Name": secret.name, "ResourcePolicy": secret.policy}


def delete_resource_policy(tx: Transaction, call: Call, request: Members) -> Members:
    """Take the policy away."""
    secret = references.usable(tx, call, request["SecretId"])
    tx.put(SECRETS, replace(secret, policy=None))
    return {"ARN": secret.arn, "Name": secret.name}


def validate_resource_policy(view: View, call: Call, request: Members) -> Members:
    """What is wrong with a policy, if anything is."""
    if request.get("SecretId"):
        references.usable(view, call, request["SecretId"])
    policy = _checked(request["ResourcePolicy"])
    found = [{"CheckName": "PUBLIC_POLICY", "ErrorMessage": _BROAD}] if _is_broad(policy) else []
    return {"PolicyValidationPassed": not found, "ValidationErrors": found}


OPERATIONS: dict[str, Operation] = {
    "PutResourcePolicy": Writes(put_resource_policy),
    "GetResourcePolicy": Reads(get_resource_policy),
    "DeleteResourcePolicy": Writes(delete_resource_policy),
    "ValidateResourcePolicy": Reads(validate_resource_policy),
}


def asked(
    view: View,
    scope: Scope,
    operation: str,
    secret_id: str,
    told: Mapping[str, tuple[str, ...]] | None = None,
) -> Asked:
    """An action on the secret of that name or ARN, its own policy included."""
    secret = references.find(view, scope, secret_id)
    context = {"secretsmanager:secretid": (secret.arn if secret else secret_id,), **(told or {})}
    if secret is None:
        arn = secret_id if secret_id.startswith("arn:") else future_arn(scope, secret_id)
        return Asked(action=f"{SERVICE}:{operation}", resource=arn, context=context)
    context |= {
        "secretsmanager:secretprimaryregion": (secret.scope.region,),
        **resource_tags(secret.tags, SERVICE),
    }
    return Asked(
        action=f"{SERVICE}:{operation}",
        resource=secret.arn,
        context=context,
        policy=_read(secret.policy) if secret.policy else None,
    )


def future_arn(scope: Scope, name: str) -> str:
    """The ARN of a secret that is not there: what its last characters were to be is not known."""
    return scope.arn(SERVICE, f"secret:{name}-??????")


def _checked(document: str) -> Policy:
    if len(document) > _LONGEST:
        raise errors.invalid_parameter(f"A policy can have at most {_LONGEST} characters.")
    try:
        return _read(document)
    except Malformed as flaw:
        message = f"This resource policy contains a syntax error. {flaw}"
        raise errors.malformed_policy(message) from flaw


def _is_broad(policy: Policy) -> bool:
    return any(
        statement.effect is Effect.ALLOW
        and not statement.conditions
        and statement.principals is not None
        and (statement.principals.negated or ("AWS", "*") in statement.principals.named)
        for statement in policy.statements
    )
