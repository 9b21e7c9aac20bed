"""Checks of unique coupons: codes, the grants that gave them, and who holds one."""

from __future__ import annotations

from gateway.verifying.session_store import statement_check

# From the code's side and from the grant's: whatever exists of the pair agrees with the other.
CODES = """
SELECT tenant_id, grant_id, coupon.pool_id, coupon.code_id, coupon.status AS code_status,
    given.kind AS grant_kind, given.status AS grant_status, given.code_id AS code_id_in_grant
FROM (
    SELECT tenant_id, grant_id, pool_id, id::text AS code_id, status FROM codes
    WHERE ($1::uuid IS NULL OR tenant_id = $1) AND (status <> 'FREE' OR grant_id IS NOT NULL)
) AS coupon
FULL JOIN (
    SELECT tenant_id, id AS grant_id, kind, status,
        jsonb_path_query_first(benefits, '$[*] ? (@.kind == "COUPON_CODE").code_id') #>> '{}' AS code_id
    FROM grants WHERE ($1::uuid IS NULL OR tenant_id = $1) AND kind = 'UNIQUE_COUPON'
) AS given USING (tenant_id, grant_id)
WHERE (coupon.status IS DISTINCT FROM 'VOIDED' OR grant_id IS NOT NULL) AND (
    coupon.code_id IS DISTINCT FROM given.code_id
    OR coupon.status IS DISTINCT FROM CASE given.status WHEN 'REVERSED' THEN 'VOIDED' ELSE 'GRANTED' END)
ORDER BY tenant_id, grant_id, coupon.pool_id, coupon.code_id LIMIT $2
"""

POOLS = """
SELECT tenant_id, id AS pool_id, found.free, found.granted, found.voided, found.others, loaded.accepted
FROM code_pools
CROSS JOIN LATERAL (
    SELECT count(*) FILTER (WHERE status = 'FREE') AS free, count(*) FILTER (WHERE status = 'GRANTED') AS granted,
        count(*) FILTER (WHERE status = 'VOIDED') AS voided,
        count(*) FILTER (WHERE status NOT IN ('FREE', 'GRANTED', 'VOIDED')) AS others
    FROM codes WHERE codes.tenant_id = code_pools.tenant_id AND pool_id = code_pools.id
) AS found
CROSS JOIN LATERAL (
    SELECT coalesce(sum(accepted_count), 0) AS accepted
    FROM code_imports WHERE code_imports.tenant_id = code_pools.tenant_id AND pool_id = code_pools.id
) AS loaded
WHERE ($1::uuid IS NULL OR tenant_id = $1)
    AND (found.others > 0 OR found.free + found.granted + found.voided <> loaded.accepted)
ORDER BY tenant_id, id LIMIT $2
"""

HOLDERS = """
SELECT tenant_id, reward_id, member_id, held.grant_id AS assigned_grant_id, given.grant_id AS standing_grant_id
FROM (SELECT * FROM coupon_assignments WHERE $1::uuid IS NULL OR tenant_id = $1) AS held
FULL JOIN (
    SELECT tenant_id, reward_id, member_id, id AS grant_id FROM grants
    WHERE ($1::uuid IS NULL OR tenant_id = $1) AND kind = 'UNIQUE_COUPON' AND status <> 'REVERSED'
) AS given USING (tenant_id, reward_id, member_id)
WHERE held.grant_id IS DISTINCT FROM given.grant_id
ORDER BY tenant_id, reward_id, member_id LIMIT $2
"""

COUPON_CHECKS = (
    statement_check(
        "codes_match_grants",
        "every code that left its pool is in one grant of a unique coupon, voided if that was reversed, and every such grant has one",
        CODES,
    ),
    statement_check(
        "pools_add_up",
        "free, granted and voided codes of every pool are those loaded into it",
        POOLS,
    ),
    statement_check(
        "one_coupon_per_member",
        "every member marked as holder of a unique coupon has the one grant of it that stands",
        HOLDERS,
    ),
)
