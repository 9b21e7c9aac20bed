"""Members by how they are named, as a part of other statements: whoever has to read more about them needs one round trip for both."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from gateway.ids import UUID_PATTERN, to_uuid
from gateway.members.identifiers import IdentifierKind

# Subqueries, not joins: each place is one look-up by primary key, however large the tenant and whatever the planner knows.
FIND = """
SELECT CASE WHEN kind IS NULL
    THEN (SELECT members.id FROM members WHERE tenant_id = $1 AND members.id = wanted.id)
    ELSE (SELECT member_id FROM member_identifiers AS known
        WHERE tenant_id = $1 AND known.kind = wanted.kind AND known.value = wanted.value)
    END AS member_id
FROM unnest($2::text[], $3::text[], $4::uuid[]) WITH ORDINALITY AS wanted (kind, value, id, position)
ORDER BY position
"""

# One row, for whoever has something else to do in the same statement.
FIND_AT_ONCE = f"SELECT ARRAY({FIND}) AS member_ids"


def to_find_arguments(
    wanted: Sequence[tuple[IdentifierKind | None, str]],
) -> tuple[list[IdentifierKind | None], list[str | None], list[UUID | None]]:
    """Return the parameters $2 to $4 of `FIND`, which names a member for each reference in order, or nobody."""
    return (
        [kind for kind, _ in wanted],
        [None if kind is None else value for kind, value in wanted],
        [_to_uuid(value) if kind is None else None for kind, value in wanted],
    )


def _to_uuid(text: str) -> UUID | None:
    return to_uuid(text) if UUID_PATTERN.fullmatch(text) else None
