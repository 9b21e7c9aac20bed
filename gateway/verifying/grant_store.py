"""Checks of grants against the ledger: what was paid, given, claimed and taken back."""

from __future__ import annotations

from gateway.verifying.session_store import statement_check

# What grants say they gave, per asset; coupons give no asset.
_BENEFITS = """
SELECT tenant_id, id AS grant_id, coalesce(asset_id, product_id, competition_id) AS asset_id,
    coalesce(amount_minor, quantity, entries) AS amount_minor
FROM grants CROSS JOIN LATERAL jsonb_to_recordset(benefits) AS benefit
    (asset_id uuid, amount_minor bigint, product_id uuid, quantity bigint, competition_id uuid, entries bigint)
WHERE ($1::uuid IS NULL OR tenant_id = $1) AND coalesce(asset_id, product_id, competition_id) IS NOT NULL
"""

# What grants say was paid for them; what is held for pending ones, another check compares.
_PAYMENTS = """
SELECT tenant_id, id AS grant_id, (details #>> '{payment,asset_id}')::uuid AS asset_id,
    (details #>> '{payment,amount_minor}')::bigint AS amount_minor
FROM grants
WHERE ($1::uuid IS NULL OR tenant_id = $1) AND source = 'ISSUANCE' AND (details #>> '{payment,amount_minor}')::bigint <> 0
    AND status NOT IN ('PENDING', 'DECLINED')
"""

PAYMENTS = f"""
SELECT tenant_id, grant_id, asset_id, asked.amount_minor AS asked_minor, captured.amount_minor AS captured_minor
FROM ({_PAYMENTS}) AS asked
FULL JOIN (
    SELECT entries.tenant_id, entries.grant_id, entries.asset_id, -sum(entries.amount_minor) AS amount_minor
    FROM ledger_entries AS entries
    JOIN ledger_transactions AS posted
        ON posted.tenant_id = entries.tenant_id AND posted.id = entries.transaction_id AND posted.kind = 'ISSUANCE'
    JOIN accounts ON accounts.tenant_id = entries.tenant_id AND accounts.id = entries.account_id
        AND accounts.owner_kind IN ('MEMBER', 'GROUP')
    WHERE ($1::uuid IS NULL OR entries.tenant_id = $1) AND entries.amount_minor < 0
    GROUP BY entries.tenant_id, entries.grant_id, entries.asset_id
) AS captured USING (tenant_id, grant_id, asset_id)
WHERE asked.amount_minor IS DISTINCT FROM captured.amount_minor
ORDER BY tenant_id, grant_id LIMIT $2
"""

# On the member's own accounts, because a benefit posted to another member is no benefit. What leaves them in an issuance is
# its payment, and in a distribution a negative benefit.
BENEFITS = f"""
SELECT tenant_id, grant_id, asset_id, promised.amount_minor AS promised_minor, posted.amount_minor AS posted_minor
FROM (
    SELECT tenant_id, grant_id, asset_id, sum(amount_minor) AS amount_minor
    FROM ({_BENEFITS}) AS benefits GROUP BY tenant_id, grant_id, asset_id
) AS promised
FULL JOIN (
    SELECT grants.tenant_id, grants.id AS grant_id, entries.asset_id, sum(entries.amount_minor) AS amount_minor
    FROM grants
    JOIN ledger_entries AS entries ON entries.tenant_id = grants.tenant_id
        AND entries.transaction_id = grants.transaction_id AND entries.grant_id = grants.id
    JOIN accounts ON accounts.tenant_id = entries.tenant_id AND accounts.id = entries.account_id
        AND accounts.owner_kind IN ('MEMBER', 'CLAIMABLE') AND accounts.owner_id = grants.member_id
    WHERE ($1::uuid IS NULL OR grants.tenant_id = $1) AND (source <> 'ISSUANCE' OR entries.amount_minor > 0)
    GROUP BY grants.tenant_id, grants.id, entries.asset_id
) AS posted USING (tenant_id, grant_id, asset_id)
WHERE promised.amount_minor IS DISTINCT FROM posted.amount_minor
ORDER BY tenant_id, grant_id, asset_id LIMIT $2
"""

