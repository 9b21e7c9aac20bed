"""Stages and steps in the database. Each function is one round trip, whatever the number of grants."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from gateway.issuing.fulfillment.model import FirstStage, Fulfillment, Stage, Step
from gateway.operations.model import Operation
from gateway.storage.database import Connection, column

# Left out, a position is the next after the last; a stage that is defined again without one stays where it is.
DEFINE = """
INSERT INTO fulfillment_stages (tenant_id, organization_id, name, position, created_at)
SELECT $1, $2, $3, coalesce($4, (SELECT coalesce(max(position), 0) + 1 FROM fulfillment_stages
    WHERE tenant_id = $1 AND organization_id = $2)), $5
ON CONFLICT (tenant_id, organization_id, name) DO UPDATE SET position = coalesce($4, fulfillment_stages.position)
RETURNING position
"""

FETCH_STAGES = """
SELECT name, position FROM fulfillment_stages WHERE tenant_id = $1 AND organization_id = $2
ORDER BY position, created_at, name
"""

BEGIN = """
WITH begun AS (
    INSERT INTO fulfillments (tenant_id, grant_id, organization_id, stage, step_count, updated_at)
    SELECT $1, grant_id, organization_id, stage, 1, $6
    FROM unnest($2::uuid[], $3::uuid[], $4::text[]) AS new (grant_id, organization_id, stage)
)
INSERT INTO fulfillment_steps (tenant_id, grant_id, step, stage, operation_id, occurred_at)
SELECT $1, grant_id, 1, stage, operation_id, $6
FROM unnest($2::uuid[], $4::text[], $5::uuid[]) AS new (grant_id, stage, operation_id)
"""

# The count of steps is taken under the row's lock, so that two moves at once are two steps.
MOVE = """
WITH moved AS (
    INSERT INTO fulfillments (tenant_id, grant_id, organization_id, stage, step_count, updated_at)
    VALUES ($1, $2, $3, $4, 1, $7)
    ON CONFLICT (tenant_id, grant_id) DO UPDATE
        SET stage = excluded.stage, step_count = fulfillments.step_count + 1, updated_at = excluded.updated_at
    RETURNING step_count
)
INSERT INTO fulfillment_steps (tenant_id, grant_id, step, stage, note, operation_id, occurred_at)
SELECT $1, $2, step_count, $4, $5, $6, $7 FROM moved
"""

FETCH_STEPS = """
SELECT grant_id, stage, note, occurred_at FROM fulfillment_steps
WHERE tenant_id = $1 AND grant_id = ANY($2::uuid[]) ORDER BY grant_id, step
"""


async def define_stage(
    connection: Connection,
    tenant_id: UUID,
    organization_id: UUID,
    name: str,
    position: int | None,
    at: datetime,
) -> Stage:
    """Add a stage, or move the one of this name, and return it."""
    place: int = await connection.fetchval(DEFINE, tenant_id, organization_id, name, position, at)
    return Stage(name, place)


async def fetch_stages(
    connection: Connection, tenant_id: UUID, organization_id: UUID
) -> list[Stage]:
    """Return an organization's stages in order."""
    rows = await connection.fetch(FETCH_STAGES, tenant_id, organization_id)
    return [Stage(row["name"], row["position"]) for row in rows]


async def begin(
    connection: Connection,
    tenant_id: UUID,
    first: Sequence[FirstStage],
    operation_ids: Sequence[UUID],
    at: datetime,
) -> None:
    """Put new grants at their first stages, each as its own operation's."""
    await connection.execute(
        BEGIN,
        tenant_id,
        column(first, "grant_id"),
        column(first, "organization_id"),
        column(first, "stage"),
        operation_ids,
        at,
    )


async def move(
    connection: Connection,
    tenant_id: UUID,
    target: FirstStage,
    note: str | None,
    operation: Operation,
) -> None:
    """Put a grant at a stage, its first one or another."""
    await connection.execute(MOVE, tenant_id, *target, note, operation.id, operation.at)


async def fetch_fulfillments(
    connection: Connection, tenant_id: UUID, grant_ids: Sequence[UUID]
) -> dict[UUID, Fulfillment]:
    """Return where each of these grants stands, leaving out those that have no fulfillment."""
    steps: dict[UUID, list[Step]] = defaultdict(list)
    for row in await connection.fetch(FETCH_STEPS, tenant_id, list(grant_ids)):
        steps[row["grant_id"]].append(Step(row["stage"], row["occurred_at"], row["note"]))
    return {
        grant_id: Fulfillment(taken[-1].stage, taken[-1].at, taken)
        for grant_id, taken in steps.items()
    }
