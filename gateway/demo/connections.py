"""What the demo's issuances can depend on: a child organization, a group, a segment, custom fields, stages, a till, cash."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from decimal import Decimal
from typing import NamedTuple
from uuid import UUID

from gateway.access import Caller
from gateway.ids import IdKind, encode_id
from gateway.issuing.custom_fields.defining import DefineCustomField, define_custom_field
from gateway.issuing.custom_fields.model import CustomField, CustomFieldType
from gateway.issuing.fulfillment.defining import DefineStage, define_fulfillment_stage
from gateway.issuing.funding import FundGroup, fund_group
from gateway.issuing.issue_rewards import issue_rewards
from gateway.issuing.model import IssueCommand, IssueItem
from gateway.issuing.tills.creating import CreateTill, create_till
from gateway.members.groups.creating import CreateGroup, create_group
from gateway.members.groups.model import GroupReference
from gateway.members.identifiers import IdentifierKind
from gateway.members.membership.model import MemberSet, MembershipChange, SetMembers
from gateway.members.membership.setting import set_members
from gateway.members.model import MemberReference
from gateway.members.segments.creating import CreateSegment, create_segment
from gateway.rewards.creating import CreateReward, create_reward
from gateway.rewards.fields import RewardFields
from gateway.rewards.model import PaymentMode, RewardStatus
from gateway.rewards.payments import PaymentConfigDraft
from gateway.rewards.types.base import Draft
from gateway.rewards.types.non_unique_coupon import DiscountType, NonUniqueCouponDraft
from gateway.rewards.types.product import ProductConfiguration
from gateway.storage.database import Database
from gateway.tenants.founding import create_organization

STAGES = ("BOOKED", "ON THE WAY", "DELIVERED")
GRACE = MemberReference(IdentifierKind.EMAIL, "grace@example.com")


class DemoConnections(NamedTuple):
    """Ids of what was made."""

    child_id: UUID
    child_reward_id: UUID
    cash_reward_id: UUID
    group_id: UUID
    segment_id: UUID
    counter_id: UUID
    till_id: UUID
    grant_id: UUID

    def to_json(self) -> dict[str, str]:
        """Return the public ids as `demo.json` keeps them."""
        return {
            "childOrganizationId": encode_id(IdKind.ORGANIZATION, self.child_id),
            "childRewardId": encode_id(IdKind.REWARD, self.child_reward_id),
            "cashRewardId": encode_id(IdKind.REWARD, self.cash_reward_id),
            "groupId": encode_id(IdKind.GROUP, self.group_id),
            "segmentId": encode_id(IdKind.SEGMENT, self.segment_id),
            "counterOrganizationId": encode_id(IdKind.ORGANIZATION, self.counter_id),
            "tillId": encode_id(IdKind.TILL, self.till_id),
            "fulfilledGrantId": encode_id(IdKind.GRANT, self.grant_id),
        }


async def create_connections(
    database: Database,
    caller: Caller,
    member_id: UUID,
    product_id: UUID,
    rewards: Mapping[str, UUID],
) -> DemoConnections:
    """Make one of each; everything but cash can be had without knowing of any of it."""
    child = await create_organization(
        database, caller.tenant_id, "Demo Outlet", caller.organization_id
    )
    outlet = NonUniqueCouponDraft("OUTLET10", DiscountType.PERCENTAGE, Decimal(10))
    child_reward_id = await _create_reward(
        database, replace(caller, organization_id=child.id), "demo-outlet", outlet
    )
    cash = PaymentConfigDraft(
        PaymentMode.POINTS_CASH,
        asset_id=caller.standard_assets.points_id,
        amount=Decimal(5),
        cash_asset_id=caller.standard_assets.cash_id,
        cash_amount=Decimal("12.50"),
    )
    badge = ProductConfiguration(product_id)
    cash_reward_id = await _create_reward(database, caller, "demo-cash", badge, cash)
    group_id = await _create_group(database, caller, member_id)
    segment_id = await _create_segment(database, caller, member_id)
    await _declare(database, caller)
    counter_id, till_id = await _create_counter(database, caller)
    grant_id = await _issue(database, caller, member_id, rewards["nonUniqueCoupon"])
    return DemoConnections(
        child.id,
        child_reward_id,
        cash_reward_id,
        group_id,
        segment_id,
        counter_id,
        till_id,
        grant_id,
    )


async def _create_reward(
    database: Database, caller: Caller, key: str, draft: Draft, *payments: PaymentConfigDraft
) -> UUID:
    fields = RewardFields(
        name="Outlet discount" if not payments else "Badge, partly for cash",
        description=None,
        config=draft,
        metadata={},
        status=RewardStatus.ACTIVE,
        payment_configs=payments,
    )
    return (await create_reward(database, caller, CreateReward(key, fields))).reward.id


async def _create_counter(database: Database, caller: Caller) -> tuple[UUID, UUID]:
    """Make a counter with a till: an organization of its own, because where tills are declared every issuance takes a code."""
    counter = await create_organization(
        database, caller.tenant_id, "Demo Counter", caller.organization_id
    )
    there = replace(caller, organization_id=counter.id)
    created = await create_till(database, there, CreateTill("demo-till", "Demo till"))
    return counter.id, created.till.id


async def _create_group(database: Database, caller: Caller, member_id: UUID) -> UUID:
    """Make a group of both members, with some points of the first."""
    member = MemberReference(None, str(member_id))
    command = CreateGroup("demo-group", member, [GRACE], "family-1", "Ada's family")
    group = (await create_group(database, caller, command)).group
    named = GroupReference(id=group.id, id_as_sent=encode_id(IdKind.GROUP, group.id))
    points_id = caller.standard_assets.points_id
    await fund_group(
        database, caller, FundGroup("demo-fund", named, member, points_id, Decimal(60))
    )
    return group.id


async def _create_segment(database: Database, caller: Caller, member_id: UUID) -> UUID:
    created = await create_segment(database, caller, CreateSegment("demo-segment", "Gold"))
    change = MembershipChange.SET
    await set_members(
        database,
        caller,
        SetMembers("demo-segment", MemberSet.SEGMENT, created.segment.id, change, [member_id]),
    )
    return created.segment.id


async def _declare(database: Database, caller: Caller) -> None:
    for stage in STAGES:
        await define_fulfillment_stage(database, caller, DefineStage(f"demo-{stage}", stage))
    size = CustomField("size", CustomFieldType.ENUM, is_required=False, choices=("S", "M", "L"))
    await define_custom_field(database, caller, DefineCustomField("demo-size", size))


async def _issue(database: Database, caller: Caller, member_id: UUID, reward_id: UUID) -> UUID:
    item = IssueItem(reward_id, encode_id(IdKind.REWARD, reward_id))
    command = IssueCommand("demo-fulfilled", MemberReference(None, str(member_id)), [item])
    outcome = await issue_rewards(database, caller, command)
    grant = outcome.items[0].grant
    assert grant is not None  # noqa: S101 - the demo's coupon is free and never runs out
    return grant.id
