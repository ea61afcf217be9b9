"""Documents: what goes in comes out, in this version and from another."""

import json
from dataclasses import dataclass, field

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from openecs.model.identity import Scope
from openecs.store import codec, kinds
from openecs.store.base import Kind


def _values(kind):
    return st.from_type(kind.type).map(lambda value: (kind, value))


st.register_type_strategy(str, st.text(max_size=8))
# JSON has no others, and no resource has use for them.
st.register_type_strategy(float, st.floats(allow_nan=False, allow_infinity=False))
STORED = st.one_of(*(_values(kind) for kind in kinds.ALL))


@given(STORED)
@settings(max_examples=60, deadline=None)
def test_a_resource_survives_its_document(stored):
    kind, value = stored
    assert codec.decode(kind, codec.encode(value)) == value


@dataclass(frozen=True, kw_only=True)
class Newer:
    scope: Scope
    name: str
    size: int = 7
    tags: dict[str, str] = field(default_factory=dict)


NEWER: Kind[Newer] = Kind(name="x", type=Newer, key=lambda n: n.name, scope=lambda n: n.scope)


def test_documents_of_another_version_are_read():
    document = {"scope": {"account": "1", "region": "r"}, "name": "a", "gone": [1, 2]}
    assert codec.decode(NEWER, json.dumps(document)) == Newer(scope=Scope("1", "r"), name="a")


@pytest.mark.parametrize("document", ["", "{", '{"name": 1}', '{"name": "a"}', "[]"])
def test_documents_that_do_not_fit_are_not_guessed_at(document):
    with pytest.raises(codec.UnreadableDocument, match="stored x"):
        codec.decode(NEWER, document)
