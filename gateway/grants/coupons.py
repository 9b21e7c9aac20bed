"""Unique coupons within a batch: who already holds one, and which free code each other line gets."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from gateway.errors import Overloaded
from gateway.grants import coupon_store
from gateway.grants.coupon_store import DrawnCode
from gateway.grants.line import AlreadyIssued, Line
from gateway.grants.status import Refusal, StatusCode
from gateway.storage.database import Connection

ASSIGN_ROUNDS_MAX = 3
# A reward and a member.
Pair = tuple[UUID, UUID]

EXHAUSTED = Refusal(StatusCode.POOL_EXHAUSTED, ("The code pool has no free codes.",))


@dataclass(frozen=True, slots=True)
class Draw:
    """What was decided for the coupon lines, by grant id: a code, an earlier grant, or a refusal."""

    codes: dict[UUID, DrawnCode] = field(default_factory=dict)
    settled: dict[UUID, AlreadyIssued | Refusal] = field(default_factory=dict)


async def draw_coupons(
    connection: Connection, tenant_id: UUID, lines: Sequence[Line], at: datetime
) -> Draw:
    """Reserve one free code for each coupon line whose member holds none of that reward.

    The assignment row of reward and member is inserted first: a concurrent request for the same pair waits on it and then
    sees the code that was given. Codes are taken with SKIP LOCKED, so takers of one pool wait for each other only for its last
    codes. Round trips: none without coupon lines, two with, one more if some member holds one already, one more if no code is
    free at once; two more whenever a member's earlier grant is reversed in between.
    """
    wanting = [line for line in lines if line.coupon is not None]
    draw = Draw()
    if not wanting:
        return draw
    first_lines: dict[Pair, Line] = {}
    for line in wanting:
        first_lines.setdefault(_pair(line), line)
    earlier = await _assign(connection, tenant_id, first_lines)
    for line in wanting:
        pair = _pair(line)
        if pair in earlier:
            draw.settled[line.grant_id] = AlreadyIssued(earlier[pair])
        elif first_lines[pair] is not line:
            draw.settled[line.grant_id] = AlreadyIssued(first_lines[pair].grant_id)
    await _take_codes(connection, tenant_id, list(first_lines.values()), draw, at)
    return draw


async def _assign(
    connection: Connection, tenant_id: UUID, lines: Mapping[Pair, Line]
) -> dict[Pair, UUID]:
    """Make each line's member the holder of its reward; return the grants of those who hold it already."""
    earlier: dict[Pair, UUID] = {}
    waiting = dict(lines)
    for _ in range(ASSIGN_ROUNDS_MAX):
        assigned = await coupon_store.assign(connection, tenant_id, list(waiting.values()))
        waiting = {pair: line for pair, line in waiting.items() if line.grant_id not in assigned}
        if waiting:
            earlier |= await coupon_store.fetch_holders(connection, tenant_id, waiting)
        # A holder who was there and is now gone had the coupon taken back in between: try for it again.
        waiting = {pair: line for pair, line in waiting.items() if pair not in earlier}
        if not waiting:
            return earlier
    raise Overloaded("The coupon keeps being granted and taken back; try again shortly.")


async def _take_codes(
    connection: Connection, tenant_id: UUID, lines: Sequence[Line], draw: Draw, at: datetime
) -> None:
    pools = {line.grant_id: line.coupon.pool_id for line in lines if line.coupon is not None}
    for grant_id in draw.settled:
        pools.pop(grant_id, None)
    if not pools:
        return
    free = await coupon_store.take_free_codes(connection, tenant_id, Counter(pools.values()), at)
    for grant_id, pool_id in pools.items():
        if free[pool_id]:
            draw.codes[grant_id] = free[pool_id].pop()
        else:
            draw.settled[grant_id] = EXHAUSTED


def _pair(line: Line) -> Pair:
    assert line.coupon is not None  # noqa: S101 - callers pass coupon lines only
    return line.coupon.reward_id, line.member_id
