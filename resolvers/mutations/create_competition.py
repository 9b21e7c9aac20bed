"""createCompetition: a new competition."""

from __future__ import annotations

from typing import Annotated, TypeAlias

import strawberry

from gateway.access import Scope
from gateway.rewards import competitions
from gateway.rewards.competitions import CreateCompetition
from resolvers.context import Info
from resolvers.errors import (
    IdempotencyConflict,
    InvalidInput,
    Overloaded,
    RequestInProgress,
)
from resolvers.fields import mutation
from resolvers.types.items import Competition, to_competition


@strawberry.input(description="A new competition.")
class CreateCompetitionInput:
    """The call's key and the competition."""

    request_id: str = strawberry.field(
        description="Idempotency key: 1 to 128 characters, unique per partner for ever."
    )
    name: str = strawberry.field(description="Name for people: 1 to 200 characters.")


@strawberry.type(description="The competition that the first call with this key made.")
class CreateCompetitionPayload:
    """A competition."""

    competition: Competition = strawberry.field(description="The competition.")
    idempotent_replay: bool = strawberry.field(
        description="True if an earlier call with this key did the work."
    )


CreateCompetitionResult: TypeAlias = Annotated[
    CreateCompetitionPayload | InvalidInput | IdempotencyConflict | RequestInProgress | Overloaded,
    strawberry.union("CreateCompetitionResult", description="What became of a new competition."),
]


@mutation("Create a competition, and the asset that counts its entries.", requires=[Scope.CATALOG])
async def create_competition(
    info: Info,
    input: Annotated[CreateCompetitionInput, strawberry.argument(description="The competition.")],
) -> CreateCompetitionResult:
    """Turn the input into one command and its outcome into a payload."""
    command = CreateCompetition(input.request_id, input.name)
    outcome = await competitions.create_competition(
        info.context.database, info.context.caller, command
    )
    return CreateCompetitionPayload(
        competition=to_competition(outcome.competition), idempotent_replay=outcome.idempotent_replay
    )
