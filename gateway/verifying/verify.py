"""Run every check on one snapshot of the database.

Round trips: one for each check, and for the two checks that compute in Python one more for each page of rows.
Nothing is locked and nothing written, so it can run beside live traffic.
"""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from gateway.storage.database import Connection, Database
from gateway.verifying.checks import CHECKS
from gateway.verifying.model import ROWS_MAX, Check, Finding, to_finding
from gateway.verifying.session_store import prepare_session


async def verify(database: Database, tenant_id: UUID | None = None) -> list[Finding]:
    """Return what is broken, of one tenant or of all; nothing if every invariant holds (ALL-6)."""
    async with (
        database.connection() as connection,
        connection.transaction(isolation="repeatable_read", readonly=True),
    ):
        await prepare_session(connection)
        return await find_broken(connection, tenant_id)


async def find_broken(
    connection: Connection, tenant_id: UUID | None, checks: Sequence[Check] = CHECKS
) -> list[Finding]:
    """Return what the checks find in the database transaction that the connection is in."""
    findings: list[Finding] = []
    for check in checks:
        # One more than is shown tells whether there are others.
        rows = await check.find(connection, tenant_id, ROWS_MAX + 1)
        findings += [to_finding(check, rows)] if rows else []
    return findings
