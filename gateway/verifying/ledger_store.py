"""Checks of the ledger itself: sums, balances, holds, events."""

from __future__ import annotations

from gateway.verifying.session_store import statement_check

TRANSACTION_SUMS = """
SELECT tenant_id, transaction_id, asset_id, sum(amount_minor) AS sum_minor
FROM ledger_entries WHERE $1::uuid IS NULL OR tenant_id = $1
GROUP BY tenant_id, transaction_id, asset_id HAVING sum(amount_minor) <> 0
ORDER BY tenant_id, transaction_id, asset_id LIMIT $2
"""

ASSET_SUMS = """
SELECT tenant_id, asset_id, sum(amount_minor) AS sum_minor
FROM ledger_entries WHERE $1::uuid IS NULL OR tenant_id = $1
GROUP BY tenant_id, asset_id HAVING sum(amount_minor) <> 0
ORDER BY tenant_id, asset_id LIMIT $2
"""

POSTED = """
SELECT tenant_id, id AS account_id, posted_minor, coalesce(entries_minor, 0) AS entries_minor
FROM accounts LEFT JOIN (
    SELECT tenant_id, account_id AS id, sum(amount_minor) AS entries_minor
    FROM ledger_entries WHERE $1::uuid IS NULL OR tenant_id = $1 GROUP BY tenant_id, account_id
) AS entries USING (tenant_id, id)
WHERE ($1::uuid IS NULL OR tenant_id = $1) AND posted_minor <> coalesce(entries_minor, 0)
ORDER BY tenant_id, id LIMIT $2
"""

HELD = """
SELECT tenant_id, id AS account_id, held_minor, coalesce(open_minor, 0) AS open_minor
FROM accounts LEFT JOIN (
    SELECT tenant_id, account_id AS id, sum(amount_minor) AS open_minor
    FROM holds WHERE ($1::uuid IS NULL OR tenant_id = $1) AND status = 'OPEN' GROUP BY tenant_id, account_id
) AS open_holds USING (tenant_id, id)
WHERE ($1::uuid IS NULL OR tenant_id = $1) AND held_minor <> coalesce(open_minor, 0)
ORDER BY tenant_id, id LIMIT $2
"""

# A debt is exactly what is below zero, and only a member can have one: by a reversal of what they had spent.
AVAILABLE = """
SELECT tenant_id, id AS account_id, posted_minor, held_minor, debt_minor
FROM accounts WHERE ($1::uuid IS NULL OR tenant_id = $1) AND (
    held_minor < 0 OR debt_minor <> greatest(0, held_minor - posted_minor) OR (debt_minor > 0 AND owner_kind <> 'MEMBER'))
ORDER BY tenant_id, id LIMIT $2
"""

HOLD_ENDS = """
SELECT tenant_id, id AS hold_id, status, created_at, ended_at
FROM holds WHERE ($1::uuid IS NULL OR tenant_id = $1) AND (
    status NOT IN ('OPEN', 'CAPTURED', 'RELEASED', 'EXPIRED') OR (status = 'OPEN') <> (ended_at IS NULL) OR ended_at < created_at)
ORDER BY tenant_id, id LIMIT $2
"""

EVENTS = """
SELECT tenant_id, id AS transaction_id, posted.kind AS transaction_kind, event.kind AS event_kind
FROM (SELECT tenant_id, id, kind FROM ledger_transactions WHERE $1::uuid IS NULL OR tenant_id = $1) AS posted
FULL JOIN (SELECT tenant_id, transaction_id AS id, kind FROM outbox_events WHERE $1::uuid IS NULL OR tenant_id = $1) AS event
    USING (tenant_id, id)
WHERE posted.kind IS DISTINCT FROM event.kind
ORDER BY tenant_id, id LIMIT $2
"""

LEDGER_CHECKS = (
    statement_check(
        "transactions_sum_to_zero",
        "the entries of every transaction sum to zero per asset",
        TRANSACTION_SUMS,
    ),
    statement_check(
        "posted_is_sum_of_entries",
        "every account's posted balance is the sum of its entries",
        POSTED,
    ),
    statement_check(
        "held_is_sum_of_open_holds",
        "every account's held balance is the sum of its open holds",
        HELD,
    ),
    statement_check(
        "available_not_below_zero",
        "no account holds back more than is posted on it, but for what its member is recorded to owe",
        AVAILABLE,
    ),
    statement_check("assets_sum_to_zero", "all entries of every asset sum to zero", ASSET_SUMS),
    statement_check(
        "holds_end_once",
        "every hold is open, or ended once as captured, released or expired",
        HOLD_ENDS,
    ),
    statement_check(
        "one_event_per_transaction",
        "every transaction has one outbox event, of its kind, and every event has its transaction",
        EVENTS,
    ),
)
