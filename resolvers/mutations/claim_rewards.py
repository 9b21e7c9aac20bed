"""claimRewards: what is owed to a member becomes theirs, once (OWN-9)."""

from __future__ import annotations

from typing import Annotated, TypeAlias
from uuid import UUID

import strawberry

from gateway import errors as domain
from gateway.access import Scope
from gateway.claiming import claim_rewards as claiming
from gateway.claiming.model import ClaimCommand, check_command
from gateway.errors import FieldError
from gateway.grants.record import GrantRecord
from gateway.ids import IdKind, decode_id
from resolvers.context import Info
from resolvers.errors import (
    IdempotencyConflict,
    InvalidInput,
    NotFound,
    Overloaded,
    RequestInProgress,
)
from resolvers.fields import mutation, resolved
from resolvers.types.grant import Grant, to_grant
from resolvers.types.identifier import MemberRef, to_reference
from resolvers.types.status import OperationStatus, to_status


@strawberry.input(description="Grants to claim.")
class ClaimRewardsInput:
    """The call's key and its grants."""

    request_id: str = strawberry.field(
        description="Idempotency key: 1 to 128 characters, unique per partner or member for ever."
    )
    grant_ids: list[strawberry.ID] = strawberry.field(description="1 to 100 grants: `XT_…`.")
    member: MemberRef | None = strawberry.field(
        default=None,
        description="Whose grants they are. A partner names the member; a member's own token leaves it out.",
    )


@strawberry.type(description="What became of one grant.")
class ClaimResult:
    """A grant's place, id and status."""

    record: strawberry.Private[GrantRecord | None]
    found_id: strawberry.Private[UUID | None]

    index: int = strawberry.field(description="The grant's place in the call, from 0.")
    grant_id: strawberry.ID = strawberry.field(description="As sent.")
    status: OperationStatus = strawberry.field(description="Whether it is claimed.")

    @resolved("The grant; null if the member has none of that id.")
    async def grant(self, info: Info) -> Grant | None:
        """Return what this call claimed, or load what was claimed before."""
        if self.record is not None:
            return to_grant(self.record)
        if self.found_id is None:
            return None
        record = await info.context.loaders.grants.load(self.found_id)
        return to_grant(record) if record else None


@strawberry.type(description="A claim: what became of every grant.")
class ClaimRewardsPayload:
    """The results, in the order sent."""

    request_id: str = strawberry.field(description="The idempotency key.")
    results: list[ClaimResult] = strawberry.field(
        description="One result for each grant, in the order sent."
    )
    idempotent_replay: bool = strawberry.field(
        description="True if an earlier call with this key did the work."
    )


ClaimRewardsResult: TypeAlias = Annotated[
    ClaimRewardsPayload
    | InvalidInput
    | NotFound
    | IdempotencyConflict
    | RequestInProgress
    | Overloaded,
    strawberry.union("ClaimRewardsResult", description="What became of a claim."),
]


@mutation(
    "Claim confirmed grants: what is owed to the member becomes theirs, once.",
    requires=[Scope.MEMBER, Scope.CLAIM],
)
async def claim_rewards(
    info: Info,
    input: Annotated[ClaimRewardsInput, strawberry.argument(description="Which grants to claim.")],
) -> ClaimRewardsResult:
    """Turn the input into one command and its outcome into a payload."""
    caller = info.context.caller
    errors: list[FieldError] = []
    path = ("input", "member")
    command = ClaimCommand(
        request_id=input.request_id,
        member=to_reference(input.member, path, errors) if input.member else None,
        grant_ids=[decode_id(IdKind.GRANT, grant_id) for grant_id in input.grant_ids],
    )
    if errors:
        raise domain.InvalidInput(errors + check_command(command))
    outcome = await claiming.claim_rewards(info.context.database, caller, command)
    return ClaimRewardsPayload(
        request_id=outcome.request_id,
        results=[
            ClaimResult(
                record=outcome.fresh_grants.get(result.grant_id) if result.grant_id else None,
                found_id=result.grant_id,
                index=result.index,
                grant_id=input.grant_ids[result.index],
                status=to_status(result.status),
            )
            for result in outcome.results
        ],
        idempotent_replay=outcome.idempotent_replay,
    )
