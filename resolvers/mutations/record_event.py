"""recordEvent: something a member did, and what campaigns give for it (MON-12)."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, TypeAlias

import strawberry

from gateway import errors as domain
from gateway.access import Scope
from gateway.campaigns import recording
from gateway.campaigns.event import EventCommand, EventOutcome, check_command
from gateway.errors import FieldError
from gateway.text import normalize_name
from resolvers.context import Context, Info
from resolvers.errors import (
    IdempotencyConflict,
    InvalidInput,
    NotFound,
    Overloaded,
    RequestInProgress,
)
from resolvers.fields import mutation
from resolvers.scalars import JSON
from resolvers.types.event import CampaignEventOutcome, to_campaign_outcome
from resolvers.types.identifier import MemberRef, to_reference
from resolvers.types.member import Member, to_member


@strawberry.input(description="Something that a member did.")
class RecordEventInput:
    """The event, which is its own key."""

    event_id: str = strawberry.field(
        description="Idempotency key: 1 to 128 characters, unique per partner for ever. Only its first arrival has effects."
    )
    event_type: str = strawberry.field(
        description="What was done, such as `order.completed`: 1 to 128 characters of a-z, A-Z, 0-9, '.', '_', ':', '-'."
    )
    member: MemberRef = strawberry.field(description="Who did it.")
    payload: JSON | None = strawberry.field(
        default=None,
        description="What conditions look at, as `payload`: at most 16 KiB. It is not kept.",
    )
    occurred_at: datetime | None = strawberry.field(
        default=None,
        description="When it was done: at most 366 days ago. Now, if left out. Campaigns' periods and limits go by it.",
    )
    dry_run: bool = strawberry.field(
        default=False,
        description="Answer what would happen, for campaigns that do not listen or are not active too, and leave nothing behind.",
    )


@strawberry.type(description="An event: what the campaigns made of it.")
class RecordEventPayload:
    """The event and its campaigns."""

    event_id: str = strawberry.field(description="The idempotency key.")
    member: Member = strawberry.field(description="Who did it.")
    occurred_at: datetime = strawberry.field(description="When it was done.")
    campaigns: list[CampaignEventOutcome] = strawberry.field(
        description="Every active campaign that listens for this type of event, oldest first; in a dry run others too."
    )
    idempotent_replay: bool = strawberry.field(
        description="True if the event had arrived before; it was not processed again."
    )


RecordEventResult: TypeAlias = Annotated[
    RecordEventPayload
    | InvalidInput
    | NotFound
    | IdempotencyConflict
    | RequestInProgress
    | Overloaded,
    strawberry.union("RecordEventResult", description="What became of an event."),
]


@mutation(
    "Record what a member did, once, and grant what the campaigns give for it.",
    requires=[Scope.GRANT],
)
async def record_event(
    info: Info,
    input: Annotated[RecordEventInput, strawberry.argument(description="Who did what.")],
) -> RecordEventResult:
    """Turn the input into one command and its outcome into a payload."""
    caller = info.context.caller
    errors: list[FieldError] = []
    command = EventCommand(
        event_id=input.event_id,
        event_type=normalize_name(input.event_type),
        member=to_reference(input.member, ("input", "member"), errors),
        payload=input.payload or {},
        occurred_at=input.occurred_at,
        is_dry_run=input.dry_run,
    )
    if errors:
        raise domain.InvalidInput(errors + check_command(command))
    outcome = await recording.record_event(info.context.database, caller, command)
    return await _to_payload(info.context, outcome)


async def _to_payload(context: Context, outcome: EventOutcome) -> RecordEventPayload:
    asset_ids = {
        check.asset_id
        for campaign in outcome.campaigns
        for check in campaign.checks
        if check.asset_id is not None
    }
    await context.loaders.known_assets.load_many(asset_ids)
    is_dry_run = outcome.command.is_dry_run and not outcome.idempotent_replay
    return RecordEventPayload(
        event_id=outcome.command.event_id,
        member=to_member(context, outcome.member_id),
        occurred_at=outcome.occurred_at,
        campaigns=[
            to_campaign_outcome(campaign, context.loaders.assets, is_dry_run=is_dry_run)
            for campaign in outcome.campaigns
        ],
        idempotent_replay=outcome.idempotent_replay,
    )
