"""Lists of grants, newest first. Each function is one round trip, whatever the number of grants.

Every statement takes the same numbered parameters: $1 tenant, $2 and $3 what the caller may see, $4 to $12 the filter
if there is one.
An anchor is the condition that chooses the index; the plan is then a range of it, whatever else is filtered.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from itertools import product, starmap
from typing import Any, Final, NamedTuple
from uuid import UUID

from gateway.access import Caller
from gateway.grants.filter import GrantFilter
from gateway.grants.row import COLUMNS, GrantColumns, GrantRow, write_columns
from gateway.storage.count_store import count_each_up_to_max, count_up_to_max
from gateway.storage.database import Connection
from gateway.storage.pages import ID_LOWEST, Page, PageRequest, cut_page, id_bounds
from gateway.storage.union_store import Question, Rows, Select, ask
from gateway.visibility import visible_to

VISIBLE_PARAMETERS: Final = 3
_MEMBER: Final = 2
VISIBLE = """
grants.tenant_id = $1
    AND ($2::uuid IS NULL OR grants.organization_id = $2)
    AND ($3::uuid IS NULL OR grants.member_id = $3)
"""

WANTED = f"""{VISIBLE}
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
    "action code": "grants.organization_id = $2 AND grants.action_code = $7",
    "organization": "grants.organization_id = $2",
}
# Those that stand without a filter: their pages have a statement without its conditions, which is a fifth faster.
_UNFILTERED = ("member", "organization")


class PageForm(NamedTuple):
    """Which statement reads a page: by which index and conditions, in which direction, and how much of each grant."""

    anchor: str
    is_filtered: bool
    is_backwards: bool
    columns: GrantColumns


def _write_page(form: PageForm) -> Select:
    conditions, newer, older, limit = (
        (WANTED, "$13", "$14", "$15") if form.is_filtered else (VISIBLE, "$4", "$5", "$6")
    )
    order = "" if form.is_backwards else "DESC"
    text = f"""
SELECT {write_columns(form.columns)} FROM grants
WHERE {conditions} AND grants.id < {newer} AND grants.id > {older} AND {ANCHORS[form.anchor]}
ORDER BY grants.id {order} LIMIT {limit}
"""
    return Select(text, COLUMNS[form.columns], GrantRow)


PAGES = {
    form: _write_page(form)
    for form in starmap(PageForm, product(ANCHORS, (False, True), (False, True), GrantColumns))
    if form.is_filtered or form.anchor in _UNFILTERED
}

_MEMBER_PAGES = """
SELECT listed.*
FROM unnest($13::uuid[]) AS wanted (wanted_member_id)
CROSS JOIN LATERAL (
    SELECT {columns} FROM grants
    WHERE {wanted} AND grants.member_id = wanted_member_id AND grants.id < $14 AND grants.id > $15
    ORDER BY grants.id {order} LIMIT $16
) AS listed
ORDER BY listed.id {order}
"""
# By direction and columns; which of the members has a grant is always among those.
MEMBER_PAGES = {
    (is_backwards, columns): Select(
        _MEMBER_PAGES.format(
            columns=write_columns(columns),
            wanted=WANTED,
            order="" if is_backwards else "DESC",
        ),
        COLUMNS[columns],
        GrantRow,
    )
    for is_backwards, columns in product((False, True), (GrantColumns.SUMMARY, GrantColumns.DETAIL))
}

COUNTS = {
    name: count_up_to_max(f"grants WHERE {WANTED} AND {anchor}") for name, anchor in ANCHORS.items()
}

MEMBER_COUNTS = count_each_up_to_max(
    f"grants WHERE {WANTED} AND grants.member_id = wanted.id", "$13"
)

FETCH_VISIBLE = f"""
SELECT {write_columns(GrantColumns.DETAIL)} FROM grants WHERE {VISIBLE} AND id = ANY($4::uuid[])
"""


async def fetch_visible_grants(
    connection: Connection, caller: Caller, ids: Sequence[UUID]
) -> dict[UUID, GrantRow]:
    """Return the grants of these ids that the caller may see, with their details, by id."""
    rows = await connection.fetch(
        FETCH_VISIBLE, caller.tenant_id, *visible_to(caller), ids, record_class=GrantRow
    )
    return {row.id: row for row in rows}


async def fetch_grant_page(
    connection: Connection,
    caller: Caller,
    wanted: GrantFilter,
    request: PageRequest[UUID],
    *,
    columns: GrantColumns = GrantColumns.DETAIL,
) -> Page[GrantRow]:
    """Return a page of the grants that the caller may see; as much of each as is needed."""
    parameters = wanted_parameters(caller, wanted)
    question = _ask_page(choose_anchor(caller, wanted), parameters, request, columns=columns)
    return await ask(connection, question)


def _ask_page(
    anchor: str, parameters: list[Any], request: PageRequest[UUID], *, columns: GrantColumns
) -> Question[Page[GrantRow]]:
    is_filtered = any(value is not None for value in parameters[VISIBLE_PARAMETERS:])
    select = PAGES[PageForm(anchor, is_filtered, request.backwards, columns)]
    conditions = parameters if is_filtered else parameters[:VISIBLE_PARAMETERS]
    return Question(
        select,
        [*conditions, *id_bounds(request), request.fetch_limit],
        partial(cut_page, request),
    )


async def count_grants(connection: Connection, caller: Caller, wanted: GrantFilter) -> int:
    """Return how many grants the caller may see, up to `COUNTED_MAX`."""
    statement = COUNTS[choose_anchor(caller, wanted)]
    count: int = await connection.fetchval(statement, *wanted_parameters(caller, wanted))
    return count


def ask_member_grant_pages(
    caller: Caller,
    member_ids: Sequence[UUID],
    wanted: GrantFilter,
    request: PageRequest[UUID],
    *,
    columns: GrantColumns = GrantColumns.DETAIL,
) -> Question[dict[UUID, Page[GrantRow]]]:
    """Return the question for the same page of each member's grants, as far as the caller may see them.

    As much of each is read as is needed.
    """
    parameters = wanted_parameters(caller, wanted)
    if len(member_ids) == 1 and parameters[_MEMBER] in {None, member_ids[0]}:
        # A wallet: what one member has is read without a join.
        (member_id,) = member_ids
        parameters[_MEMBER] = member_id
        page = _ask_page("member", parameters, request, columns=columns)
        return Question(page.select, page.parameters, lambda rows: {member_id: page.take(rows)})

    def take(rows: Rows) -> dict[UUID, Page[GrantRow]]:
        grants: dict[UUID, list[GrantRow]] = {member_id: [] for member_id in member_ids}
        for row in rows:
            grants[row.member_id].append(row)
        return {member_id: cut_page(request, listed) for member_id, listed in grants.items()}

    grouped = GrantColumns.SUMMARY if columns is GrantColumns.LEAN else columns
    select = MEMBER_PAGES[request.backwards, grouped]
    return Question(
        select, [*parameters, member_ids, *id_bounds(request), request.fetch_limit], take
    )


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
    return "organization" if wanted.action_code is None else "action code"


def wanted_parameters(caller: Caller, wanted: GrantFilter) -> list[Any]:
    """Return $1 to $12: the tenant, what the caller may see, and the filter."""
    organization_id, member_id = visible_to(caller)
    if wanted.member_id is not None:
        # A member who asks for somebody else's grants sees none.
        member_id = wanted.member_id if member_id in {None, wanted.member_id} else ID_LOWEST
    return [
        caller.tenant_id,
        organization_id,
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
