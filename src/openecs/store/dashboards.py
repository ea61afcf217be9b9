"""Dashboards as they are stored: of an account, in no region."""

from __future__ import annotations

from openecs.model.dashboards import Dashboard
from openecs.model.identity import Scope
from openecs.store.base import Kind

DASHBOARDS: Kind[Dashboard] = Kind(
    name="dashboard",
    type=Dashboard,
    key=lambda dashboard: dashboard.name,
    scope=lambda dashboard: dashboard.scope,
)

KINDS = (DASHBOARDS,)


def dashboard_scope(account: str) -> Scope:
    """Where an account's dashboards are kept."""
    return Scope(account, "")
