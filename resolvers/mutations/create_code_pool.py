"""createCodePool: a new code pool."""

from __future__ import annotations

from typing import Annotated, TypeAlias

import strawberry

from gateway.access import Scope
from gateway.rewards import code_pools
from gateway.rewards.code_pools import CreateCodePool
from resolvers.context import Info
from resolvers.errors import (
    IdempotencyConflict,
    InvalidInput,
    Overloaded,
    RequestInProgress,
)
from resolvers.fields import mutation
from resolvers.types.items import CodePool, to_code_pool


@strawberry.input(description="A new code pool.")
class CreateCodePoolInput:
    """The call's key and the code pool."""

    request_id: str = strawberry.field(
        description="Idempotency key: 1 to 128 characters, unique per partner for ever."
    )
    name: str = strawberry.field(description="Name for people: 1 to 200 characters.")


@strawberry.type(description="The code pool that the first call with this key made.")
class CreateCodePoolPayload:
    """A code pool."""

    code_pool: CodePool = strawberry.field(description="The code pool.")
    idempotent_replay: bool = strawberry.field(
        description="True if an earlier call with this key did the work."
    )


CreateCodePoolResult: TypeAlias = Annotated[
    CreateCodePoolPayload | InvalidInput | IdempotencyConflict | RequestInProgress | Overloaded,
    strawberry.union("CreateCodePoolResult", description="What became of a new code pool."),
]


@mutation("Create a pool of coupon codes; `importCodes` fills it.", requires=[Scope.CATALOG])
async def create_code_pool(
    info: Info,
    input: Annotated[CreateCodePoolInput, strawberry.argument(description="The code pool.")],
) -> CreateCodePoolResult:
    """Turn the input into one command and its outcome into a payload."""
    command = CreateCodePool(input.request_id, input.name)
    outcome = await code_pools.create_code_pool(info.context.database, info.context.caller, command)
    return CreateCodePoolPayload(
        code_pool=to_code_pool(outcome.pool), idempotent_replay=outcome.idempotent_replay
    )
