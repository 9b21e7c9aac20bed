"""updateReward: change what is named of a reward (MON-4, MON-7, CAP-6)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Any, TypeAlias, TypeVar

import strawberry

from gateway.access import Scope
from gateway.ids import IdKind, decode_id
from gateway.rewards import updating
from gateway.rewards.fields import UNSET, NotNamed, RewardFields
from gateway.rewards.model import RewardStatus
from gateway.rewards.payments import PaymentConfigDraft
from gateway.rewards.updating import UpdateReward
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
from resolvers.scalars import JSON
from resolvers.types.catalog_reward import to_catalog_reward
from resolvers.types.payment_config import PaymentConfigInput, to_payment_config_draft
from resolvers.types.reward import Reward
from resolvers.types.reward_config import RewardConfigInput, to_draft, to_segment_ids

Given = TypeVar("Given")
Read = TypeVar("Read")


@strawberry.input(
    description="What to change of a reward. A field that is left out stays; null is for descriptions only."
)
class UpdateRewardInput:
    """The call's key, the reward and the fields to change."""

    request_id: str = strawberry.field(
        description="Idempotency key: 1 to 128 characters, unique per partner for ever."
    )
    id: strawberry.ID = strawberry.field(description="The reward: `rew_…`.")
    name: str | None = strawberry.field(
        default=strawberry.UNSET, description="Name for people: 1 to 200 characters."
    )
    config: RewardConfigInput | None = strawberry.field(
        default=strawberry.UNSET, description="What it gives. The type must stay the same."
    )
    description: str | None = strawberry.field(
        default=strawberry.UNSET,
        description="What it is, for people: at most 2,000 characters; null takes it away.",
    )
    status: RewardStatus | None = strawberry.field(
        default=strawberry.UNSET, description="Whether it can be granted."
    )
    metadata: JSON | None = strawberry.field(
        default=strawberry.UNSET,
        description="What to keep with it, instead of what is kept now, not for members: at most 16 KiB.",
    )
    member_metadata: JSON | None = strawberry.field(
        default=strawberry.UNSET,
        description="What members may read of it, instead of what they can now: at most 16 KiB.",
    )
    payment_configs: list[PaymentConfigInput] | None = strawberry.field(
        default=strawberry.UNSET,
        description="The ways to pay for it from now on, at most 20; they replace those it has.",
    )
    segment_ids: list[strawberry.ID] | None = strawberry.field(
        default=strawberry.UNSET,
        description="The segments that it is reserved for from now on, at most 100; an empty list means everybody.",
    )


@strawberry.type(description="The reward, as the first call with this key left it.")
class UpdateRewardPayload:
    """A reward."""

    reward: Reward = strawberry.field(description="The reward.")
    idempotent_replay: bool = strawberry.field(
        description="True if an earlier call with this key did the work."
    )


UpdateRewardResult: TypeAlias = Annotated[
    UpdateRewardPayload
    | InvalidInput
    | NotFound
    | IdempotencyConflict
    | RequestInProgress
    | Overloaded,
    strawberry.union("UpdateRewardResult", description="What became of a change."),
]


@mutation(
    "Change what is named of a reward; grants that were made keep showing what it was.",
    requires=[Scope.CATALOG],
)
async def update_reward(
    info: Info,
    input: Annotated[UpdateRewardInput, strawberry.argument(description="What to change.")],
) -> UpdateRewardResult:
    """Turn the input into one command and its outcome into a payload."""
    fields = RewardFields(
        name=_read(input.name, str),
        description=_read(input.description, str),
        config=_read(input.config, to_draft),
        metadata=_read(input.metadata, dict[str, Any]),
        member_metadata=_read(input.member_metadata, dict[str, Any]),
        status=_read(input.status, RewardStatus),
        payment_configs=_read(input.payment_configs, _to_drafts),
        segment_ids=_read(input.segment_ids, to_segment_ids),
    )
    reward_id = decode_id(IdKind.REWARD, input.id) or ID_LOWEST
    command = UpdateReward(input.request_id, reward_id, fields)
    outcome = await updating.update_reward(info.context.database, info.context.caller, command)
    return UpdateRewardPayload(
        reward=to_catalog_reward(outcome.reward), idempotent_replay=outcome.idempotent_replay
    )


def _read(given: Given | None, read: Callable[[Given], Read]) -> Read | NotNamed | None:
    """Tell left out, null and a value apart."""
    if given is strawberry.UNSET:
        return UNSET
    return None if given is None else read(given)


def _to_drafts(given: list[PaymentConfigInput]) -> tuple[PaymentConfigDraft, ...]:
    return tuple(map(to_payment_config_draft, given))
