"""The store in a database: SQLite for one process, PostgreSQL for several.

``SqlStore``, ``SqlMetricStore`` and ``SqlLogStore`` of a URL are all there is to use. Only this
room knows SQLAlchemy.
"""

from openecs.store.sql.logs import SqlLogStore
from openecs.store.sql.metrics import SqlMetricStore
from openecs.store.sql.store import SqlStore

__all__ = ["SqlLogStore", "SqlMetricStore", "SqlStore"]
