"""A tenant that is another's double: every row again, under the same ids, as another tenant's.

Ids are unique within a tenant only: a statement that forgets the tenant finds both rows, or the wrong one.
"""

from __future__ import annotations

import hashlib
from uuid import UUID

import asyncpg

from gateway.ids import new_id

Owner = "asyncpg.Connection[asyncpg.Record]"
# The double's texts say what they are.
FIND, PUT = "SECRET-OF-", "DOUBLE-OF-"


async def _fetch_tables(owner: asyncpg.Connection[asyncpg.Record]) -> list[str]:
    rows = await owner.fetch("""
        SELECT table_name FROM information_schema.columns JOIN information_schema.tables USING (table_schema, table_name)
        WHERE table_schema = 'public' AND column_name = 'tenant_id' AND table_type = 'BASE TABLE' ORDER BY table_name
    """)
    return [row["table_name"] for row in rows]


async def double_tenant(owner: asyncpg.Connection[asyncpg.Record], tenant_id: UUID) -> UUID:
    """Copy every row of a tenant to a new one, and return its id. Needs the owner: references are not checked meanwhile."""
    double_id = new_id()
    async with owner.transaction():
        await owner.execute("SET LOCAL session_replication_role = replica")
        for table, key in [
            ("tenants", "id"),
            *((t, "tenant_id") for t in await _fetch_tables(owner)),
        ]:
            # The names are ours.
            await owner.execute(
                f"""
                INSERT INTO {table} OVERRIDING SYSTEM VALUE
                SELECT (jsonb_populate_record(row, replace(to_jsonb(row)::text, '{FIND}', '{PUT}')::jsonb
                    || jsonb_build_object('{key}', $2::uuid))).*
                FROM {table} AS row WHERE {key} = $1
                """,  # noqa: S608 - see above
                tenant_id,
                double_id,
            )
    return double_id


async def fingerprint(
    owner: asyncpg.Connection[asyncpg.Record], tenant_id: UUID
) -> dict[str, tuple[int, str]]:
    """Return the number of a tenant's rows in each table, and a hash of them."""
    found = {}
    for table in await _fetch_tables(owner):
        rows = await owner.fetch(
            f"SELECT row::text FROM {table} AS row WHERE tenant_id = $1 ORDER BY 1",  # noqa: S608 - a table of ours
            tenant_id,
        )
        digest = hashlib.sha256("\n".join(row[0] for row in rows).encode()).hexdigest()
        found[table] = (len(rows), digest)
    return found
