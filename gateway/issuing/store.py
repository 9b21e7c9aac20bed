"""What a caller sent along with an issuance."""

from __future__ import annotations

from uuid import UUID

from gateway.access import Caller
from gateway.issuing.model import IssueCommand
from gateway.operations.model import Operation
from gateway.storage import tables
from gateway.storage.database import Connection, run


async def insert_issuance(
    connection: Connection,
    caller: Caller,
    command: IssueCommand,
    member_id: UUID,
    operation: Operation,
) -> None:
    """Keep the call's transaction number, notes, brand and till (CAP-9)."""
    row = tables.Issuance(
        tenant_id=caller.tenant_id,
        operation_id=operation.id,
        organisation_id=caller.organisation_id,
        member_id=member_id,
        request_id=command.request_id,
        transaction_number=command.transaction_number,
        notes=command.notes,
        brand=command.brand,
        till=command.till,
        created_at=operation.at,
    )
    await run(connection, tables.Issuance.insert(row))
