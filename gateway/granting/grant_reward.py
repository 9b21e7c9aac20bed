"""Grant one reward to one member, once per client reference.

Round trips of a first grant: begin, claim the key, find the member (and the reward), award (3, a unique coupon 5), store the
answer, commit. A replay: begin, claim the key, read the answer, commit, read the grant.
"""

from __future__ import annotations

from typing import Any
from uuid import UUID

from gateway.access import Caller, Scope, authorize
from gateway.errors import InvalidInput, NotFound
from gateway.granting.model import (
    CatalogueReward,
    CustomReward,
    GrantCommand,
    GrantOutcome,
    check_command,
)
from gateway.grants.award import award
from gateway.grants.catalogue_line import find_refusal, plan_line
from gateway.grants.errors import RewardUnavailable
from gateway.grants.line import AlreadyIssued, Line
from gateway.grants.record import GrantKind, GrantRecord, GrantSource, GrantStatus
from gateway.grants.status import ItemStatus, Refusal, StatusCode
from gateway.grants.store import fetch_grants
from gateway.ids import new_id
from gateway.ledger.model import Account, OwnerKind, Transaction, TransactionKind, Transfer
from gateway.members.store import find_members
from gateway.operations.model import Operation, OperationKind, Request
from gateway.operations.once import run_once
from gateway.rewards.store import fetch_rewards
from gateway.storage.database import Connection, Database

GRANTED = ItemStatus(StatusCode.GRANTED, "Reward granted.")
ALREADY_ISSUED = ItemStatus(
    StatusCode.ALREADY_ISSUED, "The member holds a code of this reward already; none was drawn."
)


async def grant_reward(database: Database, caller: Caller, command: GrantCommand) -> GrantOutcome:
    """Grant a custom or a catalogue reward; a repeat of the client reference answers the first grant.

    Source: OWN-1..9, MON-7..11.

    Raises:
        Forbidden: the credential lacks the grant scope.
        InvalidInput: the command breaks rules; all are listed.
        NotFound: the member or reward is unknown to the caller.
        RewardUnavailable: the reward is inactive, out of stock or out of codes.
        IdempotencyConflict: the reference was used for another member, reward or amount.
        RequestInProgress: the first use of the reference is still running.
    """
    authorize(caller, Scope.GRANT)
    if errors := check_command(command):
        raise InvalidInput(errors)
    request = _to_request(caller, command)
    grant_id, transaction_id = new_id(), new_id()
    fresh: list[GrantRecord] = []

    async def work(connection: Connection, operation: Operation) -> dict[str, Any]:
        member_id = await _find_member(connection, caller, command)
        transaction = Transaction(
            id=transaction_id,
            kind=TransactionKind.GRANT,
            operation_id=operation.id,
            occurred_at=operation.at,
            payload={"grantIds": [str(grant_id)], "memberId": str(member_id)},
        )
        line = await _plan(connection, caller, command, grant_id, transaction, member_id)
        (result,) = await award(connection, caller.tenant_id, [line], operation.at)
        if isinstance(result, Refusal):
            raise RewardUnavailable(result, ("input", "reward", "rewardId"))
        if isinstance(result, AlreadyIssued):
            return _to_answer(result.grant_id, ALREADY_ISSUED)
        fresh[:] = [result]
        return _to_answer(result.id, GRANTED)

    answer = await run_once(database, caller, request, work, dry_run=command.is_dry_run)
    status = ItemStatus(StatusCode(answer.value["code"]), answer.value["message"])
    first_id = UUID(answer.value["grant_id"])
    if fresh and fresh[0].id == first_id:
        return GrantOutcome(fresh[0], status, answer.idempotent_replay)
    async with database.connection() as connection:
        grants = await fetch_grants(connection, caller.tenant_id, [first_id])
    return GrantOutcome(grants[first_id], status, answer.idempotent_replay)


def _to_request(caller: Caller, command: GrantCommand) -> Request:
    """Name what makes the grant what it is; another action code alone is no change (OWN-7)."""
    reward: dict[str, Any]
    if isinstance(command.reward, CustomReward):
        reward = {"amount": command.reward.amount_minor}
    else:
        reward = {"rewardId": command.reward.reward_id, "metadata": command.metadata}
    return Request(
        kind=OperationKind.GRANT_REWARD,
        key=command.client_reference,
        fields={
            "organisation": caller.organisation_id,
            "member": list(command.member),
            **reward,
        },
        operation_id=new_id(),
        key_path=("input", "clientReference"),
    )


def _to_answer(grant_id: UUID, status: ItemStatus) -> dict[str, Any]:
    return {"grant_id": str(grant_id), "code": status.code, "message": status.message}


async def _find_member(connection: Connection, caller: Caller, command: GrantCommand) -> UUID:
    (member_id,) = await find_members(connection, caller.tenant_id, [command.member])
    if member_id is None:
        raise NotFound("No such member.", ("input", "member"))
    return member_id


async def _plan(
    connection: Connection,
    caller: Caller,
    command: GrantCommand,
    grant_id: UUID,
    transaction: Transaction,
    member_id: UUID,
) -> Line:
    if isinstance(command.reward, CustomReward):
        return _plan_custom(caller, command, command.reward, grant_id, transaction, member_id)
    return await _plan_catalogue(
        connection, caller, command, command.reward, grant_id, transaction, member_id
    )


def _plan_custom(
    caller: Caller,
    command: GrantCommand,
    reward: CustomReward,
    grant_id: UUID,
    transaction: Transaction,
    member_id: UUID,
) -> Line:
    """Owe the amount to the member at once; a claim moves it to their cash balance (OWN-8, OWN-9)."""
    cash_id = caller.standard_assets.cash_id
    owed = Transfer(
        debit=Account(cash_id, OwnerKind.ISSUANCE, caller.organisation_id),
        credit=Account(cash_id, OwnerKind.CLAIMABLE, member_id),
        amount_minor=reward.amount_minor,
    )
    benefit = {
        "kind": "ASSET_CREDIT",
        "asset_id": str(cash_id),
        "amount_minor": reward.amount_minor,
    }
    return Line(
        grant_id=grant_id,
        transaction=transaction,
        organisation_id=caller.organisation_id,
        member_id=member_id,
        index=0,
        source=GrantSource.PARTNER_ACTION,
        kind=GrantKind.CUSTOM,
        status=GrantStatus.CONFIRMED,
        transfers=(owed,),
        benefits=(benefit,),
        action_code=command.action_code,
        client_reference=command.client_reference,
        metadata=command.metadata,
    )


async def _plan_catalogue(
    connection: Connection,
    caller: Caller,
    command: GrantCommand,
    wanted: CatalogueReward,
    grant_id: UUID,
    transaction: Transaction,
    member_id: UUID,
) -> Line:
    ids = [wanted.reward_id] if wanted.reward_id else []
    rewards = await fetch_rewards(connection, caller.tenant_id, caller.organisation_id, ids)
    reward = next(iter(rewards.values()), None)
    if reward is None:
        raise NotFound("No such reward.", ("input", "reward", "rewardId"))
    if refusal := find_refusal(reward):
        raise RewardUnavailable(refusal, ("input", "reward", "rewardId"))
    return plan_line(
        caller,
        reward,
        grant_id=grant_id,
        transaction=transaction,
        member_id=member_id,
        index=0,
        source=GrantSource.MANUAL,
        client_reference=command.client_reference,
        action_code=command.action_code,
        metadata=command.metadata,
    )
