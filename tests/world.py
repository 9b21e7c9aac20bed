"""A shop with members and one reward of every kind, and one call for each operation that moves something."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from uuid import UUID

import asyncpg

from gateway.access import Caller
from gateway.campaigns.creating import CreateCampaign, create_campaign
from gateway.campaigns.event import EventCommand, EventOutcome
from gateway.campaigns.fields import CampaignFields, TierFields
from gateway.campaigns.funding import FundCampaign, fund_campaign
from gateway.campaigns.model import CalendarUnit, Limit, LimitScope, Trigger
from gateway.campaigns.recording import record_event
from gateway.claiming.claim_rewards import claim_rewards
from gateway.claiming.model import ClaimCommand, ClaimOutcome
from gateway.distributing.distribute_rewards import distribute_rewards
from gateway.distributing.model import DistributeCommand, DistributionLine, Recipient
from gateway.distributing.outcome import DistributionOutcome
from gateway.granting.grant_reward import grant_reward
from gateway.granting.groups import GrantGroups
from gateway.granting.model import CatalogReward, CustomReward, GrantCommand, GrantOutcome
from gateway.holding.ending import capture, release
from gateway.holding.model import CaptureCommand, HoldOutcome, ReleaseCommand, ReserveCommand
from gateway.holding.reserve import reserve
from gateway.ids import IdKind, encode_id, new_id
from gateway.issuing.fulfillment.updating import UpdateFulfillment, update_fulfillment
from gateway.issuing.groups import IssuanceGroups
from gateway.issuing.issue_rewards import issue_rewards
from gateway.issuing.model import IssuanceOutcome, IssueCommand, IssueItem, PaymentChoice
from gateway.ledger.model import Account, OwnerKind
from gateway.members.model import MemberReference
from gateway.operations.places import Places
from gateway.reversing.model import ReverseCommand, ReverseOutcome
from gateway.reversing.reverse_grant import reverse_grant
from gateway.rewards.code_pools import ImportCodes, import_codes
from gateway.rewards.model import PaymentMode
from gateway.rewards.payments import PaymentConfigDraft
from gateway.rewards.products import ProductOutcome, RestockProduct, restock_product
from gateway.rewards.types.competition_entry import CompetitionEntryConfiguration
from gateway.rewards.types.points import PointsDraft
from gateway.rewards.types.product import ProductConfiguration
from gateway.rewards.types.unique_coupon import UniqueCouponConfiguration
from gateway.storage.database import Database
from tests.catalog import Shop, open_shop
from tests.issuing_cases import (
    add_group,
    add_segment,
    by_id,
    declare_stages,
    declare_till,
    fund,
    mug,
    request_code,
)
from tests.use_cases import add_members, cash_of, give_points, issue, item, points_of
from tests.vendor_shop import NoServer, sell_vouchers

# What gives what: ten points, or ten for 6; two mugs for 7 points; three entries; a code for 4; an entry for a third of its value.
POINTS_AMOUNT = 10
BOOST_PRICE = 6
MUGS = 2
MUG_PRICE = 7
ENTRIES = 3
COUPON_PRICE = 4
RAFFLE_RATIO = 3
VOUCHER_PRICE = 3


@dataclass(frozen=True, slots=True)
class World:
    """One tenant's shop; every call goes through `database`, which a test may replace by its own pool."""

    database: Database
    caller: Caller
    members: tuple[UUID, ...]
    product_id: UUID
    competition_id: UUID
    pool_id: UUID
    points_reward: UUID
    boost_reward: UUID
    mug_reward: UUID
    entry_reward: UUID
    coupon_reward: UUID
    raffle_reward: UUID
    grant_groups: GrantGroups | None = None
    issuance_groups: IssuanceGroups | None = None

    def grouped(self) -> World:
        """Return the same world with grants and issuances that share commits, as the gateway serves it."""
        places = Places()
        return replace(
            self,
            grant_groups=GrantGroups(self.database, places),
            issuance_groups=IssuanceGroups(self.database, places),
        )

    async def grant_cash(self, key: str, member: UUID, dollars: str = "5.00") -> GrantOutcome:
        """Grant a custom reward, to be claimed."""
        reward = CustomReward(Decimal(dollars))
        command = GrantCommand(key, _name(member), reward, "daily.check-in", {})
        return await grant_reward(self.database, self.caller, command, self.grant_groups)

    async def grant(self, key: str, member: UUID, reward_id: UUID) -> GrantOutcome:
        """Grant a reward of the catalog."""
        command = GrantCommand(key, _name(member), CatalogReward(reward_id), None, {})
        return await grant_reward(self.database, self.caller, command, self.grant_groups)

    async def issue(self, key: str, member: UUID, *items: IssueItem | UUID) -> IssuanceOutcome:
        """Issue rewards, paid for as each is configured."""
        wanted = [
            IssueItem(item, encode_id(IdKind.REWARD, item)) if isinstance(item, UUID) else item
            for item in items
        ]
        command = IssueCommand(key, _name(member), wanted)
        return await issue_rewards(self.database, self.caller, command, groups=self.issuance_groups)

    async def distribute(
        self, key: str, lines: Sequence[tuple[UUID, int, int]]
    ) -> DistributionOutcome:
        """Distribute lines of member, points (negative deducts, 0 is none) and experience points (0 is none)."""
        points_id = str(self.caller.standard_assets.points_id)
        command = DistributeCommand(
            key,
            [
                DistributionLine(
                    Recipient(None, encode_id(IdKind.MEMBER, member)),
                    points_id if points else None,
                    Decimal(points) if points else None,
                    experience or None,
                )
                for member, points, experience in lines
            ],
        )
        return await distribute_rewards(self.database, self.caller, command)

    async def claim(self, key: str, member: UUID, *grant_ids: UUID) -> ClaimOutcome:
        """Claim grants for a member."""
        command = ClaimCommand(key, _name(member), grant_ids)
        return await claim_rewards(self.database, self.caller, command)

    async def reverse(self, key: str, grant_id: UUID) -> ReverseOutcome:
        """Take a grant back."""
        command = ReverseCommand(key, grant_id, "returned")
        return await reverse_grant(self.database, self.caller, command)

    async def record(self, key: str, member: UUID) -> EventOutcome:
        """Record a check-in, which a campaign rewards if `run_campaign` has made it."""
        event = EventCommand(key, "check-in", _name(member), {})
        return await record_event(self.database, self.caller, event)

    async def restock(self, key: str, units: int) -> ProductOutcome:
        """Add mugs to the stock."""
        command = RestockProduct(key, self.product_id, units)
        return await restock_product(self.database, self.caller, command)

    async def reserve(self, key: str, member: UUID, points: int, seconds: int = 600) -> HoldOutcome:
        """Hold a member's points."""
        points_id = self.caller.standard_assets.points_id
        command = ReserveCommand(key, _name(member), points_id, Decimal(points), seconds)
        return await reserve(self.database, self.caller, command)

    async def capture(self, key: str, hold_id: UUID, points: int | None = None) -> HoldOutcome:
        """Take a hold, whole or in part."""
        amount = None if points is None else Decimal(points)
        return await capture(self.database, self.caller, CaptureCommand(key, hold_id, amount))

    async def release(self, key: str, hold_id: UUID) -> HoldOutcome:
        """Set a hold free."""
        return await release(self.database, self.caller, ReleaseCommand(key, hold_id))

    async def load_codes(self, codes: Sequence[str]) -> None:
        """Load codes into the pool of the unique coupon."""
        command = ImportCodes(str(new_id()), self.pool_id, codes)
        await import_codes(self.database, self.caller, command)

    async def points_of(self, member: UUID) -> int:
        """Return how many points a member has."""
        return await self.balance_of(self.caller.standard_assets.points_id, member)

    async def balance_of(
        self, asset_id: UUID, owner: UUID, owner_kind: OwnerKind = OwnerKind.MEMBER
    ) -> int:
        """Return what is posted on an account, in minor units."""
        account = Account(asset_id, owner_kind, owner)
        rows = await self.database.fetch(
            "SELECT posted_minor FROM accounts WHERE tenant_id = $1 AND id = $2",
            self.caller.tenant_id,
            account.id,
        )
        return rows[0]["posted_minor"] if rows else 0

    async def stock(self) -> int:
        """Return how many mugs are left."""
        return await self.balance_of(self.product_id, self.product_id, OwnerKind.STOCK)


