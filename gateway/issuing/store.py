"""What callers sent along with issuances."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from gateway.access import Caller
from gateway.issuing.model import IssueCommand
from gateway.operations.model import Operation
from gateway.storage.database import Connection, to_json

INSERT = """
INSERT INTO issuances (tenant_id, organisation_id, created_at, operation_id, member_id, request_id, transaction_number, notes,
    brand, till, data_scope, group_redemption, organisation_details)
SELECT $1, $2, $3, issued.* FROM jsonb_to_recordset($4::jsonb) AS issued (operation_id uuid, member_id uuid, request_id text,
    transaction_number text, notes text, brand text, till text, data_scope text, group_redemption boolean,
    organisation_details jsonb)
"""


async def insert_issuances(
    connection: Connection,
    caller: Caller,
    issued: Sequence[tuple[Operation, IssueCommand, UUID]],
) -> None:
    """Keep each call's transaction number, notes, brand, till, and what it said about organisations; one round trip.

    Shapes: operations of one database transaction, their commands and the ids of their members. Source: CAP-9, CAP-12, CAP-13.
    """
    rows = [
        {
            "operation_id": operation.id,
            "member_id": member_id,
            "request_id": command.request_id,
            "transaction_number": command.transaction_number,
            "notes": command.notes,
            "brand": command.brand,
            "till": command.till,
            "data_scope": command.data_scope,
            "group_redemption": command.is_group_redemption,
            "organisation_details": _to_details(command),
        }
        for operation, command, member_id in issued
    ]
    at = issued[0][0].at
    await connection.write(INSERT, caller.tenant_id, caller.organisation_id, at, to_json(rows))


def _to_details(command: IssueCommand) -> list[dict[str, Any]] | None:
    if not command.organisation_details:
        return None
    return [
        {
            "organisation_id": details.organisation.id,
            "params": details.params,
            "notes": details.notes,
            "has_group": details.group is not None,
        }
        for details in command.organisation_details
    ]
