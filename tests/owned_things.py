"""Things that one organization owns, what others may try with them, and what came of it, each in one line."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any
from uuid import UUID

from gateway.access import Caller
from gateway.campaigns.creating import CreateCampaign, create_campaign
from gateway.campaigns.funding import FundCampaign, fund_campaign
from gateway.campaigns.updating import UpdateCampaign, update_campaign
from gateway.claiming.claim_rewards import claim_rewards
from gateway.claiming.model import ClaimCommand
from gateway.distributing.distribute_rewards import distribute_rewards
from gateway.distributing.model import DistributeCommand, DistributionLine, Recipient
from gateway.distributing.outcome import DistributionRejected
from gateway.errors import InvalidInput, RewardsError
from gateway.granting.grant_reward import grant_reward
from gateway.granting.model import CatalogReward, GrantCommand
from gateway.holding.ending import capture, release
from gateway.holding.model import CaptureCommand, ReleaseCommand, ReserveCommand
from gateway.holding.reserve import reserve
from gateway.ids import IdKind, encode_id, new_id
from gateway.issuing.fulfillment.updating import UpdateFulfillment, update_fulfillment
from gateway.issuing.funding import FundGroup, fund_group
from gateway.issuing.issue_rewards import issue_rewards
from gateway.issuing.model import IssueCommand, IssueItem
from gateway.issuing.scope import DataScope
from gateway.issuing.tills.creating import CreateTill, create_till
from gateway.issuing.tills.requesting import RequestCode, request_validation_code
from gateway.ledger.assets import AssetKind
from gateway.members.groups.model import GroupReference
from gateway.members.identifiers import IdentifierKind
from gateway.members.linking import LinkIdentifier, link_identifier
from gateway.members.membership.model import MemberSet, MembershipChange, SetMembers
from gateway.members.membership.setting import set_members
from gateway.members.model import Identifier, MemberReference
from gateway.members.standing.model import Link, StandingKind, StandingStatus
from gateway.members.standing.setting import SetStanding, set_standing
from gateway.members.upserting import UpsertMember, upsert_member
from gateway.reversing.model import ReverseCommand, ReverseOperationCommand, TransactionTarget
from gateway.reversing.reverse_grant import reverse_grant
from gateway.reversing.reverse_operation import reverse_operation
from gateway.rewards.code_pools import ImportCodes, import_codes
from gateway.rewards.creating import CreateReward, create_reward
from gateway.rewards.deleting import DeleteReward, delete_reward
from gateway.rewards.model import PaymentMode
from gateway.rewards.payments import PaymentConfigDraft
from gateway.rewards.products import RestockProduct, restock_product
from gateway.rewards.types.competition_entry import CompetitionEntryConfiguration
from gateway.rewards.types.points import PointsDraft
from gateway.rewards.types.product import ProductConfiguration
from gateway.rewards.types.unique_coupon import UniqueCouponConfiguration
from gateway.rewards.types.vendor_voucher import VendorVoucherDraft
from gateway.rewards.updating import UpdateReward, update_reward
from gateway.signing_in.create_member_token import CreateMemberToken, create_member_token
from gateway.storage.database import Database
from gateway.tenants.assets import CreateAsset, create_asset
from gateway.tenants.model import OrganizationReference
from gateway.tenants.setting_issuers import SetAssetIssuers, set_asset_issuers
from gateway.vendors.creating import CreateVendor, create_vendor
from gateway.vendors.model import VendorFields
from gateway.vendors.updating import UpdateVendor, update_vendor
from tests.campaigns import campaign_fields, tier
from tests.catalog import Shop, new_fields
from tests.issuing_cases import add_group, add_segment, by_id, declare_stages, declare_till
from tests.use_cases import add_member, custom, grant, line, named
from tests.vendor_shop import MAPPING, SECRET, SECURITY, TEMPLATE, NoServer

EXTERNAL_ID = IdentifierKind.EXTERNAL_ID


@dataclass(frozen=True, slots=True)
class Owned:
    """The ids of one thing of each kind, all of the same organization; its member has 100 of the asset and the points."""

    organization_id: UUID
    member_id: UUID
    asset_id: UUID
    group_id: UUID
    segment_id: UUID
    reward_id: UUID
    product_id: UUID
    competition_id: UUID
    pool_id: UUID
    vendor_id: UUID
    campaign_id: UUID
    till_id: UUID
    grant_id: UUID
    claimable_id: UUID
    transaction_id: UUID
    hold_id: UUID

    def vanished(self) -> Owned:
        """Return the same with ids of nothing, but for the organization and its member, who is the tenant's."""
        kept = {"organization_id", "member_id"}
        return replace(self, **{name: new_id() for name in self.__slots__ if name not in kept})


