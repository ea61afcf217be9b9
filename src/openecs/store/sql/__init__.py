"""The store in a database: SQLite for one process, PostgreSQL for several.

``SqlStore(url)`` and ``SqlMetricStore(url)`` are all there is to use. Only this room knows
SQLAlchemy.
"""

from openecs.store.sql.metrics import SqlMetricStore
from openecs.store.sql.store import SqlStore

__all__ = ["SqlMetricStore", "SqlStore"]
