"""What a long reading session needs, and the one way to run a check that is a single statement."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from gateway.storage.database import Connection
from gateway.verifying.model import Check, Row

# A check may read everything there is: the limits that keep requests short do not apply to it. And it reads tables whole, for
# which nested loops are never right; without statistics, as after a restore, the planner would choose them all the same.
PREPARE = """
SET LOCAL statement_timeout = 0;
SET LOCAL idle_in_transaction_session_timeout = 0;
SET LOCAL work_mem = '64MB';
SET LOCAL enable_nestloop = off;
"""


async def prepare_session(connection: Connection) -> None:
    """Lift the time limits for this database transaction."""
    await connection.execute(PREPARE)


def statement_check(name: str, meaning: str, statement: str) -> Check:
    """Return the check that finds what a statement returns; $1 is a tenant or null, $2 how many rows at most."""

    async def find(connection: Connection, tenant_id: UUID | None, limit: int) -> Sequence[Row]:
        return [dict(row) for row in await connection.fetch(statement, tenant_id, limit)]

    return Check(name, meaning, find)
