"""Take one grant back: a new transaction that moves everything the grant moved the other way (ALL-4).

Round trips: claim the key, lock the grant, unwind it (4, a unique coupon 6), store the answer; then read the grant.
"""

from __future__ import annotations

from typing import Any
from uuid import UUID

from gateway.access import Caller, Scope, authorize
from gateway.errors import InvalidInput, NotFound
from gateway.grants import store
from gateway.grants.errors import NotReversible
from gateway.grants.record import GrantRecord
from gateway.ids import new_id
from gateway.operations.model import Operation, OperationKind, Request
from gateway.operations.once import run_once
from gateway.reversing.model import REVERSED, ReverseCommand, ReverseOutcome, check_command
from gateway.reversing.unwind import Unwinding
from gateway.storage.database import Connection, Database

PATH = ("input", "grantId")


async def reverse_grant(
    database: Database, caller: Caller, command: ReverseCommand
) -> ReverseOutcome:
    """Reverse all that a grant moved, payment included, once; a code that it gave is voided and never given again.

    Raises:
        Forbidden: the credential lacks the reverse scope.
        InvalidInput: the command breaks rules; all are listed.
        NotFound: the grant is unknown to the caller.
        NotReversible: it was reversed before, or the member has spent what it gave and may not owe it.
        IdempotencyConflict: the request id was used for another reversal.
        RequestInProgress: the first use of the request id is still running.
    """
    authorize(caller, Scope.REVERSE)
    if errors := check_command(command):
        raise InvalidInput(errors)
    unwinding = Unwinding(caller, command.reason, command.policy)

    async def work(connection: Connection, operation: Operation) -> dict[str, Any]:
        grant = await _lock_grant(connection, caller, command)
        status = (await unwinding.unwind(connection, operation, [grant]))[grant.id]
        if status is not REVERSED:
            raise NotReversible(status.message, PATH)
        transaction_id = unwinding.reversal_id_of(grant)
        return {"grant_id": str(grant.id), "transaction_id": str(transaction_id)}

    answer = await run_once(database, caller, _to_request(caller, command), work)
    grant_id = UUID(answer.value["grant_id"])
    async with database.connection() as connection:
        grants = await store.fetch_grants(connection, caller.tenant_id, [grant_id])
    reversal_id = UUID(answer.value["transaction_id"])
    return ReverseOutcome(grants[grant_id], reversal_id, answer.idempotent_replay)


def _to_request(caller: Caller, command: ReverseCommand) -> Request:
    return Request(
        kind=OperationKind.REVERSE_GRANT,
        key=command.request_id,
        fields={
            "organization": caller.organization_id,
            "grantId": command.grant_id,
            "reason": command.reason,
            "policy": command.policy,
        },
        operation_id=new_id(),
    )


async def _lock_grant(
    connection: Connection, caller: Caller, command: ReverseCommand
) -> GrantRecord:
    wanted = [command.grant_id] if command.grant_id else []
    locked = await store.lock_grants(connection, caller.tenant_id, wanted)
    for grant in locked.values():
        if grant.organization_id == caller.organization_id:
            return grant
    raise NotFound("No such grant.", PATH)
