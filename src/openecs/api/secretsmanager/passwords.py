"""GetRandomPassword."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from string import ascii_lowercase, ascii_uppercase, digits, punctuation

from openecs.api.base import Call, Members, Operation, Reads
from openecs.api.secretsmanager import errors
from openecs.model.identity import Ids
from openecs.store.base import View

_LENGTH = 32
_KINDS = (
    ("ExcludeLowercase", ascii_lowercase),
    ("ExcludeUppercase", ascii_uppercase),
    ("ExcludeNumbers", digits),
    ("ExcludePunctuation", punctuation),
)


def get_random_password(_: View, call: Call, request: Members) -> Members:
    """A password; unless that is not wanted, with a character at least of each kind it may have."""
    excluded = set(request.get("ExcludeCharacters") or "")
    kinds = [text for member, text in _KINDS if not request.get(member)]
    if request.get("IncludeSpace"):
        kinds.append(" ")
    allowed = [kept for text in kinds if (kept := [c for c in text if c not in excluded])]
    length = request.get("PasswordLength") or _LENGTH
    if not allowed:
        raise errors.invalid_parameter("No characters are left to make a password of.")
    needed = allowed if request.get("RequireEachIncludedType", True) else []
    if len(needed) > length:
        raise errors.invalid_parameter(
            f"PasswordLength must be at least {len(needed)} to have each included type."
        )
    chance = _chance(call.ids)
    every = [character for kind in allowed for character in kind]
    made = [_chosen(chance, kind) for kind in needed]
    made += [_chosen(chance, every) for _ in range(length - len(made))]
    return {"RandomPassword": "".join(_shuffled(chance, made))}


OPERATIONS: dict[str, Operation] = {"GetRandomPassword": Reads(get_random_password)}


def _chance(ids: Ids) -> Iterator[int]:
    """Numbers so large that a remainder of them favours nothing that one could tell."""
    while True:
        yield int(ids.hex32(), 16)


def _chosen(chance: Iterator[int], characters: Sequence[str]) -> str:
    return characters[next(chance) % len(characters)]


def _shuffled(chance: Iterator[int], characters: list[str]) -> list[str]:
    for last in range(len(characters) - 1, 0, -1):
        other = next(chance) % (last + 1)
        characters[last], characters[other] = characters[other], characters[last]
    return characters
