"""restockProduct: more units of a product."""

from __future__ import annotations

from typing import Annotated, TypeAlias

import strawberry

from gateway.access import Scope
from gateway.ids import IdKind, decode_id
from gateway.rewards import products
from gateway.rewards.products import RestockProduct
from gateway.storage.pages import ID_LOWEST
from resolvers.context import Info
from resolvers.errors import (
    IdempotencyConflict,
    InvalidInput,
    NotFound,
    Overloaded,
    RequestInProgress,
)
from resolvers.fields import mutation
from resolvers.types.items import Product, to_product


@strawberry.input(description="Units to add to a product's stock.")
class RestockProductInput:
    """The call's key, the product and how many."""

    request_id: str = strawberry.field(
        description="Idempotency key: 1 to 128 characters, unique per partner for ever."
    )
    product_id: strawberry.ID = strawberry.field(description="The product: `prod_…`.")
    quantity: int = strawberry.field(description="How many units to add: 1 to 1,000,000,000.")


@strawberry.type(description="The product with more stock.")
class RestockProductPayload:
    """A product and its stock."""

    product: Product = strawberry.field(description="The product, with its stock as it is now.")
    stock: int = strawberry.field(description="The stock as the first call with this key left it.")
    idempotent_replay: bool = strawberry.field(
        description="True if an earlier call with this key did the work."
    )


RestockProductResult: TypeAlias = Annotated[
    RestockProductPayload
    | InvalidInput
    | NotFound
    | IdempotencyConflict
    | RequestInProgress
    | Overloaded,
    strawberry.union("RestockProductResult", description="What became of a restock."),
]


@mutation("Add units to a product's stock.", requires=[Scope.CATALOG])
async def restock_product(
    info: Info,
    input: Annotated[RestockProductInput, strawberry.argument(description="How many of what.")],
) -> RestockProductResult:
    """Turn the input into one command and its outcome into a payload."""
    product_id = decode_id(IdKind.PRODUCT, input.product_id) or ID_LOWEST
    command = RestockProduct(input.request_id, product_id, input.quantity)
    outcome = await products.restock_product(info.context.database, info.context.caller, command)
    return RestockProductPayload(
        product=to_product(outcome.product),
        stock=outcome.stock,
        idempotent_replay=outcome.idempotent_replay,
    )
