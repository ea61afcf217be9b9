"""The schema of the tables of metrics brought up to date."""

from __future__ import annotations

from sqlalchemy import Connection

from openecs.store.sql.metric_fold import lock
from openecs.store.sql.migrating import Versions, migrate

VERSIONS = Versions(
    location="openecs.store.sql:metric_migrations", table="metric_version", head="0001"
)


def prepare(connection: Connection) -> None:
    """Migrate, one process at a time. Raises ``StoreUnavailable`` for a newer version's."""
    lock(connection)
    migrate(connection, VERSIONS)
