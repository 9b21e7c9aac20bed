"""What an issuance can depend on, in as few words as a test needs: groups, segments, cards, custom fields, stages, tills."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from decimal import Decimal
from typing import Any
from uuid import UUID

from gateway.access import Caller
from gateway.ids import IdKind, encode_id, new_id
from gateway.issuing.custom_fields.defining import DefineCustomField, define_custom_field
from gateway.issuing.custom_fields.model import CustomField, CustomFieldType
from gateway.issuing.fulfillment.defining import DefineStage, define_fulfillment_stage
from gateway.issuing.funding import FundedGroup, FundGroup, fund_group
from gateway.issuing.tills.creating import CreateTill, create_till
from gateway.issuing.tills.requesting import RequestCode, request_validation_code
from gateway.members.groups.creating import CreateGroup, create_group
from gateway.members.groups.model import Group, GroupReference
from gateway.members.membership.model import (
    MemberSet,
    MembershipChange,
    MembersOutcome,
    SetMembers,
)
from gateway.members.membership.setting import set_members
from gateway.members.segments.creating import CreateSegment, create_segment
from gateway.members.standing.model import Link, StandingKind, StandingStatus
from gateway.members.standing.setting import SetStanding, set_standing
from gateway.rewards.types.product import ProductConfiguration
from gateway.tenants.founding import create_organization
from gateway.tenants.model import OrganizationReference
from tests.catalog import Shop
from tests.use_cases import named, points_of


def by_id(group_id: UUID) -> GroupReference:
    """Return the reference that names a group by id."""
    return GroupReference(id=group_id, id_as_sent=encode_id(IdKind.GROUP, group_id))


def organization(organization_id: UUID) -> OrganizationReference:
    """Return the reference to an organization."""
    return OrganizationReference(organization_id, encode_id(IdKind.ORGANIZATION, organization_id))


async def add_group(shop: Shop, primary_id: UUID, *member_ids: UUID, **fields: Any) -> Group:
    """Make a group of these members."""
    members = [named(member_id) for member_id in member_ids]
    command = CreateGroup(str(new_id()), named(primary_id), members, **fields)
    return (await create_group(shop.database, shop.caller, command)).group


async def fund(
    shop: Shop, group_id: UUID, member_id: UUID, amount: int | str, **fields: Any
) -> FundedGroup:
    """Move points from a member to a group."""
    defaults: dict[str, Any] = {"request_id": str(new_id()), "asset_id": points_of(shop)}
    command = FundGroup(
        group=by_id(group_id),
        member=named(member_id),
        amount=Decimal(amount),
        **defaults | fields,
    )
    return await fund_group(shop.database, shop.caller, command)


async def add_segment(shop: Shop, *member_ids: UUID, name: str = "Gold") -> UUID:
    """Make a segment of these members."""
    command = CreateSegment(str(new_id()), name)
    segment_id = (await create_segment(shop.database, shop.caller, command)).segment.id
    if member_ids:
        await change_members(shop, MemberSet.SEGMENT, segment_id, *member_ids)
    return segment_id


async def change_members(
    shop: Shop,
    kind: MemberSet,
    set_id: UUID | None,
    *member_ids: UUID | None,
    change: MembershipChange = MembershipChange.SET,
    key: str | None = None,
) -> MembersOutcome:
    """Change who is in a group or segment."""
    command = SetMembers(key or str(new_id()), kind, set_id, change, member_ids)
    return await set_members(shop.database, shop.caller, command)


async def set_links(
    shop: Shop, kind: StandingKind, member_id: UUID, *links: tuple[str, str], key: str | None = None
) -> None:
    """Say which cards or labels a member has."""
    given = [Link(name, StandingStatus(status)) for name, status in links]
    command = SetStanding(key or str(new_id()), kind, named(member_id), given)
    await set_standing(shop.database, shop.caller, command)


async def declare_field(
    shop: Shop,
    name: str,
    kind: CustomFieldType = CustomFieldType.STRING,
    *,
    is_required: bool = False,
    choices: Sequence[str] = (),
) -> None:
    """Declare a custom field."""
    field = CustomField(name, kind, is_required, tuple(choices))
    command = DefineCustomField(str(new_id()), field)
    await define_custom_field(shop.database, shop.caller, command)


async def declare_stages(shop: Shop, *names: str) -> None:
    """Declare stages in this order."""
    for name in names:
        command = DefineStage(str(new_id()), name)
        await define_fulfillment_stage(shop.database, shop.caller, command)


async def declare_till(shop: Shop, name: str = "Till 1", caller: Caller | None = None) -> UUID:
    """Declare a till."""
    command = CreateTill(str(new_id()), name)
    return (await create_till(shop.database, caller or shop.caller, command)).till.id


async def request_code(shop: Shop, till_id: UUID, member_id: UUID, valid_seconds: int = 300) -> str:
    """Return a code of a member for a till."""
    command = RequestCode(str(new_id()), till_id, named(member_id), valid_seconds)
    requested = await request_validation_code(shop.database, shop.caller, command)
    assert requested.code is not None
    return requested.code


async def add_child(shop: Shop, name: str = "Acme Trondheim") -> Shop:
    """Add a child of the shop's organization, and return the shop of its own partner."""
    caller = shop.caller
    child = await create_organization(shop.database, caller.tenant_id, name, caller.organization_id)
    own = replace(caller, organization_id=child.id, partner_id=new_id())
    return Shop(shop.database, own, caller)


def reaching(shop: Shop, *others: Shop) -> Caller:
    """Return the shop's caller with a reach to these organizations."""
    return replace(shop.caller, reach=frozenset(other.caller.organization_id for other in others))


async def mug(shop: Shop, **fields: Any) -> Any:
    """Make a reward whose benefit does not touch the balances that pay for it."""
    product_id = await shop.create_product(1_000)
    return await shop.create_reward(ProductConfiguration(product_id), **fields)
