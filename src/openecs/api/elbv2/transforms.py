"""Transforms of rules, from members to values and back.

User Guide for Application Load Balancers, "Transforms for listener rules".
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from openecs.api.base import Members
from openecs.api.elbv2 import errors, patterns
from openecs.model.load_balancing import Action, Rewrite, Transform

_CONFIGS = {
    "host-header-rewrite": "HostHeaderRewriteConfig",
    "url-rewrite": "UrlRewriteConfig",
}
_LONGEST = 1024


def parse(given: Sequence[Members] | None) -> tuple[Transform, ...]:
    """The transforms of a rule. Raises ``ValidationError``."""
    found = tuple(_transform(each) for each in given or ())
    if len({each.type for each in found}) < len(found):
        raise errors.validation("A rule can only have one transform of each type")
    return found


def check(transforms: Sequence[Transform], actions: Sequence[Action]) -> None:
    """Transforms are for requests that go to targets."""
    if transforms and actions[-1].type != "forward":
        raise errors.not_built(f"transforms of rules whose action is '{actions[-1].type}'")


def show(transforms: Iterable[Transform]) -> list[Members]:
    """Transforms as AWS shows them."""
    return [
        {
            "Type": each.type,
            _CONFIGS[each.type]: {
                "Rewrites": [{"Regex": r.regex, "Replace": r.replace} for r in each.rewrites]
            },
        }
        for each in transforms
    ]


def _transform(given: Members) -> Transform:
    type_ = given.get("Type") or ""
    if type_ not in _CONFIGS:
        listed = ", ".join(_CONFIGS)
        raise errors.validation(f"Transform type '{type_}' must be one of '[{listed}]'")
    rewrites = (given.get(_CONFIGS[type_]) or {}).get("Rewrites") or ()
    if len(rewrites) != 1:
        raise errors.validation(f"A '{_CONFIGS[type_]}' must have exactly one rewrite")
    return Transform(type=type_, rewrites=tuple(map(_rewrite, rewrites)))


def _rewrite(given: Members) -> Rewrite:
    regex, replace = given.get("Regex") or "", given.get("Replace") or ""
    patterns.check(regex, longest=_LONGEST)
    if len(replace) > _LONGEST or not replace.isprintable():
        raise errors.validation(f"The replacement is not valid; its length limit is '{_LONGEST}'")
    groups = re.compile(regex).groups
    if any(int(number) > groups for number in re.findall(r"\$(\d)", replace)):
        raise errors.validation(f"The replacement '{replace}' names a group that is not there")
    return Rewrite(regex=regex, replace=replace)
