"""The schema brought up to date: migrations, and index entries as the code that runs makes them."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Sequence
from itertools import islice
from types import CodeType
from typing import Any

from sqlalchemy import Connection

from openecs.model.identity import Scope
from openecs.store import codec
from openecs.store.base import Kind
from openecs.store.order import Lookup, lookups_of
from openecs.store.sql import documents, statements
from openecs.store.sql.documents import Address
from openecs.store.sql.migrating import Versions, migrate
from openecs.store.sql.queries import Queries, Range, Record

VERSIONS = Versions(location="openecs.store.sql:migrations", table="alembic_version", head="0001")

#: How many resources are indexed at once: bounds memory.
_BATCH = 1_000


def prepare(connection: Connection, kinds: Sequence[Kind[Any]]) -> bool:
    """Migrate, encrypt, and fill the indexes anew where code has changed what they hold.

    Whether anything was plain that is encrypted now. Raises ``StoreUnavailable`` for a database
    that a newer version has written, or whose keys are others.
    """
    migrate(connection, VERSIONS)
    had_plain = _encrypt(connection)
    fingerprint = _fingerprint(kinds)
    if Queries(connection).meta("indexes") != fingerprint:
        for kind in kinds:
            _index(connection, kind)
        statements.set_meta(connection, "indexes", fingerprint)
    return had_plain


def _encrypt(connection: Connection) -> bool:
    seal = documents.documents_of(connection).seal
    if seal is None:
        return False
    known = Queries(connection).meta(documents.CHECK)
    wanted = documents.check(seal, known)
    if wanted != known:
        statements.set_meta(connection, documents.CHECK, wanted)
    return documents.seal_anew(connection)


def _index(connection: Connection, kind: Kind[Any]) -> None:
    statements.delete_lookups(connection, kind.name)
    records = _records(Queries(connection), kind)
    while batch := dict(_entries(kind, record) for record in islice(records, _BATCH)):
        statements.insert_lookups(connection, batch)


def _records(queries: Queries, kind: Kind[Any]) -> Iterator[Record]:
    for scope in queries.scopes(kind.name):
        after = ""
        while page := queries.scan(kind.name, scope, Range(after=after, limit=_BATCH)):
            yield from page
            after = page[-1].key


def _entries(kind: Kind[Any], record: Record) -> tuple[Address, frozenset[Lookup]]:
    address = (kind.name, record.account, record.region, record.key)
    value = codec.decode(kind, record.document)
    return address, lookups_of(kind, Scope(record.account, record.region), value)


def _fingerprint(kinds: Sequence[Kind[Any]]) -> str:
    """What the index functions are: another text whenever one is added, removed or written anew."""
    digest = hashlib.blake2b(digest_size=16)
    for kind in kinds:
        digest.update(repr((kind.name, sorted(_codes(kind)))).encode())
    return digest.hexdigest()


def _codes(kind: Kind[Any]) -> Iterator[tuple[str, str, str]]:
    for indexes, reach in ((kind.indexes, "scoped"), (kind.global_indexes, "global")):
        for name, function in indexes.items():
            yield name, reach, _code(function)


def _code(function: Callable[..., Any]) -> str:
    code: CodeType = function.__code__
    return repr((code.co_code, code.co_names, [c for c in code.co_consts if isinstance(c, str)]))
