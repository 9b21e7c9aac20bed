"""Use case: move points from a member to their group, from whose account the group redeems (CAP-12).

Round trips inside the database transaction: claim the key, find the member and the group (and its primary member), the asset,
lock, write, store the answer.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import Any
from uuid import UUID

from gateway.access import Caller, Scope, authorize
from gateway.errors import FieldError, InvalidInput, NotFound, OutOfReach
from gateway.grants.errors import InsufficientBalance, Shortfall
from gateway.ids import new_id
from gateway.ledger.assets import Asset, AssetKind, InexactAmount, to_minor
from gateway.ledger.model import (
    Account,
    BalanceTooLow,
    OwnerKind,
    Transaction,
    TransactionKind,
    Transfer,
)
from gateway.ledger.store import lock_balances, record
from gateway.members.groups.model import GroupReference
from gateway.members.groups.store import find_groups, search_order
from gateway.members.model import MemberReference
from gateway.members.store import find_members
from gateway.operations.model import Operation, OperationKind, Request, check_key
from gateway.operations.once import run_once
from gateway.rewards.rules import plain
from gateway.storage.database import Connection, Database
from gateway.tenants.asset_rights import find_movable_asset

AMOUNT_PATH = ("input", "amount")
# What a reward can be paid with.
_KINDS = frozenset({AssetKind.POINTS, AssetKind.CURRENCY})


@dataclass(frozen=True, slots=True)
class FundGroup:
    """How much of what, from whom, to which group. `asset_id` None stands for an id that can name no asset."""

    request_id: str
    group: GroupReference
    member: MemberReference
    asset_id: UUID | None
    amount: Decimal


@dataclass(frozen=True, slots=True)
class FundedGroup:
    """The group and the transaction."""

    group_id: UUID
    member_id: UUID
    transaction_id: UUID
    idempotent_replay: bool


async def fund_group(database: Database, caller: Caller, command: FundGroup) -> FundedGroup:
    """Move an amount from a member of the group to the group's account.

    Raises:
        Forbidden: the credential lacks the scope.
        InvalidInput: every broken rule, by path.
        NotFound: the member is unknown, or in no group of this name that the caller can see.
        OutOfReach: the group or the asset is another organization's, which the caller can see.
        InsufficientBalance: the member has less.
        IdempotencyConflict, RequestInProgress: the request id was used before.
    """
    authorize(caller, Scope.MEMBERS)
    errors = check_key(command.request_id, ("input", "requestId"))
    if not command.amount.is_finite() or command.amount <= 0:
        errors.append(FieldError(AMOUNT_PATH, "positive", "amount must be greater than 0."))
    if errors:
        raise InvalidInput(errors)
    transaction_id = new_id()

    async def work(connection: Connection, operation: Operation) -> dict[str, Any]:
        asset = await _find_asset(connection, caller, command)
        member_id, group_id = await _find_parties(connection, caller, command)
        transaction = Transaction(
            id=transaction_id,
            kind=TransactionKind.GROUP_FUNDING,
            operation_id=operation.id,
            occurred_at=operation.at,
            payload={"groupId": str(group_id), "memberId": str(member_id)},
            credential_id=operation.credential_id,
        )
        transfer = Transfer(
            debit=Account(asset.id, OwnerKind.MEMBER, member_id),
            credit=Account(asset.id, OwnerKind.GROUP, group_id),
            amount_minor=_to_minor(command.amount, asset),
        )
        await _post(connection, caller.tenant_id, asset, transaction, transfer)
        return {
            "group_id": str(group_id),
            "member_id": str(member_id),
            "transaction_id": str(transaction_id),
        }

    answer = await run_once(database, caller, _to_request(command), work)
    ids = {name: UUID(value) for name, value in answer.value.items()}
    return FundedGroup(**ids, idempotent_replay=answer.idempotent_replay)


def _to_request(command: FundGroup) -> Request:
    given = {
        "group": command.group.fingerprint,
        "member": [*command.member],
        "assetId": command.asset_id,
        "amount": plain(command.amount),
    }
    return Request(OperationKind.FUND_GROUP, command.request_id, given, new_id())


async def _find_asset(connection: Connection, caller: Caller, command: FundGroup) -> Asset:
    path = ("input", "assetId")
    try:
        asset = await find_movable_asset(connection, caller, command.asset_id, path)
    except NotFound:
        asset = None
    if asset is not None and asset.kind in _KINDS:
        return asset
    message = "assetId must be the id of points or a currency."
    raise InvalidInput([FieldError(path, "exists", message)])


async def _find_parties(
    connection: Connection, caller: Caller, command: FundGroup
) -> tuple[UUID, UUID]:
    (member_id,) = await find_members(connection, caller.tenant_id, [command.member])
    if member_id is None:
        raise NotFound("No such member.", ("input", "member"))
    path = ("input", "group")
    found = await find_groups(
        connection,
        caller.tenant_id,
        search_order(caller.organization_id, caller.reach),
        [command.group],
        member_id,
    )
    group = found.get(command.group)
    if group is None:
        raise NotFound("The member is in no such group.", path)
    if group.organization_id != caller.organization_id:
        raise OutOfReach("Only the organization that owns the group funds it.", path)
    return member_id, group.id


def _to_minor(amount: Decimal, asset: Asset) -> int:
    try:
        return to_minor(amount, asset.scale)
    except InexactAmount as error:
        raise InvalidInput([FieldError(AMOUNT_PATH, "exact", f"amount {error}.")]) from error


async def _post(
    connection: Connection,
    tenant_id: UUID,
    asset: Asset,
    transaction: Transaction,
    transfer: Transfer,
) -> None:
    at = transaction.occurred_at
    book = await lock_balances(connection, tenant_id, (transfer.debit, transfer.credit), at)
    try:
        book.post(transaction, [transfer])
    except BalanceTooLow as error:
        shortfall = Shortfall(asset, error.required_minor, error.available_minor)
        raise InsufficientBalance((shortfall,), AMOUNT_PATH) from error
    await record(connection, tenant_id, book, at)