@dataclass(frozen=True, slots=True)
class Mine:
    """What a caller has of its own: a reward, and a group that the member is in if they are of one tenant."""

    reward_id: UUID
    group_id: UUID


Action = Callable[[Database, Caller, Owned, Mine], Awaitable[Any]]


async def make_things(shop: Shop) -> Owned:
    """Make one of each for the shop's organization."""
    database, caller = shop.database, shop.caller
    identifiers = (Identifier(EXTERNAL_ID, "ann"),)
    upserted = await upsert_member(database, caller, UpsertMember("m", identifiers, "Ann"))
    member_id = upserted.member_id
    gold = CreateAsset("gold", "GOLD", "Gold", AssetKind.CURRENCY)
    asset_id = (await create_asset(database, caller, gold)).asset.id
    lines = [line(shop, member_id, 100), line(shop, member_id, 100, currency_id=asset_id)]
    await distribute_rewards(database, caller, DistributeCommand("seed", lines))
    group = await add_group(shop, member_id, external_id="family")
    fields = VendorFields("Vouchers", NoServer().endpoint, TEMPLATE, MAPPING, SECRET, False, 1)
    vendor = await create_vendor(database, caller, CreateVendor("vendor", fields), SECURITY)
    reward = await shop.create_reward()
    campaign = campaign_fields(tier(reward.id), budget_asset_id=asset_id)
    created = await create_campaign(database, caller, CreateCampaign("campaign", campaign))
    await declare_stages(shop, "PACKED")
    given = await grant(
        shop, GrantCommand("g", named(member_id), CatalogReward(reward.id), None, {})
    )
    owed = await grant(shop, custom("c", member_id))
    held = await reserve(
        database, caller, ReserveCommand("h", named(member_id), asset_id, Decimal(5), 600)
    )
    return Owned(
        organization_id=caller.organization_id,
        member_id=member_id,
        asset_id=asset_id,
        group_id=group.id,
        segment_id=await add_segment(shop, member_id),
        reward_id=reward.id,
        product_id=await shop.create_product(10),
        competition_id=await shop.create_competition(),
        pool_id=await shop.create_pool("first"),
        vendor_id=vendor.vendor.id,
        campaign_id=created.campaign.id,
        till_id=await declare_till(shop),
        grant_id=given.grant.id,
        claimable_id=owed.grant.id,
        transaction_id=given.grant.transaction_id,
        hold_id=held.hold.id,
    )


async def make_mine(database: Database, caller: Caller, owned: Owned) -> Mine:
    """Make what a partner tries the owned things with."""
    shop = Shop(database, caller, caller)
    primary_id = await add_member(shop)
    known = await database.fetch(
        "SELECT FROM members WHERE tenant_id = $1 AND id = $2", caller.tenant_id, owned.member_id
    )
    group = await add_group(shop, primary_id, *([owned.member_id] if known else []))
    return Mine((await shop.create_reward()).id, group.id)


async def attempt(
    database: Database, caller: Caller, action: Action, owned: Owned, mine: Mine
) -> str:
    """Return "done", or what refused it: the error, its path, and of an invalid input the rule."""
    try:
        outcome = await action(database, caller, owned, mine)
    except DistributionRejected as error:
        return f"rejected: {error.results[0].reasons[0]}"
    except InvalidInput as error:
        return f"InvalidInput {error.errors[0].rule} {_join(error)}"
    except RewardsError as error:
        return f"{type(error).__name__} {_join(error)}".strip()
    statuses = [item.status for item in getattr(outcome, "items", ())]
    if statuses and not any(status.is_success for status in statuses):
        return str(statuses[0].code.value)
    results = [result.status for result in getattr(outcome, "results", ()) if result]
    if results and not any(status.is_success for status in results):
        return str(results[0].code.value)
    return "done"


