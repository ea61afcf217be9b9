"""Policy documents of requests, checked as IAM does."""

from __future__ import annotations

from collections.abc import Callable

from openecs.api.iam import errors
from openecs.decide.access.documents import Malformed, identity_policy, trust_policy
from openecs.model.policies import Policy


def checked(document: str) -> str:
    """The document of an identity's policy. Raises ``MalformedPolicyDocument``."""
    return _checked(document, identity_policy)


def checked_trust(document: str) -> str:
    """The document of a trust policy. Raises ``MalformedPolicyDocument``."""
    return _checked(document, trust_policy)


def _checked(document: str, read: Callable[[str], Policy]) -> str:
    try:
        read(document)
    except Malformed as flaw:
        raise errors.malformed_policy(str(flaw)) from flaw
    return document
