"""Whether a principal may: what is asked of policies, judged by all that apply."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import datetime

from openecs.api.base import Asked
from openecs.api.iam.principals import Known
from openecs.decide.access.evaluation import Denial, Policies, PolicyKind, denied, message
from openecs.model.policies import AccessRequest


def refusal(
    known: Known, asked: Iterable[Asked], circumstances: Mapping[str, tuple[str, ...]]
) -> str | None:
    """AWS's message of the first thing asked that is denied."""
    for each in asked:
        request = AccessRequest(
            principal=known.principal,
            action=each.action,
            resource=each.resource,
            context={**known.context, **circumstances, **each.context},
        )
        denial = _denial(request, known, each)
        if denial is not None:
            return message(request, denial)
    return None


def circumstances(now: datetime, region: str) -> Mapping[str, tuple[str, ...]]:
    """The global condition keys of whatever is asked, by a request or without one."""
    return {
        "aws:currenttime": (now.isoformat(),),
        "aws:epochtime": (str(int(now.timestamp())),),
        "aws:requestedregion": (region,),
    }


def _denial(request: AccessRequest, known: Known, asked: Asked) -> Denial | None:
    policies: Policies = known.policies
    if asked.policy is not None or asked.policy_kind is PolicyKind.TRUST:
        policies = replace(policies, resource=asked.policy, resource_kind=asked.policy_kind)
    return denied(request, policies)