def _join(error: RewardsError) -> str:
    return ".".join(part for part in error.path if part != "input")


def _reward(**fields: Any) -> CreateReward:
    return CreateReward(str(new_id()), new_fields(**fields))


def _draft_reward(make: Callable[[Owned], Any]) -> Action:
    async def act(database: Database, caller: Caller, owned: Owned, mine: Mine) -> Any:
        return await create_reward(database, caller, _reward(config=make(owned)))

    return act


async def _price_in_asset(database: Database, caller: Caller, owned: Owned, mine: Mine) -> Any:
    price = PaymentConfigDraft(PaymentMode.POINTS, owned.asset_id, Decimal(1))
    return await create_reward(database, caller, _reward(payment_configs=(price,)))


async def _reserve_for_segment(database: Database, caller: Caller, owned: Owned, mine: Mine) -> Any:
    return await create_reward(database, caller, _reward(segment_ids=(owned.segment_id,)))


async def _move_to_asset(database: Database, caller: Caller, owned: Owned, mine: Mine) -> Any:
    fields = new_fields(config=PointsDraft(Decimal(1), owned.asset_id))
    command = UpdateReward(str(new_id()), mine.reward_id, fields)
    return await update_reward(database, caller, command)


def _distribute(amount: int) -> Action:
    async def act(database: Database, caller: Caller, owned: Owned, mine: Mine) -> Any:
        recipient = Recipient(None, encode_id(IdKind.MEMBER, owned.member_id))
        lines = [DistributionLine(recipient, str(owned.asset_id), Decimal(amount), None)]
        return await distribute_rewards(database, caller, DistributeCommand(str(new_id()), lines))

    return act


async def _reserve(database: Database, caller: Caller, owned: Owned, mine: Mine) -> Any:
    command = ReserveCommand(str(new_id()), named(owned.member_id), owned.asset_id, Decimal(1), 60)
    return await reserve(database, caller, command)


async def _fund_own_group_in_asset(
    database: Database, caller: Caller, owned: Owned, mine: Mine
) -> Any:
    return await _fund(database, caller, by_id(mine.group_id), owned, owned.asset_id)


async def _fund(
    database: Database, caller: Caller, group: GroupReference, owned: Owned, asset_id: UUID
) -> Any:
    command = FundGroup(str(new_id()), group, named(owned.member_id), asset_id, Decimal(1))
    return await fund_group(database, caller, command)


async def _fund_group(database: Database, caller: Caller, owned: Owned, mine: Mine) -> Any:
    points_id = caller.standard_assets.points_id
    return await _fund(database, caller, by_id(owned.group_id), owned, points_id)


async def _fund_group_by_name(database: Database, caller: Caller, owned: Owned, mine: Mine) -> Any:
    name = GroupReference(external_id="family")
    return await _fund(database, caller, name, owned, caller.standard_assets.points_id)


async def _budget_in_asset(database: Database, caller: Caller, owned: Owned, mine: Mine) -> Any:
    fields = campaign_fields(tier(mine.reward_id), budget_asset_id=owned.asset_id)
    return await create_campaign(database, caller, CreateCampaign(str(new_id()), fields))


async def _name_issuers(database: Database, caller: Caller, owned: Owned, mine: Mine) -> Any:
    own = OrganizationReference(caller.organization_id, "own")
    return await set_asset_issuers(
        database, caller, SetAssetIssuers(str(new_id()), owned.asset_id, [own])
    )


def _set_members(kind: MemberSet) -> Action:
    async def act(database: Database, caller: Caller, owned: Owned, mine: Mine) -> Any:
        set_id = owned.group_id if kind is MemberSet.GROUP else owned.segment_id
        change, members = MembershipChange.ADD, [owned.member_id]
        command = SetMembers(str(new_id()), kind, set_id, change, members)
        return await set_members(database, caller, command)

    return act


def _issue(scope: DataScope, *, group: bool = False) -> Action:
    async def act(database: Database, caller: Caller, owned: Owned, mine: Mine) -> Any:
        is_other = scope is DataScope.OTHER
        organization = OrganizationReference(owned.organization_id, "owner") if is_other else None
        reward_id = mine.reward_id if group and not is_other else owned.reward_id
        item = IssueItem(reward_id, encode_id(IdKind.REWARD, reward_id), organization=organization)
        command = IssueCommand(
            str(new_id()),
            named(owned.member_id),
            [item],
            data_scope=scope,
            organizations=(organization,) if organization else (),
            group=by_id(owned.group_id) if group else None,
            skips_validation=True,
        )
        return await issue_rewards(database, caller, command)

    return act


