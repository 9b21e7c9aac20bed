"""Products and their stock, competitions, code pools and their codes; each belongs to one organization."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest

from gateway.access import Scope
from gateway.errors import Forbidden, InvalidInput, NotFound
from gateway.ids import new_id
from gateway.ledger.model import BALANCE_MINOR_MAX
from gateway.operations.model import IdempotencyConflict
from gateway.rewards.code_pools import (
    CreateCodePool,
    ImportCodes,
    ImportOutcome,
    create_code_pool,
    import_codes,
)
from gateway.rewards.code_store import count_codes
from gateway.rewards.competitions import CreateCompetition, create_competition
from gateway.rewards.item_store import count_items, fetch_item_page, fetch_items, fetch_stock
from gateway.rewards.items import CodeCounts, CodePool, Competition, Item, ItemKey, Product
from gateway.rewards.products import (
    UNITS_PER_CALL_MAX,
    CreateProduct,
    RestockProduct,
    create_product,
    restock_product,
)
from gateway.storage.database import Database
from gateway.storage.pages import PageRequest
from tests.catalog import Shop, open_shop
from tests.use_cases import void_code


@pytest.fixture
async def shop(database: Database) -> Shop:
    return await open_shop(database)


async def stock_of(shop: Shop, product_id: UUID) -> int:
    async with shop.database.connection() as connection:
        stock = await fetch_stock(connection, shop.caller.tenant_id, [product_id])
    return stock[product_id]


async def counts_of(shop: Shop, *pool_ids: UUID) -> list[CodeCounts]:
    keys = [ItemKey(shop.caller.organization_id, pool_id) for pool_id in pool_ids]
    async with shop.database.connection() as connection:
        counts = await count_codes(connection, shop.caller.tenant_id, keys)
    return [counts[key] for key in keys]


async def load(
    shop: Shop, pool_id: UUID, key: str, codes: Sequence[str], expires_at: datetime | None = None
) -> ImportOutcome:
    command = ImportCodes(key, pool_id, codes, expires_at)
    return await import_codes(shop.database, shop.caller, command)


@pytest.mark.requirement("MON-9", "ALL-6")
async def test_first_stock_is_posted_from_issuance(shop: Shop) -> None:
    command = CreateProduct("1", "Mug", 5)
    created = await create_product(shop.database, shop.caller, command)
    product_id = created.product.id
    assert (created.stock, created.idempotent_replay) == (5, False)
    assert await stock_of(shop, product_id) == 5
    entries = await shop.database.fetch(
        "SELECT asset_id, amount_minor, balance_after_minor FROM ledger_entries ORDER BY index"
    )
    assert [tuple(entry) for entry in entries] == [(product_id, -5, None), (product_id, 5, 5)]
    (transaction,) = await shop.database.fetch(
        "SELECT kind, payload FROM ledger_transactions JOIN outbox_events USING (tenant_id, kind)"
    )
    assert tuple(transaction) == ("STOCK", {"productId": str(product_id), "quantity": 5})
    (asset,) = await shop.database.fetch(
        "SELECT code, kind, scale, name FROM assets WHERE id = $1", product_id
    )
    assert tuple(asset) == (f"PRODUCT:{product_id}", "PRODUCT", 0, "Mug")
    again = await create_product(shop.database, shop.caller, command)
    assert again == replace(created, idempotent_replay=True)
    assert await stock_of(shop, product_id) == 5


async def test_product_without_stock_posts_nothing(shop: Shop) -> None:
    created = await create_product(shop.database, shop.caller, CreateProduct("1", "Mug"))
    assert created.stock == await stock_of(shop, created.product.id) == 0
    assert (await shop.count_rows())["ledger_transactions"] == 0


@pytest.mark.requirement("MON-9")
async def test_concurrent_restocks_add_up(shop: Shop) -> None:
    product_id = await shop.create_product(5)
    commands = [RestockProduct(str(key), product_id, 10) for key in range(10)]
    outcomes = await asyncio.gather(
        *(restock_product(shop.database, shop.caller, command) for command in commands)
    )
    assert sorted(outcome.stock for outcome in outcomes) == list(range(15, 106, 10))
    assert await stock_of(shop, product_id) == 105
    replayed = await restock_product(shop.database, shop.caller, commands[0])
    assert replayed == replace(outcomes[0], idempotent_replay=True)
    assert await stock_of(shop, product_id) == 105


@pytest.mark.parametrize("quantity", [0, -1, UNITS_PER_CALL_MAX + 1])
async def test_restock_of_no_units_changes_nothing(shop: Shop, quantity: int) -> None:
    product_id = await shop.create_product(5)
    before = await shop.count_rows()
    with pytest.raises(InvalidInput) as raised:
        await restock_product(shop.database, shop.caller, RestockProduct("", product_id, quantity))
    assert [error.path[-1] for error in raised.value.errors] == ["requestId", "quantity"]
    assert await shop.count_rows() == before


async def test_stock_beyond_what_can_be_counted_is_refused(shop: Shop) -> None:
    product_id = await shop.create_product(5)
    await shop.database.fetch("UPDATE accounts SET posted_minor = $1", BALANCE_MINOR_MAX)
    before = await shop.count_rows()
    with pytest.raises(InvalidInput) as raised:
        await restock_product(shop.database, shop.caller, RestockProduct("1", product_id, 1))
    assert [error.path for error in raised.value.errors] == [("input", "quantity")]
    assert await shop.count_rows() == before


@pytest.mark.requirement("MON-13")
async def test_foreign_product_and_pool_are_not_found(shop: Shop) -> None:
    product_id, pool_id = await shop.create_product(5), await shop.create_pool("A")
    before = await shop.count_rows()
    stranger = (await open_shop(shop.database)).caller
    tenants = {"assets": before["assets"] + 3}
    for caller in (shop.neighbor, stranger):
        with pytest.raises(NotFound):
            await restock_product(shop.database, caller, RestockProduct("1", product_id, 1))
        with pytest.raises(NotFound):
            await import_codes(shop.database, caller, ImportCodes("1", pool_id, ["B"]))
    with pytest.raises(NotFound):
        await restock_product(shop.database, shop.caller, RestockProduct("1", new_id(), 1))
    with pytest.raises(NotFound):
        await load(shop, new_id(), "1", ["B"])
    assert await shop.count_rows() == before | tenants
    async with shop.database.connection() as connection:
        keys = [ItemKey(shop.neighbor.organization_id, pool_id)]
        assert await count_codes(connection, shop.caller.tenant_id, keys) == {}
        keys = [ItemKey(shop.caller.organization_id, pool_id)]
        assert await count_codes(connection, stranger.tenant_id, keys) == {}


async def test_broken_names_and_missing_scope_write_nothing(shop: Shop) -> None:
    before = await shop.count_rows()
    product, competition = CreateProduct("", " ", -1), CreateCompetition("", "x" * 201)
    pool = CreateCodePool("\x00", "\x00")
    for expected, work in (
        ([("requestId", "required"), ("name", "required"), ("initialStock", "positive")],
         create_product(shop.database, shop.caller, product)),
        ([("requestId", "required"), ("name", "length")],
         create_competition(shop.database, shop.caller, competition)),
        ([("requestId", "characters"), ("name", "characters")],
         create_code_pool(shop.database, shop.caller, pool)),
    ):  # fmt: skip
        with pytest.raises(InvalidInput) as raised:
            await work
        assert [(error.path[-1], error.rule) for error in raised.value.errors] == expected
    reader = replace(shop.caller, scopes=frozenset({Scope.READ}))
    for forbidden in (
        create_product(shop.database, reader, CreateProduct("1", "Mug")),
        restock_product(shop.database, reader, RestockProduct("1", new_id(), 1)),
        create_competition(shop.database, reader, CreateCompetition("1", "Prize")),
        create_code_pool(shop.database, reader, CreateCodePool("1", "Codes")),
        import_codes(shop.database, reader, ImportCodes("1", new_id(), ["A"])),
    ):
        with pytest.raises(Forbidden):
            await forbidden
    assert await shop.count_rows() == before


@pytest.mark.requirement("MON-10")
async def test_duplicates_are_skipped_and_counted(shop: Shop) -> None:
    pool_id = await shop.create_pool()
    codes = ["A", "B", "A", "C", "B"]
    first = await load(shop, pool_id, "1", codes)
    second = await load(shop, pool_id, "2", ["C", "D", "a", "\uff21", "E"])
    assert (first.accepted_count, first.duplicate_count) == (3, 2)
    # Shops tell neither "a" nor the full-width letter from "A".
    assert (second.accepted_count, second.duplicate_count) == (2, 3)
    assert await load(shop, pool_id, "1", codes) == replace(first, idempotent_replay=True)
    assert await counts_of(shop, pool_id) == [CodeCounts(free=5, loaded=5)]
    # One code once in the organization, whichever pool it is loaded into.
    other_id = await shop.create_pool("A", "F")
    assert await counts_of(shop, other_id, pool_id) == [
        CodeCounts(free=1, loaded=1),
        CodeCounts(free=5, loaded=5),
    ]
    with pytest.raises(IdempotencyConflict) as raised:
        await load(shop, pool_id, "2", ["C", "D"])
    assert raised.value.differing_fields == ("codes",)


@pytest.mark.requirement("MON-10")
async def test_codes_that_were_used_stay_known(shop: Shop) -> None:
    pool_id = await shop.create_pool("A", "B", "C")
    used, _, _ = await shop.database.fetch("SELECT id FROM codes ORDER BY id")
    await shop.database.fetch(
        "UPDATE codes SET status = 'GRANTED', grant_id = $1 WHERE id = $2", new_id(), used["id"]
    )
    await void_code(shop, "B")
    outcome = await load(shop, pool_id, "1", ["A", "B", "C", "D"])
    assert (outcome.accepted_count, outcome.duplicate_count) == (1, 3)
    assert await counts_of(shop, pool_id) == [CodeCounts(2, 1, 1, 4)]


@pytest.mark.requirement("MON-10")
async def test_overlapping_imports_at_once_count_exactly(shop: Shop) -> None:
    pool_id = await shop.create_pool()
    codes = [f"CODE-{number:05}" for number in range(10_000)]
    outcomes = await asyncio.gather(
        load(shop, pool_id, "1", codes[:6_000]),
        load(shop, pool_id, "2", codes[:3_999:-1]),
        load(shop, pool_id, "3", codes[2_000:8_000]),
    )
    assert sum(outcome.accepted_count for outcome in outcomes) == 10_000
    assert [outcome.accepted_count + outcome.duplicate_count for outcome in outcomes] == [6_000] * 3
    assert await counts_of(shop, pool_id) == [CodeCounts(free=10_000, loaded=10_000)]


@pytest.mark.requirement("MON-10")
async def test_ten_thousand_codes_a_call(shop: Shop) -> None:
    pool_id = await shop.create_pool()
    codes = [str(number) for number in range(10_001)]
    before = await shop.count_rows()
    with pytest.raises(InvalidInput) as raised:
        await load(shop, pool_id, "1", codes)
    assert [(error.path, error.rule) for error in raised.value.errors] == [
        (("input", "codes"), "length")
    ]
    with pytest.raises(InvalidInput):
        await load(shop, pool_id, "1", [])
    assert await shop.count_rows() == before
    assert (await load(shop, pool_id, "1", codes[1:])).accepted_count == 10_000


async def test_every_broken_code_is_listed(shop: Shop) -> None:
    pool_id = await shop.create_pool()
    before = await shop.count_rows()
    codes = ["A", "", "B ", "x" * 129, "C\x00", "\ud800", "D\r", "Ω" * 128]
    with pytest.raises(InvalidInput) as raised:
        await load(shop, pool_id, "1", codes)
    assert [error.path for error in raised.value.errors] == [
        ("input", "codes", str(index)) for index in range(1, 7)
    ]
    assert await shop.count_rows() == before


async def test_codes_may_end_in_the_future_only(shop: Shop) -> None:
    pool_id = await shop.create_pool()
    now = datetime.now(UTC)
    with pytest.raises(InvalidInput) as raised:
        await load(shop, pool_id, "1", ["A"], now - timedelta(seconds=1))
    assert [(error.path, error.rule) for error in raised.value.errors] == [
        (("input", "expiresAt"), "future")
    ]
    ends = now + timedelta(days=30)
    await load(shop, pool_id, "1", ["A"], ends)
    rows = await shop.database.fetch("SELECT status, expires_at FROM codes")
    assert [tuple(row) for row in rows] == [("FREE", ends)]


@pytest.mark.requirement("MON-13")
async def test_items_are_paged_per_organization(shop: Shop) -> None:
    products = [await shop.create_product() for _ in range(3)]
    competition, pool = await shop.create_competition(), await shop.create_pool()
    scope = (shop.caller.tenant_id, shop.caller.organization_id)
    async with shop.database.connection() as connection:
        first = await fetch_item_page(connection, *scope, Product, PageRequest(2))
        last = await fetch_item_page(connection, *scope, Product, PageRequest(1, backwards=True))
        assert [product.id for product in first.items] == [products[2], products[1]]
        assert (first.has_next, first.has_previous) == (True, False)
        assert [product.id for product in last.items] == [products[0]]
        for item_type, count in ((Product, 3), (Competition, 1), (CodePool, 1)):
            assert await count_items(connection, *scope, item_type) == count
            neighbor = (shop.neighbor.tenant_id, shop.neighbor.organization_id)
            assert await count_items(connection, *neighbor, item_type) == 0
        wanted: list[tuple[type[Item], UUID]] = [
            (Product, products[0]),
            (Competition, competition),
            (CodePool, pool),
        ]
        for wanted_type, item_id in wanted:
            key, foreign = ItemKey(scope[1], item_id), ItemKey(neighbor[1], item_id)
            found = await fetch_items(connection, scope[0], wanted_type, [key, foreign])
            assert list(found) == [key]
            assert type(found[key]) is wanted_type