ENTRIES = """
SELECT * FROM (
    SELECT entries.tenant_id, entries.grant_id, entries.transaction_id,
        'entry ' || entries.index || ' is in a transaction that is not of its grant' AS problem
    FROM ledger_entries AS entries
    JOIN ledger_transactions AS posted ON posted.tenant_id = entries.tenant_id AND posted.id = entries.transaction_id
    LEFT JOIN grants ON grants.tenant_id = entries.tenant_id AND grants.id = entries.grant_id
    WHERE ($1::uuid IS NULL OR entries.tenant_id = $1) AND posted.kind <> 'EXPIRY'
        AND (entries.grant_id IS NULL) <> (posted.kind IN ('STOCK', 'FUNDING', 'GROUP_FUNDING', 'CAPTURE'))
        OR NOT (posted.kind = 'EXPIRY' AND grants.status = 'EXPIRED') AND entries.transaction_id NOT IN (grants.transaction_id, coalesce(grants.claim_transaction_id, grants.transaction_id),
            coalesce(grants.reversal_transaction_id, grants.transaction_id))
    UNION ALL
    SELECT grants.tenant_id, grants.id, grants.transaction_id,
        'has ' || count(entries.index) || ' entries where it names ' || (entry_to - entry_from)
    FROM grants LEFT JOIN ledger_entries AS entries ON entries.tenant_id = grants.tenant_id
        AND entries.transaction_id = grants.transaction_id AND entries.grant_id = grants.id
        AND entries.index >= entry_from AND entries.index < entry_to
    WHERE $1::uuid IS NULL OR grants.tenant_id = $1
    GROUP BY grants.tenant_id, grants.id HAVING count(entries.index) <> entry_to - entry_from
    UNION ALL
    SELECT posted.tenant_id, grants.id, posted.id, 'a transaction of kind ' || posted.kind || ' without its grant'
    FROM ledger_transactions AS posted
    LEFT JOIN grants ON grants.tenant_id = posted.tenant_id AND grants.transaction_id = posted.id
    WHERE ($1::uuid IS NULL OR posted.tenant_id = $1) AND posted.kind IN ('GRANT', 'ISSUANCE', 'DISTRIBUTION', 'CAMPAIGN')
        AND grants.id IS NULL
) AS broken
ORDER BY tenant_id, grant_id, transaction_id, problem LIMIT $2
"""

CLAIMS = f"""
SELECT * FROM (
    SELECT tenant_id, grant_id, transaction_id, asset_id,
        'owed ' || coalesce(owed.amount_minor::text, 'nothing') || ' and credited '
            || coalesce(credited.amount_minor::text, 'nothing') AS problem
    FROM (
        SELECT benefits.tenant_id, grant_id, claim_transaction_id AS transaction_id, asset_id, amount_minor
        FROM ({_BENEFITS}) AS benefits
        JOIN grants ON grants.tenant_id = benefits.tenant_id AND grants.id = benefits.grant_id
        WHERE claim_transaction_id <> transaction_id
    ) AS owed
    FULL JOIN (
        SELECT posted.tenant_id, entries.grant_id, posted.id AS transaction_id, entries.asset_id,
            sum(entries.amount_minor) AS amount_minor
        FROM ledger_transactions AS posted
        JOIN ledger_entries AS entries ON entries.tenant_id = posted.tenant_id AND entries.transaction_id = posted.id
        JOIN accounts ON accounts.tenant_id = posted.tenant_id AND accounts.id = entries.account_id
            AND accounts.owner_kind = 'MEMBER'
        JOIN grants ON grants.tenant_id = posted.tenant_id AND grants.id = entries.grant_id
            AND grants.member_id = accounts.owner_id
        WHERE ($1::uuid IS NULL OR posted.tenant_id = $1) AND posted.kind = 'CLAIM'
        GROUP BY posted.tenant_id, entries.grant_id, posted.id, entries.asset_id
    ) AS credited USING (tenant_id, grant_id, transaction_id, asset_id)
    WHERE owed.amount_minor IS DISTINCT FROM credited.amount_minor
    UNION ALL
    SELECT posted.tenant_id, NULL, posted.id, NULL, 'named by ' || count(grants.id) || ' grants'
    FROM ledger_transactions AS posted
    LEFT JOIN grants ON grants.tenant_id = posted.tenant_id AND grants.claim_transaction_id = posted.id
    WHERE ($1::uuid IS NULL OR posted.tenant_id = $1) AND posted.kind = 'CLAIM'
    GROUP BY posted.tenant_id, posted.id HAVING count(grants.id) <> 1
    UNION ALL
    SELECT tenant_id, id, claim_transaction_id, NULL, 'has status ' || status FROM grants
    WHERE ($1::uuid IS NULL OR tenant_id = $1) AND status NOT IN ('REVERSED', 'EXPIRED')
        AND (status = 'CLAIMED') = (claimed_at IS NULL)
) AS broken
ORDER BY tenant_id, grant_id, transaction_id, asset_id LIMIT $2
"""

