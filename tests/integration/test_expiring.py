"""What was not used in time ends by itself: points in lots, the soonest expiring spent first; grants; codes."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any, cast
from uuid import UUID

import asyncpg
import pytest

from gateway.errors import InvalidInput, NotFound
from gateway.expiring.expire_grants import expire_grants, void_expired_codes
from gateway.expiring.expire_lots import expire_lots
from gateway.expiring.jobs import JOBS, expire_due, expire_everywhere
from gateway.expiring.store import fetch_tenants_with_due
from gateway.expiring.system import find_system_caller
from gateway.granting.model import CustomReward, GrantCommand
from gateway.grants.errors import NotReversible
from gateway.grants.record import GrantRecord, GrantStatus
from gateway.grants.status import StatusCode
from gateway.grants.store import fetch_grants
from gateway.holding.ending import capture, release
from gateway.holding.model import CaptureCommand, ReleaseCommand, ReserveCommand
from gateway.holding.reserve import reserve
from gateway.ids import new_id
from gateway.ledger.assets import AssetKind
from gateway.ledger.lot_store import fetch_next_expirations
from gateway.ledger.model import OwnerKind
from gateway.reversing.model import ReversalPolicy
from gateway.rewards.types.unique_coupon import UniqueCouponConfiguration
from gateway.storage.database import Database
from gateway.tenants.assets import CreateAsset, create_asset
from gateway.verifying.verify import verify
from tests.catalog import Shop, open_shop
from tests.issuing_cases import add_group, fund
from tests.sealing import code_of
from tests.use_cases import (
    add_member,
    add_members,
    balance,
    cash_of,
    claim,
    costing,
    count,
    counting,
    custom,
    distribute,
    fail_first_attempt,
    give_points,
    grant,
    issue,
    item,
    line,
    manual,
    named,
    reverse,
    snapshot,
)

DAYS = 30
pytestmark = pytest.mark.requirement("ALL-7")


@dataclass(frozen=True)
class Season:
    """A shop with points that expire after thirty days, and a way to let time pass."""

    shop: Shop
    asset: UUID
    owner: asyncpg.Connection[asyncpg.Record]

    @property
    def tenant(self) -> UUID:
        return self.shop.caller.tenant_id

    async def move(self, member: UUID, amount: int, key: str | None = None) -> GrantRecord:
        """Give the member points, or take them below zero, and return the grant."""
        moved = line(self.shop, member, amount, currency_id=self.asset)
        outcome = await distribute(self.shop, key or str(new_id()), moved)
        (made,) = outcome.fresh_grants.values()
        return made

    async def pass_days(self, days: int) -> None:
        """Let every lot be so many days nearer to its expiry."""
        await self.owner.execute(
            "UPDATE lots SET expires_at = expires_at - make_interval(days => $1)", days
        )

    async def expire(self, limit: int = 100) -> int:
        return await expire_lots(self.shop.database, self.tenant, limit)

    async def posted(self, member: UUID) -> int:
        return await balance(self.shop, member, self.asset)

    async def lots(self, member: UUID) -> list[int]:
        """Return what is left of the member's open lots, the soonest expiring first."""
        rows = await self.shop.database.fetch(
            """SELECT remaining_minor FROM lots JOIN accounts ON accounts.id = account_id
            WHERE owner_id = $1 AND remaining_minor > 0 ORDER BY expires_at, sequence""",
            member,
        )
        return [row["remaining_minor"] for row in rows]

    async def hold(self, member: UUID, amount: int) -> UUID:
        command = ReserveCommand(str(new_id()), named(member), self.asset, Decimal(amount), 600)
        return (await reserve(self.shop.database, self.shop.caller, command)).hold.id


@pytest.fixture
async def season(database: Database, owner_database_url: str) -> AsyncIterator[Season]:
    shop = await open_shop(database)
    command = CreateAsset(
        "a-1", "SEASON", "Season points", AssetKind.POINTS, expires_after_days=DAYS
    )
    asset = (await create_asset(database, shop.caller, command)).asset
    owner = await asyncpg.connect(owner_database_url)
    yield Season(shop, asset.id, owner)
    await owner.close()
    assert await verify(database) == []


