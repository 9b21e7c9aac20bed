"""deleteReward: take a reward out of the catalog (MON-5)."""

from __future__ import annotations

from typing import Annotated, TypeAlias

import strawberry

from gateway.access import Scope
from gateway.ids import IdKind, decode_id, encode_id
from gateway.rewards import deleting
from gateway.rewards.deleting import DeleteReward
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


@strawberry.input(description="Which reward to delete.")
class DeleteRewardInput:
    """The call's key and the reward."""

    request_id: str = strawberry.field(
        description="Idempotency key: 1 to 128 characters, unique per partner for ever."
    )
    id: strawberry.ID = strawberry.field(description="The reward: `rew_…`.")


@strawberry.type(description="The reward that is gone.")
class DeleteRewardPayload:
    """An id."""

    deleted_reward_id: strawberry.ID = strawberry.field(
        description="The id of the reward; it is never used again."
    )
    idempotent_replay: bool = strawberry.field(
        description="True if an earlier call with this key did the work."
    )


DeleteRewardResult: TypeAlias = Annotated[
    DeleteRewardPayload
    | InvalidInput
    | NotFound
    | IdempotencyConflict
    | RequestInProgress
    | Overloaded,
    strawberry.union("DeleteRewardResult", description="What became of a deletion."),
]


@mutation(
    "Take a reward out of the catalog; grants that were made keep showing what it was.",
    requires=[Scope.CATALOG],
)
async def delete_reward(
    info: Info,
    input: Annotated[DeleteRewardInput, strawberry.argument(description="Which reward.")],
) -> DeleteRewardResult:
    """Turn the input into one command and its outcome into a payload."""
    reward_id = decode_id(IdKind.REWARD, input.id) or ID_LOWEST
    command = DeleteReward(input.request_id, reward_id)
    outcome = await deleting.delete_reward(info.context.database, info.context.caller, command)
    return DeleteRewardPayload(
        deleted_reward_id=strawberry.ID(encode_id(IdKind.REWARD, outcome.reward_id)),
        idempotent_replay=outcome.idempotent_replay,
    )
