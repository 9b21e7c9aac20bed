"""One call rewards many recipients: every line on its own, in order, once per request id (ON3-1..9)."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest

from gateway.access import Scope
from gateway.distributing.distribute_rewards import distribute_rewards
from gateway.distributing.model import LINES_MAX, DistributeCommand, Recipient
from gateway.distributing.outcome import DistributionOutcome, DistributionRejected
from gateway.errors import Forbidden, InvalidInput
from gateway.grants.record import GrantKind, GrantSource, GrantStatus
from gateway.grants.status import ItemStatus, StatusCode
from gateway.grants.store import fetch_grants
from gateway.ids import IdKind, encode_id, new_id
from gateway.ledger.assets import AMOUNT_MINOR_MAX, AssetKind
from gateway.members.identifiers import IdentifierKind
from gateway.members.model import Identifier
from gateway.operations.model import IdempotencyConflict
from gateway.tenants.assets import CreateAsset, create_asset
from tests.catalog import Shop, open_shop
from tests.use_cases import (
    NUL,
    SURROGATE,
    add_member,
    add_members,
    balance,
    cash_of,
    count,
    distribute,
    fail_first_attempt,
    line,
    lose_first_commit_reply,
    points_of,
    snapshot,
    without,
)

WALLET = Recipient(IdentifierKind.WALLET_ADDRESS, "0xd03ea8624C8C5987235048901fB614fDcA89b117")
EMAIL = Recipient(IdentifierKind.EMAIL, "joe@bloggs.com")
NOBODY = "No member has this identifier."


async def create_currency(shop: Shop, scale: int = 0) -> UUID:
    code = f"COINS-{scale}"
    command = CreateAsset(str(new_id()), code, code, AssetKind.CURRENCY, scale)
    return (await create_asset(shop.database, shop.caller, command)).asset.id


async def experience(shop: Shop, member_id: UUID) -> int:
    return await balance(shop, member_id, shop.caller.standard_assets.experience_id)


async def texts(shop: Shop, member_id: UUID) -> list[str]:
    rows = await shop.database.fetch(
        "SELECT text FROM notifications WHERE tenant_id = $1 AND member_id = $2 ORDER BY id",
        shop.caller.tenant_id,
        member_id,
    )
    return [row["text"] for row in rows]


def reasons(results: Sequence[object]) -> list[tuple[str, ...]]:
    return [getattr(result, "reasons") for result in results]  # noqa: B009 - of any kind of outcome


def codes(outcome: DistributionOutcome) -> list[StatusCode]:
    return [result.status.code for result in outcome.results]


@pytest.mark.requirement("ON3-1", "ON3-2", "ON3-6", "ON3-8")
async def test_wallet_is_rewarded_though_the_address_is_unknown(shop: Shop) -> None:
    wallet = Identifier(IdentifierKind.WALLET_ADDRESS, WALLET.value.lower())
    member_id = await add_member(shop, wallet)
    coins_id = await create_currency(shop)
    outcome = await distribute(
        shop,
        "876cc0af-8f20-4163-a8cd-e99674c5e0a4",
        line(shop, WALLET, 50, 100, currency_id=coins_id),
        line(shop, EMAIL, 50, 100, currency_id=coins_id),
        description="Rewards for connecting wallets to our website",
        message="Well done!",
    )
    assert (outcome.request_id, outcome.idempotent_replay) == (
        "876cc0af-8f20-4163-a8cd-e99674c5e0a4",
        False,
    )
    done, failed = outcome.results
    assert (done.index, done.recipient, done.reasons) == (0, WALLET, ())
    assert done.status == ItemStatus(StatusCode.GRANTED, "Reward distributed.")
    assert (failed.index, failed.recipient, failed.grant_id) == (1, EMAIL, None)
    assert failed.status == ItemStatus(StatusCode.RECIPIENT_NOT_FOUND, NOBODY)
    assert failed.reasons == (NOBODY,)
    assert await balance(shop, member_id, coins_id) == 50
    assert await experience(shop, member_id) == 100
    assert await texts(shop, member_id) == ["Well done! 50 COINS-0, 100 XP"]


@pytest.mark.requirement("ON3-5", "ON3-6", "ALL-2")
async def test_all_lines_are_one_transaction_with_its_description(shop: Shop) -> None:
    members = await add_members(shop, 3)
    lines = [line(shop, member_id, 5, 7) for member_id in members]
    outcome = await distribute(shop, "r-1", *lines, description="d" * 256)
    rows = await shop.database.fetch(
        """SELECT id, kind, description, occurred_at, payload FROM ledger_transactions
        JOIN outbox_events USING (tenant_id, kind)"""
    )
    payload = {"requestId": "r-1", "lineCount": 3}
    assert [tuple(row) for row in rows] == [
        (outcome.transaction_id, "DISTRIBUTION", "d" * 256, outcome.at, payload)
    ]
    grants = list(outcome.fresh_grants.values())
    assert [result.grant_id for result in outcome.results] == [made.id for made in grants]
    assert {(made.source, made.kind, made.status) for made in grants} == {
        (GrantSource.DISTRIBUTION, GrantKind.CURRENCY, GrantStatus.CLAIMED)
    }
    assert [(made.entry_from, made.entry_to) for made in grants] == [(0, 4), (4, 8), (8, 12)]
    async with shop.database.connection() as connection:
        stored = await fetch_grants(connection, shop.caller.tenant_id, list(outcome.fresh_grants))
    assert stored == outcome.fresh_grants


@pytest.mark.requirement("ON3-1")
async def test_every_type_of_identifier_names_a_recipient(shop: Shop) -> None:
    identifiers = [
        Identifier(IdentifierKind.WALLET_ADDRESS, WALLET.value.lower()),
        Identifier(IdentifierKind.DISCORD_ID, "11237863865923"),
        Identifier(IdentifierKind.TWITTER_ID, "44196397"),
        Identifier(IdentifierKind.EMAIL, "joe@bloggs.com"),
        Identifier(IdentifierKind.MOBILE, "+4790123456"),
        Identifier(IdentifierKind.EXTERNAL_ID, "customer-1"),
    ]
    members = [await add_member(shop, identifier) for identifier in identifiers]
    written = [WALLET.value, *(identifier.value for identifier in identifiers[1:])]
    written[3:5] = ["Joe@Bloggs.com", "+47 901 23 456"]
    recipients = [
        Recipient(kind, value) for (kind, _), value in zip(identifiers, written, strict=True)
    ]
    by_id = Recipient(None, encode_id(IdKind.MEMBER, members[0]))
    outcome = await distribute(
        shop, "r-1", *(line(shop, recipient, 1) for recipient in [*recipients, by_id])
    )
    assert codes(outcome) == [StatusCode.GRANTED] * 7
    assert [result.recipient for result in outcome.results] == [*recipients, by_id]
    assert [await balance(shop, member_id) for member_id in members] == [2, 1, 1, 1, 1, 1]


@pytest.mark.requirement("ON3-2")
async def test_every_reason_of_a_line_is_listed(shop: Shop) -> None:
    member_id = await add_member(shop)
    bad = Recipient(IdentifierKind.WALLET_ADDRESS, "0x12")
    outcome = await distribute(
        shop,
        "r-1",
        line(shop, member_id, 1),
        line(shop, bad, "1.5", -3, currency_id="not a guid"),
        line(shop, EMAIL, 0, 0, currency_id=new_id()),
        line(shop, EMAIL),
        line(shop, member_id, 10**20, 10**20),
        line(shop, member_id, 5, currency_id=cash_of(shop)),
        line(shop, Recipient(None, "mem_nonsense"), 5),
    )
    assert codes(outcome) == [StatusCode.GRANTED] + [StatusCode.INVALID_LINE] * 6
    assert reasons(outcome.results) == [
        (),
        (
            "identifierValue must be 0x and 40 hexadecimal digits.",
            "currencyReward.currencyId must be a GUID.",
            "currencyReward.amount must be a whole number.",
            "xpReward must be a whole number above 0.",
        ),
        (
            "currencyReward.amount must not be 0.",
            "xpReward must be a whole number above 0.",
            NOBODY,
            "No such currency.",
        ),
        ("A line needs a currencyReward, an xpReward, or both.", NOBODY),
        ("currencyReward.amount is too large.", "xpReward is too large."),
        ("No such currency.",),
        ("identifierValue must be a member id.",),
    ]
    assert [result.status.message for result in outcome.results[1:]] == [
        " ".join(found) for found in reasons(outcome.results[1:])
    ]
    assert await balance(shop, member_id) == 1


@pytest.mark.requirement("MON-13", "ON3-2")
async def test_other_tenants_members_and_currencies_do_not_exist(shop: Shop) -> None:
    stranger = await open_shop(shop.database)
    foreign_member = await add_member(stranger, Identifier(IdentifierKind.EMAIL, "joe@bloggs.com"))
    foreign_coins = await create_currency(stranger)
    member_id = await add_member(shop)
    # The stranger uses its currency first: what this process remembers is the stranger's.
    await distribute(stranger, "r-1", line(stranger, foreign_member, 1, currency_id=foreign_coins))
    outcome = await distribute(
        shop,
        "r-1",
        line(shop, member_id, 1),
        line(shop, foreign_member, 1),
        line(shop, EMAIL, 1),
        line(shop, member_id, 1, currency_id=foreign_coins),
    )
    assert reasons(outcome.results) == [(), (NOBODY,), (NOBODY,), ("No such currency.",)]
    assert await balance(stranger, foreign_member) == 0


@pytest.mark.requirement("ON3-3")
async def test_negative_amount_deducts_and_never_below_zero(shop: Shop) -> None:
    member_id = await add_member(shop)
    await distribute(shop, "r-1", line(shop, member_id, 100))
    outcome = await distribute(
        shop,
        "r-2",
        line(shop, member_id, -101),
        line(shop, member_id, -60),
        line(shop, member_id, -41, 5),
        line(shop, member_id, -40, 5),
        line(shop, member_id, -1),
    )
    assert codes(outcome) == [
        StatusCode.INSUFFICIENT_BALANCE,
        StatusCode.GRANTED,
        StatusCode.INSUFFICIENT_BALANCE,
        StatusCode.GRANTED,
        StatusCode.INSUFFICIENT_BALANCE,
    ]
    assert "101 needed, 100 available" in outcome.results[0].reasons[0]
    assert "41 needed, 40 available" in outcome.results[2].reasons[0]
    assert await balance(shop, member_id) == 0
    # The line that could not deduct did not give its experience points either.
    assert await experience(shop, member_id) == 5
    assert [made.benefits[0]["amount_minor"] for made in outcome.fresh_grants.values()] == [
        -60,
        -40,
    ]


@pytest.mark.requirement("ON3-8")
async def test_same_recipient_twice_is_served_in_order(shop: Shop) -> None:
    member_id = await add_member(shop)
    deduct, credit = line(shop, member_id, -50), line(shop, member_id, 50)
    outcome = await distribute(shop, "r-1", deduct, credit)
    assert codes(outcome) == [StatusCode.INSUFFICIENT_BALANCE, StatusCode.GRANTED]
    assert await balance(shop, member_id) == 50
    outcome = await distribute(shop, "r-2", credit, deduct, deduct, deduct)
    assert codes(outcome) == [StatusCode.GRANTED] * 3 + [StatusCode.INSUFFICIENT_BALANCE]
    assert await balance(shop, member_id) == 0


@pytest.mark.requirement("ON3-3")
async def test_amount_is_in_whole_units_of_a_currency_with_decimals(shop: Shop) -> None:
    member_id = await add_member(shop)
    coins_id = await create_currency(shop, scale=2)
    outcome = await distribute(
        shop,
        "r-1",
        line(shop, member_id, "50.00", currency_id=str(coins_id).upper()),
        line(shop, member_id, "50.5", currency_id=coins_id),
        line(shop, member_id, AMOUNT_MINOR_MAX // 100, currency_id=coins_id),
        line(shop, member_id, AMOUNT_MINOR_MAX // 100 + 1, currency_id=coins_id),
    )
    assert reasons(outcome.results) == [
        (),
        ("currencyReward.amount must be a whole number.",),
        (),
        ("currencyReward.amount is too large.",),
    ]
    assert await balance(shop, member_id, coins_id) == 5_000 + AMOUNT_MINOR_MAX
    assert (await texts(shop, member_id))[0] == "You have received a reward: 50.00 COINS-2"


@pytest.mark.requirement("ON3-4")
@pytest.mark.parametrize("key", ["1", "000005", "testing", "A-z-9", "x" * 128])
async def test_request_id_of_letters_digits_and_hyphens_is_taken(shop: Shop, key: str) -> None:
    member_id = await add_member(shop)
    first = await distribute(shop, key, line(shop, member_id, 1))
    again = await distribute(shop, key, line(shop, member_id, 1))
    assert again == replace(first, idempotent_replay=True, fresh_grants={})
    assert await balance(shop, member_id) == 1


@pytest.mark.requirement("ON3-4")
@pytest.mark.parametrize(
    "key", ["", "a b", "a_b", "a.b", "a\n", "x" * 129, "é", "１", NUL, SURROGATE]
)
async def test_other_request_ids_change_nothing(shop: Shop, key: str) -> None:
    member_id = await add_member(shop)
    before = await snapshot(shop.database)
    with pytest.raises(InvalidInput) as raised:
        await distribute(shop, key, line(shop, member_id, 1))
    assert [error.path for error in raised.value.errors] == [("input", "requestId")]
    assert await snapshot(shop.database) == before


@pytest.mark.requirement("ON3-5")
@pytest.mark.parametrize("name", ["description", "message"])
@pytest.mark.parametrize("text", ["x" * 257, NUL, SURROGATE])
async def test_broken_texts_change_nothing(shop: Shop, name: str, text: str) -> None:
    member_id = await add_member(shop)
    before = await snapshot(shop.database)
    fields: dict[str, Any] = {name: text}
    command = DistributeCommand("r-1", [line(shop, member_id, 1)], **fields)
    with pytest.raises(InvalidInput) as raised:
        await distribute_rewards(shop.database, shop.caller, command)
    assert [error.path for error in raised.value.errors] == [("input", name)]
    assert await snapshot(shop.database) == before


@pytest.mark.requirement("ON3-5")
async def test_notification_says_what_was_given_or_taken(shop: Shop) -> None:
    member_id = await add_member(shop)
    message = "Congratulations, you won the fanart competition!"
    await distribute(shop, "r-1", line(shop, member_id, 500), message=message)
    await distribute(shop, "r-2", line(shop, member_id, 20, 30), message="x" * 256)
    await distribute(shop, "r-3", line(shop, member_id, None, 7))
    await distribute(shop, "r-4", line(shop, member_id, -100, 3), message="")
    await distribute(shop, "r-5", line(shop, member_id, -5), message="Fee")
    assert await texts(shop, member_id) == [
        f"{message} 500 PTS",
        f"{'x' * 256} 20 PTS, 30 XP",
        "You have received a reward: 7 XP",
        "Your balance has changed: -100 PTS, 3 XP",
        "Fee -5 PTS",
    ]


@pytest.mark.requirement("ON3-5")
async def test_line_that_fails_notifies_nobody(shop: Shop) -> None:
    joe, ann = await add_members(shop, 2)
    await distribute(shop, "r-1", line(shop, joe, -1), line(shop, ann, 1))
    assert await texts(shop, joe) == []
    assert await count(shop, "notifications") == 1


@pytest.mark.requirement("ON3-1")
async def test_call_has_at_least_one_line_and_at_most_10_000(shop: Shop) -> None:
    member_id = await add_member(shop)
    before = await snapshot(shop.database)
    for line_count in (0, LINES_MAX + 1):
        with pytest.raises(InvalidInput) as raised:
            await distribute(shop, "r-1", *[line(shop, member_id, 1)] * line_count)
        (error,) = raised.value.errors
        assert (error.path, error.rule) == (("input", "rewards"), "count")
    assert await snapshot(shop.database) == before


@pytest.mark.requirement("ON3-1", "ON3-4", "ON3-6", "ON3-8")
async def test_10_000_lines_are_applied_at_once_and_replayed(shop: Shop) -> None:
    members = await add_members(shop, LINES_MAX // 2)
    lines = [
        *(line(shop, member_id, 50, 100) for member_id in members),
        *(line(shop, member_id, -20) for member_id in members),
    ]
    first = await distribute(shop, "r-1", *lines)
    assert codes(first) == [StatusCode.GRANTED] * LINES_MAX
    assert [result.index for result in first.results] == list(range(LINES_MAX))
    again = await distribute(shop, "r-1", *lines)
    assert again == replace(first, idempotent_replay=True, fresh_grants={})
    (row,) = await shop.database.fetch(
        "SELECT min(posted_minor), max(posted_minor), count(*) FROM accounts WHERE asset_id = $1",
        points_of(shop),
    )
    assert tuple(row) == (30, 30, LINES_MAX // 2)
    assert await count(shop, "grants") == await count(shop, "notifications") == LINES_MAX


@pytest.mark.requirement("ON3-7")
async def test_call_of_failures_only_is_rejected_and_its_id_is_free(shop: Shop) -> None:
    member_id = await add_member(shop)
    before = await snapshot(shop.database)
    with pytest.raises(DistributionRejected) as raised:
        await distribute(
            shop, "r-1", line(shop, EMAIL, 1), line(shop, member_id, -1), line(shop, member_id)
        )
    assert raised.value.request_id == "r-1"
    assert [result.status.code for result in raised.value.results] == [
        StatusCode.RECIPIENT_NOT_FOUND,
        StatusCode.INSUFFICIENT_BALANCE,
        StatusCode.INVALID_LINE,
    ]
    assert all(reasons(raised.value.results))
    assert await snapshot(shop.database) == before
    outcome = await distribute(shop, "r-1", line(shop, member_id, 1))
    assert (codes(outcome), outcome.idempotent_replay) == ([StatusCode.GRANTED], False)


@pytest.mark.requirement("ON3-7")
async def test_fault_applies_nothing(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    member_id = await add_member(shop)
    before = await snapshot(shop.database)

    async def fail(*_: object) -> None:
        message = "made up for a test"
        raise RuntimeError(message)

    with monkeypatch.context() as patch:
        patch.setattr("gateway.distributing.store.insert_notifications", fail)
        with pytest.raises(RuntimeError, match="made up"):
            await distribute(shop, "r-1", line(shop, member_id, 1))
    assert await snapshot(shop.database) == before
    assert not (await distribute(shop, "r-1", line(shop, member_id, 1))).idempotent_replay


@pytest.mark.requirement("ON3-4", "ON3-6", "ALL-2")
async def test_replay_answers_the_whole_first_outcome(shop: Shop) -> None:
    wallet = Identifier(IdentifierKind.WALLET_ADDRESS, WALLET.value.lower())
    member_id = await add_member(shop, wallet)
    lines = [line(shop, WALLET, 50, 100), line(shop, EMAIL, 50), line(shop, member_id, -51)]
    first = await distribute(shop, "r-1", *lines, description="d", message="m")
    # The same recipient, currency and amount in another spelling are the same request.
    spelled = lines[0]._replace(
        recipient=WALLET._replace(value=WALLET.value.lower()),
        currency_id=str(points_of(shop)).upper(),
        amount=Decimal("50.0"),
    )
    await add_member(shop, Identifier(IdentifierKind.EMAIL, EMAIL.value))
    before = await snapshot(shop.database)
    again = await distribute(shop, "r-1", *lines, description="d", message="m")
    assert again == replace(first, idempotent_replay=True, fresh_grants={})
    assert isinstance(again.at, datetime)
    respelled = await distribute(shop, "r-1", spelled, *lines[1:], description="d", message="m")
    assert respelled.idempotent_replay
    assert respelled.transaction_id == first.transaction_id
    assert await snapshot(shop.database) == before


@pytest.mark.requirement("ON3-4")
async def test_changed_request_is_a_conflict(shop: Shop) -> None:
    joe, ann = await add_members(shop, 2)
    bad = Recipient(IdentifierKind.DISCORD_ID, "no-digits")
    lines = [line(shop, joe, 1, 1), line(shop, bad, 1)]
    await distribute(shop, "r-1", *lines, description="d")
    before = await snapshot(shop.database)
    for changed in (
        [line(shop, ann, 1, 1), lines[1]],
        [line(shop, joe, 2, 1), lines[1]],
        [line(shop, joe, 1, 2), lines[1]],
        [line(shop, joe, 1), lines[1]],
        [lines[0], line(shop, bad._replace(value="no-numbers"), 1)],
        [lines[0], lines[1]._replace(amount=Decimal("0.5"))],
        lines[::-1],
        lines[:1],
        [*lines, lines[0]],
    ):
        with pytest.raises(IdempotencyConflict) as raised:
            await distribute(shop, "r-1", *changed, description="d")
        assert raised.value.differing_fields == ("rewards",)
    with pytest.raises(IdempotencyConflict) as raised:
        await distribute(shop, "r-1", *lines, message="m")
    assert raised.value.differing_fields == ("description", "message")
    assert await snapshot(shop.database) == before


@pytest.mark.parametrize("text", [NUL, SURROGATE])
async def test_text_that_cannot_be_stored_fails_its_line_only(shop: Shop, text: str) -> None:
    member_id = await add_member(shop)
    lines = [
        *(line(shop, Recipient(kind, text), 1) for kind in IdentifierKind),
        line(shop, Recipient(None, text), 1),
        line(shop, member_id, 1, currency_id=text),
        line(shop, member_id, 1),
    ]
    first = await distribute(shop, "r-1", *lines)
    assert codes(first) == [StatusCode.INVALID_LINE] * 8 + [StatusCode.GRANTED]
    again = await distribute(shop, "r-1", *lines)
    assert again == replace(first, idempotent_replay=True, fresh_grants={})


@pytest.mark.parametrize(
    "amount", [10**15 + 1, -(10**15) - 1, 10**19, -(10**29), "1E+1000000", "NaN", "-Infinity"]
)
async def test_huge_amounts_fail_their_line_only(shop: Shop, amount: int | str) -> None:
    member_id = await add_member(shop)
    lines = [
        line(shop, member_id, amount),
        line(shop, member_id, None, 2**64),
        line(shop, member_id, 1),
    ]
    first = await distribute(shop, "r-1", *lines)
    assert codes(first) == [StatusCode.INVALID_LINE] * 2 + [StatusCode.GRANTED]
    again = await distribute(shop, "r-1", *lines)
    assert again == replace(first, idempotent_replay=True, fresh_grants={})
    assert await balance(shop, member_id) == 1


async def test_balance_beyond_what_can_be_counted_fails_its_line(shop: Shop) -> None:
    member_id = await add_member(shop)
    lines = [line(shop, member_id, AMOUNT_MINOR_MAX)] * 4_001
    outcome = await distribute(shop, "r-1", *lines)
    assert codes(outcome) == [StatusCode.GRANTED] * 4_000 + [StatusCode.BALANCE_TOO_HIGH]
    assert await balance(shop, member_id) == 4_000 * AMOUNT_MINOR_MAX


async def test_without_the_distribute_scope_nothing_is_distributed(shop: Shop) -> None:
    member_id = await add_member(shop)
    before = await snapshot(shop.database)
    caller = without(shop.caller, Scope.DISTRIBUTE)
    with pytest.raises(Forbidden, match="distribute"):
        await distribute(shop, "r-1", line(shop, member_id, 1), caller=caller)
    assert await snapshot(shop.database) == before


@pytest.mark.requirement("ON3-4", "MON-13")
async def test_request_id_belongs_to_one_partner_and_organization(shop: Shop) -> None:
    member_id = await add_member(shop)
    await distribute(shop, "r-1", line(shop, member_id, 1))
    other = await distribute(shop, "r-1", line(shop, member_id, 1), caller=shop.neighbor)
    assert not other.idempotent_replay
    (made,) = other.fresh_grants.values()
    assert made.organization_id == shop.neighbor.organization_id
    elsewhere = replace(shop.caller, organization_id=shop.neighbor.organization_id)
    with pytest.raises(IdempotencyConflict) as raised:
        await distribute(shop, "r-1", line(shop, member_id, 1), caller=elsewhere)
    assert raised.value.differing_fields == ("organization",)


@pytest.mark.requirement("ON3-4", "ALL-2")
async def test_concurrent_duplicates_are_applied_once(shop: Shop) -> None:
    members = await add_members(shop, 20)
    lines = [line(shop, member_id, 5) for member_id in members]
    outcomes = await asyncio.gather(*(distribute(shop, "r-1", *lines) for _ in range(8)))
    assert sorted(outcome.idempotent_replay for outcome in outcomes) == [False] + [True] * 7
    assert len({outcome.transaction_id for outcome in outcomes}) == 1
    assert [await balance(shop, member_id) for member_id in members] == [5] * 20


@pytest.mark.requirement("ON3-3", "ON3-8")
async def test_concurrent_calls_over_the_same_members_do_not_deadlock(shop: Shop) -> None:
    members = await add_members(shop, 30)

    async def distribute_shuffled(number: int) -> None:
        order = members[number:] + members[:number]
        lines = [line(shop, member_id, 3, 1) for member_id in order]
        await distribute(
            shop, f"r-{number}", *lines, *(one._replace(amount=Decimal(-1)) for one in lines)
        )

    await asyncio.gather(*map(distribute_shuffled, range(20)))
    assert [await balance(shop, member_id) for member_id in members] == [40] * 30
    assert [await experience(shop, member_id) for member_id in members] == [40] * 30


@pytest.mark.requirement("ALL-2")
async def test_passing_fault_distributes_once(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    joe, ann = await add_members(shop, 2)
    await distribute(shop, "r-1", line(shop, joe, 10))

    async def spend() -> None:
        await distribute(shop, "r-2", line(shop, joe, -10))

    fail_first_attempt(monkeypatch, spend)
    lines = [line(shop, joe, -10), line(shop, ann, 1)]
    first = await distribute(shop, "r-3", *lines)
    assert codes(first) == [StatusCode.INSUFFICIENT_BALANCE, StatusCode.GRANTED]
    # What the undone attempt granted is not shown.
    assert list(first.fresh_grants) == [first.results[1].grant_id]
    assert await texts(shop, ann) == ["You have received a reward: 1 PTS"]
    again = await distribute(shop, "r-3", *lines)
    assert again == replace(first, idempotent_replay=True, fresh_grants={})


@pytest.mark.requirement("ALL-2")
async def test_lost_commit_reply_distributes_once(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    member_id = await add_member(shop)
    lose_first_commit_reply(monkeypatch)
    first = await distribute(shop, "r-1", line(shop, member_id, 1))
    assert (first.idempotent_replay, len(first.fresh_grants)) == (False, 1)
    assert await balance(shop, member_id) == 1
    assert await texts(shop, member_id) == ["You have received a reward: 1 PTS"]
