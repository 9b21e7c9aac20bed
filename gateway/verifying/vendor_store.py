"""Checks of what is bought from vendors: orders, the grants they buy for, and the points held for them."""

from __future__ import annotations

from gateway.verifying.session_store import statement_check

ORDERS = """
SELECT tenant_id, grant_id, placed.status AS order_status, bought.status AS grant_status, bought.sealed_code
FROM (SELECT * FROM vendor_orders WHERE $1::uuid IS NULL OR tenant_id = $1) AS placed
FULL JOIN (
    SELECT tenant_id, id AS grant_id, status,
        jsonb_path_query_first(benefits, '$[*] ? (@.kind == "VENDOR_VOUCHER").sealed_code') #>> '{}' AS sealed_code
    FROM grants WHERE ($1::uuid IS NULL OR tenant_id = $1) AND kind = 'VENDOR_VOUCHER'
) AS bought USING (tenant_id, grant_id)
WHERE placed.status IS DISTINCT FROM
        CASE WHEN bought.status IN ('CLAIMED', 'REVERSED') THEN 'ISSUED' ELSE bought.status END
    OR (placed.status = 'ISSUED') <> (coalesce(bought.sealed_code, '') <> '')
ORDER BY tenant_id, grant_id LIMIT $2
"""

# An order's hold carries the operation that placed it, so that sums are compared operation by operation.
HOLDS = """
SELECT tenant_id, operation_id, status, asked.amount_minor AS asked_minor, held.amount_minor AS held_minor
FROM (
    SELECT tenant_id, operation_id,
        CASE status WHEN 'PENDING' THEN 'OPEN' WHEN 'ISSUED' THEN 'CAPTURED' ELSE 'RELEASED' END AS status,
        sum((payment ->> 'amount_minor')::bigint) AS amount_minor
    FROM vendor_orders CROSS JOIN LATERAL jsonb_array_elements(payments) AS payment
    WHERE $1::uuid IS NULL OR tenant_id = $1
    GROUP BY 1, 2, 3
) AS asked
FULL JOIN (
    SELECT tenant_id, operation_id, status, sum(amount_minor) AS amount_minor
    FROM holds
    WHERE ($1::uuid IS NULL OR tenant_id = $1)
        AND (tenant_id, operation_id) IN (SELECT tenant_id, operation_id FROM vendor_orders)
    GROUP BY tenant_id, operation_id, status
) AS held USING (tenant_id, operation_id, status)
WHERE asked.amount_minor IS DISTINCT FROM held.amount_minor
ORDER BY tenant_id, operation_id, status LIMIT $2
"""

VENDOR_CHECKS = (
    statement_check(
        "vendor_orders_match_grants",
        "every voucher of a vendor has its order, which is issued exactly if the member has the voucher",
        ORDERS,
    ),
    statement_check(
        "vendor_orders_match_holds",
        "points are held for exactly the orders that are pending, taken for those issued, and freed for those declined",
        HOLDS,
    ),
)
