"""What callers sent along with issuances."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from gateway.access import Caller
from gateway.issuing.model import IssueCommand
from gateway.operations.model import Operation
from gateway.storage.database import Connection, to_json

INSERT = """
INSERT INTO issuances (tenant_id, organization_id, created_at, operation_id, member_id, request_id, transaction_number, notes,
    brand, till, data_scope, group_redemption, organization_details)
SELECT $1, $2, $3, unnest($4::uuid[]), unnest($5::uuid[]), unnest($6::text[]), unnest($7::text[]), unnest($8::text[]),
    unnest($9::text[]), unnest($10::text[]), unnest($11::text[]), unnest($12::text[])::boolean, unnest($13::jsonb[])
"""


async def insert_issuances(
    connection: Connection,
    caller: Caller,
    issued: Sequence[tuple[Operation, IssueCommand, UUID]],
) -> None:
    """Keep each call's transaction number, notes, brand, till, and what it said about organizations; one round trip.

    Shapes: operations of one database transaction, their commands and the ids of their members. Source: CAP-9, CAP-12, CAP-13.
    """
    rows = [
        (
            operation.id,
            member_id,
            command.request_id,
            command.transaction_number,
            command.notes,
            command.brand,
            command.till,
            command.data_scope,
            "true" if command.is_group_redemption else "false",
            _to_details(command),
        )
        for operation, command, member_id in issued
    ]
    at = issued[0][0].at
    columns = zip(*rows, strict=True)
    await connection.write(INSERT, caller.tenant_id, caller.organization_id, at, *columns)


def _to_details(command: IssueCommand) -> str | None:
    if not command.organization_details:
        return None
    return to_json(
        [
            {
                "organization_id": details.organization.id,
                "params": details.params,
                "notes": details.notes,
                "has_group": details.group is not None,
            }
            for details in command.organization_details
        ]
    )
