"""The managed policy that an ARN names: the account's own, or AWS's."""

from __future__ import annotations

from dataclasses import dataclass

from openecs.api.base import Call
from openecs.api.iam import errors
from openecs.decide.access.aws_policies import AWS_POLICIES
from openecs.model.iam import ManagedPolicy
from openecs.model.identity import parse_arn
from openecs.store.base import View
from openecs.store.iam import POLICIES, iam_scope, name_key


@dataclass(frozen=True, slots=True)
class Named:
    """What an ARN says of a policy."""

    arn: str
    path: str
    name: str


def named(arn: str) -> Named:
    """The path and the name in the ARN of a policy."""
    path, _, name = arn.partition(":policy")[2].rpartition("/")
    return Named(arn, f"{path}/", name)


def lookup(view: View, account: str, arn: str) -> ManagedPolicy | None:
    """The policy, or None."""
    if arn in AWS_POLICIES:
        return AWS_POLICIES[arn]
    found = view.get(POLICIES, iam_scope(account), name_key(named(arn).name))
    return found if found is not None and found.arn == arn else None


def find(view: View, call: Call, arn: str) -> ManagedPolicy:
    """The policy. Raises ``NoSuchEntity`` and ``ValidationError``."""
    parsed = parse_arn(arn)
    if parsed is None or parsed.service != "iam":
        raise errors.validation(f"ARN {arn} is not valid.")
    found = lookup(view, call.scope.account, arn)
    if found is None:
        raise errors.missing(f"Policy {arn} was not found.")
    return found


def attachable(view: View, call: Call, arn: str) -> ManagedPolicy:
    """The policy, to be attached. Raises ``NoSuchEntity``."""
    found = lookup(view, call.scope.account, arn)
    if found is None:
        raise errors.missing(f"Policy {arn} does not exist or is not attachable.")
    return found


def own(view: View, call: Call, arn: str) -> ManagedPolicy:
    """The policy, to be changed. Raises ``NoSuchEntity``, and ``AccessDenied`` for AWS's own."""
    found = find(view, call, arn)
    if found.scope != iam_scope(call.scope.account):
        raise errors.access_denied(
            f"User: {call.caller.arn} is not authorized to change the AWS managed policy {arn}"
        )
    return found
