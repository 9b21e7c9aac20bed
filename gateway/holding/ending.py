"""End a hold: take it, or set it free. Whoever comes first ends it; everybody else is told that it has ended.

Round trips: claim the key, lock the hold, find the asset if it is new to this process (capture), lock the balance, write
the ledger (2), keep what was taken (capture), store the answer; then read the hold.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any
from uuid import UUID

from gateway.access import Caller, Scope, authorize
from gateway.errors import FieldError, InvalidInput, NotFound
from gateway.holding import store
from gateway.holding.expiry import expire_hold
from gateway.holding.model import (
    CaptureCommand,
    HoldOutcome,
    HoldRecord,
    HoldStatus,
    ReleaseCommand,
    check_capture,
    read_amount,
)
from gateway.ids import new_id
from gateway.ledger.assets import Asset
from gateway.ledger.model import Account, HoldEnded, OwnerKind, Transaction, TransactionKind
from gateway.ledger.store import lock_balances, record
from gateway.operations.model import Operation, OperationKind, Request, check_key
from gateway.operations.once import run_once
from gateway.rewards.rules import plain
from gateway.storage.database import Connection, Database
from gateway.tenants.asset_rights import require_movable

PATH = ("input", "holdId")

End = Callable[[Connection, Operation, HoldRecord], Awaitable[None]]


async def capture(database: Database, caller: Caller, command: CaptureCommand) -> HoldOutcome:
    """Take a hold, whole or in part: what is taken moves to the organization's redemption account, the rest is free again.

    Raises:
        Forbidden: the credential lacks the hold scope.
        InvalidInput: the command breaks rules; nothing was taken.
        NotFound: the hold is unknown to the caller.
        OutOfReach: the asset's owner does not name the organization as an issuer any more.
        HoldEnded: it was captured or released before, or its time is over.
        IdempotencyConflict: the request id was used for another capture.
        RequestInProgress: the first use of the request id is still running.
    """
    authorize(caller, Scope.HOLD)
    if errors := check_capture(command):
        raise InvalidInput(errors)
    transaction_id = new_id()

    async def take(connection: Connection, operation: Operation, found: HoldRecord) -> None:
        asset = await require_movable(connection, caller, found.asset_id, PATH)
        amount_minor = _read_amount(command, found, asset)
        hold, tenant_id = found.hold, caller.tenant_id
        credit = Account(found.asset_id, OwnerKind.REDEMPTION, caller.organization_id)
        transaction = Transaction(
            id=transaction_id,
            kind=TransactionKind.CAPTURE,
            operation_id=operation.id,
            occurred_at=operation.at,
            payload={"holdId": str(found.id), "memberId": str(found.member_id)},
            description=found.reason,
            credential_id=operation.credential_id,
        )
        book = await lock_balances(connection, tenant_id, [hold.account], operation.at)
        book.capture(hold, transaction, credit, amount_minor=amount_minor)
        await record(connection, tenant_id, book, operation.at)
        await store.mark_captured(connection, tenant_id, hold.id, amount_minor, transaction_id)

    fields = {
        "organization": caller.organization_id,
        "holdId": command.hold_id,
        "amount": None if command.amount is None else plain(command.amount),
    }
    request = Request(OperationKind.CAPTURE, command.request_id, fields, new_id())
    return await _end(database, caller, request, command.hold_id, take)


async def release(database: Database, caller: Caller, command: ReleaseCommand) -> HoldOutcome:
    """Set a hold free: its amount is available again.

    Raises:
        Forbidden: the credential lacks the hold scope.
        InvalidInput: the command breaks rules.
        NotFound: the hold is unknown to the caller.
        HoldEnded: it was captured or released before, or its time is over.
        IdempotencyConflict: the request id was used for another release.
        RequestInProgress: the first use of the request id is still running.
    """
    authorize(caller, Scope.HOLD)
    if errors := check_key(command.request_id, ("input", "requestId")):
        raise InvalidInput(errors)

    async def set_free(connection: Connection, operation: Operation, found: HoldRecord) -> None:
        hold, tenant_id = found.hold, caller.tenant_id
        book = await lock_balances(connection, tenant_id, [hold.account], operation.at)
        book.release(hold)
        await record(connection, tenant_id, book, operation.at)

    fields = {"organization": caller.organization_id, "holdId": command.hold_id}
    request = Request(OperationKind.RELEASE, command.request_id, fields, new_id())
    return await _end(database, caller, request, command.hold_id, set_free)


async def _end(
    database: Database, caller: Caller, request: Request, hold_id: UUID | None, end: End
) -> HoldOutcome:
    async def work(connection: Connection, operation: Operation) -> dict[str, Any]:
        found = await store.lock_hold(connection, caller, hold_id)
        if found is None:
            raise NotFound("No such hold.", PATH)
        if found.status is not HoldStatus.OPEN:
            raise HoldEnded(_MESSAGES[found.status], PATH)
        await end(connection, operation, found)
        return {"hold_id": str(found.id)}

    try:
        answer = await run_once(database, caller, request, work)
    except HoldEnded:
        if hold_id is not None:
            await expire_hold(database, caller.tenant_id, hold_id)
        raise
    ended_id = UUID(answer.value["hold_id"])
    async with database.connection() as connection:
        holds = await store.fetch_holds(connection, caller, [ended_id])
    return HoldOutcome(holds[ended_id], answer.idempotent_replay)


_MESSAGES = {
    HoldStatus.CAPTURED: "The hold was captured before.",
    HoldStatus.RELEASED: "The hold was released before.",
    HoldStatus.EXPIRED: "The hold has expired.",
}


def _read_amount(command: CaptureCommand, found: HoldRecord, asset: Asset) -> int:
    if command.amount is None:
        return found.amount_minor
    amount_minor = read_amount(command.amount, asset)
    if amount_minor > found.amount_minor:
        message = "amount must be at most what is held."
        raise InvalidInput([FieldError(("input", "amount"), "range", message)])
    return amount_minor