REVERSALS = """
SELECT * FROM (
    SELECT grants.tenant_id, grants.id AS grant_id, entries.account_id, grants.reversal_transaction_id AS transaction_id,
        'leaves ' || sum(entries.amount_minor) || ' on the account' AS problem
    FROM grants JOIN ledger_entries AS entries ON entries.tenant_id = grants.tenant_id AND entries.grant_id = grants.id
    WHERE ($1::uuid IS NULL OR grants.tenant_id = $1) AND grants.status = 'REVERSED'
    GROUP BY grants.tenant_id, grants.id, entries.account_id HAVING sum(entries.amount_minor) <> 0
    UNION ALL
    SELECT posted.tenant_id, NULL, NULL, posted.id, 'takes back ' || count(grants.id) || ' grants'
    FROM ledger_transactions AS posted
    LEFT JOIN grants ON grants.tenant_id = posted.tenant_id AND grants.reversal_transaction_id = posted.id
        AND grants.transaction_id = posted.reverses_id
    WHERE ($1::uuid IS NULL OR posted.tenant_id = $1) AND posted.kind = 'REVERSAL'
    GROUP BY posted.tenant_id, posted.id HAVING count(grants.id) = 0
    UNION ALL
    SELECT grants.tenant_id, grants.id, NULL, reversal_transaction_id, 'has status ' || status
    FROM grants
    LEFT JOIN ledger_transactions AS posted ON posted.tenant_id = grants.tenant_id AND posted.id = reversal_transaction_id
        AND posted.kind = 'REVERSAL'
    WHERE ($1::uuid IS NULL OR grants.tenant_id = $1) AND ((status = 'REVERSED') <> (posted.id IS NOT NULL)
        OR (status = 'REVERSED') <> (reversal_transaction_id IS NOT NULL) OR posted.reverses_id <> grants.transaction_id)
) AS broken
ORDER BY tenant_id, grant_id, transaction_id, account_id LIMIT $2
"""

GRANT_CHECKS = (
    statement_check(
        "payments_match_issuances",
        "points left a member for exactly the rewards that were issued, and as many as each says",
        PAYMENTS,
    ),
    statement_check(
        "benefits_match_entries",
        "every grant moved to its own member exactly what its benefits say",
        BENEFITS,
    ),
    statement_check(
        "entries_belong_to_grants",
        "every grant has exactly its entries, and every entry but those of stock, funding and holds is in a transaction of its grant",
        ENTRIES,
    ),
    statement_check(
        "claims_happen_once",
        "every claim credited one grant's member with what was owed, once",
        CLAIMS,
    ),
    statement_check(
        "reversals_never_exceed",
        "every reversed grant has moved nothing in the end, by one transaction that reverses its own",
        REVERSALS,
    ),
)
