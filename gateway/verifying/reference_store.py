"""Checks that no row refers to another tenant's row, or to nothing, where neither a foreign key nor another check says so."""

from __future__ import annotations

from dataclasses import dataclass

from gateway.verifying.session_store import statement_check


@dataclass(frozen=True, slots=True)
class Reference:
    """A column that holds the id of a row of the same tenant. `only` narrows the rows that must."""

    table: str
    column: str
    target: str
    only: str = "true"
    tenant: str = "tenant_id"

    @property
    def select(self) -> str:
        """Return the statement that finds the values which name no row of the tenant."""
        return f"""
SELECT referring.{self.tenant} AS tenant_id, '{self.table}.{self.column}' AS reference, referring.{self.column} AS names
FROM {self.table} AS referring
WHERE ($1::uuid IS NULL OR referring.{self.tenant} = $1) AND referring.{self.column} IS NOT NULL AND {self.only}
    AND NOT EXISTS (SELECT FROM {self.target} AS target
        WHERE target.tenant_id = referring.{self.tenant} AND target.id = referring.{self.column})
"""


REFERENCES = (
    Reference("tenants", "points_asset_id", "assets", tenant="id"),
    Reference("tenants", "experience_asset_id", "assets", tenant="id"),
    Reference("tenants", "cash_asset_id", "assets", tenant="id"),
    Reference("credentials", "member_id", "members"),
    Reference("accounts", "owner_id", "members", only="owner_kind IN ('MEMBER', 'CLAIMABLE')"),
    Reference("accounts", "owner_id", "products", only="owner_kind = 'STOCK'"),
    Reference("accounts", "owner_id", "groups", only="owner_kind = 'GROUP'"),
    Reference("ledger_transactions", "operation_id", "operations"),
    Reference("ledger_transactions", "reverses_id", "ledger_transactions"),
    Reference("ledger_entries", "transaction_id", "ledger_transactions"),
    Reference("ledger_entries", "account_id", "accounts", only="sequence IS NOT NULL"),
    Reference("ledger_entries", "asset_id", "assets"),
    Reference("ledger_entries", "grant_id", "grants"),
    Reference("holds", "operation_id", "operations"),
    Reference("reservations", "organization_id", "organizations"),
    Reference("reservations", "transaction_id", "ledger_transactions"),
    Reference("rewards", "version_id", "reward_versions"),
    Reference("operations", "organization_id", "organizations"),
    Reference("grants", "organization_id", "organizations"),
    Reference("grants", "member_id", "members"),
    Reference("grants", "reward_id", "rewards"),
    Reference("grants", "reward_version_id", "reward_versions"),
    # A pending grant's transaction is recorded when its vendor has issued, a declined one's never.
    Reference(
        "grants",
        "transaction_id",
        "ledger_transactions",
        only="status NOT IN ('PENDING', 'DECLINED')",
    ),
    Reference("grants", "claim_transaction_id", "ledger_transactions"),
    Reference("vendor_orders", "operation_id", "operations"),
    Reference("issuances", "operation_id", "operations"),
    Reference("issuances", "organization_id", "organizations"),
    Reference("issuances", "member_id", "members"),
    Reference("notifications", "grant_id", "grants"),
    Reference("notifications", "member_id", "members"),
    Reference("fulfillment_steps", "operation_id", "operations"),
    Reference("validation_codes", "operation_id", "operations"),
    Reference("cash_references", "operation_id", "operations"),
    Reference("accounts", "owner_id", "campaigns", only="owner_kind = 'BUDGET'"),
    # A limit's subject is a member, or the campaign itself.
    Reference("campaign_counters", "subject_id", "members", only="subject_id <> campaign_id"),
    Reference("campaign_uses", "subject_id", "members", only="subject_id <> campaign_id"),
    Reference("campaign_uses", "operation_id", "operations"),
)

REFERENCE_STATEMENT = f"""
SELECT tenant_id, reference, names FROM ({" UNION ALL ".join(r.select for r in REFERENCES)}) AS broken
ORDER BY tenant_id, reference, names LIMIT $2
"""

AGREEMENT = """
SELECT * FROM (
    SELECT entries.tenant_id, 'ledger_entries' AS row_of, entries.transaction_id AS id, 'has another asset than its account' AS problem
    FROM ledger_entries AS entries
    JOIN accounts ON accounts.tenant_id = entries.tenant_id AND accounts.id = entries.account_id
    WHERE ($1::uuid IS NULL OR entries.tenant_id = $1) AND accounts.asset_id <> entries.asset_id
    UNION ALL
    SELECT notifications.tenant_id, 'notifications', notifications.id, 'is about another member''s grant'
    FROM notifications
    JOIN grants ON grants.tenant_id = notifications.tenant_id AND grants.id = notifications.grant_id
    WHERE ($1::uuid IS NULL OR notifications.tenant_id = $1) AND grants.member_id <> notifications.member_id
    UNION ALL
    SELECT grants.tenant_id, 'grants', grants.id, 'is of a reward of another organization' FROM grants
    JOIN rewards ON rewards.tenant_id = grants.tenant_id AND rewards.id = grants.reward_id
    WHERE ($1::uuid IS NULL OR grants.tenant_id = $1) AND rewards.organization_id <> grants.organization_id
    UNION ALL
    SELECT grants.tenant_id, 'grants', grants.id, 'is of a version of another reward' FROM grants
    JOIN reward_versions AS versions ON versions.tenant_id = grants.tenant_id AND versions.id = grants.reward_version_id
    WHERE ($1::uuid IS NULL OR grants.tenant_id = $1) AND versions.reward_id <> grants.reward_id
    UNION ALL
    SELECT fulfillments.tenant_id, 'fulfillments', grant_id, 'is of a grant of another organization' FROM fulfillments
    JOIN grants ON grants.tenant_id = fulfillments.tenant_id AND grants.id = fulfillments.grant_id
    WHERE ($1::uuid IS NULL OR grants.tenant_id = $1) AND fulfillments.organization_id <> grants.organization_id
    UNION ALL
    SELECT reserved.tenant_id, 'reward_segments', reserved.reward_id, 'is reserved for a segment of another organization'
    FROM reward_segments AS reserved
    JOIN rewards ON rewards.tenant_id = reserved.tenant_id AND rewards.id = reserved.reward_id
    JOIN segments ON segments.tenant_id = reserved.tenant_id AND segments.id = reserved.segment_id
    WHERE ($1::uuid IS NULL OR reserved.tenant_id = $1) AND segments.organization_id <> rewards.organization_id
    UNION ALL
    SELECT entries.tenant_id, 'grants', grants.id, 'is paid by another group than it names' FROM ledger_entries AS entries
    JOIN grants ON grants.tenant_id = entries.tenant_id AND grants.id = entries.grant_id
    JOIN accounts ON accounts.tenant_id = entries.tenant_id AND accounts.id = entries.account_id
        AND accounts.owner_kind = 'GROUP'
    WHERE ($1::uuid IS NULL OR entries.tenant_id = $1)
        AND accounts.owner_id IS DISTINCT FROM (grants.details ->> 'group_id')::uuid
) AS broken
ORDER BY tenant_id, row_of, id LIMIT $2
"""

REFERENCE_CHECKS = (
    statement_check(
        "references_stay_in_tenant",
        "every row refers only to rows that exist in its own tenant",
        REFERENCE_STATEMENT,
    ),
    statement_check(
        "references_agree",
        "rows that refer to each other agree on asset, member, reward and organization",
        AGREEMENT,
    ),
)
