"""What rewards are made of: products, competitions, code pools."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import TypeVar
from uuid import UUID

import strawberry

from gateway.access import Scope
from gateway.ids import IdKind, encode_id
from gateway.rewards import items as domain
from gateway.rewards.code_store import count_codes
from gateway.rewards.item_store import fetch_items, fetch_stock
from gateway.rewards.items import ItemKey
from gateway.storage.database import Connection
from gateway.visibility import is_partner
from resolvers.context import Context, Info
from resolvers.fields import resolved
from resolvers.loaders import Loaders
from resolvers.node import Node

ItemType = TypeVar("ItemType", bound=domain.Item)


@strawberry.type(
    description="Something to give. Its units are counted by the asset of the same GUID."
)
class Product(Node):
    """A product; its stock is read when it is asked for."""

    item: strawberry.Private[domain.Product]

    asset_id: strawberry.ID = strawberry.field(description="The asset that counts its units.")
    name: str = strawberry.field(description="Name for people.")
    created_at: datetime = strawberry.field(description="When it was created.")

    @resolved("Units left to give.")
    async def stock(self, info: Info) -> int | None:
        """Load the stock."""
        return await info.context.loaders.using(_load_stock).load(self.item.id) or 0


@strawberry.type(
    description="Something to take part in. Its entries are counted by the asset of the same GUID."
)
class Competition(Node):
    """A competition."""

    asset_id: strawberry.ID = strawberry.field(description="The asset that counts its entries.")
    name: str = strawberry.field(description="Name for people.")
    created_at: datetime = strawberry.field(description="When it was created.")


@strawberry.type(description="How many codes of a pool are in which state.")
class CodeCounts:
    """Free, granted and voided add up to loaded."""

    free: int = strawberry.field(
        description="Nobody has them. Codes that have expired are among them, and are not granted any more."
    )
    granted: int = strawberry.field(description="A member has them.")
    voided: int = strawberry.field(description="Taken back, and never granted again.")
    loaded: int = strawberry.field(description="All that were ever loaded, duplicates left out.")


@strawberry.type(description="A pool that unique coupons draw their codes from.")
class CodePool(Node):
    """A pool; its codes are counted when the counts are asked for."""

    item: strawberry.Private[domain.CodePool]

    name: str = strawberry.field(description="Name for people.")
    created_at: datetime = strawberry.field(description="When it was created.")

    @resolved("How many codes it has. Not for members.", requires=[Scope.READ, Scope.CATALOG])
    async def codes(self, info: Info) -> CodeCounts | None:
        """Count the codes."""
        counts = await info.context.loaders.using(_load_counts).load(self.item.key)
        assert counts is not None  # noqa: S101 - the pool was read, and pools are never deleted
        return CodeCounts(
            free=counts.free, granted=counts.granted, voided=counts.voided, loaded=counts.loaded
        )


def to_product(item: domain.Product) -> Product:
    """Return a product as its GraphQL type."""
    return Product(
        id=strawberry.ID(encode_id(IdKind.PRODUCT, item.id)),
        item=item,
        asset_id=strawberry.ID(str(item.id)),
        name=item.name,
        created_at=item.created_at,
    )


def to_competition(item: domain.Competition) -> Competition:
    """Return a competition as its GraphQL type."""
    return Competition(
        id=strawberry.ID(encode_id(IdKind.COMPETITION, item.id)),
        asset_id=strawberry.ID(str(item.id)),
        name=item.name,
        created_at=item.created_at,
    )


def to_code_pool(item: domain.CodePool) -> CodePool:
    """Return a code pool as its GraphQL type."""
    return CodePool(
        id=strawberry.ID(encode_id(IdKind.CODE_POOL, item.id)),
        item=item,
        name=item.name,
        created_at=item.created_at,
    )


async def load_item(
    context: Context, item_type: type[ItemType], organization_id: UUID, item_id: UUID
) -> ItemType:
    """Return the item that a reward of this organization refers to; the rewards of a list share one statement."""
    item = await context.loaders.using(_load_items, item_type).load(
        ItemKey(organization_id, item_id)
    )
    # Checked when the reward was written, and items are never deleted.
    assert item is not None  # noqa: S101
    return item


async def load_product_nodes(context: Context, ids: Sequence[UUID]) -> list[Product | None]:
    """Return the caller's organization's products, in the order of the ids."""
    items = await _load_own(context, domain.Product, ids)
    return [to_product(item) if item else None for item in items]


async def load_competition_nodes(context: Context, ids: Sequence[UUID]) -> list[Competition | None]:
    """Return the caller's organization's competitions, in the order of the ids."""
    items = await _load_own(context, domain.Competition, ids)
    return [to_competition(item) if item else None for item in items]


async def load_code_pool_nodes(context: Context, ids: Sequence[UUID]) -> list[CodePool | None]:
    """Return the caller's organization's code pools, in the order of the ids."""
    items = await _load_own(context, domain.CodePool, ids)
    return [to_code_pool(item) if item else None for item in items]


async def _load_own(
    context: Context, item_type: type[ItemType], ids: Sequence[UUID]
) -> Sequence[ItemType | None]:
    caller = context.caller
    if not is_partner(caller):
        # A member sees no catalog: what is in it looks unknown.
        return [None] * len(ids)
    keys = [ItemKey(caller.organization_id, item_id) for item_id in ids]
    return await context.loaders.using(_load_items, item_type).load_many(keys)


async def _load_items(
    connection: Connection,
    loaders: Loaders,
    keys: Sequence[ItemKey],
    item_type: type[ItemType],
) -> Mapping[ItemKey, ItemType]:
    return await fetch_items(connection, loaders.caller.tenant_id, item_type, keys)


async def _load_stock(
    connection: Connection, loaders: Loaders, product_ids: Sequence[UUID]
) -> Mapping[UUID, int]:
    return await fetch_stock(connection, loaders.caller.tenant_id, product_ids)


async def _load_counts(
    connection: Connection, loaders: Loaders, keys: Sequence[ItemKey]
) -> Mapping[ItemKey, domain.CodeCounts]:
    return await count_codes(connection, loaders.caller.tenant_id, keys)
