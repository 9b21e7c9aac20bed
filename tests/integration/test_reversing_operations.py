"""A whole operation is taken back, grant by grant, in as many round trips for 10,000 grants as for one (ALL-4)."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace

import pytest

from gateway.access import Scope
from gateway.errors import Forbidden, InvalidInput, NotFound
from gateway.grants.errors import NotReversible
from gateway.grants.status import StatusCode
from gateway.ids import new_id
from gateway.ledger import posting
from gateway.ledger.model import OwnerKind
from gateway.operations.model import IdempotencyConflict, OperationKind
from gateway.reversing.model import (
    KeyTarget,
    ReversalPolicy,
    ReverseOperationOutcome,
    TransactionTarget,
)
from gateway.rewards.types.product import ProductConfiguration
from gateway.rewards.types.unique_coupon import UniqueCouponConfiguration
from gateway.storage.database import Database
from gateway.verifying.verify import verify
from tests.catalog import Shop, open_shop
from tests.issuing_cases import add_group, by_id, fund
from tests.use_cases import (
    NUL,
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
    lose_first_commit_reply,
    reverse,
    reverse_all,
    snapshot,
    without,
)
from tests.world import open_world, run_campaign

DISTRIBUTION = KeyTarget(OperationKind.DISTRIBUTE_REWARDS, "d-1")
ISSUANCE = KeyTarget(OperationKind.ISSUE_REWARDS, "i-1")
pytestmark = pytest.mark.requirement("ALL-4")


@pytest.fixture
async def shop(database: Database) -> AsyncIterator[Shop]:
    yield await open_shop(database)
    assert await verify(database) == []


def codes(outcome: ReverseOperationOutcome) -> list[StatusCode]:
    return [result.status.code for result in outcome.results]


async def test_distribution_is_reversed_by_its_key(shop: Shop) -> None:
    joe, ann = await add_members(shop, 2)
    await give_points(shop, ann, 5)
    made = await distribute(shop, "d-1", line(shop, joe, 50, 7), line(shop, ann, 60, 8))
    outcome = await reverse_all(shop, "r-1", DISTRIBUTION, reason="Wrong list")
    assert codes(outcome) == ["REVERSED", "REVERSED"]
    assert [result.grant_id for result in outcome.results] == list(made.fresh_grants)
    experience = shop.caller.standard_assets.experience_id
    assert [await balance(shop, member) for member in (joe, ann)] == [0, 5]
    assert [await balance(shop, member, experience) for member in (joe, ann)] == [0, 0]
    rows = await shop.database.fetch(
        "SELECT id, reverses_id, description FROM ledger_transactions WHERE kind = 'REVERSAL'"
    )
    (transaction_id,) = {result.transaction_id for result in outcome.results}
    assert [tuple(row) for row in rows] == [(transaction_id, made.transaction_id, "Wrong list")]


async def test_distribution_is_reversed_by_its_transaction(shop: Shop) -> None:
    member = await add_member(shop)
    made = await distribute(shop, "d-1", line(shop, member, 50))
    outcome = await reverse_all(shop, "r-1", TransactionTarget(made.transaction_id))
    assert codes(outcome) == ["REVERSED"]
    assert await balance(shop, member) == 0


async def test_lines_are_taken_back_last_first(shop: Shop) -> None:
    """What the second line took from the first comes back before the first is taken."""
    member = await add_member(shop)
    await distribute(shop, "d-1", line(shop, member, 50), line(shop, member, -50))
    assert codes(await reverse_all(shop, "r-1", DISTRIBUTION)) == ["REVERSED", "REVERSED"]
    assert await balance(shop, member) == 0


async def test_spent_line_stays_and_can_be_taken_later(shop: Shop) -> None:
    joe, ann = await add_members(shop, 2)
    await distribute(shop, "d-1", line(shop, joe, 50), line(shop, ann, 60))
    await distribute(shop, "spend", line(shop, joe, -1))
    first = await reverse_all(shop, "r-1", DISTRIBUTION)
    assert codes(first) == ["BENEFIT_SPENT", "REVERSED"]
    assert first.results[0].transaction_id is None
    assert (await balance(shop, joe), await balance(shop, ann)) == (49, 0)
    await give_points(shop, joe, 1)
    second = await reverse_all(shop, "r-2", DISTRIBUTION)
    assert codes(second) == ["REVERSED", "ALREADY_REVERSED"]
    assert second.results[1].transaction_id == first.results[1].transaction_id
    assert await balance(shop, joe) == 0


async def test_nothing_to_take_writes_nothing_and_frees_the_key(shop: Shop) -> None:
    member = await add_member(shop)
    await distribute(shop, "d-1", line(shop, member, 50))
    await distribute(shop, "spend", line(shop, member, -1))
    before = await snapshot(shop.database)
    assert codes(await reverse_all(shop, "r-1", DISTRIBUTION)) == ["BENEFIT_SPENT"]
    assert await snapshot(shop.database) == before
    await give_points(shop, member, 1)
    assert not (await reverse_all(shop, "r-1", DISTRIBUTION)).idempotent_replay


async def test_issuance_gives_payments_stock_and_codes_back(shop: Shop) -> None:
    member = await add_member(shop)
    await give_points(shop, member, 100)
    product = await shop.create_product(5)
    pool = await shop.create_pool("A-1", "A-2")
    mug = await shop.create_reward(ProductConfiguration(product), payment_configs=costing(shop, 30))
    coupon = await shop.create_reward(
        UniqueCouponConfiguration(pool), payment_configs=costing(shop, 20)
    )
    await issue(shop, "i-1", member, item(mug), item(coupon), item(mug))
    assert await balance(shop, member) == 20
    outcome = await reverse_all(shop, "r-1", ISSUANCE)
    assert codes(outcome) == ["REVERSED"] * 3
    assert len({result.transaction_id for result in outcome.results}) == 3
    assert await balance(shop, member) == 100
    assert await balance(shop, product, product, OwnerKind.STOCK) == 5
    assert await count(shop, "codes WHERE status = 'VOIDED'") == 1
    assert await count(shop, "coupon_assignments") == 0


async def test_one_item_of_an_issuance_is_reversed_by_its_transaction(shop: Shop) -> None:
    member = await add_member(shop)
    pool = await shop.create_pool("A-1")
    points = await shop.create_reward()
    coupon = await shop.create_reward(UniqueCouponConfiguration(pool))
    made = await issue(shop, "i-1", member, item(points), item(coupon))
    given = made.items[1].grant
    assert given is not None
    # A coupon has no entries that could name it.
    outcome = await reverse_all(shop, "r-1", TransactionTarget(given.transaction_id))
    assert [result.grant_id for result in outcome.results] == [given.id]
    assert await balance(shop, member) == 10


async def test_item_that_another_issuance_issued_is_not_taken_back(shop: Shop) -> None:
    member = await add_member(shop)
    coupon = await shop.create_reward(UniqueCouponConfiguration(await shop.create_pool("A-1")))
    points = await shop.create_reward()
    await issue(shop, "i-0", member, item(coupon))
    await issue(shop, "i-1", member, item(coupon), item(points))
    outcome = await reverse_all(shop, "r-1", ISSUANCE)
    assert codes(outcome) == ["REVERSED"]
    assert await count(shop, "coupon_assignments") == 1


async def test_custom_grant_is_reversed_after_its_claim(shop: Shop) -> None:
    member = await add_member(shop)
    made = await grant(shop, custom("g-1", member, "10"))
    await claim(shop, "c-1", member, made.grant.id)
    outcome = await reverse_all(shop, "r-1", KeyTarget(OperationKind.GRANT_REWARD, "g-1"))
    assert codes(outcome) == ["REVERSED"]
    assert await balance(shop, member, cash_of(shop)) == 0


async def test_line_of_a_distribution_and_then_the_rest(shop: Shop) -> None:
    joe, ann = await add_members(shop, 2)
    made = await distribute(shop, "d-1", line(shop, joe, 50), line(shop, ann, 60))
    await reverse(shop, "r-1", next(iter(made.fresh_grants)))
    assert codes(await reverse_all(shop, "r-2", DISTRIBUTION)) == ["ALREADY_REVERSED", "REVERSED"]


async def test_what_would_come_back_beyond_what_can_be_counted_stays(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    member = await add_member(shop)
    await give_points(shop, member, 50)
    await distribute(shop, "d-1", line(shop, member, -30))
    before = await snapshot(shop.database)
    monkeypatch.setattr(posting, "BALANCE_MINOR_MAX", 49)
    assert codes(await reverse_all(shop, "r-1", DISTRIBUTION)) == ["BALANCE_TOO_HIGH"]
    assert await snapshot(shop.database) == before


@pytest.mark.requirement("MON-12")
async def test_event_gives_its_budget_back(database: Database) -> None:
    world = await open_world(database)
    await run_campaign(world)
    member = world.members[-1]
    assert await world.points_of(member) == 10
    shop = Shop(database, world.caller, world.caller)
    outcome = await reverse_all(shop, "r-1", KeyTarget(OperationKind.RECORD_EVENT, "e-1"))
    assert codes(outcome) == ["REVERSED"]
    assert await world.points_of(member) == 0
    rows = await database.fetch("SELECT posted_minor FROM accounts WHERE owner_kind = 'BUDGET'")
    assert [row["posted_minor"] for row in rows] == [1000]
    assert await verify(database) == []


@pytest.mark.requirement("CAP-12")
async def test_group_gets_its_payment_back(shop: Shop) -> None:
    member = await add_member(shop)
    await give_points(shop, member, 50)
    group = await add_group(shop, member)
    await fund(shop, group.id, member, 40)
    reward = await shop.create_reward(payment_configs=costing(shop, 30))
    made = await issue(shop, "i-1", member, item(reward), group=by_id(group.id))
    assert made.items[0].status.is_success
    assert await balance(shop, group.id, kind=OwnerKind.GROUP) == 10
    assert codes(await reverse_all(shop, "r-1", ISSUANCE)) == ["REVERSED"]
    assert await balance(shop, group.id, kind=OwnerKind.GROUP) == 40


@pytest.mark.requirement("ALL-2")
async def test_reversal_is_replayed_and_a_changed_one_conflicts(shop: Shop) -> None:
    joe, ann = await add_members(shop, 2)
    await distribute(shop, "d-1", line(shop, joe, 50), line(shop, ann, 60))
    await distribute(shop, "spend", line(shop, joe, -1))
    first = await reverse_all(shop, "r-1", DISTRIBUTION)
    before = await snapshot(shop.database)
    assert await reverse_all(shop, "r-1", DISTRIBUTION) == replace(first, idempotent_replay=True)
    with pytest.raises(IdempotencyConflict) as raised:
        await reverse_all(shop, "r-1", ISSUANCE, ReversalPolicy.ALLOW_DEBT)
    assert raised.value.differing_fields == ("policy", "target")
    assert await snapshot(shop.database) == before


async def test_unknown_and_foreign_targets_look_the_same(shop: Shop) -> None:
    member = await add_member(shop)
    made = await distribute(shop, "d-1", line(shop, member, 50))
    same_partner = replace(shop.caller, organization_id=shop.neighbor.organization_id)
    stranger = await open_shop(shop.database)
    before = await snapshot(shop.database)
    by_transaction = TransactionTarget(made.transaction_id)
    for target, caller in (
        (ISSUANCE, shop.caller),
        (KeyTarget(OperationKind.GRANT_REWARD, "d-1"), shop.caller),
        (DISTRIBUTION, shop.neighbor),
        (DISTRIBUTION, same_partner),
        (DISTRIBUTION, stranger.caller),
        (by_transaction, shop.neighbor),
        (by_transaction, stranger.caller),
        (TransactionTarget(None), shop.caller),
        (TransactionTarget(new_id()), shop.caller),
    ):
        with pytest.raises(NotFound, match="Nothing was granted under this") as raised:
            await reverse_all(shop, "r-1", target, caller=caller)
        assert raised.value.path[:2] == ("input", "target")
    assert await snapshot(shop.database) == before


async def test_broken_rules_are_listed(shop: Shop) -> None:
    before = await snapshot(shop.database)
    target = KeyTarget(OperationKind.CREATE_REWARD, "")
    with pytest.raises(InvalidInput) as raised:
        await reverse_all(shop, NUL, target, reason="x" * 257)
    assert [(error.path[-1], error.rule) for error in raised.value.errors] == [
        ("requestId", "characters"),
        ("reason", "length"),
        ("key", "required"),
        ("kind", "kind"),
    ]
    caller = without(shop.caller, Scope.REVERSE)
    with pytest.raises(Forbidden):
        await reverse_all(shop, "r-1", DISTRIBUTION, caller=caller)
    assert await snapshot(shop.database) == before


@pytest.mark.requirement("ALL-2")
async def test_passing_fault_reverses_once(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    member = await add_member(shop)
    await distribute(shop, "d-1", line(shop, member, 50))
    fail_first_attempt(monkeypatch)
    outcome = await reverse_all(shop, "r-1", DISTRIBUTION)
    assert (codes(outcome), outcome.idempotent_replay) == (["REVERSED"], False)


@pytest.mark.requirement("ALL-2")
async def test_lost_commit_reply_reverses_once(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    member = await add_member(shop)
    await distribute(shop, "d-1", line(shop, member, 50))
    lose_first_commit_reply(monkeypatch)
    outcome = await reverse_all(shop, "r-1", DISTRIBUTION)
    assert (codes(outcome), outcome.idempotent_replay) == (["REVERSED"], False)
    assert await balance(shop, member) == 0


async def test_racing_reversals_take_each_grant_back_once(shop: Shop) -> None:
    members = await add_members(shop, 8)
    await asyncio.gather(*(give_points(shop, member, 100) for member in members))
    made = await distribute(shop, "d-1", *(line(shop, member, 50) for member in members))
    outcomes = await asyncio.gather(
        *(reverse_all(shop, f"all-{number}", DISTRIBUTION) for number in range(3)),
        *(reverse(shop, str(grant_id), grant_id) for grant_id in made.fresh_grants),
        return_exceptions=True,
    )
    assert {type(o) for o in outcomes if isinstance(o, BaseException)} <= {NotReversible}
    assert [await balance(shop, member) for member in members] == [100] * 8


async def test_round_trips_do_not_depend_on_the_number_of_grants(
    shop: Shop, database_url: str
) -> None:
    members = await add_members(shop, 200)
    for key in ("first", "one"):
        await distribute(shop, key, line(shop, members[0], 5, 1))
    await distribute(shop, "many", *(line(shop, member, 5, 1) for member in members))
    taken = []
    async with counting(database_url) as (database, statements):
        counted = replace(shop, database=database)
        # The first use of a connection asks about types.
        for key in ("first", "one", "many"):
            statements.clear()
            target = KeyTarget(OperationKind.DISTRIBUTE_REWARDS, key)
            outcome = await reverse_all(counted, f"r-{key}", target)
            assert set(codes(outcome)) == {"REVERSED"}
            taken.append(len(statements))
    # Claim, find, lock grants, entries, lock balances, ledger, mark, answer; the commit with it.
    assert taken[1:] == [8, 8]
