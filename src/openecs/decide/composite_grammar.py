"""The grammar of composite alarms' rules. Imported late: only rules need the parser."""

from __future__ import annotations

from functools import cache
from itertools import accumulate
from typing import cast

from lark import Lark, Token, Transformer, UnexpectedInput, UnexpectedToken, v_args

from openecs.model.alarm_rules import (
    AllOf,
    AnyOf,
    AtLeast,
    Constant,
    InState,
    Not,
    Rule,
    RuleProblem,
)
from openecs.model.alarms import AlarmState

GRAMMAR = r"""
?either: both
       | both ("OR" both)+                                      -> any_of
?both: single
       | single ("AND" single)+                                 -> all_of
?single: "NOT" single                                           -> negation
       | "(" either ")"
       | "TRUE"                                                 -> yes
       | "FALSE"                                                -> no
       | STATE "(" _alarm ")"                                   -> in_state
       | "AT_LEAST" "(" AMOUNT "," [NEGATED] STATE "," "(" _alarm ("," _alarm)* ")" ")" -> at_least
_alarm: NAME | QUOTED

STATE: "ALARM" | "OK" | "INSUFFICIENT_DATA"
NEGATED: "NOT"
AMOUNT: /[0-9]+%?/
NAME: /[^\s()",]+/
QUOTED: /"(?:[^"\\]|\\.)+"/

%ignore /\s+/
"""

#: Parentheses within parentheses: rules are judged by recursion.
_DEEPEST = 100
_TOO_EARLY = "it ends too early"


def read(text: str) -> Rule | RuleProblem:
    """The rule a text spells, or where it stops making sense."""
    if _depth(text) > _DEEPEST:
        return RuleProblem(f"more than {_DEEPEST} parentheses within one another")
    try:
        return _parser().parse(text)  # type: ignore[return-value]  # the transformer makes a Rule
    except UnexpectedInput as error:
        return RuleProblem(_place(text, error))


@v_args(inline=True)
class _Terms(Transformer[Token, Rule]):
    """Builds rules while the text is read."""

    def any_of(self, *rules: Rule) -> Rule:
        return AnyOf(rules)

    def all_of(self, *rules: Rule) -> Rule:
        return AllOf(rules)

    def negation(self, rule: Rule) -> Rule:
        return rule.rule if isinstance(rule, Not) else Not(rule)

    def yes(self) -> Rule:
        return Constant(value=True)

    def no(self) -> Rule:
        return Constant(value=False)

    def in_state(self, state: Token, alarm: Token) -> Rule:
        return InState(_plain(alarm), AlarmState(state))

    def at_least(self, amount: Token, negated: Token | None, state: Token, *alarms: Token) -> Rule:
        terms: list[Rule] = [InState(_plain(alarm), AlarmState(state)) for alarm in alarms]
        rules = tuple(Not(term) if negated else term for term in terms)
        return AtLeast(int(amount.rstrip("%")), amount.endswith("%"), rules)


@cache
def _parser() -> Lark:
    return Lark(GRAMMAR, start="either", parser="lalr", transformer=_Terms())


def _plain(alarm: Token) -> str:
    if alarm.type != "QUOTED":
        return str(alarm)
    return alarm[1:-1].replace('\\"', '"').replace("\\\\", "\\")


def _place(text: str, error: UnexpectedInput) -> str:
    if isinstance(error, UnexpectedToken) and error.token.type == "$END":
        return _TOO_EARLY
    position = cast(int, error.pos_in_stream)  # the library declares it without a type
    rest = text[position:].split(maxsplit=1)[0]
    return f"unexpected {rest[:40]!r} at character {position + 1}"


def _depth(text: str) -> int:
    depths = accumulate((each == "(") - (each == ")") for each in text)
    return max(depths, default=0)
