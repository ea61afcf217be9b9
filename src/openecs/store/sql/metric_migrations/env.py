"""Runs migrations in the transaction that opens the store of metrics."""

from alembic import context

from openecs.store.sql.metric_schema import VERSIONS
from openecs.store.sql.metric_tables import metadata

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    # Where the database is shared, the resources have theirs.
    version_table=VERSIONS.table,
    transactional_ddl=True,
)
with context.begin_transaction():
    context.run_migrations()