async def _grant(database: Database, caller: Caller, owned: Owned, mine: Mine) -> Any:
    reward = CatalogReward(owned.reward_id)
    command = GrantCommand(str(new_id()), named(owned.member_id), reward, None, {})
    return await grant_reward(database, caller, command)


async def _update_reward(database: Database, caller: Caller, owned: Owned, mine: Mine) -> Any:
    fields = new_fields(name="Mine")
    return await update_reward(
        database, caller, UpdateReward(str(new_id()), owned.reward_id, fields)
    )


async def _delete_reward(database: Database, caller: Caller, owned: Owned, mine: Mine) -> Any:
    return await delete_reward(database, caller, DeleteReward(str(new_id()), owned.reward_id))


async def _restock(database: Database, caller: Caller, owned: Owned, mine: Mine) -> Any:
    return await restock_product(
        database, caller, RestockProduct(str(new_id()), owned.product_id, 1)
    )


async def _import(database: Database, caller: Caller, owned: Owned, mine: Mine) -> Any:
    return await import_codes(database, caller, ImportCodes(str(new_id()), owned.pool_id, ["code"]))


async def _update_vendor(database: Database, caller: Caller, owned: Owned, mine: Mine) -> Any:
    fields = VendorFields(name="Mine")
    command = UpdateVendor(str(new_id()), owned.vendor_id, fields)
    return await update_vendor(database, caller, command, SECURITY)


async def _update_campaign(database: Database, caller: Caller, owned: Owned, mine: Mine) -> Any:
    command = UpdateCampaign(str(new_id()), owned.campaign_id, name="Mine")
    return await update_campaign(database, caller, command)


async def _fund_campaign(database: Database, caller: Caller, owned: Owned, mine: Mine) -> Any:
    command = FundCampaign(str(new_id()), owned.campaign_id, Decimal(1))
    return await fund_campaign(database, caller, command)


async def _campaign_over_reward(
    database: Database, caller: Caller, owned: Owned, mine: Mine
) -> Any:
    fields = campaign_fields(tier(owned.reward_id))
    return await create_campaign(database, caller, CreateCampaign(str(new_id()), fields))


async def _request_code(database: Database, caller: Caller, owned: Owned, mine: Mine) -> Any:
    command = RequestCode(str(new_id()), owned.till_id, named(owned.member_id))
    return await request_validation_code(database, caller, command)


async def _create_till(database: Database, caller: Caller, owned: Owned, mine: Mine) -> Any:
    organization = OrganizationReference(owned.organization_id, "owner")
    return await create_till(
        database, caller, CreateTill(str(new_id()), str(new_id()), organization)
    )


async def _rename(database: Database, caller: Caller, owned: Owned, mine: Mine) -> Any:
    known = (Identifier(EXTERNAL_ID, "ann"),)
    return await upsert_member(database, caller, UpsertMember(str(new_id()), known, str(new_id())))


async def _add_identifier(database: Database, caller: Caller, owned: Owned, mine: Mine) -> Any:
    both = (Identifier(EXTERNAL_ID, "ann"), Identifier(EXTERNAL_ID, str(new_id())))
    return await upsert_member(database, caller, UpsertMember(str(new_id()), both))


async def _say_what_is(database: Database, caller: Caller, owned: Owned, mine: Mine) -> Any:
    known = (Identifier(EXTERNAL_ID, "ann"),)
    return await upsert_member(database, caller, UpsertMember(str(new_id()), known))


async def _link(database: Database, caller: Caller, owned: Owned, mine: Mine) -> Any:
    identifier = Identifier(EXTERNAL_ID, str(new_id()))
    command = LinkIdentifier(str(new_id()), named(owned.member_id), identifier)
    return await link_identifier(database, caller, command)


def _set_standing(kind: StandingKind) -> Action:
    async def act(database: Database, caller: Caller, owned: Owned, mine: Mine) -> Any:
        links = [Link("1", StandingStatus.INACTIVE)]
        command = SetStanding(str(new_id()), kind, named(owned.member_id), links)
        return await set_standing(database, caller, command)

    return act


