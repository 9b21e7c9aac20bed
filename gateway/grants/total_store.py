"""Sums of grants by action code, reward, campaign, source, day or asset: one round trip."""

from __future__ import annotations

from dataclasses import replace
from uuid import UUID

from gateway.access import Caller
from gateway.grants.filter import GrantFilter, GrantGrouping, GrantTotal
from gateway.grants.list_store import ANCHORS, WANTED, choose_anchor, wanted_parameters
from gateway.grants.record import GrantStatus
from gateway.storage.database import Connection

GROUPS_MAX = 1_000
# What was taken back or refused is in nobody's hands.
_WITHOUT_EFFECT = frozenset({GrantStatus.REVERSED, GrantStatus.DECLINED})

# An empty text stands for grants that have no such key: a null would not join.
_KEYS = {
    GrantGrouping.ACTION_CODE: ("coalesce(action_code, '')", "grant_count DESC, key"),
    GrantGrouping.REWARD: ("coalesce(reward_id::text, '')", "grant_count DESC, key"),
    GrantGrouping.CAMPAIGN: ("coalesce(details ->> 'campaign_id', '')", "grant_count DESC, key"),
    GrantGrouping.SOURCE: ("source", "grant_count DESC, key"),
    GrantGrouping.DAY: ("to_char(rewarded_at AT TIME ZONE 'UTC', 'YYYY-MM-DD')", "key DESC"),
    GrantGrouping.ASSET: (
        "coalesce(asset_id, product_id, competition_id, '')",
        "grant_count DESC, key",
    ),
}

_GRANTS = "count(*) FILTER (WHERE coalesce(position, 1) = 1)"
# Elsewhere all benefits of a grant have its key, so that counting the first counts the grant, without sorting all of them.
_GRANTS_OF_ASSET = "count(DISTINCT grants.id)"

# A benefit's amount is what the ledger posted for it; units of products and entries of competitions are assets too.
TOTALS = {
    (grouping, name): f"""
WITH parts AS (
    SELECT {key} AS key, coalesce(asset_id, product_id, competition_id) AS asset_id,
        {_GRANTS_OF_ASSET if grouping is GrantGrouping.ASSET else _GRANTS} AS grant_count,
        sum(coalesce(amount_minor, quantity, entries))::numeric AS amount_minor
    FROM grants LEFT JOIN LATERAL ROWS FROM (jsonb_to_recordset(benefits) AS
        (asset_id text, amount_minor bigint, product_id text, quantity bigint, competition_id text, entries bigint)
    ) WITH ORDINALITY AS benefit (asset_id, amount_minor, product_id, quantity, competition_id, entries, position) ON true
    WHERE {WANTED} AND {anchor}
    GROUP BY 1, 2
), groups AS (
    SELECT key, sum(grant_count)::bigint AS grant_count FROM parts GROUP BY key ORDER BY {order} LIMIT $13
)
SELECT key, groups.grant_count, parts.asset_id, parts.amount_minor
FROM groups JOIN parts USING (key)
ORDER BY {order.replace("grant_count", "groups.grant_count")}, parts.asset_id
"""
    for grouping, (key, order) in _KEYS.items()
    for name, anchor in ANCHORS.items()
}


async def fetch_grant_totals(
    connection: Connection, caller: Caller, grouping: GrantGrouping, wanted: GrantFilter
) -> list[GrantTotal]:
    """Return the sums of the grants that the caller may see: days newest first, other groups largest first, at most 1,000.

    Reversed and declined grants count only if the filter names their status.
    """
    if wanted.statuses is None:
        wanted = replace(
            wanted,
            statuses=tuple(status for status in GrantStatus if status not in _WITHOUT_EFFECT),
        )
    rows = await connection.fetch(
        TOTALS[grouping, choose_anchor(caller, wanted)],
        *wanted_parameters(caller, wanted),
        GROUPS_MAX,
    )
    totals: dict[str, GrantTotal] = {}
    for key, grant_count, asset_id, amount_minor in rows:
        total = totals.setdefault(key, GrantTotal(key or None, grant_count, {}))
        if asset_id is not None:
            total.amounts_minor[UUID(asset_id)] = int(amount_minor)
    return list(totals.values())
