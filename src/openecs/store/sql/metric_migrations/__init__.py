"""Alembic's place for what changes the tables of metrics."""
