"""Check where grants stand against the steps that led there."""

from __future__ import annotations

from gateway.verifying.session_store import statement_check

STEPS = """
SELECT fulfillments.tenant_id, fulfillments.grant_id, fulfillments.stage, fulfillments.step_count,
    count(steps.step) AS found_count, (array_agg(steps.stage ORDER BY steps.step DESC))[1] AS last_stage
FROM fulfillments LEFT JOIN fulfillment_steps AS steps
    ON steps.tenant_id = fulfillments.tenant_id AND steps.grant_id = fulfillments.grant_id
WHERE $1::uuid IS NULL OR fulfillments.tenant_id = $1
GROUP BY fulfillments.tenant_id, fulfillments.grant_id
HAVING count(steps.step) <> fulfillments.step_count
    OR (array_agg(steps.stage ORDER BY steps.step DESC))[1] IS DISTINCT FROM fulfillments.stage
ORDER BY tenant_id, grant_id LIMIT $2
"""

FULFILLMENT_CHECKS = (
    statement_check(
        "stages_follow_steps",
        "every grant is at the stage of its last step, and has as many steps as it counts",
        STEPS,
    ),
)
