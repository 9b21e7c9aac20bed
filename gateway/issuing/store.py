"""What a caller sent along with an issuance."""

from __future__ import annotations

from uuid import UUID

from gateway.access import Caller
from gateway.issuing.model import IssueCommand
from gateway.operations.model import Operation
from gateway.storage import tables
from gateway.storage.database import Connection, run, to_json


async def insert_issuance(
    connection: Connection,
    caller: Caller,
    command: IssueCommand,
    member_id: UUID,
    operation: Operation,
) -> None:
    """Keep the call's transaction number, notes, brand, till, and what it said about organisations (CAP-9, CAP-12, CAP-13)."""
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
        data_scope=command.data_scope.value,
        group_redemption=command.is_group_redemption,
        organisation_details=_to_json(command),
    )
    await run(connection, tables.Issuance.insert(row))


def _to_json(command: IssueCommand) -> str | None:
    if not command.organisation_details:
        return None
    return to_json(
        [
            {
                "organisation_id": details.organisation.id,
                "params": details.params,
                "notes": details.notes,
                "has_group": details.group is not None,
            }
            for details in command.organisation_details
        ]
    )