async def test_credit_makes_a_lot_that_expires_after_the_assets_lifetime(season: Season) -> None:
    member = await add_member(season.shop)
    made = await season.move(member, 10)
    async with season.shop.database.connection() as connection:
        scope = (connection, season.tenant, [member], season.asset, 5)
        (upcoming,) = (await fetch_next_expirations(*scope))[member]
    assert upcoming.amount_minor == 10
    assert upcoming.expires_at == made.rewarded_at + timedelta(days=DAYS)


async def test_soonest_expiring_is_spent_first(season: Season) -> None:
    member = await add_member(season.shop)
    for amount in (10, 20, 30):
        await season.move(member, amount)
    await season.move(member, -15)
    assert await season.lots(member) == [15, 30]
    await season.move(member, -45)
    assert await season.lots(member) == []


async def test_what_is_due_expires_as_a_transaction(season: Season) -> None:
    member = await add_member(season.shop)
    await season.move(member, 10)
    await season.pass_days(20)
    await season.move(member, 5)
    await season.move(member, -3)
    await season.pass_days(10)
    assert await season.expire() == 1
    assert (await season.posted(member), await season.lots(member)) == (5, [5])
    rows = await season.owner.fetch(
        """SELECT kind, amount_minor, owner_kind FROM ledger_entries JOIN ledger_transactions ON id = transaction_id
        LEFT JOIN accounts ON accounts.id = account_id WHERE kind = 'EXPIRY' ORDER BY index"""
    )
    assert [tuple(row) for row in rows] == [("EXPIRY", -7, "MEMBER"), ("EXPIRY", 7, None)]


async def test_nothing_due_writes_nothing(season: Season) -> None:
    member = await add_member(season.shop)
    await season.move(member, 10)
    before = await snapshot(season.shop.database)
    assert await expire_due(season.shop.database, season.tenant, 100) == 0
    assert await season.expire() == 0
    assert await snapshot(season.shop.database) == before


async def test_held_part_stays_until_its_hold_has_ended(season: Season) -> None:
    member, other = await add_members(season.shop, 2)
    for who in (member, other):
        await season.move(who, 10)
    kept, taken = await season.hold(member, 4), await season.hold(other, 10)
    await season.pass_days(DAYS)
    assert await season.expire() == 1
    assert (await season.posted(member), await season.lots(member)) == (4, [4])
    assert (await season.posted(other), await season.lots(other)) == (10, [10])
    # What is held is not looked for again and again.
    assert await season.expire() == 0
    database, caller = season.shop.database, season.shop.caller
    await release(database, caller, ReleaseCommand("r-1", kept))
    await capture(database, caller, CaptureCommand("c-1", taken))
    assert await season.expire() == 1
    assert (await season.posted(member), await season.posted(other)) == (0, 0)


async def test_assets_without_a_lifetime_have_no_lots(season: Season) -> None:
    member = await add_member(season.shop)
    await distribute(season.shop, "d-1", line(season.shop, member, 10, 5))
    assert await count(season.shop, "lots") == 0


async def test_one_batch_may_credit_and_debit_the_same_account(season: Season) -> None:
    member = await add_member(season.shop)
    await season.move(member, 10)
    lines = [
        line(season.shop, member, amount, currency_id=season.asset) for amount in (-4, 7, -9, 2, -3)
    ]
    await distribute(season.shop, "d-1", *lines)
    # Ten and seven and two, of which sixteen are gone from the front.
    assert await season.lots(member) == [1, 2]


async def test_points_of_a_group_expire_too(season: Season) -> None:
    member = await add_member(season.shop)
    await season.move(member, 10)
    group = await add_group(season.shop, member)
    await season.pass_days(DAYS - 1)
    await fund(season.shop, group.id, member, 6, asset_id=season.asset)
    await season.pass_days(1)
    assert await season.expire() == 1
    kept = await balance(season.shop, group.id, season.asset, OwnerKind.GROUP)
    # What the group was given has a lifetime of its own.
    assert (await season.posted(member), kept) == (0, 6)
    await season.pass_days(DAYS)
    assert await season.expire() == 1
    assert await balance(season.shop, group.id, season.asset, OwnerKind.GROUP) == 0


async def test_debt_is_repaid_before_anything_can_expire(season: Season) -> None:
    member = await add_member(season.shop)
    made = await season.move(member, 10)
    await season.move(member, -10)
    await reverse(season.shop, "r-1", made.id, policy=ReversalPolicy.ALLOW_DEBT)
    assert (await season.posted(member), await season.lots(member)) == (-10, [])
    await season.move(member, 4)
    assert (await season.posted(member), await season.lots(member)) == (-6, [])
    await season.move(member, 9)
    assert (await season.posted(member), await season.lots(member)) == (3, [3])
    await season.pass_days(DAYS)
    await season.expire()
    assert await season.posted(member) == 0