async def open_world(
    database: Database, *, member_count: int = 3, stock: int = 100, codes: Sequence[str] = ()
) -> World:
    """Make a tenant with all of it; a coupon's pool has at least the code "first"."""
    shop = await open_shop(database)
    caller = shop.caller
    members = tuple(await add_members(shop, member_count))
    points_id = caller.standard_assets.points_id

    def price(points: int) -> tuple[PaymentConfigDraft, ...]:
        return (PaymentConfigDraft(PaymentMode.POINTS, points_id, Decimal(points)),)

    product_id = await shop.create_product(stock)
    competition_id = await shop.create_competition()
    pool_id = await shop.create_pool(*(codes or ["first"]))
    ten_points = PointsDraft(Decimal(POINTS_AMOUNT))
    mug = ProductConfiguration(product_id, MUGS)
    coupon = UniqueCouponConfiguration(pool_id)
    raffle = CompetitionEntryConfiguration(competition_id, 1)
    by_value = PaymentConfigDraft(
        PaymentMode.CONV_RATIO, points_id, conversion_ratio=Decimal(RAFFLE_RATIO)
    )
    return World(
        database=database,
        caller=caller,
        members=members,
        product_id=product_id,
        competition_id=competition_id,
        pool_id=pool_id,
        points_reward=(await shop.create_reward(ten_points)).id,
        boost_reward=(await shop.create_reward(ten_points, payment_configs=price(BOOST_PRICE))).id,
        mug_reward=(await shop.create_reward(mug, payment_configs=price(MUG_PRICE))).id,
        entry_reward=(
            await shop.create_reward(CompetitionEntryConfiguration(competition_id, ENTRIES))
        ).id,
        coupon_reward=(await shop.create_reward(coupon, payment_configs=price(COUPON_PRICE))).id,
        raffle_reward=(await shop.create_reward(raffle, payment_configs=(by_value,))).id,
    )


