"""createReward: a new reward of the catalog (MON-1..3, MON-6, CAP-6)."""

from __future__ import annotations

from typing import Annotated, TypeAlias

import strawberry

from gateway.access import Scope
from gateway.rewards import creating
from gateway.rewards.creating import CreateReward
from gateway.rewards.fields import UNSET, RewardFields
from gateway.rewards.model import RewardStatus
from resolvers.context import Info
from resolvers.errors import (
    Conflict,
    IdempotencyConflict,
    InvalidInput,
    Overloaded,
    RequestInProgress,
)
from resolvers.fields import mutation
from resolvers.scalars import JSON
from resolvers.types.catalog_reward import to_catalog_reward
from resolvers.types.payment_config import PaymentConfigInput, to_payment_config_draft
from resolvers.types.reward import Reward
from resolvers.types.reward_config import RewardConfigInput, to_draft, to_segment_ids


@strawberry.input(description="A new reward.")
class CreateRewardInput:
    """The call's key and the reward."""

    request_id: str = strawberry.field(
        description="Idempotency key: 1 to 128 characters, unique per partner for ever."
    )
    id: strawberry.ID | None = strawberry.field(
        default=None,
        description="An id of your own: `rew_` and a UUID in lower case. Chosen by the gateway if left out.",
    )
    name: str = strawberry.field(description="Name for people: 1 to 200 characters.")
    config: RewardConfigInput = strawberry.field(
        description="What it gives, which is also its type."
    )
    description: str | None = strawberry.field(
        default=None, description="What it is, for people: at most 2,000 characters."
    )
    status: RewardStatus | None = strawberry.field(
        default=RewardStatus.ACTIVE, description="Whether it can be granted."
    )
    metadata: JSON | None = strawberry.field(
        default=None, description="What to keep with it, not for members: at most 16 KiB."
    )
    member_metadata: JSON | None = strawberry.field(
        default=None, description="What members may read of it: at most 16 KiB."
    )
    payment_configs: list[PaymentConfigInput] | None = strawberry.field(
        default=None, description="The ways to pay for it, at most 20; none means free."
    )
    segment_ids: list[strawberry.ID] | None = strawberry.field(
        default=None,
        description="Reserve it for members of any of these segments, at most 100; none means everybody.",
    )


@strawberry.type(description="The reward, as the first call with this key made it.")
class CreateRewardPayload:
    """A reward."""

    reward: Reward = strawberry.field(description="The reward.")
    idempotent_replay: bool = strawberry.field(
        description="True if an earlier call with this key did the work."
    )


CreateRewardResult: TypeAlias = Annotated[
    CreateRewardPayload
    | InvalidInput
    | Conflict
    | IdempotencyConflict
    | RequestInProgress
    | Overloaded,
    strawberry.union("CreateRewardResult", description="What became of a new reward."),
]


@mutation("Put a reward into the catalog.", requires=[Scope.CATALOG])
async def create_reward(
    info: Info,
    input: Annotated[CreateRewardInput, strawberry.argument(description="The reward.")],
) -> CreateRewardResult:
    """Turn the input into one command and its outcome into a payload."""
    fields = RewardFields(
        name=input.name,
        description=input.description,
        config=to_draft(input.config),
        metadata={} if input.metadata is None else input.metadata,
        member_metadata=UNSET if input.member_metadata is None else input.member_metadata,
        status=input.status or RewardStatus.ACTIVE,
        payment_configs=tuple(map(to_payment_config_draft, input.payment_configs or ())),
        segment_ids=to_segment_ids(input.segment_ids) if input.segment_ids else UNSET,
    )
    command = CreateReward(input.request_id, fields, input.id)
    outcome = await creating.create_reward(info.context.database, info.context.caller, command)
    return CreateRewardPayload(
        reward=to_catalog_reward(outcome.reward), idempotent_replay=outcome.idempotent_replay
    )
