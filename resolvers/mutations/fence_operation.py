"""fenceOperation: a late arrival of a timed-out key is made impossible (ALL-4)."""

from __future__ import annotations

from typing import Annotated, TypeAlias

import strawberry

from gateway.operations import fencing
from gateway.operations.model import OperationKind
from gateway.operations.scopes import FENCING
from resolvers.context import Info
from resolvers.errors import InvalidInput, Overloaded, RequestInProgress
from resolvers.fields import mutation
from resolvers.types.operation import Operation, to_operation


@strawberry.input(
    description="A key to give up. It is its own idempotency key: fencing it again answers the same."
)
class FenceOperationInput:
    """What the key was for, and the key."""

    kind: OperationKind = strawberry.field(description="What the key was used for.")
    key: str = strawberry.field(
        description="The request id or client reference that was sent: 1 to 512 characters."
    )


@strawberry.type(description="What holds of the key from now on.")
class FenceOperationPayload:
    """Whether the fence stands, and the key's state."""

    fenced: bool = strawberry.field(
        description="True if nothing was done under the key and nothing will be; false if it was done before."
    )
    operation: Operation = strawberry.field(description="The key's state.")


FenceOperationResult: TypeAlias = Annotated[
    FenceOperationPayload | InvalidInput | RequestInProgress | Overloaded,
    strawberry.union("FenceOperationResult", description="What became of a fence."),
]


@mutation(
    "Make a late arrival of a timed-out key impossible, unless it was done already. Waits for one that is running. Needs the "
    "scope of what the key is for.",
    requires=FENCING,
)
async def fence_operation(
    info: Info,
    input: Annotated[FenceOperationInput, strawberry.argument(description="Which key.")],
) -> FenceOperationResult:
    """Fence the key and say what is stored of it."""
    context = info.context
    record = await fencing.fence_operation(context.database, context.caller, input.kind, input.key)
    return FenceOperationPayload(
        fenced=record.is_fenced, operation=to_operation(input.kind, input.key, record)
    )
