"""Statements about codes and who holds them; each is one round trip for any number of lines, unless it says otherwise."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from gateway.grants.line import Line
from gateway.rewards.codes import open_code
from gateway.storage.database import Connection, column

# Ordered, so that two batches with the same pairs wait for each other in one direction only.
ASSIGN = """
INSERT INTO coupon_assignments (tenant_id, reward_id, member_id, grant_id)
SELECT $1, * FROM unnest($2::uuid[], $3::uuid[], $4::uuid[]) AS wanted (reward_id, member_id, grant_id)
ORDER BY reward_id, member_id
ON CONFLICT (tenant_id, reward_id, member_id) DO NOTHING
RETURNING grant_id
"""

# By grant too: a refused line must not take the coupon of an earlier grant from its member.
UNASSIGN = """
DELETE FROM coupon_assignments
USING unnest($2::uuid[], $3::uuid[], $4::uuid[]) AS dropped (reward_id, member_id, grant_id)
WHERE coupon_assignments.tenant_id = $1 AND coupon_assignments.reward_id = dropped.reward_id
    AND coupon_assignments.member_id = dropped.member_id AND coupon_assignments.grant_id = dropped.grant_id
"""

HOLDERS = """
SELECT reward_id, member_id, grant_id FROM coupon_assignments
WHERE tenant_id = $1 AND (reward_id, member_id) IN (SELECT * FROM unnest($2::uuid[], $3::uuid[]))
"""

TAKE = """
SELECT wanted.pool_id, free.id, free.code_sealed, free.expires_at
FROM unnest($2::uuid[], $3::int[]) AS wanted (pool_id, code_count)
CROSS JOIN LATERAL (
    SELECT id, code_sealed, expires_at FROM codes
    WHERE tenant_id = $1 AND pool_id = wanted.pool_id AND status = 'FREE'
        AND (expires_at IS NULL OR expires_at > $4)
    ORDER BY id LIMIT wanted.code_count FOR UPDATE SKIP LOCKED
) AS free
"""

TAKE_WAITING = TAKE.replace(" SKIP LOCKED", "")

GIVE = """
UPDATE codes SET status = 'GRANTED', grant_id = given.grant_id
FROM unnest($2::uuid[], $3::uuid[], $4::uuid[]) AS given (pool_id, id, grant_id)
WHERE codes.tenant_id = $1 AND codes.pool_id = given.pool_id AND codes.id = given.id AND codes.status = 'FREE'
"""

VOID = """
UPDATE codes SET status = 'VOIDED' WHERE tenant_id = $1 AND grant_id = ANY($2::uuid[]) AND status = 'GRANTED'
"""


@dataclass(frozen=True, slots=True)
class DrawnCode:
    """A free code that this database transaction has locked."""

    pool_id: UUID
    id: UUID
    code: str
    expires_at: datetime | None


async def assign(connection: Connection, tenant_id: UUID, lines: Sequence[Line]) -> set[UUID]:
    """Mark each line's member as holder of its reward; return the grant ids that were first."""
    coupons = [line.coupon for line in lines if line.coupon is not None]
    rows = await connection.fetch(
        ASSIGN,
        tenant_id,
        column(coupons, "reward_id"),
        column(lines, "member_id"),
        column(lines, "grant_id"),
    )
    return {row["grant_id"] for row in rows}


async def unassign(
    connection: Connection, tenant_id: UUID, pairs: Mapping[UUID, tuple[UUID, UUID]]
) -> None:
    """Unmark these pairs of reward and member, by grant id, where it is by that grant that they are marked."""
    ordered = sorted((*pair, grant_id) for grant_id, pair in pairs.items())
    await connection.write(UNASSIGN, tenant_id, *zip(*ordered, strict=True))


async def fetch_holders(
    connection: Connection, tenant_id: UUID, pairs: Iterable[tuple[UUID, UUID]]
) -> dict[tuple[UUID, UUID], UUID]:
    """Return the grant that gave each of these pairs of reward and member their code."""
    ordered = sorted(pairs)
    rows = await connection.fetch(
        HOLDERS, tenant_id, [reward for reward, _ in ordered], [member for _, member in ordered]
    )
    return {(row["reward_id"], row["member_id"]): row["grant_id"] for row in rows}


async def take_free_codes(
    connection: Connection, tenant_id: UUID, wanted: Mapping[UUID, int], at: datetime
) -> dict[UUID, list[DrawnCode]]:
    """Lock up to the wanted number of free, unexpired codes of each pool, passing over codes that others have locked.

    If nothing but such codes is left, it waits for what becomes of them: a dry run, or a call that is refused after all,
    leaves its codes free. One round trip more. Whoever waits has locked no code, and waits in the order of pool and code, so
    that no two wait for each other.
    """
    pools = sorted(wanted)
    parameters = (tenant_id, pools, [wanted[pool_id] for pool_id in pools], at)
    rows = await connection.fetch(TAKE, *parameters)
    if not rows:
        rows = await connection.fetch(TAKE_WAITING, *parameters)
    free: dict[UUID, list[DrawnCode]] = defaultdict(list)
    for row in rows:
        code = open_code(connection.keys, tenant_id, row["id"], row["code_sealed"])
        free[row["pool_id"]].append(DrawnCode(row["pool_id"], row["id"], code, row["expires_at"]))
    return free


async def give_codes(
    connection: Connection, tenant_id: UUID, given: Mapping[UUID, DrawnCode]
) -> None:
    """Make locked codes the granted ones of these grants."""
    drawn = list(given.values())
    await connection.write(
        GIVE, tenant_id, column(drawn, "pool_id"), column(drawn, "id"), list(given)
    )


async def void_codes(connection: Connection, tenant_id: UUID, grant_ids: Sequence[UUID]) -> None:
    """Void the codes that these grants gave."""
    await connection.write(VOID, tenant_id, list(grant_ids))
