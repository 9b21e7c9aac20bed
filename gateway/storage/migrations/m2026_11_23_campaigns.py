"""Campaigns, how often their limits were used, and an index of the grants that they made."""

from piccolo.apps.migrations.auto.migration_manager import MigrationManager

from gateway.storage.migration_statements import run_statements

ID = "2026-11-23T10:24:00:000000"
VERSION = "1.38.0"
DESCRIPTION = "campaigns"

CAMPAIGNS = """
CREATE TABLE campaigns (
    tenant_id uuid NOT NULL,
    id uuid NOT NULL,
    organization_id uuid NOT NULL,
    name text NOT NULL,
    status text NOT NULL,
    event_types text[] NOT NULL,
    definition jsonb NOT NULL,
    tier_mode text NOT NULL,
    time_zone text NOT NULL,
    budget_asset_id uuid,
    starts_at timestamptz,
    ends_at timestamptz,
    created_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL,
    PRIMARY KEY (tenant_id, id),
    FOREIGN KEY (tenant_id, organization_id) REFERENCES organizations (tenant_id, id),
    FOREIGN KEY (tenant_id, budget_asset_id) REFERENCES assets (tenant_id, id),
    CHECK (starts_at < ends_at)
);
CREATE INDEX campaigns_by_organization ON campaigns (tenant_id, organization_id, id);
CREATE INDEX campaigns_active ON campaigns (tenant_id, organization_id, id) WHERE status = 'ACTIVE';
CREATE TABLE campaign_counters (
    tenant_id uuid NOT NULL,
    campaign_id uuid NOT NULL,
    limit_place integer NOT NULL,
    subject_id uuid NOT NULL,
    window_start date NOT NULL,
    used integer NOT NULL CHECK (used >= 0),
    PRIMARY KEY (tenant_id, campaign_id, limit_place, subject_id, window_start),
    FOREIGN KEY (tenant_id, campaign_id) REFERENCES campaigns (tenant_id, id)
) WITH (fillfactor = 70);
CREATE TABLE campaign_uses (
    tenant_id uuid NOT NULL,
    campaign_id uuid NOT NULL,
    limit_place integer NOT NULL,
    subject_id uuid NOT NULL,
    occurred_at timestamptz NOT NULL,
    operation_id uuid NOT NULL,
    PRIMARY KEY (tenant_id, campaign_id, limit_place, subject_id, occurred_at, operation_id),
    FOREIGN KEY (tenant_id, campaign_id) REFERENCES campaigns (tenant_id, id)
);
"""

GRANTS = """
CREATE INDEX grants_by_campaign ON grants (tenant_id, (details ->> 'campaign_id'), id)
    WHERE details ->> 'campaign_id' IS NOT NULL;
"""


async def forwards() -> MigrationManager:
    """Create the tables and the index."""
    return run_statements(
        migration_id=ID,
        description=DESCRIPTION,
        statements=(CAMPAIGNS, GRANTS),
    )
