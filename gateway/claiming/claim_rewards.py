"""Claim confirmed grants: what is owed to the member becomes theirs, once, however often it is asked (OWN-9).

Round trips, whatever the number of grants: claim the key, find the member (none if a member calls), lock the grants, lock
balances, write the ledger, mark the grants, store the answer. A replay: claim the key, read the answer, commit.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any
from uuid import UUID

from gateway.access import Caller, Scope, authorize
from gateway.claiming.model import ClaimCommand, ClaimOutcome, ClaimResult, check_command
from gateway.errors import FieldError, InvalidInput, NotFound
from gateway.grants import store
from gateway.grants.record import GrantRecord, GrantStatus
from gateway.grants.status import ItemStatus, StatusCode
from gateway.ids import new_id, new_ids
from gateway.ledger.balance import bounded_accounts
from gateway.ledger.model import Account, OwnerKind, Transaction, TransactionKind, Transfer
from gateway.ledger.store import lock_balances, record
from gateway.members.store import find_members
from gateway.operations.model import Operation, OperationKind, Request
from gateway.operations.once import run_once
from gateway.storage.database import Connection, Database

CLAIMED = ItemStatus(StatusCode.CLAIMED, "Reward claimed.")
ALREADY_CLAIMED = ItemStatus(StatusCode.ALREADY_CLAIMED, "The reward was claimed before.")
NOT_CLAIMABLE = ItemStatus(StatusCode.NOT_CLAIMABLE, "The reward cannot be claimed in its status.")
EXPIRED = ItemStatus(StatusCode.NOT_CLAIMABLE, "The reward expired before it was claimed.")
NOT_FOUND = ItemStatus(StatusCode.GRANT_NOT_FOUND, "The member has no such grant.")


async def claim_rewards(database: Database, caller: Caller, command: ClaimCommand) -> ClaimOutcome:
    """Credit each grant that is confirmed; the others say why not. A member claims for themselves, a partner for a member.

    If nothing is or was claimed, nothing was written, and the request id is free again.

    Raises:
        Forbidden: the credential is neither a member's nor has the claim scope.
        InvalidInput: the command breaks rules; all are listed.
        NotFound: the member is unknown.
        IdempotencyConflict: the request id was used for another claim.
        RequestInProgress: the first use of the request id is still running.
    """
    authorize(caller, Scope.MEMBER, Scope.CLAIM)
    if errors := check_command(command):
        raise InvalidInput(errors)
    run = _Run(caller, command)
    try:
        answer = await run_once(database, caller, _to_request(caller, command), run.apply)
    except _NothingClaimed as nothing:
        return ClaimOutcome(command.request_id, nothing.results, idempotent_replay=False)
    replay = answer.idempotent_replay
    fresh = {} if replay else run.grants
    return ClaimOutcome(command.request_id, _read_results(answer.value), replay, fresh)


class _NothingClaimed(Exception):
    """Not one grant is or was claimed; carries why, for each."""

    def __init__(self, results: list[ClaimResult]) -> None:
        super().__init__("nothing claimed")
        self.results = results


class _Run:
    """One claim on its way; `grants` holds what the last attempt claimed, by id."""

    def __init__(self, caller: Caller, command: ClaimCommand) -> None:
        self.caller = caller
        self.command = command
        self.grants: dict[UUID, GrantRecord] = {}
        self._transaction_ids = new_ids(len(command.grant_ids))

    async def apply(self, connection: Connection, operation: Operation) -> dict[str, Any]:
        # What an earlier attempt claimed was undone with it.
        self.grants = {}
        tenant_id = self.caller.tenant_id
        member_id = await self._find_member(connection)
        wanted = sorted({grant_id for grant_id in self.command.grant_ids if grant_id is not None})
        locked = await store.lock_grants(connection, tenant_id, wanted)
        visible = {
            grant_id: grant
            for grant_id, grant in locked.items()
            if grant.member_id == member_id and self._may_see(grant)
        }
        statuses = {
            grant_id: _judge(visible.get(grant_id) if grant_id else None, operation.at)
            for grant_id in self.command.grant_ids
        }
        claimable = [
            visible[grant_id]
            for grant_id, status in statuses.items()
            if status is CLAIMED and grant_id is not None
        ]
        if claimable:
            await self._credit(connection, operation, claimable)
        answer = {
            "items": [
                {
                    "grant_id": str(grant_id) if grant_id in visible else None,
                    "code": statuses[grant_id].code,
                    "message": statuses[grant_id].message,
                }
                for grant_id in self.command.grant_ids
            ]
        }
        if not any(status.is_success for status in statuses.values()):
            raise _NothingClaimed(_read_results(answer))
        return answer

    async def _find_member(self, connection: Connection) -> UUID:
        if self.caller.member_id is not None:
            return self.caller.member_id
        if self.command.member is None:
            message = "member is required: name the member whose grants are claimed."
            raise InvalidInput([FieldError(("input", "member"), "required", message)])
        (member_id,) = await find_members(connection, self.caller.tenant_id, [self.command.member])
        if member_id is None:
            raise NotFound("No such member.", ("input", "member"))
        return member_id

    def _may_see(self, grant: GrantRecord) -> bool:
        is_member = self.caller.member_id is not None
        return is_member or grant.organization_id == self.caller.organization_id

    async def _credit(
        self, connection: Connection, operation: Operation, grants: list[GrantRecord]
    ) -> None:
        """Move each grant's amount from what is owed to what the member has, one transaction a grant."""
        tenant_id, at = self.caller.tenant_id, operation.at
        transfers = {grant.id: _to_transfers(grant) for grant in grants}
        accounts = bounded_accounts(t for several in transfers.values() for t in several)
        book = await lock_balances(connection, tenant_id, accounts, at)
        transactions: dict[UUID, UUID] = {}
        for grant, transaction_id in zip(grants, self._transaction_ids, strict=False):
            transaction = _to_transaction(grant, transaction_id, operation)
            book.post(transaction, transfers[grant.id], grant.id)
            transactions[grant.id] = transaction_id
        await record(connection, tenant_id, book, at)
        await store.mark_claimed(connection, tenant_id, transactions, at)
        self.grants = _mark(grants, transactions, operation)


