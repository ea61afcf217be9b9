"""Policy documents, read strictly: what is not understood is refused with IAM's own words.

IAM User Guide, "Grammar of the IAM JSON policy language".
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from typing import Any

from openecs.decide.access.conditions import NULL, OPERATORS
from openecs.model.identity import parse_arn
from openecs.model.policies import (
    CURRENT_VERSION,
    Condition,
    Effect,
    Listed,
    Policy,
    Principals,
    Statement,
)

_VERSIONS = {"2008-10-17", CURRENT_VERSION}
_DOCUMENT = {"Version", "Id", "Statement"}
_STATEMENT = {
    "Sid",
    "Effect",
    "Action",
    "NotAction",
    "Resource",
    "NotResource",
    "Principal",
    "NotPrincipal",
    "Condition",
}
_SID = re.compile(r"[A-Za-z0-9]*")
_KINDS = {"AWS", "Service", "Federated", "CanonicalUser"}
_SERVICE = re.compile(r"[a-z0-9.-]+\.amazonaws\.com(\.cn)?")
_ACCOUNT = re.compile(r"\d{12}")
_SYNTAX = "Syntax errors in policy."


class Malformed(Exception):
    """The document is no policy; the text is IAM's."""


def identity_policy(document: str) -> Policy:
    """A policy of a user, group or role, a boundary, or one of a session. Raises ``Malformed``."""
    policy = _policy(document)
    for statement in policy.statements:
        if statement.principals is not None:
            raise Malformed("Policy document should not specify a principal.")
        if statement.resources is None:
            raise Malformed("Policy statement must contain resources.")
    return policy


def trust_policy(document: str) -> Policy:
    """A policy that says who may assume a role. Raises ``Malformed``."""
    policy = _policy(document)
    for statement in policy.statements:
        if statement.resources is not None:
            raise Malformed("Has prohibited field Resource.")
        if statement.principals is None:
            raise Malformed("AssumeRole policy must contain principals.")
        if any(not _is_of_sts(action) for action in statement.actions.patterns):
            raise Malformed("AssumeRole policy may only specify STS AssumeRole actions.")
    return policy


def resource_policy(document: str) -> Policy:
    """A policy of a resource: a secret, a repository. Raises ``Malformed``."""
    policy = _policy(document)
    if any(statement.principals is None for statement in policy.statements):
        raise Malformed("Policy statement must contain principals.")
    return policy


def _is_of_sts(action: str) -> bool:
    return action == "*" or action.lower().startswith("sts:")


def _policy(document: str) -> Policy:
    try:
        read = json.loads(document, object_pairs_hook=_without_doubles)
    except (ValueError, RecursionError) as error:
        raise Malformed(_SYNTAX) from error
    if not isinstance(read, dict) or not read.keys() <= _DOCUMENT or "Statement" not in read:
        raise Malformed(_SYNTAX)
    version = read.get("Version", "2008-10-17")
    if not isinstance(version, str) or version not in _VERSIONS:
        raise Malformed(_SYNTAX)
    statements = tuple(_statement(each) for each in _list(read["Statement"]))
    sids = [each.sid for each in statements if each.sid]
    if not statements:
        raise Malformed(_SYNTAX)
    if len(sids) != len(set(sids)):
        raise Malformed("Statement IDs (SID) in a single policy must be unique.")
    return Policy(statements, has_variables=version == CURRENT_VERSION)


