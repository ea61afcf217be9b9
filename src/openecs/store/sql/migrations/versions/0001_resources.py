"""Resources, what they are found by, and the change feed."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None

_TEXT = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")


def upgrade() -> None:
    """Create the tables."""
    op.create_table(
        "resources",
        sa.Column("kind", _TEXT, primary_key=True),
        sa.Column("account", _TEXT, primary_key=True),
        sa.Column("region", _TEXT, primary_key=True),
        sa.Column("key", _TEXT, primary_key=True),
        sa.Column("revision", sa.BigInteger, nullable=False),
        sa.Column("document", sa.Text, nullable=False),
    )
    op.create_index("resources_by_key", "resources", ["kind", "key", "account", "region"])
    op.create_table(
        "lookups",
        sa.Column("kind", _TEXT, primary_key=True),
        sa.Column("lookup", _TEXT, primary_key=True),
        sa.Column("words", _TEXT, primary_key=True),
        sa.Column("key", _TEXT, primary_key=True),
        sa.Column("account", _TEXT, primary_key=True),
        sa.Column("region", _TEXT, primary_key=True),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "changes",
        sa.Column("revision", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("kind", _TEXT, nullable=False),
        sa.Column("account", _TEXT, nullable=False),
        sa.Column("region", _TEXT, nullable=False),
        sa.Column("key", _TEXT, nullable=False),
    )
    op.create_table(
        "meta",
        sa.Column("name", _TEXT, primary_key=True),
        sa.Column("value", sa.Text, nullable=False),
    )
