"""The tables, as the newest migration leaves them.

One table holds resources of every kind, one what they are found by: a new kind needs no migration
(``docs/decisions/0002-one-resources-table.md``). Text is compared by code point everywhere.
"""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, Index, MetaData, Table, Text

metadata = MetaData()

TEXT = Text().with_variant(Text(collation="C"), "postgresql")

resources = Table(
    "resources",
    metadata,
    Column("kind", TEXT, primary_key=True),
    Column("account", TEXT, primary_key=True),
    Column("region", TEXT, primary_key=True),
    Column("key", TEXT, primary_key=True),
    Column("revision", BigInteger, nullable=False),
    Column("document", Text, nullable=False),
    # Listings over all scopes are in key order too.
    Index("resources_by_key", "kind", "key", "account", "region"),
)

#: ``words`` is a JSON array; the words of an index within a scope begin with account and region.
#: Whatever is asked, the answer is one range of the primary key, in key order.
lookups = Table(
    "lookups",
    metadata,
    Column("kind", TEXT, primary_key=True),
    Column("lookup", TEXT, primary_key=True),
    Column("words", TEXT, primary_key=True),
    Column("key", TEXT, primary_key=True),
    Column("account", TEXT, primary_key=True),
    Column("region", TEXT, primary_key=True),
    sqlite_with_rowid=False,
)

changes = Table(
    "changes",
    metadata,
    Column("revision", BigInteger, primary_key=True, autoincrement=False),
    Column("kind", TEXT, nullable=False),
    Column("account", TEXT, nullable=False),
    Column("region", TEXT, nullable=False),
    Column("key", TEXT, nullable=False),
)

#: ``revision``: of the last change. ``cleared``: when everything was last forgotten.
#: ``indexes``: a fingerprint of the code ``lookups`` was filled by. ``encryption``: a text that the
#: keys of the database open.
meta = Table(
    "meta",
    metadata,
    Column("name", TEXT, primary_key=True),
    Column("value", Text, nullable=False),
)
