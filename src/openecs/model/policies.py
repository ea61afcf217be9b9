"""Policies of IAM, read: who may do what to what, and when.

IAM User Guide, "IAM JSON policy elements reference".
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from openecs.model.identity import parse_arn

#: The version whose policies have variables.
CURRENT_VERSION = "2012-10-17"


class Effect(StrEnum):
    """What a statement that matches says."""

    ALLOW = "Allow"
    DENY = "Deny"


@dataclass(frozen=True, slots=True)
class Listed:
    """``Action`` or ``NotAction``, ``Resource`` or ``NotResource``: patterns, or all but them."""

    patterns: tuple[str, ...]
    negated: bool = False


@dataclass(frozen=True, slots=True)
class Principals:
    """``Principal`` or ``NotPrincipal``: pairs of a kind (``AWS``, ``Service``) and a name.

    ``"Principal": "*"`` is ``("AWS", "*")``.
    """

    named: tuple[tuple[str, str], ...]
    negated: bool = False


@dataclass(frozen=True, slots=True)
class Condition:
    """One operator of a ``Condition`` on one key: any of ``values`` will do.

    ``operator`` is spelled as AWS does, without ``ForAllValues:`` and ``IfExists``.
    """

    operator: str
    key: str
    values: tuple[str, ...]
    #: ``ForAllValues``, ``ForAnyValue`` or empty.
    quantifier: str = ""
    if_exists: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Statement:
    """One statement; what it does not have is None."""

    effect: Effect
    sid: str | None = None
    actions: Listed
    resources: Listed | None = None
    principals: Principals | None = None
    conditions: tuple[Condition, ...] = ()


@dataclass(frozen=True, slots=True)
class Policy:
    """A policy document. ``has_variables`` is false in documents of 2008."""

    statements: tuple[Statement, ...]
    has_variables: bool = True


class PrincipalKind(StrEnum):
    """As ``aws:PrincipalType`` tells them."""

    ROOT = "Account"
    USER = "User"
    ROLE = "AssumedRole"
    FEDERATED = "FederatedUser"
    SERVICE = "Service"
    ANONYMOUS = "Anonymous"


@dataclass(frozen=True, slots=True, kw_only=True)
class Principal:
    """Who asks. Of a session, ``arn`` is the session's and ``role_arn`` that of the role."""

    kind: PrincipalKind
    arn: str
    account: str
    role_arn: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class AccessRequest:
    """What is asked: one action on one resource, and what is known of the circumstances.

    ``context`` maps condition keys in lower case to their values. ``resource`` is an ARN or ``*``;
    None is one that is not known: only ``*`` allows it, and whatever denies the action denies it.
    """

    principal: Principal
    action: str
    resource: str | None
    context: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    @property
    def is_of_other_account(self) -> bool:
        """Whether the resource belongs to an account that is not the caller's."""
        arn = parse_arn(self.resource or "")
        return arn is not None and arn.account not in {"", "aws", self.principal.account}
