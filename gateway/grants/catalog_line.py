"""A catalog reward and a member as a line: what granting and issuing share."""

from __future__ import annotations

from collections.abc import Mapping, Sequence, Set
from typing import Any
from uuid import UUID

from gateway.access import Caller
from gateway.grants.line import Coupon, Line
from gateway.grants.record import KINDS, GrantSource, GrantStatus
from gateway.grants.status import Refusal, StatusCode
from gateway.ledger.assets import AssetUse
from gateway.ledger.model import Transaction, Transfer
from gateway.rewards.model import Reward, RewardStatus
from gateway.rewards.types.base import PlanContext
from gateway.tenants.asset_rights import NO_USES

NOT_FOUND = Refusal(StatusCode.REWARD_NOT_FOUND, ("No such reward.",))
INACTIVE = Refusal(StatusCode.REWARD_INACTIVE, ("The reward is not active.",))
ASSET_FORBIDDEN = Refusal(
    StatusCode.ASSET_FORBIDDEN,
    (
        "The reward moves an asset whose owner does not name the reward's organization as an issuer.",
    ),
)


def find_refusal(reward: Reward | None, forbidden_uses: Set[AssetUse] = NO_USES) -> Refusal | None:
    """Return why nobody can be given this reward now, or None (MON-7).

    `forbidden_uses` are those that `find_forbidden_uses` found among the rewards' uses of assets.
    """
    if reward is None:
        return NOT_FOUND
    if reward.status is not RewardStatus.ACTIVE:
        return INACTIVE
    if forbidden_uses and reward.credit_use in forbidden_uses:
        return ASSET_FORBIDDEN
    return None


def plan_line(
    caller: Caller,
    reward: Reward,
    *,
    grant_id: UUID,
    transaction: Transaction,
    member_id: UUID,
    index: int,
    source: GrantSource,
    quantity: int = 1,
    payments: Sequence[Transfer] = (),
    client_reference: str | None = None,
    action_code: str | None = None,
    metadata: Mapping[str, Any] | None = None,
    details: Mapping[str, Any] | None = None,
) -> Line:
    """Return the line that gives `quantity` of the reward to the member.

    Its benefit is in hand at once (MON-9), unless it has to be bought from a vendor: then the line is pending (CAP-5).
    """
    plan = reward.configuration.plan(
        PlanContext(caller.tenant_id, reward.organization_id, member_id, quantity)
    )
    return Line(
        grant_id=grant_id,
        transaction=transaction,
        organization_id=reward.organization_id,
        member_id=member_id,
        index=index,
        source=source,
        kind=KINDS[reward.kind],
        status=GrantStatus.PENDING if plan.purchase else GrantStatus.CLAIMED,
        transfers=plan.transfers,
        benefits=plan.benefits,
        payments=payments,
        coupon=Coupon(plan.coupon_pool_id, reward.id) if plan.coupon_pool_id else None,
        purchase=plan.purchase,
        reward_id=reward.id,
        reward_version_id=reward.version_id,
        client_reference=client_reference,
        action_code=action_code,
        metadata=metadata or {},
        details=details or {},
    )