def _to_request(caller: Caller, command: ClaimCommand) -> Request:
    # A member's grants are theirs in every organization.
    is_member = caller.member_id is not None
    return Request(
        kind=OperationKind.CLAIM_REWARDS,
        key=command.request_id,
        fields={
            "organization": None if is_member else caller.organization_id,
            "member": str(caller.member_id) if is_member else list(command.member or ()),
            "grantIds": list(command.grant_ids),
        },
        operation_id=new_id(),
    )


def _read_results(answer: Mapping[str, Any]) -> list[ClaimResult]:
    return [
        ClaimResult(
            index=index,
            status=ItemStatus(StatusCode(item["code"]), item["message"]),
            grant_id=UUID(item["grant_id"]) if item["grant_id"] else None,
        )
        for index, item in enumerate(answer["items"])
    ]


def _judge(grant: GrantRecord | None, at: datetime) -> ItemStatus:
    if grant is None:
        return NOT_FOUND
    if grant.status is GrantStatus.CONFIRMED:
        # It may be over before a worker has ended it.
        return EXPIRED if grant.expires_at is not None and grant.expires_at <= at else CLAIMED
    return ALREADY_CLAIMED if grant.status is GrantStatus.CLAIMED else NOT_CLAIMABLE


def _to_transfers(grant: GrantRecord) -> list[Transfer]:
    return [
        Transfer(
            debit=Account(UUID(benefit["asset_id"]), OwnerKind.CLAIMABLE, grant.member_id),
            credit=Account(UUID(benefit["asset_id"]), OwnerKind.MEMBER, grant.member_id),
            amount_minor=benefit["amount_minor"],
        )
        for benefit in grant.benefits
    ]


def _to_transaction(grant: GrantRecord, transaction_id: UUID, operation: Operation) -> Transaction:
    return Transaction(
        id=transaction_id,
        kind=TransactionKind.CLAIM,
        operation_id=operation.id,
        occurred_at=operation.at,
        payload={"grantIds": [str(grant.id)], "memberId": str(grant.member_id)},
        credential_id=operation.credential_id,
    )


def _mark(
    grants: list[GrantRecord], transactions: Mapping[UUID, UUID], operation: Operation
) -> dict[UUID, GrantRecord]:
    return {
        grant.id: replace(
            grant,
            status=GrantStatus.CLAIMED,
            claimed_at=operation.at,
            claim_transaction_id=transactions[grant.id],
        )
        for grant in grants
    }
