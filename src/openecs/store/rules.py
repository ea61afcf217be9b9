"""The listener rule that an ARN names, as services that move traffic name it."""

from __future__ import annotations

from openecs.model.identity import parse_arn
from openecs.model.load_balancing import Listener, Rule
from openecs.store.base import View
from openecs.store.kinds import LISTENERS, RULES


def find_rule(view: View, arn: str) -> Rule | Listener | None:
    """The rule; the listener, where the ARN names one or the rule of its default actions."""
    parsed = parse_arn(arn)
    if parsed is None:
        return None
    word, _, path = parsed.resource.partition("/")
    if word == "listener":
        return view.get(LISTENERS, parsed.scope, path)
    if word != "listener-rule":
        return None
    listener = view.get(LISTENERS, parsed.scope, path.rpartition("/")[0])
    is_default = listener is not None and listener.default_rule_arn == arn
    return listener if is_default else view.get(RULES, parsed.scope, path)
