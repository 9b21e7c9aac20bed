"""createProduct: a product with its first stock."""

from __future__ import annotations

from typing import Annotated, TypeAlias

import strawberry

from gateway.access import Scope
from gateway.rewards import products
from gateway.rewards.products import CreateProduct
from resolvers.context import Info
from resolvers.errors import (
    IdempotencyConflict,
    InvalidInput,
    Overloaded,
    RequestInProgress,
)
from resolvers.fields import mutation
from resolvers.types.items import Product, to_product


@strawberry.input(description="A new product.")
class CreateProductInput:
    """The call's key and the product."""

    request_id: str = strawberry.field(
        description="Idempotency key: 1 to 128 characters, unique per partner for ever."
    )
    name: str = strawberry.field(description="Name for people: 1 to 200 characters.")
    initial_stock: int = strawberry.field(
        default=0, description="Units to give at first: 0 to 1,000,000,000."
    )


@strawberry.type(description="The product that the first call with this key made.")
class CreateProductPayload:
    """A product."""

    product: Product = strawberry.field(description="The product.")
    idempotent_replay: bool = strawberry.field(
        description="True if an earlier call with this key did the work."
    )


CreateProductResult: TypeAlias = Annotated[
    CreateProductPayload | InvalidInput | IdempotencyConflict | RequestInProgress | Overloaded,
    strawberry.union("CreateProductResult", description="What became of a new product."),
]


@mutation("Create a product, and the asset that counts its units.", requires=[Scope.CATALOG])
async def create_product(
    info: Info,
    input: Annotated[CreateProductInput, strawberry.argument(description="The product.")],
) -> CreateProductResult:
    """Turn the input into one command and its outcome into a payload."""
    command = CreateProduct(input.request_id, input.name, input.initial_stock)
    outcome = await products.create_product(info.context.database, info.context.caller, command)
    return CreateProductPayload(
        product=to_product(outcome.product), idempotent_replay=outcome.idempotent_replay
    )
