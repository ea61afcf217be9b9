"""How AWS shows actions."""

from __future__ import annotations

from collections.abc import Iterable

from openecs.api.base import Members
from openecs.api.elbv2.authentication import show_jwt, show_oidc
from openecs.model.load_balancing import (
    Action,
    FixedResponseAction,
    ForwardAction,
    RedirectAction,
)


def show(actions: Iterable[Action]) -> list[Members]:
    """Actions, each with the member that its type names."""
    return [_show(action) for action in actions]


def _show(action: Action) -> Members:
    return {
        "Type": action.type,
        "Order": action.order,
        **(_forward(action.forward) if action.forward else {}),
        "AuthenticateOidcConfig": show_oidc(action.oidc) if action.oidc else None,
        "JwtValidationConfig": show_jwt(action.jwt) if action.jwt else None,
        "RedirectConfig": _redirect(action.redirect) if action.redirect else None,
        "FixedResponseConfig": _fixed(action.fixed_response) if action.fixed_response else None,
    }


def _forward(forward: ForwardAction) -> Members:
    groups = forward.target_groups
    return {
        "TargetGroupArn": groups[0].target_group_arn if len(groups) == 1 else None,
        "ForwardConfig": {
            "TargetGroups": [
                {"TargetGroupArn": each.target_group_arn, "Weight": each.weight} for each in groups
            ],
            "TargetGroupStickinessConfig": {
                "Enabled": forward.stickiness_enabled,
                "DurationSeconds": forward.stickiness_seconds,
            },
        },
    }


def _redirect(redirect: RedirectAction) -> Members:
    return {
        "Protocol": redirect.protocol,
        "Port": redirect.port,
        "Host": redirect.host,
        "Path": redirect.path,
        "Query": redirect.query,
        "StatusCode": redirect.status_code,
    }


def _fixed(response: FixedResponseAction) -> Members:
    return {
        "StatusCode": response.status_code,
        "ContentType": response.content_type,
        "MessageBody": response.message_body,
    }
