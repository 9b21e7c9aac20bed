"""Fulfillment: stages, and where a grant stands (CAP-15)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from uuid import UUID

import strawberry

from gateway.issuing.fulfillment import model as domain
from gateway.issuing.fulfillment.store import fetch_fulfillments
from gateway.storage.database import Connection
from resolvers.fields import resolved
from resolvers.loaders import Loaders


@strawberry.type(description="A stage of an organization's fulfillment, such as BOOKED.")
class FulfillmentStage:
    """A name and a place."""

    name: str = strawberry.field(description="The stage's name, unique in the organization.")
    position: int = strawberry.field(
        description="Its place: stages are listed from the lowest. New grants begin at the first."
    )


@strawberry.type(description="A stage that a grant came to.")
class FulfillmentStep:
    """A stage, a time and a note."""

    step: strawberry.Private[domain.Step]

    @resolved("The stage.")
    def stage(self) -> str:
        """Return what the step has."""
        return self.step.stage

    @resolved("When the grant came to it.")
    def at(self) -> datetime:
        """Return what the step has."""
        return self.step.at

    @resolved("What the partner noted; null if nothing was. Null for members.")
    def note(self) -> str | None:
        """Return what the step has."""
        return self.step.note


@strawberry.type(description="Where a grant stands, and where it was.")
class Fulfillment:
    """The last step and all steps."""

    stage: str = strawberry.field(description="The stage that the grant is at.")
    updated_at: datetime = strawberry.field(description="When it came there.")
    history: list[FulfillmentStep] = strawberry.field(description="Every step, oldest first.")


def to_stage(stage: domain.Stage) -> FulfillmentStage:
    """Return a stage as its GraphQL type."""
    return FulfillmentStage(name=stage.name, position=stage.position)


async def load_fulfillments(
    connection: Connection, loaders: Loaders, grant_ids: Sequence[UUID]
) -> Mapping[UUID, Fulfillment]:
    """Return where each grant stands; a fetcher for loaders. Whoever holds a grant may see it."""
    found = await fetch_fulfillments(connection, loaders.caller.tenant_id, grant_ids)
    return {grant_id: _to_fulfillment(one) for grant_id, one in found.items()}


def _to_fulfillment(found: domain.Fulfillment) -> Fulfillment:
    return Fulfillment(
        stage=found.stage,
        updated_at=found.updated_at,
        history=[FulfillmentStep(step=step) for step in found.steps],
    )
