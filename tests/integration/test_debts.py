"""A credit that was spent is taken back only where the policy allows a debt, which later credits repay first (ALL-4)."""

from __future__ import annotations

import random
from collections.abc import AsyncIterator
from uuid import UUID

import asyncpg
import pytest

from gateway.grants.errors import InsufficientBalance, NotReversible
from gateway.grants.status import StatusCode
from gateway.ids import new_id
from gateway.ledger.balance import Hold
from gateway.ledger.balance_store import fetch_balances
from gateway.ledger.model import Account, OwnerKind, Transaction, TransactionKind
from gateway.ledger.store import lock_balances, record
from gateway.operations.model import OperationKind
from gateway.reversing.model import KeyTarget, ReversalPolicy
from gateway.storage.database import Database
from gateway.verifying.verify import verify
from tests.catalog import Shop, open_shop
from tests.use_cases import (
    add_member,
    balance,
    costing,
    distribute,
    give_points,
    issue,
    item,
    line,
    points_of,
    reverse,
    reverse_all,
    snapshot,
)

DEBT = ReversalPolicy.ALLOW_DEBT
pytestmark = pytest.mark.requirement("ALL-4")


@pytest.fixture
async def shop(database: Database) -> AsyncIterator[Shop]:
    yield await open_shop(database)
    broken = await verify(database)
    # Holds that a test places without an operation are its own.
    assert [finding.check for finding in broken if finding.check not in UNOWNED] == []


UNOWNED = {"references_stay_in_tenant"}


async def credit(shop: Shop, member: UUID, amount: int) -> UUID:
    made = await distribute(shop, str(new_id()), line(shop, member, amount))
    return next(iter(made.fresh_grants))


async def debt(shop: Shop, member: UUID) -> int:
    rows = await shop.database.fetch("SELECT debt_minor FROM accounts WHERE owner_id = $1", member)
    return sum(row["debt_minor"] for row in rows)


async def test_debt_is_what_was_spent_and_no_more(shop: Shop) -> None:
    member = await add_member(shop)
    given = await credit(shop, member, 100)
    await credit(shop, member, -70)
    before = await snapshot(shop.database)
    with pytest.raises(NotReversible, match="spent"):
        await reverse(shop, "r-1", given)
    assert await snapshot(shop.database) == before
    await reverse(shop, "r-1", given, policy=DEBT)
    assert (await balance(shop, member), await debt(shop, member)) == (-70, 70)


async def test_debt_leaves_nothing_to_spend_and_credits_repay_it_first(shop: Shop) -> None:
    member = await add_member(shop)
    given = await credit(shop, member, 100)
    await credit(shop, member, -70)
    await reverse(shop, "r-1", given, policy=DEBT)
    bundle = await shop.create_reward(payment_configs=costing(shop, 1))
    with pytest.raises(InsufficientBalance) as raised:
        await issue(shop, "i-1", member, item(bundle))
    (short,) = raised.value.shortfalls
    assert (short.available_minor, short.missing_minor) == (-70, 71)
    await give_points(shop, member, 50)
    assert (await balance(shop, member), await debt(shop, member)) == (-20, 20)
    await give_points(shop, member, 50)
    assert (await balance(shop, member), await debt(shop, member)) == (30, 0)


async def test_account_that_owes_nothing_can_still_not_go_below_zero(shop: Shop) -> None:
    member = await add_member(shop)
    given = await credit(shop, member, 10)
    await credit(shop, member, -10)
    await reverse(shop, "r-1", given, policy=DEBT)
    await give_points(shop, member, 10)
    async with shop.database.connection() as connection:
        with pytest.raises(asyncpg.CheckViolationError, match="accounts_never_below_zero"):
            await connection.execute(
                "UPDATE accounts SET posted_minor = -1 WHERE owner_id = $1", member
            )


async def test_policy_is_per_grant_of_an_operation(shop: Shop) -> None:
    member = await add_member(shop)
    await distribute(shop, "d-1", line(shop, member, 10), line(shop, member, 20))
    await credit(shop, member, -5)
    target = KeyTarget(OperationKind.DISTRIBUTE_REWARDS, "d-1")
    refused = await reverse_all(shop, "r-1", target)
    # The last line first: twenty of the twenty-five are there, ten of the five left are not.
    assert [result.status.code for result in refused.results] == [
        StatusCode.BENEFIT_SPENT,
        StatusCode.REVERSED,
    ]
    allowed = await reverse_all(shop, "r-2", target, DEBT)
    assert [result.status.code for result in allowed.results] == [
        StatusCode.REVERSED,
        StatusCode.ALREADY_REVERSED,
    ]
    assert (await balance(shop, member), await debt(shop, member)) == (-5, 5)


async def test_past_balance_shows_the_debt(shop: Shop) -> None:
    member = await add_member(shop)
    given = await credit(shop, member, 10)
    await credit(shop, member, -10)
    outcome = await reverse(shop, "r-1", given, policy=DEBT)
    await give_points(shop, member, 100)
    async with shop.database.connection() as connection:
        scope = (connection, shop.caller.tenant_id, [member])
        then = (await fetch_balances(*scope, as_of=outcome.grant.reversed_at))[member]
        now = (await fetch_balances(*scope))[member]
    assert [found.available_minor for found in (*then, *now)] == [-10, 90]


async def test_what_is_held_stays_held_and_can_be_captured(shop: Shop) -> None:
    member = await add_member(shop)
    given = await credit(shop, member, 100)
    owner = Account(points_of(shop), OwnerKind.MEMBER, member)
    taken = Account(points_of(shop), OwnerKind.REDEMPTION, shop.caller.organization_id)
    hold = Hold(new_id(), owner, 60, new_id())
    tenant_id = shop.caller.tenant_id
    async with shop.database.transaction() as connection:
        at = await connection.fetchval("SELECT now()")
        book = await lock_balances(connection, tenant_id, [owner], at)
        book.hold(hold)
        await record(connection, tenant_id, book, at)
    await reverse(shop, "r-1", given, policy=DEBT)
    assert (await balance(shop, member), await debt(shop, member)) == (0, 60)
    async with shop.database.transaction() as connection:
        at = await connection.fetchval("SELECT now()")
        book = await lock_balances(connection, tenant_id, [owner], at)
        kind = TransactionKind.STOCK
        book.capture(hold, Transaction(new_id(), kind, new_id(), at, {}), taken)
        await record(connection, tenant_id, book, at)
    assert (await balance(shop, member), await debt(shop, member)) == (-60, 60)


async def test_random_credits_spending_and_reversals_keep_the_debt_exact(shop: Shop) -> None:
    """Against a model that knows only sums: the debt is what is below zero, and spending never makes one."""
    member = await add_member(shop)
    random_source, model = random.Random(20), 0
    grants: dict[UUID, int] = {}
    for number in range(40):
        amount = random_source.randint(1, 30)
        action = random_source.choice(["credit", "spend", "reverse", "reverse with debt"])
        if action == "credit":
            grants[await credit(shop, member, amount)] = amount
            model += amount
        elif action == "spend" and amount <= model:
            await credit(shop, member, -amount)
            model -= amount
        elif action.startswith("reverse") and grants:
            given = random_source.choice(list(grants))
            may_owe = action.endswith("debt")
            policy = DEBT if may_owe else ReversalPolicy.REFUSE
            if may_owe or grants[given] <= model:
                await reverse(shop, str(number), given, policy=policy)
                model -= grants.pop(given)
            else:
                with pytest.raises(NotReversible):
                    await reverse(shop, str(number), given, policy=policy)
        assert (await balance(shop, member), await debt(shop, member)) == (model, max(0, -model))
