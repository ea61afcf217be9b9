"""Listener rules as Envoy's routes.

User Guide for Application Load Balancers, "Condition types for listener rules" and "Action types
for listener rules": rules by priority, all conditions of a rule, any value of a condition.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from openecs.edge import (
    access_logs,
    answers,
    authentication,
    functions,
    stickiness,
    tokens,
    transforms,
)
from openecs.edge.clients import PEER
from openecs.edge.redirects import program
from openecs.model.load_balancing import (
    Action,
    Condition,
    ForwardAction,
    Listener,
    QueryPair,
    Rule,
    TargetGroup,
    TargetType,
    WeightedTargetGroup,
)

Route = dict[str, Any]
Matcher = dict[str, Any]

_LUA = "type.googleapis.com/envoy.extensions.filters.http.lua.v3.LuaPerRoute"

#: Requests that no rule sees: of a method, and through too many proxies.
_REFUSED = (
    (405, ":method", "TRACE"),
    (463, "x-forwarded-for", "(?:[^,]*,){30}.*"),
)

#: Methods whose request may be made twice.
_REPEATABLE = "GET|HEAD|OPTIONS"

#: Before anything was sent, a request may go to another target, whatever its method.
_UNSENT = "connect-failure,refused-stream"


class NotBuilt(Exception):
    """A rule that this data plane cannot carry out, and why."""


@dataclass(frozen=True, slots=True)
class Ways:
    """Where the routes of a listener may go: target groups by ARN; and the idle timeout.

    ``xds`` is where the files are that Envoy watches.
    """

    groups: Mapping[str, TargetGroup]
    idle_timeout: int
    xds: Path


def routes(listener: Listener, rules: Iterable[Rule], ways: Ways) -> list[Route]:
    """The routes of a listener in order, its default actions last. Raises ``NotBuilt``."""
    ordered = sorted(rules, key=lambda rule: rule.priority)
    found = [
        {
            "match": {"prefix": "/", "headers": [{"name": name, "string_match": _regex(found)}]},
            **answers.answer(status),
        }
        for status, name, found in _REFUSED
    ]
    every = (listener.default_actions, *(rule.actions for rule in ordered))
    found.extend(_callbacks(every, ways))
    for rule in ordered:
        made = _named(rule.priority, _match(rule.conditions), rule.actions, ways)
        found.extend(_transformed(rule, made))
    found.extend(_named(0, {"prefix": "/"}, listener.default_actions, ways))
    return found


def _callbacks(every: Iterable[Sequence[Action]], ways: Ways) -> Iterator[Route]:
    """The routes of users who come back from a provider, whatever rules are for that path."""
    found = (oidc for actions in every if (oidc := authentication.oidc_of(actions)))
    begun = {o.client: o for o in found if o.on_unauthenticated_request == "authenticate"}
    for oidc in begun.values():
        yield {
            "name": "0 authenticate",
            "match": authentication.callback(oidc),
            **answers.answer(401),
            "typed_per_filter_config": authentication.of_route(oidc, ways.xds),
        }


def _transformed(rule: Rule, made: Iterable[Route]) -> Iterator[Route]:
    changed = transforms.filters(rule.transforms)
    for route in made:
        kept = route.get("typed_per_filter_config", {})
        yield {**route, "typed_per_filter_config": {**changed, **kept}} if changed else route


def _named(priority: int, match: Route, actions: Sequence[Action], ways: Ways) -> Iterator[Route]:
    name = access_logs.route_name(priority, actions)
    first = _authenticating(actions, ways)
    for route in _routes(match, actions[-1], ways):
        kept = route.get("typed_per_filter_config", {})
        told = {"typed_per_filter_config": {**first, **kept}} if first else {}
        yield {"name": name, **route, **told}


def _authenticating(actions: Sequence[Action], ways: Ways) -> Route:
    """What filters do before the last action."""
    found: Route = {}
    for action in actions:
        if action.oidc:
            found |= authentication.of_route(action.oidc, ways.xds)
        if action.jwt:
            found |= tokens.of_route(action.jwt)
    return found


def _routes(match: Route, action: Action, ways: Ways) -> Iterator[Route]:
    if action.forward is not None:
        yield from _forward(match, action.forward, ways)
    elif action.redirect is not None:
        source = {"inline_string": program(action.redirect)}
        yield {
            "match": match,
            "direct_response": {"status": 500},
            "typed_per_filter_config": {
                "envoy.filters.http.lua": {"@type": _LUA, "source_code": source}
            },
        }
    elif action.fixed_response is not None:
        fixed = action.fixed_response
        body = {"body": {"inline_string": fixed.message_body}} if fixed.message_body else {}
        yield {
            "match": match,
            "direct_response": {"status": int(fixed.status_code), **body},
            "response_headers_to_add": [
                _header("content-type", fixed.content_type or "text/plain"),
                _header("server", "awselb/2.0"),
            ],
        }
    else:
        raise NotBuilt(f"actions of type {action.type} are not built")


def _forward(match: Route, forward: ForwardAction, ways: Ways) -> Iterator[Route]:
    weighted = [g for g in forward.target_groups if g.weight and g.target_group_arn in ways.groups]
    if not weighted:
        yield {"match": match, **answers.answer(503)}
        return
    groups = [ways.groups[group.target_group_arn] for group in weighted]
    filters = stickiness.filters(forward, groups)
    if forward.stickiness_enabled:
        for group in weighted:
            known = {"name": stickiness.GROUP, "string_match": {"exact": _id(group)}}
            yield from _shared(_with_header(match, known), [group], filters, ways)
    yield from _shared(match, weighted, filters, ways)


def _shared(
    match: Route, weighted: Sequence[WeightedTargetGroup], filters: Mapping[str, Route], ways: Ways
) -> Iterator[Route]:
    shares = {
        "weighted_clusters": {
            "clusters": [
                {
                    "name": group.target_group_arn,
                    "weight": group.weight,
                    **_sticky(filters.get(group.target_group_arn)),
                    **_named_group(ways.groups[group.target_group_arn]),
                }
                for group in weighted
            ]
        },
        "timeout": "0s",
        "idle_timeout": f"{ways.idle_timeout}s",
    }
    repeatable = {"name": ":method", "string_match": _regex(_REPEATABLE)}
    yield {
        "match": _with_header(match, repeatable),
        "route": {**shares, "retry_policy": _retry(f"{_UNSENT},reset")},
    }
    yield {"match": match, "route": {**shares, "retry_policy": _retry(_UNSENT)}}


def _sticky(filters: Route | None) -> Route:
    """What is done with the requests of a group with sticky sessions."""
    if filters is None:
        return {}
    inner = [stickiness.TARGET, stickiness.GROUP]
    return {"typed_per_filter_config": filters, "request_headers_to_remove": inner}


def _named_group(group: TargetGroup) -> Route:
    if group.target_type is not TargetType.LAMBDA:
        return {}
    return {"request_headers_to_add": [_header(functions.GROUP, group.arn)]}


def _with_header(match: Route, matcher: Matcher) -> Route:
    return {**match, "headers": [*match.get("headers", ()), matcher]}


def _id(group: WeightedTargetGroup) -> str:
    return group.target_group_arn.rpartition("/")[2]


def _retry(on: str) -> Route:
    """A target that has just died costs no request while another one lives."""
    previous = "type.googleapis.com/envoy.extensions.retry.host.previous_hosts.v3"
    return {
        "retry_on": on,
        "num_retries": 2,
        "retry_host_predicate": [
            {
                "name": "envoy.retry_host_predicates.previous_hosts",
                "typed_config": {"@type": f"{previous}.PreviousHostsPredicate"},
            }
        ],
        "host_selection_retry_max_attempts": 3,
        "retry_back_off": {"base_interval": "0.005s", "max_interval": "0.02s"},
    }


def _match(conditions: Sequence[Condition]) -> Route:
    headers: list[Matcher] = []
    match: Route = {"prefix": "/"}
    states: list[Matcher] = []
    for condition in conditions:
        if condition.field == "path-pattern":
            match = {"safe_regex": {"regex": _any(condition, _wild)}}
        elif condition.field == "source-ip":
            states.append(_source_match(condition))
        else:
            headers.append(_header_match(condition))
    found = {"headers": headers, "filter_state": states}
    return {**match, **{key: matchers for key, matchers in found.items() if matchers}}


def _source_match(condition: Condition) -> Matcher:
    blocks = (value.partition("/") for value in condition.values)
    ranges = [{"address_prefix": start, "prefix_len": int(length)} for start, _, length in blocks]
    return {"key": PEER, "address_match": {"ranges": ranges}}


def _header_match(condition: Condition) -> Matcher:
    match condition.field:
        case "host-header":
            pattern = f"(?i)(?:{_any(condition, _wild, transforms.before_port)})(?::[0-9]+)?"
            return {"name": ":authority", "string_match": _regex(pattern)}
        case "http-header":
            pattern = f"(?i)(?:{_any(condition, _wild)})"
            return {"name": condition.header_name, "string_match": _regex(pattern)}
        case "http-request-method":
            return {"name": ":method", "string_match": _regex(_any(condition, re.escape))}
        case "query-string":
            pairs = "|".join(map(_pair, condition.query))
            pattern = f"(?i)[^?]*\\?(?:[^&]*&)*(?:{pairs})(?:&.*)?"
            return {"name": ":path", "string_match": _regex(pattern)}
        case _:
            raise NotBuilt(f"conditions on {condition.field} are not built")


def _pair(pair: QueryPair) -> str:
    key = "[^=&]*" if pair.key is None else _wild(pair.key, anything="[^=&]*", one="[^=&]")
    return f"{key}={_wild(pair.value, anything='[^&]*', one='[^&]')}"


def _any(condition: Condition, pattern: Any, regex: Any = str) -> str:
    # A regular expression may match anywhere, Envoy's matchers mean the whole text.
    found = (f".*(?:{regex(each)}).*" for each in condition.regex_values)
    return "|".join((*map(pattern, condition.values), *found))


def _wild(text: str, anything: str = ".*", one: str = ".") -> str:
    """A pattern of AWS's: ``*`` is anything, ``?`` one character, a backslash makes it plain."""
    pieces = re.findall(r"\\[*?\\]|.", text, re.DOTALL)
    wild = {"*": anything, "?": one}
    return "".join(wild.get(piece) or re.escape(piece[-1]) for piece in pieces)


def _regex(pattern: str) -> Matcher:
    return {"safe_regex": {"regex": pattern}}


def _header(name: str, value: str) -> Matcher:
    # Percent signs begin Envoy's own substitutions.
    return {
        "header": {"key": name, "value": value.replace("%", "%%")},
        "append_action": "OVERWRITE_IF_EXISTS_OR_ADD",
    }