def _without_doubles(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """A document that says a thing twice would be read by its last word: refused."""
    made = dict(pairs)
    if len(made) != len(pairs):
        raise Malformed(_SYNTAX)
    return made


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def _statement(read: Any) -> Statement:
    if not isinstance(read, dict) or not read.keys() <= _STATEMENT:
        raise Malformed(_SYNTAX)
    sid, effect = read.get("Sid"), read.get("Effect")
    if effect not in {"Allow", "Deny"}:
        raise Malformed(_SYNTAX)
    if sid is not None and not (isinstance(sid, str) and _SID.fullmatch(sid)):
        raise Malformed(_SYNTAX)
    actions = _listed(read, "Action", "NotAction")
    if actions is None or not actions.patterns:
        raise Malformed("Policy statement must contain actions.")
    _check_actions(actions.patterns)
    resources = _listed(read, "Resource", "NotResource")
    if resources is not None:
        _check_resources(resources.patterns)
    return Statement(
        effect=Effect(effect),
        sid=sid,
        actions=actions,
        resources=resources,
        principals=_principals(read),
        conditions=tuple(_conditions(read.get("Condition", {}))),
    )


def _listed(read: Mapping[str, Any], name: str, negation: str) -> Listed | None:
    if name in read and negation in read:
        raise Malformed(_SYNTAX)
    for member, negated in ((name, False), (negation, True)):
        if member in read:
            patterns = _list(read[member])
            if not all(isinstance(each, str) for each in patterns):
                raise Malformed(_SYNTAX)
            return Listed(tuple(patterns), negated)
    return None


def _check_actions(patterns: Iterable[str]) -> None:
    for pattern in patterns:
        if pattern == "*":
            continue
        if ":" not in pattern:
            raise Malformed(
                "Actions/Conditions must be prefaced by a vendor, e.g., iam, sdb, ec2, etc."
            )
        if pattern.count(":") > 1:
            raise Malformed("Actions/Condition can contain only one colon.")


def _check_resources(patterns: tuple[str, ...]) -> None:
    if not patterns:
        raise Malformed("Policy statement must contain resources.")
    for pattern in patterns:
        if pattern != "*" and not pattern.startswith(("arn:", "*:", "arn*", "${")):
            raise Malformed(f'Resource {pattern} must be in ARN format or "*".')


def _principals(read: Mapping[str, Any]) -> Principals | None:
    if "Principal" in read and "NotPrincipal" in read:
        raise Malformed(_SYNTAX)
    for member, negated in (("Principal", False), ("NotPrincipal", True)):
        if member in read:
            return Principals(tuple(_named(read[member])), negated)
    return None


def _named(value: Any) -> Iterable[tuple[str, str]]:
    if value == "*":
        yield "AWS", "*"
        return
    if not isinstance(value, dict) or not value.keys() <= _KINDS or not value:
        raise Malformed(_SYNTAX)
    for kind, names in value.items():
        for name in _list(names):
            if not isinstance(name, str):
                raise Malformed(_SYNTAX)
            if not _is_principal(kind, name):
                raise Malformed(f'Invalid principal in policy: "{kind.upper()}":"{name}"')
            yield kind, name


def _is_principal(kind: str, name: str) -> bool:
    match kind:
        case "Service":
            return _SERVICE.fullmatch(name) is not None
        case "AWS":
            arn = parse_arn(name)
            is_arn = arn is not None and arn.service in {"iam", "sts"} and "*" not in name
            return name == "*" or is_arn or _ACCOUNT.fullmatch(name) is not None
        case _:
            return name != ""


def _conditions(read: Any) -> Iterable[Condition]:
    if not isinstance(read, dict):
        raise Malformed(_SYNTAX)
    for operator, keys in read.items():
        if not isinstance(keys, dict):
            raise Malformed(_SYNTAX)
        for key, values in keys.items():
            yield _condition(operator, key, values)


def _condition(operator: str, key: str, values: Any) -> Condition:
    quantifier, colon, rest = operator.rpartition(":")
    if colon and quantifier not in {"ForAllValues", "ForAnyValue"}:
        raise Malformed(f"Invalid Condition type : {operator}.")
    name = rest.removesuffix("IfExists")
    if name not in OPERATORS and rest != NULL:
        raise Malformed(f"Invalid Condition type : {operator}.")
    texts = tuple(_condition_value(each) for each in _list(values))
    return Condition(name, key, texts, quantifier, if_exists=rest != name)


def _condition_value(value: Any) -> str:
    match value:
        case bool():
            return "true" if value else "false"
        case int() | float():
            return str(value)
        case str():
            return value
        case _:
            raise Malformed(_SYNTAX)
