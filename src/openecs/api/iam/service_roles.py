"""Roles as AWS services assume them: those of tasks, by ``ecs-tasks.amazonaws.com``."""

from __future__ import annotations

from collections.abc import Mapping

from openecs.api.base import Asked
from openecs.api.iam import judging, principals
from openecs.api.iam.principals import Known
from openecs.decide.access.evaluation import PolicyKind
from openecs.model.iam import Role
from openecs.model.identity import parse_arn
from openecs.model.policies import Principal, PrincipalKind
from openecs.store.base import View
from openecs.store.iam import ROLES, iam_scope, name_key

TASKS = "ecs-tasks.amazonaws.com"


def role(view: View, arn: str) -> Role | None:
    """The role of an ARN."""
    parsed = parse_arn(arn)
    if parsed is None or parsed.service != "iam" or not parsed.resource.startswith("role/"):
        return None
    name = parsed.resource.rpartition("/")[2]
    found = view.get(ROLES, iam_scope(parsed.account), name_key(name))
    return found if found is not None and found.arn == arn else None


def assumed(
    view: View,
    arn: str,
    service: str,
    session: str,
    circumstances: Mapping[str, tuple[str, ...]],
) -> Known | None:
    """The session of a role that a service has assumed; None where the role does not trust it."""
    found = role(view, arn)
    if found is None:
        return None
    asks = Known(
        principal=Principal(kind=PrincipalKind.SERVICE, arn=service, account=found.scope.account),
        context={"aws:principalisawsservice": ("true",), "aws:principalservicename": (service,)},
    )
    asked = Asked(
        action="sts:AssumeRole",
        resource=found.arn,
        policy=principals.trusted(found),
        policy_kind=PolicyKind.TRUST,
    )
    if judging.refusal(asks, [asked], circumstances) is not None:
        return None
    return principals.of_role(view, found, session)