async def live_a_little(world: World) -> dict[str, UUID]:
    """Let every operation happen once and return the grants it made, by name: each table then has rows."""
    ada, grace, *_ = world.members
    await world.distribute("d-1", [(ada, 50, 5), (grace, 20, 0), (ada, -9, 0), (ada, 3, 1)])
    owed = await world.grant_cash("g-1", ada)
    claimed = await world.grant_cash("g-2", ada)
    points = await world.grant("g-3", grace, world.points_reward)
    reversed_ = await world.grant("g-4", grace, world.points_reward)
    issued = await world.issue("i-1", ada, world.mug_reward, world.coupon_reward)
    entered = await world.grant("g-5", grace, world.entry_reward)
    await world.claim("c-1", ada, claimed.grant.id)
    await world.reverse("r-1", reversed_.grant.id)
    await run_campaign(world)
    await _buy_from_vendor(world)
    held = await world.reserve("h-1", ada, 2)
    await world.capture("h-2", held.hold.id, 1)
    mug, coupon = (item.grant for item in issued.items)
    assert mug is not None
    assert coupon is not None
    return {
        "owed": owed.grant.id,
        "claimed": claimed.grant.id,
        "points": points.grant.id,
        "reversed": reversed_.grant.id,
        "entered": entered.grant.id,
        "mug": mug.id,
        "coupon": coupon.id,
    }


async def depend_on_everything(world: World) -> UUID:
    """Issue once to a group, at a till, for cash, with a stage; return the grant: what these rules write has rows then."""
    shop = Shop(world.database, world.caller, world.caller)
    *others, member = world.members
    await give_points(shop, member, 20)
    await declare_stages(shop, "BOOKED", "DELIVERED")
    segment_id = await add_segment(shop, member)
    group = await add_group(shop, member, *others)
    await fund(shop, group.id, member, 10)
    till_id = await declare_till(shop)
    config = PaymentConfigDraft(
        PaymentMode.POINTS_CASH,
        asset_id=points_of(shop),
        amount=Decimal(2),
        cash_asset_id=cash_of(shop),
        cash_amount=Decimal(1),
    )
    reward = await mug(shop, payment_configs=(config,), segment_ids=(segment_id,))
    outcome = await issue(
        shop,
        "everything",
        member,
        item(reward, payment=PaymentChoice(cash_reference="receipt-1")),
        group=by_id(group.id),
        till="Till 1",
        validation_code=await request_code(shop, till_id, member),
    )
    made = outcome.items[0].grant
    assert made is not None
    command = UpdateFulfillment("moved", made.id, "DELIVERED")
    await update_fulfillment(world.database, world.caller, command)
    return made.id


async def run_campaign(world: World) -> None:
    """Fund a campaign with limits of every kind and let it reward somebody."""
    points_id = world.caller.standard_assets.points_id
    fields = CampaignFields(
        "Check-in",
        (Trigger("check-in"),),
        (TierFields((world.points_reward,)),),
        limits=(
            Limit(LimitScope.MEMBER, 2, rolling_seconds=60),
            Limit(LimitScope.TOTAL, 100, CalendarUnit.DAY),
        ),
        budget_asset_id=points_id,
    )
    database, caller = world.database, world.caller
    created = await create_campaign(database, caller, CreateCampaign("ca-1", fields))
    await fund_campaign(database, caller, FundCampaign("f-1", created.campaign.id, Decimal(1000)))
    await world.record("e-1", world.members[-1])


async def _buy_from_vendor(world: World) -> None:
    """Let the third member order three vouchers: one is issued, one refused, one not answered yet."""
    *_, member = world.members
    shop = Shop(world.database, world.caller, world.caller)
    vouchers = await sell_vouchers(shop, NoServer(), _name(member), VOUCHER_PRICE)
    await world.grant("v-points", member, world.points_reward)
    for end in (vouchers.settle, vouchers.decline, None):
        await vouchers.issue(None)
        if end is not None:
            await end()


async def count_tables(owner: asyncpg.Connection[asyncpg.Record]) -> dict[str, int]:
    """Return how many rows each table has."""
    tables = await owner.fetch(
        "SELECT tablename FROM pg_tables WHERE schemaname = 'public' ORDER BY 1"
    )
    # The names are from the database's own catalog.
    counts = [f"(SELECT count(*) FROM {name}) AS {name}" for (name,) in tables]  # noqa: S608
    row = await owner.fetchrow(f"SELECT {', '.join(counts)}")
    assert row is not None
    return dict(row)


def _name(member: UUID) -> MemberReference:
    return MemberReference(None, str(member))
