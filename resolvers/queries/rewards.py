"""`reward` and `rewards`: read the catalog (MON-1, MON-13)."""

from __future__ import annotations

from typing import Annotated

import strawberry

from gateway.access import Scope
from gateway.ids import IdKind, decode_id
from gateway.rewards.model import Reward as RewardRecord
from gateway.rewards.model import RewardStatus
from gateway.rewards.store import RewardFilter, count_rewards, fetch_reward_page
from resolvers.context import Info
from resolvers.fields import query
from resolvers.pages import (
    After,
    Before,
    Connection,
    First,
    Last,
    id_cursor,
    read_page_request,
    to_connection,
)
from resolvers.types.catalog_reward import RewardType, to_catalog_reward
from resolvers.types.reward import Reward, load_reward

REWARD_CURSOR = id_cursor(b"r")


@strawberry.input(
    name="RewardFilter",
    description="Which rewards are wanted: all of the conditions given must hold. An empty list matches nothing.",
)
class RewardFilterInput:
    """Conditions on rewards; each is optional."""

    status: list[RewardStatus] | None = strawberry.field(
        default=None, description="With any of these states."
    )
    type: list[RewardType] | None = strawberry.field(
        default=None, description="Of any of these types."
    )


@query(
    "Fetch one reward of the catalog; null if it is unknown, deleted or another organization's.",
    requires=[Scope.READ, Scope.CATALOG],
)
async def reward(
    info: Info,
    id: Annotated[strawberry.ID, strawberry.argument(description="The reward: `rew_…`.")],
) -> Reward | None:
    """Look one reward up."""
    reward_id = decode_id(IdKind.REWARD, id)
    return None if reward_id is None else await load_reward(info.context, reward_id)


@query(
    "List the catalog, newest first (those with an id that the caller chose stand where that id sorts).",
    requires=[Scope.READ, Scope.CATALOG],
)
async def rewards(
    info: Info,
    filter: Annotated[
        RewardFilterInput | None, strawberry.argument(description="Which rewards; all if left out.")
    ] = None,
    first: First = None,
    after: After = None,
    last: Last = None,
    before: Before = None,
) -> Connection[Reward]:
    """Read one page."""
    caller = info.context.caller
    request = read_page_request(REWARD_CURSOR, first, after, last, before)
    wanted = _to_filter(filter) if filter else RewardFilter()
    scope = (caller.tenant_id, caller.organization_id)
    async with info.context.database.connection() as connection:
        page = await fetch_reward_page(connection, *scope, wanted, request)
    info.context.spend_rows(len(page.items))

    async def count() -> int:
        async with info.context.database.connection() as connection:
            return await count_rewards(connection, *scope, wanted)

    return to_connection(page, to_catalog_reward, _to_cursor, count)


def _to_cursor(record: RewardRecord) -> str:
    return REWARD_CURSOR.encode(record.id)


def _to_filter(given: RewardFilterInput) -> RewardFilter:
    return RewardFilter(
        statuses=None if given.status is None else tuple(given.status),
        kinds=None if given.type is None else tuple(given.type),
    )
