"""Lists of grants, newest first. Each function is one round trip, whatever the number of grants.

Every statement takes the same numbered parameters: $1 tenant, $2 and $3 what the caller may see, $4 to $12 the filter.
An anchor is the condition that chooses the index; the plan is then a range of it, whatever else is filtered.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from gateway.access import Caller
from gateway.grants.filter import GrantFilter, visible_to
from gateway.grants.record import GrantRecord
from gateway.grants.store import COLUMNS, to_record
from gateway.storage.database import Connection
from gateway.storage.pages import ID_LOWEST, Page, PageRequest, cut_page, id_bounds

WANTED = """
grants.tenant_id = $1
    AND ($2::uuid IS NULL OR grants.organisation_id = $2)
    AND ($3::uuid IS NULL OR grants.member_id = $3)
    AND ($4::text[] IS NULL OR grants.status = ANY($4))
    AND ($5::text[] IS NULL OR grants.source = ANY($5))
    AND ($6::text[] IS NULL OR grants.kind = ANY($6))
    AND ($7::text IS NULL OR grants.action_code = $7)
    AND ($8::uuid IS NULL OR grants.reward_id = $8)
    AND ($9::text IS NULL OR grants.client_reference = $9)
    AND ($10::timestamptz IS NULL OR grants.rewarded_at >= $10)
    AND ($11::timestamptz IS NULL OR grants.rewarded_at < $11)
    AND ($12::text[] IS NULL OR EXISTS (SELECT FROM fulfillments
        WHERE fulfillments.tenant_id = $1 AND fulfillments.grant_id = grants.id AND fulfillments.stage = ANY($12)))
"""

ANCHORS = {
    "member": "grants.member_id = $3",
    "reward": "grants.reward_id = $8",
    "action code": "grants.organisation_id = $2 AND grants.action_code = $7",
    "organisation": "grants.organisation_id = $2",
}

_PAGE = f"SELECT {COLUMNS} FROM grants WHERE {WANTED} AND grants.id < $13 AND grants.id > $14 AND "
PAGES = {
    name: f"{_PAGE}{anchor} ORDER BY grants.id DESC LIMIT $15" for name, anchor in ANCHORS.items()
}
PAGES_BACKWARDS = {
    name: f"{_PAGE}{anchor} ORDER BY grants.id LIMIT $15" for name, anchor in ANCHORS.items()
}

_MEMBER_PAGES = f"""
SELECT listed.*
FROM unnest($13::uuid[]) AS wanted (wanted_member_id)
CROSS JOIN LATERAL (
    SELECT {COLUMNS} FROM grants
    WHERE {WANTED} AND grants.member_id = wanted_member_id AND grants.id < $14 AND grants.id > $15
    ORDER BY grants.id DESC LIMIT $16
) AS listed
ORDER BY listed.id DESC
"""
MEMBER_PAGES = {False: _MEMBER_PAGES, True: _MEMBER_PAGES.replace(" DESC", "")}

COUNTS = {
    name: f"SELECT count(*) FROM grants WHERE {WANTED} AND {anchor}"
    for name, anchor in ANCHORS.items()
}

MEMBER_COUNTS = f"""
SELECT grants.member_id, count(*) FROM grants
WHERE {WANTED} AND grants.member_id = ANY($13::uuid[])
GROUP BY grants.member_id
"""

FETCH_VISIBLE = f"""
SELECT {COLUMNS} FROM grants
WHERE tenant_id = $1 AND ($2::uuid IS NULL OR organisation_id = $2) AND ($3::uuid IS NULL OR member_id = $3)
    AND id = ANY($4::uuid[])
"""


async def fetch_visible_grants(
    connection: Connection, caller: Caller, ids: Sequence[UUID]
) -> dict[UUID, GrantRecord]:
    """Return the grants of these ids that the caller may see, by id."""
    rows = await connection.fetch(FETCH_VISIBLE, caller.tenant_id, *visible_to(caller), list(ids))
    return {row["id"]: to_record(row) for row in rows}


async def fetch_grant_page(
    connection: Connection, caller: Caller, wanted: GrantFilter, request: PageRequest[UUID]
) -> Page[GrantRecord]:
    """Return a page of the grants that the caller may see."""
    pages = PAGES_BACKWARDS if request.backwards else PAGES
    rows = await connection.fetch(
        pages[choose_anchor(caller, wanted)],
        *wanted_parameters(caller, wanted),
        *id_bounds(request),
        request.fetch_limit,
    )
    return cut_page(request, [to_record(row) for row in rows])


async def count_grants(connection: Connection, caller: Caller, wanted: GrantFilter) -> int:
    """Return how many grants the caller may see."""
    statement = COUNTS[choose_anchor(caller, wanted)]
    count: int = await connection.fetchval(statement, *wanted_parameters(caller, wanted))
    return count


async def fetch_member_grant_pages(
    connection: Connection,
    caller: Caller,
    member_ids: Sequence[UUID],
    wanted: GrantFilter,
    request: PageRequest[UUID],
) -> dict[UUID, Page[GrantRecord]]:
    """Return the same page of each member's grants, as far as the caller may see them."""
    rows = await connection.fetch(
        MEMBER_PAGES[request.backwards],
        *wanted_parameters(caller, wanted),
        list(member_ids),
        *id_bounds(request),
        request.fetch_limit,
    )
    grants: dict[UUID, list[GrantRecord]] = {member_id: [] for member_id in member_ids}
    for row in rows:
        grants[row["member_id"]].append(to_record(row))
    return {member_id: cut_page(request, listed) for member_id, listed in grants.items()}


async def count_member_grants(
    connection: Connection, caller: Caller, member_ids: Sequence[UUID], wanted: GrantFilter
) -> dict[UUID, int]:
    """Return how many grants of each member the caller may see; every member asked for has a count."""
    rows = await connection.fetch(
        MEMBER_COUNTS, *wanted_parameters(caller, wanted), list(member_ids)
    )
    return dict.fromkeys(member_ids, 0) | dict(map(tuple, rows))


def choose_anchor(caller: Caller, wanted: GrantFilter) -> str:
    """Return the condition that leaves the fewest grants to look through."""
    if caller.member_id is not None or wanted.member_id is not None:
        return "member"
    if wanted.reward_id is not None:
        return "reward"
    return "organisation" if wanted.action_code is None else "action code"


def wanted_parameters(caller: Caller, wanted: GrantFilter) -> list[Any]:
    """Return $1 to $12: the tenant, what the caller may see, and the filter."""
    organisation_id, member_id = visible_to(caller)
    if wanted.member_id is not None:
        # A member who asks for somebody else's grants sees none.
        member_id = wanted.member_id if member_id in {None, wanted.member_id} else ID_LOWEST
    return [
        caller.tenant_id,
        organisation_id,
        member_id,
        wanted.statuses,
        wanted.sources,
        wanted.kinds,
        wanted.action_code,
        wanted.reward_id,
        wanted.client_reference,
        wanted.rewarded_from,
        wanted.rewarded_until,
        wanted.stages,
    ]
