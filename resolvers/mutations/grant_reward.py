"""grantReward: a custom or a catalog reward to one member (OWN-1..9, MON-8..11)."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import Annotated, TypeAlias

import strawberry

from gateway import errors as domain
from gateway.access import Scope
from gateway.errors import FieldError
from gateway.granting import grant_reward as granting
from gateway.granting.model import CatalogReward, CustomReward, GrantCommand, check_command
from gateway.ids import IdKind, decode_id
from resolvers.codes import view_issued
from resolvers.context import Info
from resolvers.errors import (
    IdempotencyConflict,
    InvalidInput,
    LimitExceeded,
    NotFound,
    Overloaded,
    RequestInProgress,
    RewardUnavailable,
)
from resolvers.fields import mutation
from resolvers.scalars import JSON
from resolvers.types.grant import Grant, to_issued_grant
from resolvers.types.identifier import MemberRef, to_reference
from resolvers.types.status import OperationStatus, to_status


@strawberry.input(description="Cash for something the member did in the partner's own systems.")
class CustomRewardInput:
    """An amount of dollars, and until when it can be claimed."""

    amount: Decimal = strawberry.field(
        description="Dollars from 1.00 to 100.00, with at most two decimals."
    )
    expires_at: datetime | None = strawberry.field(
        default=None,
        description="Until when it can be claimed: a moment in the future; for ever if left out.",
    )


@strawberry.input(one_of=True, description="What to grant.")
class GrantableReward:
    """Exactly one of the fields is set."""

    custom: CustomRewardInput | None = strawberry.field(
        default=strawberry.UNSET,
        description="Cash, confirmed at once and claimed by the member; needs an actionCode.",
    )
    reward_id: strawberry.ID | None = strawberry.field(
        default=strawberry.UNSET, description="A reward of the catalog, given at once: `rew_…`."
    )


@strawberry.input(description="One reward for one member.")
class GrantRewardInput:
    """The grant's key, its member and its reward."""

    client_reference: str = strawberry.field(
        description="Idempotency key: 1 to 128 characters, unique per partner for ever."
    )
    member: MemberRef = strawberry.field(description="Who receives it.")
    reward: GrantableReward = strawberry.field(description="What to grant.")
    action_code: str | None = strawberry.field(
        default=None,
        description="What the member did: 1 to 64 characters of a-z, A-Z, 0-9, '.', '_', '-'. Required with `custom`.",
    )
    metadata: JSON | None = strawberry.field(
        default=None,
        description="What to keep with the grant, such as a reason or a ticket. Not for members.",
    )
    member_metadata: JSON | None = strawberry.field(
        default=None, description="What the member may read with the grant: at most 16 KiB."
    )
    dry_run: bool | None = strawberry.field(
        default=False, description="Answer what would happen, and leave nothing behind."
    )


@strawberry.type(description="The grant, new or as an earlier call made it.")
class GrantRewardPayload:
    """A grant and how it came about."""

    grant: Grant = strawberry.field(description="The grant.")
    status: OperationStatus = strawberry.field(
        description=(
            "GRANTED, or ALREADY_ISSUED if the member holds a code of this reward; of a vendor's voucher also PENDING or "
            "VENDOR_DECLINED."
        )
    )
    dry_run: bool = strawberry.field(
        description="True if this only says what would happen: nothing was kept, unless it replays an earlier call."
    )
    idempotent_replay: bool = strawberry.field(
        description="True if an earlier call with this client reference did the work."
    )


GrantRewardResult: TypeAlias = Annotated[
    GrantRewardPayload
    | InvalidInput
    | NotFound
    | RewardUnavailable
    | IdempotencyConflict
    | RequestInProgress
    | LimitExceeded
    | Overloaded,
    strawberry.union("GrantRewardResult", description="What became of a grant."),
]


@mutation("Grant one reward to one member.", requires=[Scope.GRANT])
async def grant_reward(
    info: Info,
    input: Annotated[GrantRewardInput, strawberry.argument(description="What to grant to whom.")],
) -> GrantRewardResult:
    """Turn the input into one command and its outcome into a payload."""
    caller = info.context.caller
    errors: list[FieldError] = []
    command = GrantCommand(
        client_reference=input.client_reference,
        member=to_reference(input.member, ("input", "member"), errors),
        reward=_to_reward(input.reward),
        action_code=input.action_code,
        metadata=input.metadata or {},
        member_metadata=input.member_metadata,
        is_dry_run=bool(input.dry_run),
    )
    if errors:
        raise domain.InvalidInput(errors + check_command(command))
    context = info.context
    outcome = await granting.grant_reward(
        context.database, caller, command, context.grant_groups, context.purchaser
    )
    view = view_issued(
        outcome.status.code, is_dry_run=command.is_dry_run and not outcome.idempotent_replay
    )
    return GrantRewardPayload(
        grant=to_issued_grant(outcome.grant, view),
        status=to_status(outcome.status),
        dry_run=command.is_dry_run,
        idempotent_replay=outcome.idempotent_replay,
    )


def _to_reward(given: GrantableReward) -> CustomReward | CatalogReward:
    if given.custom:
        return CustomReward(given.custom.amount, given.custom.expires_at)
    return CatalogReward(decode_id(IdKind.REWARD, given.reward_id or ""))
