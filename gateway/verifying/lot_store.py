"""Checks of what expires: lots against balances, and expired grants against the ledger."""

from __future__ import annotations

from gateway.verifying.session_store import statement_check

LOTS = """
SELECT * FROM (
    SELECT accounts.tenant_id, accounts.id AS account_id, posted_minor, coalesce(sum(remaining_minor), 0) AS in_lots_minor,
        'the lots are not what is posted' AS problem
    FROM accounts LEFT JOIN lots ON lots.tenant_id = accounts.tenant_id AND lots.account_id = accounts.id
    WHERE ($1::uuid IS NULL OR accounts.tenant_id = $1)
    GROUP BY accounts.tenant_id, accounts.id
    HAVING coalesce(sum(remaining_minor), 0)
        <> CASE WHEN accounts.expires_after_days IS NULL THEN 0 ELSE greatest(0, posted_minor) END
    UNION ALL
    SELECT accounts.tenant_id, accounts.id, posted_minor, NULL, 'the lifetime is not that of its asset'
    FROM accounts JOIN assets ON assets.tenant_id = accounts.tenant_id AND assets.id = accounts.asset_id
    WHERE ($1::uuid IS NULL OR accounts.tenant_id = $1) AND accounts.expires_after_days
        IS DISTINCT FROM CASE WHEN owner_kind IN ('MEMBER', 'GROUP') THEN assets.expires_after_days END
    UNION ALL
    SELECT lots.tenant_id, lots.account_id, entries.amount_minor, lots.amount_minor, 'a lot is more than its entry credited'
    FROM lots
    LEFT JOIN ledger_entries AS entries ON entries.tenant_id = lots.tenant_id AND entries.account_id = lots.account_id
        AND entries.sequence = lots.sequence
    WHERE ($1::uuid IS NULL OR lots.tenant_id = $1) AND lots.amount_minor > coalesce(entries.amount_minor, 0)
) AS broken
ORDER BY tenant_id, account_id, problem LIMIT $2
"""

EXPIRED_GRANTS = """
SELECT grants.tenant_id, grants.id AS grant_id, sum(entries.amount_minor) AS owed_minor
FROM grants
JOIN ledger_entries AS entries ON entries.tenant_id = grants.tenant_id AND entries.grant_id = grants.id
JOIN accounts ON accounts.tenant_id = grants.tenant_id AND accounts.id = entries.account_id
    AND accounts.owner_kind = 'CLAIMABLE'
WHERE ($1::uuid IS NULL OR grants.tenant_id = $1) AND grants.status = 'EXPIRED'
GROUP BY grants.tenant_id, grants.id
HAVING sum(entries.amount_minor) <> 0
ORDER BY grants.tenant_id, grants.id LIMIT $2
"""

LOT_CHECKS = (
    statement_check(
        "lots_match_balances",
        "the open lots of every balance that expires are what is posted on it, and no other balance has any",
        LOTS,
    ),
    statement_check(
        "expired_is_not_owed",
        "nothing is owed any more for a grant that has expired",
        EXPIRED_GRANTS,
    ),
)
