"""Users, groups, roles and their policies, access keys, instance profiles.

IAM User Guide; IAM API Reference.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime

from openecs.model.identity import Scope

SERVICE = "iam"
#: The account of the policies that are AWS's own.
AWS = "aws"


@dataclass(frozen=True, slots=True, kw_only=True)
class Entity:
    """What policies are attached to. IAM has no regions: the scope has none."""

    scope: Scope
    name: str
    #: Never used twice: ``AIDA``, ``AGPA`` or ``AROA`` and 17 letters and digits.
    id: str
    #: ``/`` or ``/division/``.
    path: str = "/"
    created_at: datetime
    #: Names of inline policies to their documents, as they were given.
    inline: dict[str, str] = field(default_factory=dict)
    #: ARNs of managed policies.
    attached: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Group(Entity):
    """Users that share policies."""

    @property
    def arn(self) -> str:
        """``arn:aws:iam::A:group/PATH/NAME``."""
        return self.scope.arn(SERVICE, f"group{self.path}{self.name}")


@dataclass(frozen=True, slots=True, kw_only=True)
class User(Entity):
    """Somebody, or something, with access keys."""

    #: Names of groups.
    groups: tuple[str, ...] = ()
    #: The ARN of the managed policy that is the boundary.
    boundary: str | None = None
    tags: dict[str, str] = field(default_factory=dict)

    @property
    def arn(self) -> str:
        """``arn:aws:iam::A:user/PATH/NAME``."""
        return self.scope.arn(SERVICE, f"user{self.path}{self.name}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Role(Entity):
    """What users, services and tasks may become for a while."""

    #: The document of the trust policy: who may assume it.
    trust: str
    description: str | None = None
    #: Seconds.
    max_session_duration: int = 3600
    #: The service a service-linked role belongs to.
    service: str | None = None
    boundary: str | None = None
    tags: dict[str, str] = field(default_factory=dict)

    @property
    def arn(self) -> str:
        """``arn:aws:iam::A:role/PATH/NAME``."""
        return self.scope.arn(SERVICE, f"role{self.path}{self.name}")


@dataclass(frozen=True, slots=True, kw_only=True)
class PolicyVersion:
    """A document of a managed policy: ``number`` 3 is ``v3``."""

    number: int
    document: str
    created_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class ManagedPolicy:
    """A policy with an ARN of its own."""

    scope: Scope
    name: str
    #: ``ANPA`` and 17 letters and digits.
    id: str
    path: str = "/"
    description: str | None = None
    created_at: datetime
    updated_at: datetime
    #: The oldest first; at most five.
    versions: tuple[PolicyVersion, ...]
    #: The number of the version that counts.
    default: int = 1
    tags: dict[str, str] = field(default_factory=dict)

    @property
    def arn(self) -> str:
        """``arn:aws:iam::A:policy/PATH/NAME``."""
        return self.scope.arn(SERVICE, f"policy{self.path}{self.name}")

    @property
    def document(self) -> str:
        """The document of the default version."""
        return next(each.document for each in self.versions if each.number == self.default)


@dataclass(frozen=True, slots=True, kw_only=True)
class InstanceProfile:
    """A role for machines."""

    scope: Scope
    name: str
    #: ``AIPA`` and 17 letters and digits.
    id: str
    path: str = "/"
    created_at: datetime
    #: The name of its role.
    role: str | None = None
    tags: dict[str, str] = field(default_factory=dict)

    @property
    def arn(self) -> str:
        """``arn:aws:iam::A:instance-profile/PATH/NAME``."""
        return self.scope.arn(SERVICE, f"instance-profile{self.path}{self.name}")


@dataclass(frozen=True, slots=True, kw_only=True)
class UserKey:
    """An access key of a user."""

    scope: Scope
    #: ``AKIA`` and 16 letters and digits.
    id: str
    secret: str
    user: str
    active: bool = True
    created_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Session:
    """Temporary credentials: of a role that was assumed, or of a user (``role`` None)."""

    scope: Scope
    #: ``ASIA`` and 16 letters and digits.
    id: str
    secret: str
    token: str
    expires_at: datetime
    created_at: datetime
    #: The ARN and unique id that requests are of.
    arn: str
    user_id: str
    #: Names of the role, or else of the user, whose policies count.
    role: str | None = None
    user: str | None = None
    #: Documents of session policies; None: there are none, so they limit nothing.
    policies: tuple[str, ...] | None = None
    #: Of the session, by which principal tags are told, the role's beneath them.
    tags: dict[str, str] = field(default_factory=dict)