async def test_workers_expire_each_account_once(season: Season) -> None:
    members = await add_members(season.shop, 20)
    await asyncio.gather(*(season.move(member, 10) for member in members))
    await season.pass_days(DAYS)
    await asyncio.gather(*(season.move(member, 1) for member in members))
    await asyncio.gather(*(season.expire(limit=6) for _ in range(6)))
    while await season.expire(limit=6):
        pass
    assert [await season.posted(member) for member in members] == [1] * 20
    assert await count(season.shop, "ledger_transactions WHERE kind = 'EXPIRY'") == 20


async def test_expiry_beside_spending_loses_nothing(season: Season) -> None:
    """Whoever comes first has the points: what is spent is not expired, and what is expired is not spent."""
    members = await add_members(season.shop, 6)
    for member in members:
        await season.move(member, 10)
    await season.pass_days(DAYS)

    async def spend(member: UUID) -> bool:
        moved = line(season.shop, member, -10, currency_id=season.asset)
        try:
            await distribute(season.shop, str(new_id()), moved)
        except Exception:  # noqa: BLE001 - refused as a whole, because its one line is
            return False
        return True

    spent, _, _ = await asyncio.gather(
        asyncio.gather(*map(spend, members)), season.expire(), season.expire()
    )
    while await season.expire():
        pass
    assert [await season.posted(member) for member in members] == [0] * 6
    expired = await count(season.shop, "ledger_transactions WHERE kind = 'EXPIRY'")
    assert expired + sum(spent) == 6


async def test_passing_fault_expires_once(season: Season, monkeypatch: pytest.MonkeyPatch) -> None:
    member = await add_member(season.shop)
    await season.move(member, 10)
    await season.pass_days(DAYS)
    fail_first_attempt(monkeypatch)
    assert await season.expire() == 1
    assert await season.posted(member) == 0


async def test_posting_takes_one_round_trip_more_only_where_points_expire(
    season: Season, database_url: str
) -> None:
    members = await add_members(season.shop, 100)
    taken = []
    async with counting(database_url) as (database, statements):
        shop = replace(season.shop, database=database)
        # The first use of a connection asks about types.
        # And a balance that is new takes more than one that is there.
        for asset in (None, season.asset):
            warm = [line(shop, member, 1, currency_id=asset) for member in members]
            await distribute(shop, str(new_id()), *warm)
        for asset in (None, season.asset):
            for some in (members[:1], members):
                statements.clear()
                lines = [line(shop, member, 5, currency_id=asset) for member in some]
                await distribute(shop, str(new_id()), *lines)
                taken.append(len(statements))
    first = taken[0]
    assert taken == [first, first, first + 1, first + 1]


def expiring(key: str, member: UUID, at: datetime, **fields: Any) -> GrantCommand:
    command = custom(key, member, "25.00", **fields)
    assert isinstance(command.reward, CustomReward)
    return replace(command, reward=replace(command.reward, expires_at=at))


async def age_grants(season: Season) -> None:
    await season.owner.execute(
        "UPDATE grants SET expires_at = now() - interval '1s' WHERE expires_at IS NOT NULL"
    )


async def read(season: Season, grant_id: UUID) -> GrantRecord:
    async with season.shop.database.connection() as connection:
        return (await fetch_grants(connection, season.tenant, [grant_id]))[grant_id]


async def test_unclaimed_grant_expires_and_returns_to_issuance(season: Season) -> None:
    shop, later = season.shop, datetime.now(UTC) + timedelta(days=1)
    member = await add_member(shop)
    made = (await grant(shop, expiring("g-1", member, later))).grant
    assert made.expires_at == later
    kept = (await grant(shop, custom("g-2", member, "5.00"))).grant
    await age_grants(season)
    # It is over, whether a worker has ended it or not.
    (refused,) = (await claim(shop, "c-1", member, made.id)).results
    assert refused.status.code is StatusCode.NOT_CLAIMABLE
    assert "expired" in refused.status.message
    assert await expire_grants(shop.database, season.tenant, 100) == 1
    assert (await read(season, made.id)).status is GrantStatus.EXPIRED
    assert await balance(shop, member, cash_of(shop), OwnerKind.CLAIMABLE) == 500
    assert (await claim(shop, "c-2", member, made.id, kept.id)).results[1].status.is_success
    with pytest.raises(NotReversible, match="expired"):
        await reverse(shop, "r-1", made.id)
    again = await grant(shop, expiring("g-1", member, later))
    assert (again.idempotent_replay, again.grant.status) == (True, GrantStatus.EXPIRED)
    assert await expire_grants(shop.database, season.tenant, 100) == 0


