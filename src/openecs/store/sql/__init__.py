"""The store in a database: SQLite for one process, PostgreSQL for several.

``SqlStore(url)`` is all there is to use. Only this room knows SQLAlchemy.
"""

from openecs.store.sql.store import SqlStore

__all__ = ["SqlStore"]
