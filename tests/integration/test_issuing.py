"""One call issues rewards to one member: each stands alone, and the same call is answered the same (CAP-1, 3, 7, 8, 9, 17)."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest

from gateway.access import Scope
from gateway.errors import Forbidden, InvalidInput, NotFound
from gateway.grants.record import GrantKind, GrantSource, GrantStatus
from gateway.grants.status import StatusCode
from gateway.ids import new_id
from gateway.issuing.issue_rewards import issue_rewards
from gateway.issuing.model import (
    ITEMS_MAX,
    NOTES_LENGTH_MAX,
    BatchOutcome,
    IssueCommand,
    IssueItem,
    PaymentChoice,
)
from gateway.ledger.assets import AMOUNT_MINOR_MAX
from gateway.ledger.model import OwnerKind
from gateway.members.identifiers import IdentifierKind
from gateway.members.model import Identifier, MemberReference
from gateway.operations.model import IdempotencyConflict
from gateway.rewards.model import PaymentMode, Reward, RewardStatus
from gateway.rewards.payments import PaymentConfigDraft
from gateway.rewards.types.base import Draft
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
    balance,
    codes_of,
    costing,
    count,
    fail_first_attempt,
    give_points,
    grant,
    issue,
    item,
    lose_first_commit_reply,
    manual,
    points_of,
    snapshot,
    void_code,
    without,
)

REWARDS = ("input", "rewards")


async def create_convertible(shop: Shop, draft: Draft | None = None) -> Reward:
    """Make a reward that costs one point each and may be bought several at once; of ten points, if nothing else is said."""
    config = PaymentConfigDraft(
        PaymentMode.CONV_RATIO, asset_id=points_of(shop), conversion_ratio=Decimal(1)
    )
    return await shop.create_reward(draft, payment_configs=(config,))


@pytest.mark.requirement("CAP-1", "CAP-3", "CAP-17")
async def test_one_call_issues_every_kind_of_reward_in_request_order(shop: Shop) -> None:
    member_id = await add_member(shop)
    product_id, competition_id = await shop.create_product(5), await shop.create_competition()
    shared = NonUniqueCouponDraft("SAVE20", DiscountType.FIXED, Decimal(5))
    rewards = [
        await shop.create_reward(draft)
        for draft in (
            PointsDraft(Decimal(7)),
            ProductConfiguration(product_id, 2),
            CompetitionEntryConfiguration(competition_id, 3),
            UniqueCouponConfiguration(await shop.create_pool("A-1")),
            shared,
        )
    ]
    outcome = await issue(shop, "call-1", member_id, *map(item, rewards))
    assert (outcome.outcome, outcome.idempotent_replay) == (BatchOutcome.ALL, False)
    assert [result.index for result in outcome.items] == [0, 1, 2, 3, 4]
    assert codes_of(outcome) == [StatusCode.GRANTED] * 5
    grants = [result.grant for result in outcome.items if result.grant is not None]
    assert [made.kind for made in grants] == [
        GrantKind.POINTS,
        GrantKind.PRODUCT,
        GrantKind.COMPETITION_ENTRY,
        GrantKind.UNIQUE_COUPON,
        GrantKind.NON_UNIQUE_COUPON,
    ]
    assert {(made.source, made.status) for made in grants} == {
        (GrantSource.ISSUANCE, GrantStatus.CLAIMED)
    }
    assert [code_of(shop, made) for made in grants[3:]] == ["A-1", "SAVE20"]
    # Each item has a transaction of its own, and all belong to one operation.
    assert len({made.transaction_id for made in grants}) == 5
    assert len({made.operation_id for made in grants}) == 1
    assert [
        await balance(shop, member_id, asset_id)
        for asset_id in (points_of(shop), product_id, competition_id)
    ] == [7, 2, 3]
    assert await balance(shop, product_id, product_id, OwnerKind.STOCK) == 3


@pytest.mark.requirement("CAP-1")
@pytest.mark.parametrize(
    ("kind", "value"),
    [
        (IdentifierKind.MOBILE, "+4790123456"),
        (IdentifierKind.EMAIL, "joe@bloggs.com"),
        (IdentifierKind.EXTERNAL_ID, "ext_id98543198"),
    ],
)
async def test_member_is_named_by_any_identifier(
    shop: Shop, kind: IdentifierKind, value: str
) -> None:
    member_id = await add_member(shop, Identifier(kind, value))
    reward = await shop.create_reward()
    command = IssueCommand("call-1", MemberReference(kind, value), [item(reward)])
    outcome = await issue_rewards(shop.database, shop.caller, command)
    assert outcome.items[0].grant is not None
    assert outcome.items[0].grant.member_id == member_id


@pytest.mark.requirement("CAP-1", "MON-13")
async def test_unknown_member_changes_nothing(shop: Shop) -> None:
    foreign_id = await add_member(await open_shop(shop.database))
    reward = await shop.create_reward()
    before = await snapshot(shop.database)
    for member_id in (new_id(), foreign_id):
        with pytest.raises(NotFound) as raised:
            await issue(shop, "call-1", member_id, item(reward, request_id="item-1"))
        assert raised.value.path == ("input", "member")
    assert await snapshot(shop.database) == before


async def test_without_the_issue_scope_nothing_is_issued(shop: Shop) -> None:
    member_id = await add_member(shop)
    reward = await shop.create_reward()
    before = await snapshot(shop.database)
    with pytest.raises(Forbidden, match="issue"):
        await issue(
            shop, "call-1", member_id, item(reward), caller=without(shop.caller, Scope.ISSUE)
        )
    assert await snapshot(shop.database) == before


@pytest.mark.requirement("CAP-3", "MON-7")
async def test_items_that_fail_leave_the_others_standing(shop: Shop) -> None:
    joe, ann = await add_members(shop, 2)
    good = await shop.create_reward()
    coupon = await shop.create_reward(UniqueCouponConfiguration(await shop.create_pool("A-1")))
    await grant(shop, manual("1", ann, coupon.id))
    inactive = await shop.create_reward(status=RewardStatus.INACTIVE)
    product = await shop.create_reward(ProductConfiguration(await shop.create_product(1), 2))
    neighbors = await Shop(shop.database, shop.neighbor, shop.caller).create_reward()
    outcome = await issue(
        shop,
        "call-1",
        joe,
        item(inactive),
        item(good),
        IssueItem(None, "rew_nonsense"),
        item(product),
        item(coupon),
        item(neighbors),
        item(good),
        item(good, quantity=Decimal("0.99")),
    )
    assert outcome.outcome is BatchOutcome.PARTIAL
    assert codes_of(outcome) == [
        StatusCode.REWARD_INACTIVE,
        StatusCode.GRANTED,
        StatusCode.REWARD_NOT_FOUND,
        StatusCode.OUT_OF_STOCK,
        StatusCode.POOL_EXHAUSTED,
        StatusCode.REWARD_NOT_FOUND,
        StatusCode.GRANTED,
        StatusCode.INVALID_QUANTITY,
    ]
    failures = [result for result in outcome.items if not result.status.is_success]
    assert {(result.quantity, result.grant) for result in failures} == {(0, None)}
    assert all(result.status.message for result in failures)
    assert await balance(shop, joe) == 20
    assert await count(shop, "grants") == 3
    again = await issue(shop, "call-1", joe, *(result.item for result in outcome.items))
    assert again == replace(outcome, command=again.command, idempotent_replay=True)


@pytest.mark.requirement("CAP-3")
async def test_nothing_issued_writes_nothing_and_frees_the_keys(shop: Shop) -> None:
    member_id = await add_member(shop)
    inactive = await shop.create_reward(status=RewardStatus.INACTIVE)
    good = await shop.create_reward()
    before = await snapshot(shop.database)
    refused = await issue(shop, "call-1", member_id, item(inactive, request_id="item-1"))
    assert (refused.outcome, codes_of(refused)) == (
        BatchOutcome.NONE,
        [StatusCode.REWARD_INACTIVE],
    )
    assert not refused.idempotent_replay
    assert await snapshot(shop.database) == before
    outcome = await issue(shop, "call-1", member_id, item(good, request_id="item-1"))
    assert (outcome.outcome, outcome.idempotent_replay) == (BatchOutcome.ALL, False)


@pytest.mark.requirement("CAP-3", "MON-10")
async def test_same_coupon_twice_in_a_call_is_one_code(shop: Shop) -> None:
    member_id = await add_member(shop)
    await give_points(shop, member_id, 10)
    pool_id = await shop.create_pool("A-1", "A-2")
    reward = await shop.create_reward(
        UniqueCouponConfiguration(pool_id), payment_configs=costing(shop, 4)
    )
    outcome = await issue(shop, "call-1", member_id, item(reward), item(reward))
    assert codes_of(outcome) == [StatusCode.GRANTED, StatusCode.ALREADY_ISSUED]
    assert [result.quantity for result in outcome.items] == [1, 0]
    assert outcome.items[0].grant == outcome.items[1].grant
    assert outcome.outcome is BatchOutcome.ALL
    assert await balance(shop, member_id) == 6
    again = await issue(shop, "call-1", member_id, item(reward), item(reward))
    assert again == replace(outcome, idempotent_replay=True)


@pytest.mark.requirement("CAP-3", "MON-10")
async def test_same_coupon_twice_from_an_empty_pool_fails_twice(shop: Shop) -> None:
    joe, ann = await add_members(shop, 2)
    pool_id = await shop.create_pool("A-1")
    reward = await shop.create_reward(UniqueCouponConfiguration(pool_id))
    points = await shop.create_reward()
    await grant(shop, manual("1", ann, reward.id))
    outcome = await issue(shop, "call-1", joe, item(reward), item(points), item(reward))
    assert codes_of(outcome) == [
        StatusCode.POOL_EXHAUSTED,
        StatusCode.GRANTED,
        StatusCode.POOL_EXHAUSTED,
    ]
    # Nobody is left marked as the holder of a code that was not given.
    assert await count(shop, "coupon_assignments") == 1


@pytest.mark.requirement("CAP-7")
@pytest.mark.parametrize(
    ("quantity", "issued", "code"),
    [
        ("1", 1, StatusCode.GRANTED),
        ("1.56", 1, StatusCode.GRANTED),
        ("1.999999999999999999999999999", 1, StatusCode.GRANTED),
        ("2", 1, StatusCode.QUANTITY_REDUCED),
        ("1000000", 1, StatusCode.QUANTITY_REDUCED),
        ("0", 0, StatusCode.INVALID_QUANTITY),
        ("0.99", 0, StatusCode.INVALID_QUANTITY),
        ("-1", 0, StatusCode.INVALID_QUANTITY),
        ("1000001", 0, StatusCode.INVALID_QUANTITY),
        ("9" * 30, 0, StatusCode.INVALID_QUANTITY),
        ("NaN", 0, StatusCode.INVALID_QUANTITY),
        ("Infinity", 0, StatusCode.INVALID_QUANTITY),
    ],
)
async def test_quantity_of_an_ordinary_reward_is_one(
    shop: Shop, quantity: str, issued: int, code: StatusCode
) -> None:
    member_id = await add_member(shop)
    reward = await shop.create_reward()
    outcome = await issue(shop, "call-1", member_id, item(reward, quantity=Decimal(quantity)))
    (result,) = outcome.items
    assert (result.status.code, result.quantity) == (code, issued)
    assert await balance(shop, member_id) == 10 * issued
    if result.grant is not None:
        assert result.grant.details["requested_quantity"] == quantity
        assert result.grant.details["quantity"] == issued


@pytest.mark.requirement("CAP-7")
@pytest.mark.parametrize(
    ("quantity", "issued"), [("1.56", 1), ("2", 2), ("3.99", 3), ("1000000.9", 1_000_000)]
)
async def test_quantity_of_a_conversion_may_exceed_one(
    shop: Shop, quantity: str, issued: int
) -> None:
    member_id = await add_member(shop)
    reward = await create_convertible(shop)
    await give_points(shop, member_id, issued)
    outcome = await issue(shop, "call-1", member_id, item(reward, quantity=Decimal(quantity)))
    (result,) = outcome.items
    assert (result.status.code, result.quantity) == (StatusCode.GRANTED, issued)
    assert result.grant is not None
    assert result.grant.benefits[0]["amount_minor"] == 10 * issued
    # Paid with as many points as were issued, each giving ten.
    assert await balance(shop, member_id) == 10 * issued


@pytest.mark.requirement("CAP-7", "MON-10")
async def test_converted_coupon_is_issued_and_paid_once(shop: Shop) -> None:
    member_id = await add_member(shop)
    await give_points(shop, member_id, 10)
    pool_id = await shop.create_pool("A-1", "A-2", "A-3")
    reward = await create_convertible(shop, UniqueCouponConfiguration(pool_id))
    outcome = await issue(shop, "call-1", member_id, item(reward, quantity=Decimal(3)))
    assert codes_of(outcome) == [StatusCode.QUANTITY_REDUCED]
    assert outcome.items[0].quantity == 1
    assert await balance(shop, member_id) == 9


async def test_more_than_can_be_counted_fails_its_item_only(shop: Shop) -> None:
    member_id = await add_member(shop)
    await give_points(shop, member_id, 1_000_000)
    huge = await create_convertible(shop, PointsDraft(Decimal(AMOUNT_MINOR_MAX)))
    small = await shop.create_reward()
    outcome = await issue(
        shop, "call-1", member_id, item(huge, quantity=Decimal(1_000_000)), item(small)
    )
    assert codes_of(outcome) == [StatusCode.BALANCE_TOO_HIGH, StatusCode.GRANTED]
    assert await balance(shop, member_id) == 1_000_010


@pytest.mark.requirement("CAP-9")
async def test_what_is_sent_along_is_kept_and_echoed(shop: Shop) -> None:
    member_id = await add_member(shop)
    reward = await shop.create_reward()
    sent = item(
        reward,
        request_id="item-1",
        event_log_id="e" * 100_000,
        params={"source": "app", "n": [1, 2.5, None]},
    )
    texts: dict[str, Any] = {
        "transaction_number": "123456789",
        "notes": "n" * NOTES_LENGTH_MAX,
        "brand": "O2Brand",
        "till": "till.1",
    }
    outcome = await issue(shop, "call-1", member_id, sent, **texts)
    assert outcome.items[0].item == sent
    made = outcome.items[0].grant
    assert made is not None
    assert made.client_reference == "item-1"
    assert made.details == {
        "request_id": "item-1",
        "event_log_id": "e" * 100_000,
        "params": {"source": "app", "n": [1, 2.5, None]},
        "requested_quantity": "1",
        "quantity": 1,
        "payment": {"mode": "FREE", "amount_minor": 0},
    }
    (row,) = await shop.database.fetch(
        "SELECT transaction_number, notes, brand, till, request_id, member_id, operation_id FROM issuances"
    )
    assert tuple(row) == (*texts.values(), "call-1", member_id, made.operation_id)
    again = await issue(shop, "call-1", member_id, sent, **texts)
    assert again == replace(outcome, idempotent_replay=True)


def broken_items(reward: Reward) -> dict[tuple[str, ...], IssueItem]:
    """Return items that break one rule each, by the path of the error."""
    value_path = ("paymentConfig", "redemptionValue")
    return {
        ("requestId",): item(reward, request_id=NUL),
        ("requestId", ""): item(reward, request_id=SURROGATE),
        ("requestId", "empty"): item(reward, request_id=""),
        ("requestId", "long"): item(reward, request_id="x" * 513),
        ("eventLogId",): item(reward, event_log_id=NUL),
        ("eventLogId", ""): item(reward, event_log_id=SURROGATE),
        ("params",): item(reward, params={"a": NUL}),
        ("params", ""): item(reward, params={SURROGATE: 1}),
        ("params", "long"): item(reward, params={"a": "x" * 16_384}),
        (*value_path, "zero"): item(reward, payment=PaymentChoice(redemption_value=Decimal(0))),
        (*value_path, "below"): item(reward, payment=PaymentChoice(redemption_value=Decimal(-1))),
        (*value_path, "nan"): item(reward, payment=PaymentChoice(redemption_value=Decimal("NaN"))),
        (*value_path, "digits"): item(
            reward, payment=PaymentChoice(redemption_value=Decimal("1." + "1" * 15))
        ),
        (*value_path, "huge"): item(
            reward, payment=PaymentChoice(redemption_value=Decimal("1E+999999"))
        ),
    }


async def test_broken_items_are_refused_by_path(shop: Shop) -> None:
    member_id = await add_member(shop)
    reward = await shop.create_reward()
    broken = broken_items(reward)
    before = await snapshot(shop.database)
    with pytest.raises(InvalidInput) as raised:
        await issue(shop, "call-1", member_id, item(reward), *broken.values())
    paths = [path[:2] if path[0] == "paymentConfig" else path[:1] for path in broken]
    assert [error.path for error in raised.value.errors] == [
        (*REWARDS, str(index), *path) for index, path in enumerate(paths, 1)
    ]
    assert await snapshot(shop.database) == before


@pytest.mark.parametrize("name", ["transaction_number", "notes", "brand", "till"])
async def test_broken_texts_are_refused_by_path(shop: Shop, name: str) -> None:
    member_id = await add_member(shop)
    reward = await shop.create_reward()
    before = await snapshot(shop.database)
    for text in (NUL, SURROGATE, "x" * (NOTES_LENGTH_MAX + 1)):
        fields: dict[str, Any] = {name: text}
        with pytest.raises(InvalidInput) as raised:
            await issue(shop, "call-1", member_id, item(reward), **fields)
        first, *others = name.split("_")
        path = ("input", first + "".join(map(str.capitalize, others)))
        assert [error.path for error in raised.value.errors] == [path]
    assert await snapshot(shop.database) == before


@pytest.mark.requirement("CAP-8")
@pytest.mark.parametrize("key", ["", " ", "x" * 513, NUL, SURROGATE])
async def test_broken_request_ids_are_refused(shop: Shop, key: str) -> None:
    member_id = await add_member(shop)
    reward = await shop.create_reward()
    with pytest.raises(InvalidInput) as raised:
        await issue(shop, key, member_id, item(reward))
    assert [error.path for error in raised.value.errors] == [("input", "requestId")]


@pytest.mark.requirement("CAP-1")
async def test_call_has_1_to_100_items(shop: Shop) -> None:
    member_id = await add_member(shop)
    reward = await shop.create_reward()
    for item_count in (0, ITEMS_MAX + 1):
        with pytest.raises(InvalidInput) as raised:
            await issue(shop, "call-1", member_id, *[item(reward)] * item_count)
        assert [error.path for error in raised.value.errors] == [REWARDS]
    outcome = await issue(shop, "call-1", member_id, *[item(reward)] * ITEMS_MAX)
    assert codes_of(outcome) == [StatusCode.GRANTED] * ITEMS_MAX
    assert await balance(shop, member_id) == 10 * ITEMS_MAX


async def test_ids_that_are_no_text_name_nothing(shop: Shop) -> None:
    member_id = await add_member(shop)
    reward = await shop.create_reward()
    for text in (NUL, SURROGATE):
        outcome = await issue(
            shop,
            str(new_id()),
            member_id,
            IssueItem(None, text),
            item(reward, payment=PaymentChoice(config_id_as_sent=text)),
            item(reward),
        )
        assert codes_of(outcome) == [
            StatusCode.REWARD_NOT_FOUND,
            StatusCode.PAYMENT_CONFIG_NOT_FOUND,
            StatusCode.GRANTED,
        ]


@pytest.mark.requirement("CAP-8", "ALL-2")
async def test_replay_returns_the_first_answer_and_moves_nothing(shop: Shop) -> None:
    member_id = await add_member(shop)
    await give_points(shop, member_id, 100)
    reward = await shop.create_reward(payment_configs=costing(shop, 30))
    first = await issue(shop, "call-1", member_id, item(reward, quantity=Decimal("1.50")))
    before = await snapshot(shop.database)
    again = await issue(shop, "call-1", member_id, item(reward, quantity=Decimal("1.5")))
    assert again.idempotent_replay
    assert [replace(result, item=item(reward)) for result in again.items] == [
        replace(result, item=item(reward)) for result in first.items
    ]
    assert await snapshot(shop.database) == before
    assert await balance(shop, member_id) == 80


@pytest.mark.requirement("CAP-8")
async def test_changed_request_is_a_conflict(shop: Shop) -> None:
    joe, ann = await add_members(shop, 2)
    reward, other = await shop.create_reward(), await shop.create_reward()
    # One more digit than decimal arithmetic keeps by default.
    precise = "1.00000000000000000000000000001"
    await issue(shop, "call-1", joe, item(reward, quantity=Decimal("1.0")))
    before = await snapshot(shop.database)
    changes: list[tuple[UUID, list[IssueItem], dict[str, Any], tuple[str, ...]]] = [
        (ann, [item(reward)], {}, ("member",)),
        (joe, [item(other)], {}, ("rewards",)),
        (joe, [item(reward), item(reward)], {}, ("rewards",)),
        (joe, [item(reward, quantity=Decimal(precise))], {}, ("rewards",)),
        (joe, [item(reward, params={})], {}, ("rewards",)),
        (joe, [item(reward)], {"notes": ""}, ("notes",)),
        (joe, [item(reward)], {"till": "1", "brand": "2"}, ("brand", "till")),
        (joe, [item(reward)], {"transaction_number": "1"}, ("transactionNumber",)),
    ]
    for member_id, items, fields, differing in changes:
        with pytest.raises(IdempotencyConflict) as raised:
            await issue(shop, "call-1", member_id, *items, **fields)
        assert raised.value.differing_fields == differing
    assert await snapshot(shop.database) == before


@pytest.mark.requirement("CAP-8")
async def test_item_request_id_replays_its_item_in_another_call(shop: Shop) -> None:
    member_id = await add_member(shop)
    await give_points(shop, member_id, 10)
    reward = await shop.create_reward(
        ProductConfiguration(await shop.create_product(9)), payment_configs=costing(shop, 4)
    )
    first = await issue(shop, "call-1", member_id, item(reward, request_id="item-1"))
    items = [item(reward, request_id="item-2"), item(reward, request_id="item-1")]
    second = await issue(shop, "call-2", member_id, *items)
    assert codes_of(second) == [StatusCode.GRANTED, StatusCode.GRANTED]
    assert [result.idempotent_replay for result in second.items] == [False, True]
    assert second.items[1].grant == first.items[0].grant
    assert [result.quantity for result in second.items] == [1, 1]
    # The repeated item is not paid for again: ten points less two times four.
    assert await balance(shop, member_id) == 2
    again = await issue(shop, "call-2", member_id, *items)
    assert again == replace(second, idempotent_replay=True)


@pytest.mark.requirement("CAP-8")
async def test_call_of_repeated_items_issues_nothing_new(shop: Shop) -> None:
    member_id = await add_member(shop)
    reward = await shop.create_reward()
    repeated = item(reward, request_id="item-1")
    await issue(shop, "call-1", member_id, repeated)
    outcome = await issue(shop, "call-2", member_id, repeated)
    assert (outcome.outcome, outcome.idempotent_replay) == (BatchOutcome.ALL, False)
    assert outcome.items[0].idempotent_replay
    assert await balance(shop, member_id) == 10


@pytest.mark.requirement("CAP-8")
async def test_changed_item_under_a_used_id_is_a_conflict_of_that_item(shop: Shop) -> None:
    joe, ann = await add_members(shop, 2)
    reward = await shop.create_reward()
    await issue(shop, "call-1", joe, item(reward, request_id="item-1"))
    changed = item(reward, request_id="item-1", event_log_id="other")
    outcome = await issue(shop, "call-2", joe, changed, item(reward))
    assert codes_of(outcome) == [StatusCode.IDEMPOTENCY_CONFLICT, StatusCode.GRANTED]
    assert "item-1" in outcome.items[0].status.message
    assert "reward" in outcome.items[0].status.message
    other_member = await issue(shop, "call-3", ann, item(reward, request_id="item-1"))
    assert (other_member.outcome, codes_of(other_member)) == (
        BatchOutcome.NONE,
        [StatusCode.IDEMPOTENCY_CONFLICT],
    )
    assert await balance(shop, joe) == 20
    assert await balance(shop, ann) == 0


@pytest.mark.requirement("CAP-8")
async def test_request_id_of_a_failed_item_is_free_again(shop: Shop) -> None:
    member_id = await add_member(shop)
    inactive = await shop.create_reward(status=RewardStatus.INACTIVE)
    good = await shop.create_reward()
    first = await issue(
        shop, "call-1", member_id, item(inactive, request_id="item-1"), item(good, request_id="2")
    )
    assert codes_of(first) == [StatusCode.REWARD_INACTIVE, StatusCode.GRANTED]
    second = await issue(shop, "call-2", member_id, item(good, request_id="item-1"))
    assert codes_of(second) == [StatusCode.GRANTED]
    assert not second.items[0].idempotent_replay


@pytest.mark.requirement("CAP-8")
async def test_item_request_ids_differ_within_a_call(shop: Shop) -> None:
    member_id = await add_member(shop)
    reward = await shop.create_reward()
    before = await snapshot(shop.database)
    with pytest.raises(InvalidInput) as raised:
        await issue(shop, "call-1", member_id, *[item(reward, request_id="item-1")] * 3)
    assert [(error.path, error.rule) for error in raised.value.errors] == [
        ((*REWARDS, "1", "requestId"), "unique"),
        ((*REWARDS, "2", "requestId"), "unique"),
    ]
    assert await snapshot(shop.database) == before


@pytest.mark.requirement("CAP-8", "MON-13")
async def test_request_ids_belong_to_one_partner_and_organization(shop: Shop) -> None:
    member_id = await add_member(shop)
    reward = await shop.create_reward()
    neighbors = await Shop(shop.database, shop.neighbor, shop.caller).create_reward()
    await issue(shop, "call-1", member_id, item(reward, request_id="item-1"))
    other = await issue(
        shop, "call-1", member_id, item(neighbors, request_id="item-1"), caller=shop.neighbor
    )
    assert codes_of(other) == [StatusCode.GRANTED]
    # A partner with credentials of both sees nothing of the one through the other.
    elsewhere = replace(shop.caller, organization_id=shop.neighbor.organization_id)
    with pytest.raises(IdempotencyConflict) as raised:
        await issue(shop, "call-1", member_id, item(reward, request_id="item-1"), caller=elsewhere)
    assert raised.value.differing_fields == ("organization",)
    outcome = await issue(
        shop, "call-2", member_id, item(reward, request_id="item-1"), caller=elsewhere
    )
    assert codes_of(outcome) == [StatusCode.IDEMPOTENCY_CONFLICT]


@pytest.mark.requirement("CAP-8", "ALL-2")
async def test_concurrent_duplicates_issue_once(shop: Shop) -> None:
    member_id = await add_member(shop)
    reward = await shop.create_reward()
    same_call = [issue(shop, "call-1", member_id, item(reward, request_id="1")) for _ in range(8)]
    same_item = [
        issue(shop, f"other-{key}", member_id, item(reward, request_id="2")) for key in range(8)
    ]
    outcomes = await asyncio.gather(*same_call, *same_item)
    assert sorted(outcome.idempotent_replay for outcome in outcomes[:8]) == [False] + [True] * 7
    repeats = [outcome.items[0].idempotent_replay for outcome in outcomes[8:]]
    assert sorted(repeats) == [False] + [True] * 7
    assert await balance(shop, member_id) == 20


@pytest.mark.requirement("CAP-8")
async def test_overlapping_item_ids_in_any_order_do_not_deadlock(shop: Shop) -> None:
    member_id = await add_member(shop)
    reward = await shop.create_reward()
    keys = [str(number) for number in range(6)]

    async def issue_shuffled(number: int) -> None:
        order = keys[number % 6 :] + keys[: number % 6]
        items = [item(reward, request_id=key) for key in order]
        await issue(shop, f"call-{number}", member_id, *items)

    await asyncio.gather(*map(issue_shuffled, range(12)))
    assert await balance(shop, member_id) == 60


@pytest.mark.requirement("ALL-2")
async def test_passing_fault_issues_once(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    member_id = await add_member(shop)
    pool_id = await shop.create_pool("A-1", "A-2")
    coupon = await shop.create_reward(UniqueCouponConfiguration(pool_id))

    fail_first_attempt(monkeypatch, lambda: void_code(shop, "A-1"))
    first = await issue(shop, "call-1", member_id, item(coupon, request_id="item-1"))
    assert first.items[0].grant is not None
    assert code_of(shop, first.items[0].grant) == "A-2"
    again = await issue(shop, "call-1", member_id, item(coupon, request_id="item-1"))
    assert again == replace(first, idempotent_replay=True)


@pytest.mark.requirement("ALL-2")
async def test_lost_commit_reply_issues_once(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    member_id = await add_member(shop)
    reward = await shop.create_reward()
    lose_first_commit_reply(monkeypatch)
    first = await issue(shop, "call-1", member_id, item(reward, request_id="item-1"))
    assert (first.idempotent_replay, first.items[0].idempotent_replay) == (False, False)
    again = await issue(shop, "call-1", member_id, item(reward, request_id="item-1"))
    assert again == replace(first, idempotent_replay=True)
    assert await balance(shop, member_id) == 10