async def test_cash_that_was_claimed_in_time_does_not_expire(season: Season) -> None:
    shop = season.shop
    member = await add_member(shop)
    made = (await grant(shop, expiring("g-1", member, datetime.now(UTC) + timedelta(1)))).grant
    await claim(shop, "c-1", member, made.id)
    await age_grants(season)
    assert await expire_grants(shop.database, season.tenant, 100) == 0
    assert (await read(season, made.id)).status is GrantStatus.CLAIMED
    assert await balance(shop, member, cash_of(shop)) == 2500


async def test_time_to_claim_must_be_in_the_future(season: Season) -> None:
    member = await add_member(season.shop)
    before = await snapshot(season.shop.database)
    with pytest.raises(InvalidInput) as raised:
        await grant(season.shop, expiring("g-1", member, datetime.now(UTC) - timedelta(hours=1)))
    (error,) = raised.value.errors
    assert (error.path[-1], error.rule) == ("expiresAt", "future")
    assert await snapshot(season.shop.database) == before


async def test_race_of_claim_and_expiry_has_one_winner(season: Season) -> None:
    shop = season.shop
    members = await add_members(shop, 8)
    soon = datetime.now(UTC) + timedelta(days=1)
    made = [(await grant(shop, expiring(str(one), one, soon))).grant for one in members]
    claims = [claim(shop, f"c-{one.id}", one.member_id, one.id) for one in made]
    outcomes, *_ = await asyncio.gather(
        asyncio.gather(*claims),
        age_grants(season),
        expire_grants(shop.database, season.tenant, 3),
        expire_grants(shop.database, season.tenant, 3),
    )
    while await expire_grants(shop.database, season.tenant, 3):
        pass
    for one, outcome in zip(made, outcomes, strict=True):
        is_claimed = outcome.results[0].status.is_success
        status = (await read(season, one.id)).status
        assert status is (GrantStatus.CLAIMED if is_claimed else GrantStatus.EXPIRED)
        paid = await balance(shop, one.member_id, cash_of(shop))
        assert paid == (2500 if is_claimed else 0)
        assert await balance(shop, one.member_id, cash_of(shop), OwnerKind.CLAIMABLE) == 0


