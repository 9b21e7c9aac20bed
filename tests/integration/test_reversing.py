"""A grant is taken back once, whole, by a new transaction; what was spent is not taken (ALL-4)."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from decimal import Decimal
from uuid import UUID

import pytest

from gateway.access import Scope
from gateway.errors import ErrorCode, Forbidden, InvalidInput, NotFound
from gateway.grants.errors import NotReversible
from gateway.grants.record import GrantRecord, GrantStatus
from gateway.grants.status import StatusCode
from gateway.ids import new_id
from gateway.ledger.model import OwnerKind
from gateway.operations.model import IdempotencyConflict
from gateway.reversing.model import ReverseOutcome
from gateway.rewards.code_store import count_codes
from gateway.rewards.deleting import DeleteReward, delete_reward
from gateway.rewards.items import CodeCounts, ItemKey
from gateway.rewards.types.competition_entry import CompetitionEntryConfiguration
from gateway.rewards.types.non_unique_coupon import DiscountType, NonUniqueCouponDraft
from gateway.rewards.types.points import PointsDraft
from gateway.rewards.types.product import ProductConfiguration
from gateway.rewards.types.unique_coupon import UniqueCouponConfiguration
from tests.catalog import Shop, open_shop
from tests.sealing import code_of
from tests.use_cases import (
    NUL,
    SURROGATE,
    add_member,
    add_members,
    as_member,
    balance,
    cash_of,
    claim,
    codes_of,
    costing,
    count,
    custom,
    distribute,
    fail_first_attempt,
    give_points,
    grant,
    issue,
    item,
    line,
    lose_first_commit_reply,
    manual,
    reverse,
    snapshot,
    without,
)

PATH = ("input", "grantId")


async def grant_points(shop: Shop, member_id: UUID, amount: int = 10) -> GrantRecord:
    reward = await shop.create_reward(PointsDraft(Decimal(amount)))
    return (await grant(shop, manual(str(new_id()), member_id, reward.id))).grant


async def refuse(shop: Shop, grant_id: UUID, message: str) -> None:
    """Expect a refusal that changes nothing."""
    before = await snapshot(shop.database)
    with pytest.raises(NotReversible, match=message) as raised:
        await reverse(shop, "refused", grant_id)
    assert (raised.value.code, raised.value.path) == (ErrorCode.NOT_REVERSIBLE, PATH)
    assert await snapshot(shop.database) == before


@pytest.mark.requirement("ALL-4", "ALL-6")
async def test_reversal_is_a_new_transaction_with_the_reason(shop: Shop) -> None:
    member_id = await add_member(shop)
    given = await grant_points(shop, member_id)
    outcome = await reverse(shop, "1", given.id, "Fraud")
    assert outcome.grant == replace(
        given,
        status=GrantStatus.REVERSED,
        reversed_at=outcome.grant.reversed_at,
        reversal_transaction_id=outcome.transaction_id,
    )
    assert outcome.grant.reversed_at is not None
    assert outcome.grant.reversed_at > given.rewarded_at
    assert await balance(shop, member_id) == 0
    rows = await shop.database.fetch(
        "SELECT id, reverses_id, description, occurred_at FROM ledger_transactions WHERE kind = 'REVERSAL'"
    )
    assert [tuple(row) for row in rows] == [
        (outcome.transaction_id, given.transaction_id, "Fraud", outcome.grant.reversed_at)
    ]
    entries = await shop.database.fetch(
        "SELECT amount_minor, balance_after_minor, grant_id FROM ledger_entries WHERE transaction_id = $1 ORDER BY index",
        outcome.transaction_id,
    )
    assert [tuple(entry) for entry in entries] == [(-10, 0, given.id), (10, None, given.id)]


@pytest.mark.requirement("ALL-4")
async def test_custom_reward_is_taken_back_before_it_is_claimed(shop: Shop) -> None:
    member_id = await add_member(shop)
    given = (await grant(shop, custom("order-1", member_id))).grant
    await reverse(shop, "1", given.id)
    assert await balance(shop, member_id, cash_of(shop), OwnerKind.CLAIMABLE) == 0
    outcome = await claim(shop, "1", member_id, given.id)
    assert [result.status.code for result in outcome.results] == [StatusCode.NOT_CLAIMABLE]
    assert await balance(shop, member_id, cash_of(shop)) == 0
    again = await grant(shop, custom("order-1", member_id))
    assert (again.idempotent_replay, again.grant.status) == (True, GrantStatus.REVERSED)


@pytest.mark.requirement("ALL-4")
async def test_custom_reward_is_taken_back_after_it_was_claimed(shop: Shop) -> None:
    member_id = await add_member(shop)
    given, kept = [
        (await grant(shop, custom(key, member_id, amount))).grant
        for key, amount in (("1", "25"), ("2", "40"))
    ]
    await claim(shop, "1", member_id, given.id, kept.id)
    outcome = await reverse(shop, "1", given.id)
    assert outcome.grant.claimed_at is not None
    assert await balance(shop, member_id, cash_of(shop)) == 4000
    assert await balance(shop, member_id, cash_of(shop), OwnerKind.CLAIMABLE) == 0


@pytest.mark.requirement("ALL-4", "MON-9")
async def test_units_return_to_the_stock_and_entries_are_withdrawn(shop: Shop) -> None:
    member_id = await add_member(shop)
    product_id, competition_id = await shop.create_product(5), await shop.create_competition()
    product = await shop.create_reward(ProductConfiguration(product_id, 4))
    entries = await shop.create_reward(CompetitionEntryConfiguration(competition_id, 3))
    for reward in (product, entries):
        given = (await grant(shop, manual(str(reward.id), member_id, reward.id))).grant
        await reverse(shop, str(reward.id), given.id)
    assert await balance(shop, product_id, product_id, OwnerKind.STOCK) == 5
    assert await balance(shop, member_id, product_id) == 0
    assert await balance(shop, member_id, competition_id) == 0
    # What came back can be granted again.
    await grant(shop, manual("again", member_id, product.id))
    assert await balance(shop, product_id, product_id, OwnerKind.STOCK) == 1


@pytest.mark.requirement("ALL-4", "MON-10")
async def test_code_is_voided_and_the_member_may_have_another(shop: Shop) -> None:
    joe, ann = await add_members(shop, 2)
    pool_id = await shop.create_pool("A-1", "A-2", "A-3")
    reward = await shop.create_reward(UniqueCouponConfiguration(pool_id))
    first = (await grant(shop, manual("1", joe, reward.id))).grant
    other = (await grant(shop, manual("2", ann, reward.id))).grant
    outcome = await reverse(shop, "1", first.id)
    assert outcome.grant.benefits == first.benefits
    key = ItemKey(shop.caller.organization_id, pool_id)
    async with shop.database.connection() as connection:
        counts = await count_codes(connection, shop.caller.tenant_id, [key])
    assert counts[key] == CodeCounts(free=1, granted=1, voided=1, loaded=3)
    anew = await grant(shop, manual("3", joe, reward.id))
    assert anew.status.code is StatusCode.GRANTED
    given = [code_of(shop, made) for made in (first, other, anew.grant)]
    assert given == ["A-1", "A-2", "A-3"]
    await refuse(shop, first.id, "reversed before")


@pytest.mark.requirement("ALL-4", "MON-11")
async def test_shared_coupon_moves_nothing_back(shop: Shop) -> None:
    member_id = await add_member(shop)
    draft = NonUniqueCouponDraft("SAVE", DiscountType.FIXED, Decimal(5))
    reward = await shop.create_reward(draft)
    given = (await grant(shop, manual("1", member_id, reward.id))).grant
    outcome = await reverse(shop, "1", given.id)
    assert outcome.grant.status is GrantStatus.REVERSED
    assert await count(shop, "ledger_entries") == 0


@pytest.mark.requirement("ALL-4", "CAP-4")
async def test_payment_comes_back_with_the_item(shop: Shop) -> None:
    member_id = await add_member(shop)
    await give_points(shop, member_id, 100)
    product_id = await shop.create_product(5)
    product = await shop.create_reward(
        ProductConfiguration(product_id), payment_configs=costing(shop, 30)
    )
    coupon = await shop.create_reward(
        UniqueCouponConfiguration(await shop.create_pool("A-1")),
        payment_configs=costing(shop, 20),
    )
    outcome = await issue(
        shop, "1", member_id, item(product), item(coupon), item(product, request_id="item-1")
    )
    given = [result.grant for result in outcome.items if result.grant is not None]
    assert await balance(shop, member_id) == 20
    await reverse(shop, "1", given[0].id)
    assert await balance(shop, member_id) == 50
    await reverse(shop, "2", given[1].id)
    assert await balance(shop, member_id) == 70
    assert await balance(shop, product_id, product_id, OwnerKind.STOCK) == 4
    await reverse(shop, "3", given[2].id)
    # The key of a reversed item is used up like any other.
    again = await issue(shop, "2", member_id, item(product, request_id="item-1"))
    assert (codes_of(again), again.items[0].idempotent_replay) == ([StatusCode.GRANTED], True)
    assert again.items[0].grant is not None
    assert again.items[0].grant.status is GrantStatus.REVERSED
    assert await balance(shop, member_id) == 100


@pytest.mark.requirement("ALL-4")
async def test_payment_helps_to_give_back_what_was_bought_with_it(shop: Shop) -> None:
    member_id = await add_member(shop)
    await give_points(shop, member_id, 4)
    bundle = await shop.create_reward(PointsDraft(Decimal(10)), payment_configs=costing(shop, 4))
    (bought,) = (await issue(shop, "1", member_id, item(bundle))).items
    await distribute(shop, "spend", line(shop, member_id, -4))
    assert await balance(shop, member_id) == 6
    assert bought.grant is not None
    # Ten points go and four come: six points are just enough.
    await reverse(shop, "1", bought.grant.id)
    assert await balance(shop, member_id) == 0


@pytest.mark.requirement("ALL-4", "ON3-3")
async def test_line_of_a_distribution_is_reversed_by_itself(shop: Shop) -> None:
    joe, ann = await add_members(shop, 2)
    outcome = await distribute(
        shop, "r-1", line(shop, joe, 50, 7), line(shop, ann, 60, 8), line(shop, joe, -20)
    )
    experience_id = shop.caller.standard_assets.experience_id
    credit, _, deduction = outcome.fresh_grants
    await reverse(shop, "1", deduction)
    assert await balance(shop, joe) == 50
    await reverse(shop, "2", credit)
    assert (await balance(shop, joe), await balance(shop, joe, experience_id)) == (0, 0)
    assert (await balance(shop, ann), await balance(shop, ann, experience_id)) == (60, 8)


@pytest.mark.requirement("ALL-4")
async def test_what_was_spent_is_not_taken_back(shop: Shop) -> None:
    member_id = await add_member(shop)
    given = await grant_points(shop, member_id, 10)
    await distribute(shop, "spend", line(shop, member_id, -1))
    await refuse(shop, given.id, "spent")
    await give_points(shop, member_id, 1)
    # The refusal has not used the key up.
    assert not (await reverse(shop, "refused", given.id)).idempotent_replay
    assert await balance(shop, member_id) == 0


@pytest.mark.requirement("ALL-4")
async def test_spent_claim_is_not_taken_back(shop: Shop) -> None:
    member_id = await add_member(shop)
    given, other = [(await grant(shop, custom(key, member_id, "10"))).grant for key in ("1", "2")]
    await claim(shop, "1", member_id, given.id)
    async with shop.database.connection() as connection:
        spend = "UPDATE accounts SET posted_minor = posted_minor + $1 WHERE owner_kind = 'MEMBER'"
        await connection.execute(spend, -1)
        # What is owed for another grant does not stand in for it.
        assert other.status is GrantStatus.CONFIRMED
        await refuse(shop, given.id, "spent")
        await connection.execute(spend, 1)


@pytest.mark.requirement("ALL-4", "ALL-2")
async def test_reversal_is_replayed_and_never_repeated(shop: Shop) -> None:
    member_id = await add_member(shop)
    given = await grant_points(shop, member_id)
    await give_points(shop, member_id, 10)
    first = await reverse(shop, "1", given.id, "Fraud")
    before = await snapshot(shop.database)
    assert await reverse(shop, "1", given.id, "Fraud") == replace(first, idempotent_replay=True)
    assert await snapshot(shop.database) == before
    await refuse(shop, given.id, "reversed before")
    for grant_id, reason, differing in (
        (given.id, None, ("reason",)),
        (new_id(), "Fraud", ("grantId",)),
    ):
        with pytest.raises(IdempotencyConflict) as raised:
            await reverse(shop, "1", grant_id, reason)
        assert raised.value.differing_fields == differing
    assert await balance(shop, member_id) == 10


@pytest.mark.requirement("ALL-4", "ALL-2")
async def test_concurrent_reversals_take_it_back_once(shop: Shop) -> None:
    member_id = await add_member(shop)
    given = await grant_points(shop, member_id)
    await give_points(shop, member_id, 90)
    outcomes = await asyncio.gather(
        *(reverse(shop, f"key-{key}", given.id) for key in range(8)),
        *(reverse(shop, "one key", given.id) for _ in range(4)),
        return_exceptions=True,
    )
    done = [outcome for outcome in outcomes if isinstance(outcome, ReverseOutcome)]
    refused = [outcome for outcome in outcomes if isinstance(outcome, NotReversible)]
    assert len(done) in {1, 4}
    assert len(done) + len(refused) == 12
    assert len({outcome.transaction_id for outcome in done}) == 1
    assert await balance(shop, member_id) == 90


@pytest.mark.requirement("ALL-4", "OWN-9")
async def test_concurrent_claim_and_reversal_leave_nothing(shop: Shop) -> None:
    members = await add_members(shop, 6)
    given = [(await grant(shop, custom(str(one), one))).grant for one in members]
    await asyncio.gather(
        *(claim(shop, str(one.id), one.member_id, one.id) for one in given),
        *(reverse(shop, str(one.id), one.id) for one in given),
    )
    for member_id in members:
        assert await balance(shop, member_id, cash_of(shop)) == 0
        assert await balance(shop, member_id, cash_of(shop), OwnerKind.CLAIMABLE) == 0


@pytest.mark.requirement("ALL-4", "MON-10")
async def test_concurrent_reversals_and_grants_of_one_coupon_agree(shop: Shop) -> None:
    member_id = await add_member(shop)
    pool_id = await shop.create_pool(*(f"A-{number:02}" for number in range(20)))
    reward = await shop.create_reward(UniqueCouponConfiguration(pool_id))
    given = (await grant(shop, manual("1", member_id, reward.id))).grant

    async def grant_then_reverse(key: int) -> None:
        made = (await grant(shop, manual(f"g-{key}", member_id, reward.id))).grant
        await reverse(shop, f"r-{key}", made.id)

    outcomes = await asyncio.gather(
        reverse(shop, "r", given.id),
        *map(grant_then_reverse, range(8)),
        return_exceptions=True,
    )
    unexpected = [outcome for outcome in outcomes if isinstance(outcome, BaseException)]
    assert {type(outcome) for outcome in unexpected} <= {NotReversible}
    assert await count(shop, "coupon_assignments") == 0
    assert await count(shop, "grants WHERE status <> 'REVERSED'") == 0


@pytest.mark.requirement("ALL-4", "MON-13")
async def test_unknown_and_foreign_grants_look_the_same(shop: Shop) -> None:
    member_id = await add_member(shop)
    given = await grant_points(shop, member_id)
    stranger = await open_shop(shop.database)
    foreign = await grant_points(stranger, await add_member(stranger))
    before = await snapshot(shop.database)
    for grant_id, caller in (
        (None, shop.caller),
        (new_id(), shop.caller),
        (foreign.id, shop.caller),
        (given.id, shop.neighbor),
        (given.id, stranger.caller),
    ):
        with pytest.raises(NotFound, match="No such grant") as raised:
            await reverse(shop, "1", grant_id, caller=caller)
        assert raised.value.path == PATH
    assert await snapshot(shop.database) == before
    await reverse(shop, "1", given.id)
    elsewhere = replace(shop.caller, organization_id=shop.neighbor.organization_id)
    with pytest.raises(IdempotencyConflict) as conflict:
        await reverse(shop, "1", given.id, caller=elsewhere)
    assert conflict.value.differing_fields == ("organization",)


async def test_without_the_reverse_scope_nothing_is_reversed(shop: Shop) -> None:
    member_id = await add_member(shop)
    given = await grant_points(shop, member_id)
    before = await snapshot(shop.database)
    for caller in (without(shop.caller, Scope.REVERSE), as_member(shop, member_id)):
        with pytest.raises(Forbidden, match="reverse"):
            await reverse(shop, "1", given.id, caller=caller)
    assert await snapshot(shop.database) == before


@pytest.mark.parametrize("text", [NUL, SURROGATE, "x" * 257])
async def test_every_broken_rule_is_listed(shop: Shop, text: str) -> None:
    before = await snapshot(shop.database)
    with pytest.raises(InvalidInput) as raised:
        await reverse(shop, text, new_id(), text)
    assert [error.path for error in raised.value.errors] == [
        ("input", "requestId"),
        ("input", "reason"),
    ]
    assert await snapshot(shop.database) == before


@pytest.mark.requirement("MON-5", "ALL-4")
async def test_grant_of_a_deleted_reward_can_be_reversed(shop: Shop) -> None:
    member_id = await add_member(shop)
    given = await grant_points(shop, member_id)
    assert given.reward_id is not None
    await delete_reward(shop.database, shop.caller, DeleteReward("1", given.reward_id))
    await reverse(shop, "1", given.id)
    assert await balance(shop, member_id) == 0


@pytest.mark.requirement("ALL-2")
async def test_passing_fault_reverses_once(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    member_id = await add_member(shop)
    given = await grant_points(shop, member_id)
    fail_first_attempt(monkeypatch)
    first = await reverse(shop, "1", given.id)
    assert not first.idempotent_replay
    assert await reverse(shop, "1", given.id) == replace(first, idempotent_replay=True)
    assert await balance(shop, member_id) == 0


@pytest.mark.requirement("ALL-2")
async def test_lost_commit_reply_reverses_once(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    member_id = await add_member(shop)
    given = await grant_points(shop, member_id)
    lose_first_commit_reply(monkeypatch)
    first = await reverse(shop, "1", given.id)
    assert not first.idempotent_replay
    assert first.grant.reversal_transaction_id == first.transaction_id
    assert await balance(shop, member_id) == 0
