"""Take a grant back: a new transaction that moves everything the grant moved the other way (ALL-4).

Round trips: begin, claim the key, lock the grant, read its entries (and those of its claim, if it was claimed later), lock
balances, write the ledger, mark the grant, void and unassign its code if it gave one, store the answer, commit; then read the
grant.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from gateway.access import Caller, Scope, authorize
from gateway.errors import FieldError, InvalidInput, NotFound
from gateway.grants import coupon_store, store
from gateway.grants.errors import NotReversible
from gateway.grants.record import GrantKind, GrantRecord, GrantStatus
from gateway.ids import new_id
from gateway.ledger.book import bounded_accounts
from gateway.ledger.entries_store import EntryRow, fetch_entries
from gateway.ledger.model import (
    Account,
    BalanceTooLow,
    OwnerKind,
    Transaction,
    TransactionKind,
    Transfer,
)
from gateway.ledger.store import lock_balances, record
from gateway.operations.model import Operation, OperationKind, Request, check_key
from gateway.operations.once import run_once
from gateway.storage.database import Connection, Database
from gateway.text import check_text

REASON_LENGTH_MAX = 256


@dataclass(frozen=True, slots=True)
class ReverseCommand:
    """One grant to take back. `grant_id` None stands for an id that can name no grant."""

    request_id: str
    grant_id: UUID | None
    reason: str | None


@dataclass(frozen=True, slots=True)
class ReverseOutcome:
    """The grant, reversed, and the transaction that did it."""

    grant: GrantRecord
    transaction_id: UUID
    idempotent_replay: bool


def check_command(command: ReverseCommand) -> list[FieldError]:
    """Return every broken rule of form."""
    errors = check_key(command.request_id, ("input", "requestId"))
    return errors + check_text(command.reason, ("input", "reason"), REASON_LENGTH_MAX, length_min=0)


async def reverse_grant(
    database: Database, caller: Caller, command: ReverseCommand
) -> ReverseOutcome:
    """Reverse all that a grant moved, payment included, once; a code that it gave is voided and never given again.

    Raises:
        Forbidden: the credential lacks the reverse scope.
        InvalidInput: the command breaks rules; all are listed.
        NotFound: the grant is unknown to the caller.
        NotReversible: it was reversed before, or the member has spent what it gave.
        IdempotencyConflict: the request id was used for another reversal.
        RequestInProgress: the first use of the request id is still running.
    """
    authorize(caller, Scope.REVERSE)
    if errors := check_command(command):
        raise InvalidInput(errors)
    transaction_id = new_id()

    async def work(connection: Connection, operation: Operation) -> dict[str, Any]:
        grant = await _lock_grant(connection, caller, command)
        transfers = await _find_transfers(connection, caller, grant)
        transaction = Transaction(
            id=transaction_id,
            kind=TransactionKind.REVERSAL,
            operation_id=operation.id,
            occurred_at=operation.at,
            payload={"grantIds": [str(grant.id)], "memberId": str(grant.member_id)},
            description=command.reason,
            reverses_id=grant.transaction_id,
        )
        await _post(connection, caller, grant, transaction, transfers)
        await _take_coupon_back(connection, caller, grant)
        return {"grant_id": str(grant.id), "transaction_id": str(transaction_id)}

    request = Request(
        kind=OperationKind.REVERSE_GRANT,
        key=command.request_id,
        fields={
            "organisation": caller.organisation_id,
            "grantId": command.grant_id,
            "reason": command.reason,
        },
        operation_id=new_id(),
    )
    answer = await run_once(database, caller, request, work)
    grant_id = UUID(answer.value["grant_id"])
    async with database.connection() as connection:
        grants = await store.fetch_grants(connection, caller.tenant_id, [grant_id])
    reversal_id = UUID(answer.value["transaction_id"])
    return ReverseOutcome(grants[grant_id], reversal_id, answer.idempotent_replay)


async def _lock_grant(
    connection: Connection, caller: Caller, command: ReverseCommand
) -> GrantRecord:
    path = ("input", "grantId")
    wanted = [command.grant_id] if command.grant_id else []
    locked = await store.lock_grants(connection, caller.tenant_id, wanted)
    for grant in locked.values():
        if grant.organisation_id == caller.organisation_id:
            if grant.status is GrantStatus.REVERSED:
                raise NotReversible("The grant was reversed before.", path)
            if grant.status is GrantStatus.PENDING:
                message = "The grant is not settled yet: its vendor has not answered."
                raise NotReversible(message, path)
            if grant.status is GrantStatus.DECLINED:
                raise NotReversible("The grant was declined, so there is nothing to reverse.", path)
            return grant
    raise NotFound("No such grant.", path)


async def _find_transfers(
    connection: Connection, caller: Caller, grant: GrantRecord
) -> list[Transfer]:
    """Return the opposite of every transfer of the grant, the last one first, after what the member had paid."""
    entries = await fetch_entries(
        connection, caller.tenant_id, grant.transaction_id, grant.entry_from, grant.entry_to
    )
    if grant.claim_transaction_id not in {None, grant.transaction_id}:
        entries += await fetch_entries(connection, caller.tenant_id, grant.claim_transaction_id)
    accounts = _accounts_of(grant, {entry.asset_id for entry in entries})
    pairs = zip(entries[::2], entries[1::2], strict=True)
    done = [_to_transfer(debit, credit, accounts) for debit, credit in pairs]
    opposite = [transfer.reversed() for transfer in reversed(done)]
    # What comes back to the member counts before anything is taken from the same balance.
    return sorted(opposite, key=lambda transfer: transfer.debit.is_bounded)


def _accounts_of(grant: GrantRecord, asset_ids: set[UUID]) -> dict[UUID, Account]:
    """Return every account that a grant of these assets can have touched, by id."""
    payer = (OwnerKind.MEMBER, grant.member_id)
    if group_id := grant.details.get("group_id"):
        payer = (OwnerKind.GROUP, UUID(group_id))
    # No account belongs to a grant, so its own id does no harm where there is no campaign.
    campaign_id = UUID(grant.details.get("campaign_id") or str(grant.id))
    accounts = [
        Account(asset_id, owner_kind, owner_id)
        for asset_id in asset_ids
        for owner_kind, owner_id in (
            (OwnerKind.MEMBER, grant.member_id),
            (OwnerKind.CLAIMABLE, grant.member_id),
            (OwnerKind.STOCK, asset_id),
            (OwnerKind.ISSUANCE, grant.organisation_id),
            (OwnerKind.REDEMPTION, grant.organisation_id),
            payer,
            (OwnerKind.BUDGET, campaign_id),
        )
    ]
    return {account.id: account for account in accounts}


def _to_transfer(debit: EntryRow, credit: EntryRow, accounts: dict[UUID, Account]) -> Transfer:
    # Entries stand in pairs, the debit first: book.py writes them so.
    return Transfer(accounts[debit.account_id], accounts[credit.account_id], credit.amount_minor)


async def _post(
    connection: Connection,
    caller: Caller,
    grant: GrantRecord,
    transaction: Transaction,
    transfers: Sequence[Transfer],
) -> None:
    at = transaction.occurred_at
    book = await lock_balances(connection, caller.tenant_id, bounded_accounts(transfers), at)
    try:
        book.post(transaction, transfers, grant.id)
    except BalanceTooLow as error:
        message = "The member has spent what the grant gave."
        raise NotReversible(message, ("input", "grantId")) from error
    await record(connection, caller.tenant_id, book, at)
    await store.mark_reversed(connection, caller.tenant_id, grant.id, transaction.id, at)


async def _take_coupon_back(connection: Connection, caller: Caller, grant: GrantRecord) -> None:
    """Void the code, and let the member be granted the reward anew with another one."""
    if grant.kind is GrantKind.UNIQUE_COUPON and grant.reward_id is not None:
        await coupon_store.void_code(connection, caller.tenant_id, grant.id)
        pair = (grant.reward_id, grant.member_id)
        await coupon_store.unassign(connection, caller.tenant_id, [pair])
