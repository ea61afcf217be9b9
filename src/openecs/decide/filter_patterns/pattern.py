"""A pattern of a text: nothing, terms, ``{JSON}`` or ``[fields]``."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache

from openecs.decide.filter_patterns import fields, json_properties, terms
from openecs.decide.filter_patterns.values import PatternProblem

#: What is taken out of a message that is meant (``$.a``, ``$ip``); None: it is not meant.
Take = Callable[[str], Mapping[str, str] | None]


@dataclass(frozen=True, slots=True)
class Pattern:
    """A pattern that was read."""

    take: Take
    is_everything: bool = False

    def is_match(self, message: str) -> bool:
        """Whether a message is meant."""
        return self.take(message) is not None


@lru_cache(maxsize=256)
def read(text: str) -> Pattern | PatternProblem:
    """The pattern a text spells, or why there is none."""
    text = text.strip()
    try:
        match text[:1]:
            case "":
                return Pattern(lambda _: {}, is_everything=True)
            case "{":
                from openecs.decide.filter_patterns import grammar

                return Pattern(json_properties.taker(grammar.json(text)))
            case "[":
                from openecs.decide.filter_patterns import grammar

                return Pattern(fields.taker(grammar.fields(text)))
            case _:
                return Pattern(terms.taker(text))
    except PatternProblem as problem:
        return problem
