"""What a grant would move and give: one line, or why there is none. Pure.

Source: MON-7..11, OWN-8, OWN-9.
"""

from __future__ import annotations

from collections.abc import Mapping, Set
from uuid import UUID

from gateway.access import Caller
from gateway.errors import FieldError, InvalidInput, NotFound
from gateway.granting.model import CustomReward, GrantJob
from gateway.grants.catalog_line import find_refusal, plan_line
from gateway.grants.errors import RewardUnavailable
from gateway.grants.line import Line
from gateway.grants.record import GrantKind, GrantSource, GrantStatus
from gateway.ledger.assets import AssetUse
from gateway.ledger.model import (
    Account,
    OwnerKind,
    Transaction,
    TransactionKind,
    Transfer,
    organization_account,
)
from gateway.operations.model import Operation
from gateway.rewards.model import Reward

REWARD_PATH = ("input", "reward", "rewardId")


def plan_grant(
    caller: Caller,
    job: GrantJob,
    operation: Operation,
    member_id: UUID | None,
    rewards: Mapping[UUID, Reward],
    forbidden_uses: Set[AssetUse],
) -> Line:
    """Return the line of one grant.

    Raises:
        InvalidInput: the time to claim it in is over.
        NotFound: the member or the reward is unknown to the caller.
        RewardUnavailable: the reward is not active, or credits an asset that the organization may not credit.
    """
    if member_id is None:
        raise NotFound("No such member.", ("input", "member"))
    transaction = Transaction(
        id=job.transaction_id,
        kind=TransactionKind.GRANT,
        operation_id=operation.id,
        occurred_at=operation.at,
        payload={"grantIds": [str(job.grant_id)], "memberId": str(member_id)},
        credential_id=operation.credential_id,
    )
    if isinstance(job.command.reward, CustomReward):
        return _plan_custom(caller, job, job.command.reward, transaction, member_id)
    reward = rewards.get(job.command.reward.reward_id) if job.command.reward.reward_id else None
    if reward is None:
        raise NotFound("No such reward.", REWARD_PATH)
    if refusal := find_refusal(reward, forbidden_uses):
        raise RewardUnavailable(refusal, REWARD_PATH)
    return _plan_catalog(caller, job, reward, transaction, member_id)


def _plan_custom(
    caller: Caller,
    job: GrantJob,
    reward: CustomReward,
    transaction: Transaction,
    member_id: UUID,
) -> Line:
    """Owe the amount to the member at once; a claim moves it to their cash balance."""
    if reward.expires_at is not None and reward.expires_at <= transaction.occurred_at:
        path = ("input", "reward", "custom", "expiresAt")
        raise InvalidInput([FieldError(path, "future", "expiresAt must be in the future.")])
    cash_id = caller.standard_assets.cash_id
    amount_minor = reward.amount_minor
    owed = Transfer(
        debit=organization_account(cash_id, OwnerKind.ISSUANCE, caller.organization_id),
        credit=Account(cash_id, OwnerKind.CLAIMABLE, member_id),
        amount_minor=amount_minor,
    )
    benefit = {
        "kind": "ASSET_CREDIT",
        "asset_id": str(cash_id),
        "amount_minor": amount_minor,
    }
    return Line(
        grant_id=job.grant_id,
        transaction=transaction,
        organization_id=caller.organization_id,
        member_id=member_id,
        index=0,
        source=GrantSource.PARTNER_ACTION,
        kind=GrantKind.CUSTOM,
        status=GrantStatus.CONFIRMED,
        transfers=(owed,),
        benefits=(benefit,),
        action_code=job.command.action_code,
        client_reference=job.command.client_reference,
        expires_at=reward.expires_at,
        metadata=job.command.metadata,
        details=job.command.details,
    )


def _plan_catalog(
    caller: Caller,
    job: GrantJob,
    reward: Reward,
    transaction: Transaction,
    member_id: UUID,
) -> Line:
    return plan_line(
        caller,
        reward,
        grant_id=job.grant_id,
        transaction=transaction,
        member_id=member_id,
        index=0,
        source=GrantSource.MANUAL,
        client_reference=job.command.client_reference,
        action_code=job.command.action_code,
        metadata=job.command.metadata,
        details=job.command.details,
    )
