"""Series, the journal and blocks; samples that were rows of their own go into the journal."""

from itertools import islice

import msgspec
import sqlalchemy as sa
from alembic import op

from openecs.model.metrics import Statistics
from openecs.store.metric_blocks import batch, known_of

revision = "0001"
down_revision = None

_TEXT = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")
_ID = sa.BigInteger().with_variant(sa.Integer, "sqlite")
_BATCH = 5_000


def upgrade() -> None:
    """Create the tables, and take in those that came before there were migrations."""
    inspected = sa.inspect(op.get_bind())
    if not inspected.has_table("metric_series"):
        op.create_table(
            "metric_series",
            sa.Column("id", _ID, primary_key=True),
            sa.Column("account", _TEXT, nullable=False),
            sa.Column("region", _TEXT, nullable=False),
            sa.Column("namespace", _TEXT, nullable=False),
            sa.Column("name", _TEXT, nullable=False),
            sa.Column("dimensions", _TEXT, nullable=False),
            sa.UniqueConstraint("account", "region", "namespace", "name", "dimensions"),
        )
    numbers = op.create_table(
        "metric_generation", sa.Column("number", sa.BigInteger, nullable=False)
    )
    op.bulk_insert(numbers, [{"number": 1}])
    op.create_table(
        "metric_journal",
        sa.Column("id", _ID, primary_key=True),
        sa.Column("samples", sa.LargeBinary, nullable=False),
    )
    op.create_table(
        "metric_blocks",
        sa.Column("series", _ID, primary_key=True),
        sa.Column("resolution", sa.Integer, primary_key=True),
        sa.Column("begin", sa.BigInteger, primary_key=True),
        sa.Column("last", sa.BigInteger, nullable=False),
        sa.Column("periods", sa.LargeBinary, nullable=False),
    )
    op.create_index("metric_blocks_by_age", "metric_blocks", ["resolution", "begin"])
    if inspected.has_table("metric_points"):
        _take_in_points()


def _take_in_points() -> None:
    connection = op.get_bind()
    points = sa.Table("metric_points", sa.MetaData(), autoload_with=connection)
    journal = sa.Table("metric_journal", sa.MetaData(), autoload_with=connection)
    columns = (points.c[name] for name in ("series", "moment", "resolution", "unit", "statistics"))
    rows = iter(connection.execute(sa.select(*columns).order_by(points.c.moment)).all())
    while some := list(islice(rows, _BATCH)):
        kept = [(*row[:4], known_of(_decoded(row.statistics))) for row in some]
        connection.execute(sa.insert(journal).values(samples=batch(kept)))
    op.drop_table("metric_points")


def _decoded(stored: bytes) -> Statistics:
    """One value that came once was a number; all else a list."""
    read = msgspec.msgpack.decode(stored)
    if not isinstance(read, list):
        return Statistics(1.0, read, read, read, ((read, 1.0),))
    count, total, minimum, maximum, *flat = read
    return Statistics(
        count, total, minimum, maximum, tuple(zip(flat[::2], flat[1::2], strict=True))
    )
