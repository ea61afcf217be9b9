"""A database brought to the newest of a line of migrations."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import Column, Connection, MetaData, Table, Text, inspect, select

from openecs.store.base import StoreUnavailable


@dataclass(frozen=True, slots=True, kw_only=True)
class Versions:
    """Where migrations are, where the database says which it has, and the newest."""

    location: str
    table: str
    head: str


def migrate(connection: Connection, versions: Versions) -> None:
    """Run what is missing. Raises ``StoreUnavailable`` where a newer version has been at work."""
    if _version(connection, versions) == versions.head:
        return
    # Alembic takes longer to import than the rest of the store: only when there is work for it.
    from alembic import command
    from alembic.config import Config
    from alembic.util import CommandError

    config = Config(attributes={"connection": connection})
    config.set_main_option("script_location", versions.location)
    try:
        command.upgrade(config, "head")
    except CommandError as error:
        raise StoreUnavailable(
            "a newer version of OpenECS has written this database (schema "
            f"{_version(connection, versions)}; this version knows those up to {versions.head}): "
            "upgrade OpenECS"
        ) from error


def _version(connection: Connection, versions: Versions) -> str | None:
    if not inspect(connection).has_table(versions.table):
        return None
    table = Table(versions.table, MetaData(), Column("version_num", Text))
    found: str | None = connection.execute(select(table.c.version_num)).scalar()
    return found
