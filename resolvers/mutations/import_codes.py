"""importCodes: load coupon codes into a pool (MON-10)."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, TypeAlias

import strawberry

from gateway.access import Scope
from gateway.ids import IdKind, decode_id
from gateway.rewards import code_pools
from gateway.rewards.code_pools import ImportCodes
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
from resolvers.types.items import CodePool, to_code_pool


@strawberry.input(description="Codes to load into a pool.")
class ImportCodesInput:
    """The call's key, the pool and the codes."""

    request_id: str = strawberry.field(
        description="Idempotency key: 1 to 128 characters, unique per partner for ever."
    )
    code_pool_id: strawberry.ID = strawberry.field(description="The pool: `pool_…`.")
    codes: list[str] = strawberry.field(
        description="1 to 10,000 codes, each of 1 to 128 printable characters without white space around them."
    )
    expires_at: datetime | None = strawberry.field(
        default=None, description="When these codes expire, in the future; never if left out."
    )


@strawberry.type(
    description="What became of the codes; accepted and duplicate add up to those sent."
)
class ImportCodesPayload:
    """A pool and two counts."""

    code_pool: CodePool = strawberry.field(description="The pool, with its codes as they are now.")
    accepted_count: int = strawberry.field(description="Codes that were new to the organization.")
    duplicate_count: int = strawberry.field(
        description="Codes that were skipped: a pool of the organization had them, in any case or Unicode form, or they stood before in the call."
    )
    idempotent_replay: bool = strawberry.field(
        description="True if an earlier call with this key did the work."
    )


ImportCodesResult: TypeAlias = Annotated[
    ImportCodesPayload
    | InvalidInput
    | NotFound
    | IdempotencyConflict
    | RequestInProgress
    | Overloaded,
    strawberry.union("ImportCodesResult", description="What became of an import."),
]


@mutation(
    "Load up to 10,000 coupon codes into a pool; duplicates are skipped and counted.",
    requires=[Scope.CATALOG],
)
async def import_codes(
    info: Info,
    input: Annotated[ImportCodesInput, strawberry.argument(description="Which codes.")],
) -> ImportCodesResult:
    """Turn the input into one command and its outcome into a payload."""
    pool_id = decode_id(IdKind.CODE_POOL, input.code_pool_id) or ID_LOWEST
    command = ImportCodes(input.request_id, pool_id, input.codes, input.expires_at)
    outcome = await code_pools.import_codes(info.context.database, info.context.caller, command)
    return ImportCodesPayload(
        code_pool=to_code_pool(outcome.pool),
        accepted_count=outcome.accepted_count,
        duplicate_count=outcome.duplicate_count,
        idempotent_replay=outcome.idempotent_replay,
    )