async def test_worker_that_comes_second_writes_nothing(
    season: Season, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What another has locked between looking and locking is left to it."""
    shop = season.shop
    member = await add_member(shop)
    await season.move(member, 10)
    await grant(shop, expiring("g-1", member, datetime.now(UTC) + timedelta(days=1)))
    await season.pass_days(DAYS)
    await age_grants(season)
    before = await snapshot(shop.database)
    async with shop.database.connection() as other, other.transaction():
        await other.execute("SELECT FROM grants FOR UPDATE")
        await other.execute("SELECT FROM accounts FOR UPDATE")
        assert await expire_due(shop.database, season.tenant, 100) == 0
    assert await snapshot(shop.database) == before
    assert await expire_due(shop.database, season.tenant, 100) == 2


async def test_coupon_expires_with_its_code_and_free_codes_are_voided(season: Season) -> None:
    shop = season.shop
    member, other = await add_members(shop, 2)
    pool = await shop.create_pool("A-1", "A-2", "A-3")
    reward = await shop.create_reward(UniqueCouponConfiguration(pool))
    await season.owner.execute("UPDATE codes SET expires_at = now() + interval '1h'")
    made = (await grant(shop, manual("g-1", member, reward.id))).grant
    assert made.expires_at is not None
    await age_grants(season)
    await season.owner.execute(
        "UPDATE codes SET expires_at = now() - interval '1s' WHERE id < (SELECT max(id::text)::uuid FROM codes)"
    )
    assert await expire_grants(shop.database, season.tenant, 100) == 1
    assert (await read(season, made.id)).status is GrantStatus.EXPIRED
    assert await void_expired_codes(shop.database, season.tenant, 100) == 1
    assert await count(shop, "codes WHERE status = 'VOIDED'") == 1
    # The member has had their code; somebody else gets the one that is left.
    again = await grant(shop, manual("g-2", member, reward.id))
    assert again.status.code is StatusCode.ALREADY_ISSUED
    left = (await grant(shop, manual("g-3", other, reward.id))).grant
    assert code_of(shop, left) == "A-3"
    # An expired coupon can be taken back: it may have been paid for.
    assert (await reverse(shop, "r-1", made.id)).grant.status is GrantStatus.REVERSED


async def test_paid_coupon_that_expires_is_not_refunded(season: Season) -> None:
    """Its member has had it; only what was never claimed returns to where it came from."""
    shop = season.shop
    member = await add_member(shop)
    await give_points(shop, member, 10)
    reward = await shop.create_reward(
        UniqueCouponConfiguration(await shop.create_pool("A-1")), payment_configs=costing(shop, 4)
    )
    await season.owner.execute("UPDATE codes SET expires_at = now() + interval '1h'")
    made = (await issue(shop, "i-1", member, item(reward))).items[0].grant
    assert made is not None
    assert await balance(shop, member) == 6
    await age_grants(season)
    assert await expire_grants(shop.database, season.tenant, 100) == 1
    assert (await read(season, made.id)).status is GrantStatus.EXPIRED
    assert await balance(shop, member) == 6


async def test_tenant_that_fails_keeps_no_other_waiting(
    season: Season, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    member = await add_member(season.shop)
    await season.move(member, 10)
    await season.pass_days(DAYS)
    stranger = await open_shop(season.shop.database)
    failing = stranger.caller.tenant_id

    async def both(_: object) -> list[UUID]:
        return [failing, season.tenant]

    async def expire_holds(_: object, tenant_id: UUID, __: int) -> int:
        if tenant_id == failing:
            message = "this tenant alone"
            raise ValueError(message)
        return 0

    monkeypatch.setattr("gateway.expiring.store.fetch_tenants_with_due", both)
    monkeypatch.setitem(cast(dict[str, object], JOBS), "holds", expire_holds)
    assert await expire_everywhere(season.shop.database) == 1
    assert await season.posted(member) == 0
    (line,) = [line for line in caplog.records if line.message == "what is due cannot be ended"]
    assert line.__dict__["facts"]["tenant_id"] == str(failing)


async def test_jobs_end_what_is_due_in_their_tenant_alone(season: Season) -> None:
    member = await add_member(season.shop)
    await season.move(member, 10)
    hold_id = await season.hold(member, 10)
    await season.pass_days(DAYS)
    await season.owner.execute(
        "UPDATE holds SET created_at = now() - interval '9s', expires_at = now() - interval '1s' WHERE id = $1",
        hold_id,
    )
    stranger = await open_shop(season.shop.database)
    assert await expire_due(season.shop.database, stranger.caller.tenant_id, 100) == 0
    async with season.shop.database.connection() as connection:
        assert await fetch_tenants_with_due(connection) == [season.tenant]
    # The hold first, and then what it held.
    assert await expire_everywhere(season.shop.database) == 2
    assert await expire_everywhere(season.shop.database) == 0
    assert await season.posted(member) == 0
    assert list(JOBS) == ["holds", "lots", "grants", "codes", "tokens"]


async def test_unknown_tenant_has_nothing_due(season: Season) -> None:
    assert await expire_due(season.shop.database, new_id(), 100) == 0
    with pytest.raises(NotFound):
        await find_system_caller(season.shop.database, new_id())


@pytest.mark.parametrize(
    ("kind", "days", "rule"),
    [
        (AssetKind.POINTS, 0, "range"),
        (AssetKind.POINTS, 3_651, "range"),
        (AssetKind.CASH, 30, "kind"),
    ],
)
async def test_wrong_lifetime_is_refused(
    season: Season, kind: AssetKind, days: int, rule: str
) -> None:
    command = CreateAsset("a-2", "OTHER", "Other", kind, expires_after_days=days)
    before = await snapshot(season.shop.database)
    with pytest.raises(InvalidInput) as raised:
        await create_asset(season.shop.database, season.shop.caller, command)
    (error,) = raised.value.errors
    assert (error.path, error.rule) == (("input", "expiresAfterDays"), rule)
    assert await snapshot(season.shop.database) == before
