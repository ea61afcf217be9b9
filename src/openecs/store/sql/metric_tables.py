"""The tables of metrics, as the newest migration leaves them."""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Column,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    Table,
    UniqueConstraint,
)

from openecs.store.sql.tables import TEXT

metadata = MetaData()

_ID = BigInteger().with_variant(Integer, "sqlite")

series = Table(
    "metric_series",
    metadata,
    Column("id", _ID, primary_key=True),
    Column("account", TEXT, nullable=False),
    Column("region", TEXT, nullable=False),
    Column("namespace", TEXT, nullable=False),
    Column("name", TEXT, nullable=False),
    #: JSON: pairs of names and values, by name.
    Column("dimensions", TEXT, nullable=False),
    UniqueConstraint("account", "region", "namespace", "name", "dimensions"),
)

#: One row, another number whenever series go: what was known of their ids holds no longer.
generation = Table("metric_generation", metadata, Column("number", BigInteger, nullable=False))

#: Samples as they came, one row for each time of putting some; folded into blocks.
journal = Table(
    "metric_journal",
    metadata,
    Column("id", _ID, primary_key=True),
    Column("samples", LargeBinary, nullable=False),
)

#: ``begin``: seconds since the epoch, a multiple of the tier's span. ``last``: its last period's.
blocks = Table(
    "metric_blocks",
    metadata,
    Column("series", _ID, primary_key=True),
    Column("resolution", Integer, primary_key=True),
    Column("begin", BigInteger, primary_key=True),
    Column("last", BigInteger, nullable=False),
    Column("periods", LargeBinary, nullable=False),
    Index("metric_blocks_by_age", "resolution", "begin"),
)
