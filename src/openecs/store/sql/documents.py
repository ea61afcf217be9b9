"""Documents on their way to the database and back: those of sealed kinds are sealed there.

Rows of before, and those that another key sealed, are read as they are and sealed anew when a
process opens the database.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, TypeAlias

from sqlalchemy import Connection, Select, bindparam, func, literal, select, update

from openecs.model.sealing import PREFIX, CannotOpen, Seal
from openecs.store.base import Kind, StoreUnavailable
from openecs.store.codec import UnreadableDocument
from openecs.store.sql.tables import resources

#: Where a resource is: kind, account, region, key.
Address: TypeAlias = tuple[str, str, str, str]

#: The name of the option by which a connection knows its documents.
OPTION = "openecs_documents"

#: What stands sealed in the table ``meta``, by which a database knows its keys.
CHECK = "encryption"

#: How many rows are sealed anew at once: bounds memory.
_BATCH = 500


class Documents:
    """What a connection does with documents; without a seal they are left as they are."""

    def __init__(self, seal: Seal | None, kinds: Sequence[Kind[Any]]) -> None:
        self.seal = seal
        self.sealed = frozenset(kind.name for kind in kinds if kind.sealed)

    def written(self, address: Address, document: str) -> str:
        """The document as the database gets it."""
        if self.seal is None or address[0] not in self.sealed:
            return document
        return self.seal.close(document, "\0".join(address))

    def read(self, address: Address, text: str) -> str:
        """The document of what the database has. Raises ``UnreadableDocument``."""
        if not text.startswith(PREFIX):
            return text
        if self.seal is None:
            raise UnreadableDocument(f"a stored {address[0]} is encrypted, and there is no key")
        try:
            return self.seal.open(text, "\0".join(address))
        except CannotOpen as error:
            raise UnreadableDocument(f"a stored {address[0]} cannot be read: {error}") from error


_PLAIN = Documents(None, ())


def documents_of(connection: Connection) -> Documents:
    """What the connection does with documents."""
    known: Documents = connection.get_execution_options().get(OPTION, _PLAIN)
    return known


def check(seal: Seal, known: str | None) -> str:
    """The check value a database is to have after this. Raises ``StoreUnavailable``.

    ``known`` is the one it has: of a key that is not here, nothing in it could be read.
    """
    if known is not None:
        try:
            seal.open(known, CHECK)
        except CannotOpen as error:
            raise StoreUnavailable(
                f"the encryption keys of this process are not those of the database: {error}. "
                "All processes on one database need the same keys "
                "(encryption_keys_file, OPENECS_ENCRYPTION_KEYS)"
            ) from error
        if known.startswith(seal.prefix):
            return known
    return seal.close("openecs", CHECK)


def seal_anew(connection: Connection) -> bool:
    """Seal what is plain, or of another key, with the key in force; whether any was plain."""
    documents = documents_of(connection)
    if documents.seal is None or not documents.sealed:
        return False
    was_plain = False
    where = {"kinds": sorted(documents.sealed), "prefix": documents.seal.prefix}
    while rows := connection.execute(_STALE, where).all():
        for *place, text in rows:
            kind, account, region, key = place
            address: Address = (kind, account, region, key)
            was_plain = was_plain or not text.startswith(PREFIX)
            fresh = documents.written(address, documents.read(address, text))
            values = dict(zip(("kind_", "account_", "region_", "key_"), address, strict=True))
            connection.execute(_RESEAL, {**values, "fresh": fresh})
    return was_plain


_STALE: Select[Any] = (
    select(
        resources.c.kind,
        resources.c.account,
        resources.c.region,
        resources.c.key,
        resources.c.document,
    )
    .where(
        resources.c.kind.in_(bindparam("kinds", expanding=True)),
        func.substr(resources.c.document, literal(1), func.length(bindparam("prefix")))
        != bindparam("prefix"),
    )
    .limit(_BATCH)
)

#: No revision: what the resource is has not changed.
_RESEAL = (
    update(resources)
    .where(
        resources.c.kind == bindparam("kind_"),
        resources.c.account == bindparam("account_"),
        resources.c.region == bindparam("region_"),
        resources.c.key == bindparam("key_"),
    )
    .values(document=bindparam("fresh"))
)
