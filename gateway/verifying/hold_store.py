"""Checks of reservations: holds that partners placed, and what was taken of them."""

from __future__ import annotations

from gateway.verifying.session_store import statement_check

CAPTURES = """
SELECT * FROM (
    SELECT reservations.tenant_id, reservations.id AS hold_id, reservations.transaction_id,
        'is ' || holds.status || ', took ' || coalesce(captured_minor::text, 'nothing') || ' of ' || holds.amount_minor
            || ' and posted ' || coalesce(posted.amount_minor::text, 'nothing') AS problem
    FROM reservations
    JOIN holds ON holds.tenant_id = reservations.tenant_id AND holds.id = reservations.id
    JOIN accounts ON accounts.tenant_id = holds.tenant_id AND accounts.id = holds.account_id
    LEFT JOIN LATERAL (
        SELECT -sum(amount_minor) AS amount_minor FROM ledger_entries AS entries
        WHERE entries.tenant_id = reservations.tenant_id AND entries.transaction_id = reservations.transaction_id
            AND entries.account_id = holds.account_id
    ) AS posted ON true
    WHERE ($1::uuid IS NULL OR reservations.tenant_id = $1) AND (
        (holds.status = 'CAPTURED') <> (captured_minor IS NOT NULL) OR captured_minor > holds.amount_minor
        OR captured_minor IS DISTINCT FROM posted.amount_minor
        OR accounts.owner_id <> reservations.member_id OR holds.expires_at IS NULL)
    UNION ALL
    SELECT posted.tenant_id, NULL, posted.id, 'took what ' || count(reservations.id) || ' holds reserved'
    FROM ledger_transactions AS posted
    LEFT JOIN reservations ON reservations.tenant_id = posted.tenant_id AND reservations.transaction_id = posted.id
    WHERE ($1::uuid IS NULL OR posted.tenant_id = $1) AND posted.kind = 'CAPTURE'
    GROUP BY posted.tenant_id, posted.id HAVING count(reservations.id) <> 1
) AS broken
ORDER BY tenant_id, hold_id, transaction_id LIMIT $2
"""

HOLD_CHECKS = (
    statement_check(
        "captures_match_holds",
        "every captured reservation took from its own member, once, what it says and no more than was held",
        CAPTURES,
    ),
)
