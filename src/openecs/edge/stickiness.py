"""Sessions that stay where they are: with a target, and with one target group of several.

User Guide for Application Load Balancers, "Edit target group attributes" (sticky sessions).
"""

from __future__ import annotations

import hashlib
from typing import Any

from openecs.model.load_balancing import TargetGroup

Resource = dict[str, Any]

FILTER = "envoy.filters.http.stateful_session"
TARGET_COOKIE, GROUP_COOKIE = "AWSALB", "AWSALBTG"
_TYPE = "type.googleapis.com/envoy.extensions"
_SESSION = f"{_TYPE}.filters.http.stateful_session.v3"


def session_filter() -> Resource:
    """What keeps sessions, where a route says how."""
    return {"name": FILTER, "typed_config": {"@type": f"{_SESSION}.StatefulSession"}}


def session_of(group: TargetGroup | None) -> Resource:
    """How a target group's sessions are kept, as part of its share of a route; empty: not."""
    attributes = group.attributes if group else {}
    if attributes.get("stickiness.enabled") != "true":
        return {}
    seconds = attributes.get("stickiness.lb_cookie.duration_seconds", "86400")
    cookie = {"name": TARGET_COOKIE, "path": "/", "ttl": f"{seconds}s"}
    state = {
        "@type": f"{_TYPE}.http.stateful_session.cookie.v3.CookieBasedSessionState",
        "cookie": cookie,
    }
    kept = {"session_state": {"name": "envoy.http.stateful_session.cookie", "typed_config": state}}
    per_route = {"@type": f"{_SESSION}.StatefulSessionPerRoute", "stateful_session": kept}
    return {"typed_per_filter_config": {FILTER: per_route}}


def came_from(group_arn: str) -> Resource:
    """The header matcher of requests whose session is with the target group."""
    pattern = f"(?:.*;)? *{GROUP_COOKIE}={_name(group_arn)}(?:;.*)?"
    return {"name": "cookie", "string_match": {"safe_regex": {"regex": pattern}}}


def goes_to(group_arn: str, seconds: int) -> Resource:
    """What tells a client, as part of a share of a route, that its session is with the group."""
    value = f"{GROUP_COOKIE}={_name(group_arn)}; Max-Age={seconds}; Path=/"
    header = {"header": {"key": "set-cookie", "value": value}}
    return {"response_headers_to_add": [header | {"append_action": "APPEND_IF_EXISTS_OR_ADD"}]}


def _name(group_arn: str) -> str:
    return hashlib.sha256(group_arn.encode()).hexdigest()
