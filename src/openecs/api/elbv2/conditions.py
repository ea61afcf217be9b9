"""Conditions of rules, from members to values and back.

User Guide for Application Load Balancers, "Condition types for listener rules".
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from ipaddress import ip_network

from openecs.api.base import Members
from openecs.api.elbv2 import errors, patterns
from openecs.model.load_balancing import Condition, QueryPair

FIELDS = (
    "path-pattern",
    "host-header",
    "http-header",
    "http-request-method",
    "query-string",
    "source-ip",
)
#: The member that has the values of each field.
_CONFIGS = {
    "path-pattern": "PathPatternConfig",
    "host-header": "HostHeaderConfig",
    "http-header": "HttpHeaderConfig",
    "http-request-method": "HttpRequestMethodConfig",
    "query-string": "QueryStringConfig",
    "source-ip": "SourceIpConfig",
}
_OLD = ("path-pattern", "host-header")
_REGEX = ("path-pattern", "host-header", "http-header")
_LIMITS = {"path-pattern": 128, "host-header": 128, "http-header": 128, "http-request-method": 40}
_ONCE = ("path-pattern", "host-header", "http-request-method", "source-ip")
_METHOD, _BLOCK = re.compile(r"[A-Z_-]+"), re.compile(r"[0-9a-fA-F.:]+/[0-9]{1,3}")
_MOST_VALUES, _MOST_WILDCARDS, _LONGEST_QUERY, _LONGEST_NAME = 5, 6, 128, 40


def parse(given: Sequence[Members] | None) -> tuple[Condition, ...]:
    """The conditions of a rule. Raises ``ValidationError``, ``InvalidConfigurationRequest``."""
    if not given:
        raise errors.validation("At least one condition must be specified")
    found = tuple(_condition(each) for each in given)
    counts = Counter(each.field for each in found)
    for field in _ONCE:
        if counts[field] > 1:
            raise errors.validation(f"A rule can only have one '{field}' condition")
    values = [v for c in found for v in (*c.values, *(pair.value for pair in c.query))]
    if len(values) + sum(len(each.regex_values) for each in found) > _MOST_VALUES:
        raise errors.validation(f"A rule can only have '{_MOST_VALUES}' condition values")
    if sum(value.count("*") + value.count("?") for value in values) > _MOST_WILDCARDS:
        raise errors.validation(f"A rule can only have '{_MOST_WILDCARDS}' wildcards")
    return found


def show(conditions: Iterable[Condition]) -> list[Members]:
    """Conditions as AWS shows them: host and path in the old form too."""
    return [_show(condition) for condition in conditions]


def _condition(given: Members) -> Condition:
    field = given.get("Field") or ""
    if field not in FIELDS:
        listed = ", ".join(FIELDS)
        raise errors.validation(f"Condition field '{field}' must be one of '[{listed}]'")
    if field == "query-string":
        return _query(given)
    regex_values = _regex_values(field, given)
    values = () if regex_values else _values(field, given)
    for value in values:
        _check(field, value)
    name = None
    if field == "http-header":
        name = (given.get("HttpHeaderConfig") or {}).get("HttpHeaderName")
        _check_name(name)
    return Condition(field=field, values=values, regex_values=regex_values, header_name=name)


def _regex_values(field: str, given: Members) -> tuple[str, ...]:
    """The regular expressions of a condition, which take the place of its values."""
    config = given.get(_CONFIGS[field]) or {}
    found = tuple(config.get("RegexValues") or given.get("RegexValues") or ())
    if found and field not in _REGEX:
        raise errors.validation(f"The 'RegexValues' field is not compatible with '{field}'")
    if found and (config.get("Values") or given.get("Values")):
        raise errors.validation("Only one of 'Values' and 'RegexValues' can be specified")
    for pattern in found:
        patterns.check(pattern)
    return found


def _values(field: str, given: Members) -> tuple[str, ...]:
    config = given.get(_CONFIGS[field])
    if given.get("Values"):
        if field not in _OLD:
            raise errors.validation(f"The 'Values' field is not compatible with '{field}'")
        if len(given["Values"]) > 1:
            raise errors.validation(
                f"The '{field}' field contains too many values; the limit is '1'"
            )
        return tuple(given["Values"])
    if config is None and field not in _OLD:
        raise errors.validation(f"A '{_CONFIGS[field]}' must be specified with '{field}'")
    values = tuple((config or {}).get("Values") or ())
    if not values:
        raise errors.validation("A condition value must be specified")
    return values


def _check(field: str, value: str) -> None:
    if field == "source-ip":
        _check_block(value)
        return
    if len(value) > _LIMITS[field]:
        raise errors.validation(f"The '{field}' value is too long; the limit is '{_LIMITS[field]}'")
    if not value:
        raise errors.validation("A condition value must be specified")
    if field == "http-request-method" and not _METHOD.fullmatch(value):
        raise errors.validation(
            "The 'http-request-method' value is invalid; the allowed characters are A-Z, hyphen "
            "and underscore"
        )


def _check_block(value: str) -> None:
    """An IPv4 or IPv6 block: ``192.0.2.0/24``."""
    try:
        if _BLOCK.fullmatch(value):
            ip_network(value, strict=False)
            return
    except ValueError:
        pass
    raise errors.validation(f"The 'source-ip' value '{value}' must be in CIDR format")


def _check_name(name: str | None) -> None:
    if not name:
        raise errors.validation("A 'HttpHeaderName' must be specified with 'http-header'")
    if len(name) > _LONGEST_NAME:
        raise errors.validation(
            f"The 'HttpHeaderName' value is too long; the limit is '{_LONGEST_NAME}'"
        )
    if name.lower() == "host":
        raise errors.validation("Use 'host-header' for conditions on the host")


def _query(given: Members) -> Condition:
    config = given.get("QueryStringConfig")
    if not config:
        raise errors.validation("A 'QueryStringConfig' must be specified with 'query-string'")
    pairs = config.get("Values") or ()
    if not pairs:
        raise errors.validation("A condition value must be specified")
    for pair in pairs:
        if not pair.get("Value"):
            raise errors.validation("A 'Value' must be specified in 'QueryStringKeyValuePair'")
        if max(len(pair["Value"]), len(pair.get("Key") or "")) > _LONGEST_QUERY:
            raise errors.validation(
                f"The 'query-string' value is too long; the limit is '{_LONGEST_QUERY}'"
            )
    return Condition(
        field="query-string",
        query=tuple(QueryPair(key=pair.get("Key") or None, value=pair["Value"]) for pair in pairs),
    )


def _show(condition: Condition) -> Members:
    config: Members = {"Values": list(condition.values)}
    if condition.regex_values:
        config = {"RegexValues": list(condition.regex_values)}
    if condition.field == "http-header":
        config = {"HttpHeaderName": condition.header_name, **config}
    if condition.field == "query-string":
        config = {"Values": [{"Key": p.key, "Value": p.value} for p in condition.query]}
    old = list(condition.values) if condition.field in _OLD else []
    return {"Field": condition.field, "Values": old, _CONFIGS[condition.field]: config}
