"""How often limits were used. Each function is one round trip, whatever the number of limits.

A limit's row for one subject and window is what concurrent events wait for: whoever holds it knows how often the limit was
used, and nobody else can use it until they are done.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from uuid import UUID

from gateway.campaigns.model import LimitSlot
from gateway.campaigns.windows import busiest_window, window_start
from gateway.storage.database import Connection, column

# In one order, so that events that share limits cannot deadlock. What a whole campaign shares comes last: it is not held
# while the event waits for what only the member shares.
LOCK = """
INSERT INTO campaign_counters (tenant_id, campaign_id, limit_place, subject_id, window_start, used)
SELECT $1, campaign_id, limit_place, subject_id, window_start, 0
FROM unnest($2::uuid[], $3::int[], $4::uuid[], $5::date[]) AS wanted (campaign_id, limit_place, subject_id, window_start)
ORDER BY subject_id = campaign_id, campaign_id, limit_place, subject_id, window_start
ON CONFLICT (tenant_id, campaign_id, limit_place, subject_id, window_start) DO UPDATE SET used = campaign_counters.used
RETURNING campaign_id, limit_place, used
"""

FETCH = """
SELECT campaign_id, limit_place, used FROM campaign_counters
WHERE tenant_id = $1 AND (campaign_id, limit_place, subject_id, window_start)
    IN (SELECT * FROM unnest($2::uuid[], $3::int[], $4::uuid[], $5::date[]))
"""

# At most twice the maximum of the limit lies within its length on both sides of a moment.
FETCH_USES = """
SELECT wanted.campaign_id, wanted.limit_place, near.occurred_at
FROM unnest($2::uuid[], $3::int[], $4::uuid[], $5::timestamptz[], $6::timestamptz[])
    AS wanted (campaign_id, limit_place, subject_id, after, before)
CROSS JOIN LATERAL (
    SELECT occurred_at FROM campaign_uses
    WHERE tenant_id = $1 AND campaign_id = wanted.campaign_id AND limit_place = wanted.limit_place
        AND subject_id = wanted.subject_id AND occurred_at > wanted.after AND occurred_at < wanted.before
) AS near
"""

USE = """
WITH new_uses AS (
    INSERT INTO campaign_uses (tenant_id, campaign_id, limit_place, subject_id, occurred_at, operation_id)
    SELECT $1, campaign_id, limit_place, subject_id, $7, $8
    FROM unnest($2::uuid[], $3::int[], $4::uuid[], $5::date[], $6::boolean[])
        AS used (campaign_id, limit_place, subject_id, window_start, is_rolling)
    WHERE is_rolling
)
UPDATE campaign_counters SET used = campaign_counters.used + 1
FROM unnest($2::uuid[], $3::int[], $4::uuid[], $5::date[], $6::boolean[])
    AS used (campaign_id, limit_place, subject_id, window_start, is_rolling)
WHERE campaign_counters.tenant_id = $1 AND campaign_counters.campaign_id = used.campaign_id
    AND campaign_counters.limit_place = used.limit_place AND campaign_counters.subject_id = used.subject_id
    AND campaign_counters.window_start = used.window_start
"""


@dataclass(frozen=True, slots=True)
class Use:
    """A limit as one event meets it: for this subject, in this window."""

    campaign_id: UUID
    limit_place: int
    subject_id: UUID
    window_start: date
    rolling_seconds: int | None

    @property
    def is_rolling(self) -> bool:
        """Tell whether the moments of its uses matter."""
        return self.rolling_seconds is not None


def to_use(slot: LimitSlot, member_id: UUID, occurred_at: datetime) -> Use:
    """Return the limit as this member's event meets it."""
    campaign = slot.campaign
    return Use(
        campaign.id,
        slot.place,
        slot.subject_id(member_id),
        window_start(slot.limit, occurred_at, campaign.time_zone),
        slot.limit.rolling_seconds,
    )


async def fetch_used(
    connection: Connection,
    tenant_id: UUID,
    uses: Sequence[Use],
    occurred_at: datetime,
    *,
    is_locking: bool,
) -> dict[tuple[UUID, int], int]:
    """Return how often each limit was used in its window, by campaign and place.

    Locking keeps it so until the database transaction ends. Round trips: one, and one more if there are rolling windows.
    """
    if not uses:
        return {}
    used = {(use.campaign_id, use.limit_place): 0 for use in uses}
    rows = await connection.fetch(LOCK if is_locking else FETCH, tenant_id, *_columns(uses))
    used |= {(campaign_id, place): count for campaign_id, place, count in rows}
    rolling = [use for use in uses if use.is_rolling]
    if rolling:
        used |= await _fetch_rolling(connection, tenant_id, rolling, occurred_at)
    return used


async def add_uses(
    connection: Connection,
    tenant_id: UUID,
    uses: Sequence[Use],
    occurred_at: datetime,
    operation_id: UUID,
) -> None:
    """Count one more use of each of these limits, which are locked."""
    if uses:
        await connection.execute(
            USE,
            tenant_id,
            *_columns(uses),
            column(uses, "is_rolling"),
            occurred_at,
            operation_id,
        )


async def _fetch_rolling(
    connection: Connection, tenant_id: UUID, uses: Sequence[Use], occurred_at: datetime
) -> dict[tuple[UUID, int], int]:
    lengths = [timedelta(seconds=use.rolling_seconds or 0) for use in uses]
    rows = await connection.fetch(
        FETCH_USES,
        tenant_id,
        column(uses, "campaign_id"),
        column(uses, "limit_place"),
        column(uses, "subject_id"),
        [occurred_at - length for length in lengths],
        [occurred_at + length for length in lengths],
    )
    times: dict[tuple[UUID, int], list[datetime]] = defaultdict(list)
    for campaign_id, place, moment in rows:
        times[campaign_id, place].append(moment)
    return {
        (use.campaign_id, use.limit_place): busiest_window(
            times[use.campaign_id, use.limit_place], occurred_at, length
        )
        for use, length in zip(uses, lengths, strict=True)
    }


def _columns(uses: Sequence[Use]) -> list[list[object]]:
    names = ("campaign_id", "limit_place", "subject_id", "window_start")
    return [column(uses, name) for name in names]
