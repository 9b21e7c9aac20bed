"""Checks of idempotency: one execution per key, and answers that say what was done."""

from __future__ import annotations

from gateway.verifying.session_store import statement_check

# A database transaction that posts for a key also stores its answer, so a committed key without one is a lost answer.
EXECUTIONS = """
SELECT * FROM (
    SELECT tenant_id, id AS operation_id, CASE WHEN fenced_at IS NULL THEN 'has no answer' ELSE 'has an answer and is fenced' END AS problem FROM operations
    WHERE ($1::uuid IS NULL OR tenant_id = $1) AND (answer IS NULL) = (fenced_at IS NULL)
    UNION ALL
    SELECT tenant_id, id, 'is the id of several keys' FROM operations
    WHERE $1::uuid IS NULL OR tenant_id = $1 GROUP BY tenant_id, id HAVING count(*) > 1
    UNION ALL
    SELECT tenant_id, operation_id, 'granted line ' || line_index || ' more than once' FROM grants
    WHERE $1::uuid IS NULL OR tenant_id = $1 GROUP BY tenant_id, operation_id, line_index HAVING count(*) > 1
    UNION ALL
    SELECT tenant_id, operation_id, 'posted more than one transaction of kind ' || kind FROM ledger_transactions
    WHERE ($1::uuid IS NULL OR tenant_id = $1) AND kind IN ('GRANT', 'DISTRIBUTION', 'REVERSAL', 'STOCK', 'FUNDING')
    GROUP BY tenant_id, operation_id, kind, reverses_id HAVING count(*) > 1
    UNION ALL
    SELECT ledger_transactions.tenant_id, operation_id, 'posted a transaction in the name of another credential'
    FROM ledger_transactions
    JOIN operations ON operations.tenant_id = ledger_transactions.tenant_id AND operations.id = operation_id
    WHERE ($1::uuid IS NULL OR ledger_transactions.tenant_id = $1)
        AND ledger_transactions.credential_id IS DISTINCT FROM operations.credential_id
) AS broken
ORDER BY tenant_id, operation_id, problem LIMIT $2
"""

# An answer names the grants that it made: by itself, by item, or (a text in a list of refusals) by line.
_NAMED = """
SELECT tenant_id, id AS operation_id, kind, (jsonb_path_query(answer,
    CASE kind WHEN 'DISTRIBUTE_REWARDS' THEN 'strict $.lines[*] ? (@.type() == "string")'
        WHEN 'GRANT_REWARD' THEN '$.grant_id' WHEN 'ISSUE_REWARDS_ITEM' THEN '$.grant_id'
        WHEN 'REVERSE_GRANT' THEN '$.grant_id'
        WHEN 'RECORD_EVENT' THEN '$.campaigns[*].tiers[*].effects[*].grant_id'
        ELSE '$.items[*].grant_id' END::jsonpath) #>> '{}')::uuid AS grant_id
FROM operations
WHERE ($1::uuid IS NULL OR tenant_id = $1) AND kind IN (
    'GRANT_REWARD', 'ISSUE_REWARDS', 'ISSUE_REWARDS_ITEM', 'DISTRIBUTE_REWARDS', 'CLAIM_REWARDS', 'REVERSE_GRANT',
    'RECORD_EVENT')
"""

ANSWERS = f"""
WITH named AS MATERIALIZED ({_NAMED})
SELECT * FROM (
    SELECT tenant_id, operation_id, grant_id, 'the answer names a grant that is not there' AS problem
    FROM named WHERE grant_id IS NOT NULL
        AND NOT EXISTS (SELECT FROM grants WHERE grants.tenant_id = named.tenant_id AND grants.id = named.grant_id)
    UNION ALL
    SELECT tenant_id, operation_id, id, 'the grant is not in the answer of its operation' FROM grants
    WHERE ($1::uuid IS NULL OR tenant_id = $1) AND NOT EXISTS (
        SELECT FROM named WHERE named.tenant_id = grants.tenant_id
            AND named.operation_id = grants.operation_id AND named.grant_id = grants.id)
) AS broken
ORDER BY tenant_id, operation_id, grant_id LIMIT $2
"""

OPERATION_CHECKS = (
    statement_check(
        "keys_executed_once",
        "every idempotency key was executed once and has an answer, or was fenced and has none",
        EXECUTIONS,
    ),
    statement_check(
        "answers_are_true",
        "every grant that an answer names is there, and every grant is in the answer of its operation",
        ANSWERS,
    ),
)