async def _reverse(database: Database, caller: Caller, owned: Owned, mine: Mine) -> Any:
    return await reverse_grant(
        database, caller, ReverseCommand(str(new_id()), owned.grant_id, None)
    )


async def _reverse_transaction(database: Database, caller: Caller, owned: Owned, mine: Mine) -> Any:
    target = TransactionTarget(owned.transaction_id)
    command = ReverseOperationCommand(str(new_id()), target, None)
    return await reverse_operation(database, caller, command)


async def _claim(database: Database, caller: Caller, owned: Owned, mine: Mine) -> Any:
    member: MemberReference | None = named(owned.member_id) if caller.member_id is None else None
    command = ClaimCommand(str(new_id()), member, (owned.claimable_id,))
    return await claim_rewards(database, caller, command)


async def _move_stage(database: Database, caller: Caller, owned: Owned, mine: Mine) -> Any:
    command = UpdateFulfillment(str(new_id()), owned.grant_id, "PACKED")
    return await update_fulfillment(database, caller, command)


async def _capture(database: Database, caller: Caller, owned: Owned, mine: Mine) -> Any:
    return await capture(database, caller, CaptureCommand(str(new_id()), owned.hold_id))


async def _release(database: Database, caller: Caller, owned: Owned, mine: Mine) -> Any:
    return await release(database, caller, ReleaseCommand(str(new_id()), owned.hold_id))


async def _sign_in(database: Database, caller: Caller, owned: Owned, mine: Mine) -> Any:
    command = CreateMemberToken(str(new_id()), named(owned.member_id))
    return await create_member_token(database, caller, command)


ACTIONS: dict[str, Action] = {
    "asset: reward that gives it": _draft_reward(lambda o: PointsDraft(Decimal(1), o.asset_id)),
    "asset: reward changed to give it": _move_to_asset,
    "asset: price in it": _price_in_asset,
    "asset: campaign's budget of it": _budget_in_asset,
    "asset: distribute": _distribute(5),
    "asset: deduct": _distribute(-5),
    "asset: reserve": _reserve,
    "asset: fund a group of one's own": _fund_own_group_in_asset,
    "asset: name issuers": _name_issuers,
    "group: change members": _set_members(MemberSet.GROUP),
    "group: fund": _fund_group,
    "group: fund by external id": _fund_group_by_name,
    "group: pay for one's own reward": _issue(DataScope.SELF, group=True),
    "group: pay in a connected call": _issue(DataScope.OTHER, group=True),
    "segment: change members": _set_members(MemberSet.SEGMENT),
    "segment: reserve a reward for it": _reserve_for_segment,
    "reward: grant": _grant,
    "reward: issue": _issue(DataScope.SELF),
    "reward: issue in a connected call": _issue(DataScope.OTHER),
    "reward: update": _update_reward,
    "reward: campaign over it": _campaign_over_reward,
    "product: restock": _restock,
    "product: reward of it": _draft_reward(lambda o: ProductConfiguration(o.product_id)),
    "competition: reward of it": _draft_reward(
        lambda o: CompetitionEntryConfiguration(o.competition_id)
    ),
    "pool: load codes": _import,
    "pool: reward of it": _draft_reward(lambda o: UniqueCouponConfiguration(o.pool_id)),
    "vendor: update": _update_vendor,
    "vendor: reward of it": _draft_reward(lambda o: VendorVoucherDraft(o.vendor_id)),
    "campaign: update": _update_campaign,
    "campaign: fund": _fund_campaign,
    "till: request a code": _request_code,
    "till: declare one": _create_till,
    "member: rename": _rename,
    "member: add an identifier": _add_identifier,
    "member: say what is": _say_what_is,
    "member: link an identifier": _link,
    "member: set cards": _set_standing(StandingKind.CARD),
    "member: set labels": _set_standing(StandingKind.LABEL),
    "member: make a token": _sign_in,
    "grant: move to a stage": _move_stage,
    "grant: claim for the member": _claim,
    "grant: reverse its transaction": _reverse_transaction,
    "grant: reverse": _reverse,
    "hold: capture": _capture,
    "hold: release": _release,
    "reward: delete": _delete_reward,
}
