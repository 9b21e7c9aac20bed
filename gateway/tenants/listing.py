"""Which tenants there are: for the operator's commands only, since it reads across tenants."""

from __future__ import annotations

from gateway.storage import tables
from gateway.storage.database import Connection, run


async def fetch_tenant_names(connection: Connection) -> list[str]:
    """Return the name of every tenant, oldest first."""
    table = tables.Tenant
    rows = await run(connection, table.select(table.name).order_by(table.id))
    return [row["name"] for row in rows]
