"""Reserve part of a member's available balance for a while.

Round trips: claim the key, find the member, find the asset if it is new to this process, lock the balance, write the
ledger (2), keep the reservation, store the answer; then read the hold. Where the balance is too low, one more to find
holds whose time is over.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from uuid import UUID

from gateway.access import Caller, Scope, authorize
from gateway.errors import FieldError, InvalidInput, NotFound
from gateway.grants.errors import InsufficientBalance, Shortfall
from gateway.holding import store
from gateway.holding.model import (
    HOLDABLE_KINDS,
    HoldOutcome,
    ReserveCommand,
    check_reserve,
    read_amount,
)
from gateway.ids import new_id
from gateway.ledger.assets import Asset
from gateway.ledger.balance import Hold
from gateway.ledger.book import Book
from gateway.ledger.model import Account, BalanceTooLow, OwnerKind
from gateway.ledger.store import lock_balances, record
from gateway.members.store import find_members
from gateway.operations.model import Operation, OperationKind, Request
from gateway.operations.once import run_once
from gateway.rewards.rules import plain
from gateway.storage.database import Connection, Database
from gateway.tenants.asset_rights import find_movable_asset


async def reserve(database: Database, caller: Caller, command: ReserveCommand) -> HoldOutcome:
    """Hold an amount for at most the time given; a repeat of the request id answers the same hold as it stands now.

    Raises:
        Forbidden: the credential lacks the hold scope.
        InvalidInput: the command breaks rules.
        NotFound: the member is unknown, or the organization sees no such asset.
        OutOfReach: it sees the asset and may not deduct it.
        InsufficientBalance: less than the amount is available.
        IdempotencyConflict: the request id was used for another reservation.
        RequestInProgress: the first use of the request id is still running.
    """
    authorize(caller, Scope.HOLD)
    if errors := check_reserve(command):
        raise InvalidInput(errors)
    hold_id = new_id()

    async def work(connection: Connection, operation: Operation) -> dict[str, Any]:
        member_id = await _find_member(connection, caller, command)
        asset = await _find_asset(connection, caller, command)
        hold = Hold(
            id=hold_id,
            account=Account(asset.id, OwnerKind.MEMBER, member_id),
            amount_minor=read_amount(command.amount, asset),
            operation_id=operation.id,
            expires_at=operation.at + timedelta(seconds=command.expires_in_seconds),
        )
        book = await lock_balances(connection, caller.tenant_id, [hold.account], operation.at)
        await _place(connection, caller.tenant_id, book, hold, asset)
        await record(connection, caller.tenant_id, book, operation.at)
        await store.insert_reservation(connection, caller, hold_id, member_id, command.reason)
        return {"hold_id": str(hold_id)}

    answer = await run_once(database, caller, _to_request(caller, command), work)
    first_id = UUID(answer.value["hold_id"])
    async with database.connection() as connection:
        holds = await store.fetch_holds(connection, caller, [first_id])
    return HoldOutcome(holds[first_id], answer.idempotent_replay)


async def _place(
    connection: Connection, tenant_id: UUID, book: Book, hold: Hold, asset: Asset
) -> None:
    """Hold the amount, if need be after setting free what others have held too long."""
    try:
        book.hold(hold)
    except BalanceTooLow:
        for found in await store.lock_due_holds_of(connection, tenant_id, hold.account.id):
            book.expire(found.hold)
        try:
            book.hold(hold)
        except BalanceTooLow as error:
            short = Shortfall(asset, error.required_minor, error.available_minor)
            raise InsufficientBalance((short,), ("input", "amount")) from error


def _to_request(caller: Caller, command: ReserveCommand) -> Request:
    return Request(
        kind=OperationKind.RESERVE,
        key=command.request_id,
        fields={
            "organization": caller.organization_id,
            "member": list(command.member),
            "assetId": command.asset_id,
            "amount": plain(command.amount),
            "expiresInSeconds": command.expires_in_seconds,
            "reason": command.reason,
        },
        operation_id=new_id(),
    )


async def _find_member(connection: Connection, caller: Caller, command: ReserveCommand) -> UUID:
    (member_id,) = await find_members(connection, caller.tenant_id, [command.member])
    if member_id is None:
        raise NotFound("No such member.", ("input", "member"))
    return member_id


async def _find_asset(connection: Connection, caller: Caller, command: ReserveCommand) -> Asset:
    path = ("input", "assetId")
    asset = await find_movable_asset(connection, caller, command.asset_id, path)
    if asset.kind not in HOLDABLE_KINDS:
        message = "assetId must be the id of points, a currency or cash."
        raise InvalidInput([FieldError(path, "kind", message)])
    return asset
