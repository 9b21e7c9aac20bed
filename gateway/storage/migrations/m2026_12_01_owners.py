"""Who owns what: the organization of each asset, group and member, and the issuers that the owner of an asset names.

An asset without an organization is the tenant's. Rows that are there already get the organization whose operation made them;
members that were imported get the tenant's first one.
"""

from piccolo.apps.migrations.auto.migration_manager import MigrationManager

from gateway.storage.migration_statements import run_statements

ID = "2026-12-01T10:00:00:000000"
VERSION = "1.38.0"
DESCRIPTION = "owners"

ASSETS = """
ALTER TABLE assets ADD COLUMN organization_id uuid;
UPDATE assets SET organization_id = made.organization_id FROM (
    SELECT tenant_id, organization_id, id FROM products
    UNION ALL
    SELECT tenant_id, organization_id, id FROM competitions
    UNION ALL
    SELECT tenant_id, organization_id, (answer ->> 'asset_id')::uuid FROM operations
    WHERE kind = 'CREATE_ASSET' AND answer ->> 'asset_id' IS NOT NULL
) AS made
WHERE assets.tenant_id = made.tenant_id AND assets.id = made.id;
ALTER TABLE assets ADD CONSTRAINT assets_organization FOREIGN KEY (tenant_id, organization_id)
    REFERENCES organizations (tenant_id, id);
CREATE TABLE asset_issuers (
    tenant_id uuid NOT NULL,
    asset_id uuid NOT NULL,
    organization_id uuid NOT NULL,
    CONSTRAINT asset_issuers_pkey PRIMARY KEY (tenant_id, asset_id, organization_id),
    CONSTRAINT asset_issuers_asset FOREIGN KEY (tenant_id, asset_id) REFERENCES assets (tenant_id, id),
    CONSTRAINT asset_issuers_organization FOREIGN KEY (tenant_id, organization_id)
        REFERENCES organizations (tenant_id, id)
);
CREATE INDEX asset_issuers_by_organization ON asset_issuers (tenant_id, organization_id, asset_id);
"""

MEMBERS = """
ALTER TABLE members ADD COLUMN organization_id uuid;
UPDATE members SET organization_id = made.organization_id FROM (
    SELECT tenant_id, organization_id, (answer ->> 'member_id')::uuid AS id FROM operations
    WHERE kind = 'UPSERT_MEMBER' AND answer ->> 'was_created' = 'true'
) AS made
WHERE members.tenant_id = made.tenant_id AND members.id = made.id;
UPDATE members SET organization_id = (
    SELECT organizations.id FROM organizations WHERE organizations.tenant_id = members.tenant_id ORDER BY organizations.id LIMIT 1
)
WHERE organization_id IS NULL;
ALTER TABLE members ALTER COLUMN organization_id SET NOT NULL;
ALTER TABLE members ADD CONSTRAINT members_organization FOREIGN KEY (tenant_id, organization_id)
    REFERENCES organizations (tenant_id, id);
"""

# The name before the organization: no other index then begins with what a look-up by name has, whatever the planner knows.
GROUPS = """
ALTER TABLE groups ADD COLUMN organization_id uuid;
UPDATE groups SET organization_id = made.organization_id FROM (
    SELECT tenant_id, organization_id, (answer ->> 'id')::uuid AS id FROM operations
    WHERE kind = 'CREATE_GROUP' AND answer ->> 'id' IS NOT NULL
) AS made
WHERE groups.tenant_id = made.tenant_id AND groups.id = made.id;
ALTER TABLE groups ALTER COLUMN organization_id SET NOT NULL;
ALTER TABLE groups ADD CONSTRAINT groups_organization FOREIGN KEY (tenant_id, organization_id)
    REFERENCES organizations (tenant_id, id);
ALTER TABLE groups DROP CONSTRAINT groups_external_id_taken;
ALTER TABLE groups DROP CONSTRAINT groups_primary_member_taken;
ALTER TABLE groups ADD CONSTRAINT groups_external_id_taken UNIQUE (tenant_id, external_id, organization_id);
ALTER TABLE groups ADD CONSTRAINT groups_primary_member_taken UNIQUE (tenant_id, primary_member_id, organization_id);
"""


async def forwards() -> MigrationManager:
    """Add the columns and the table, fill them, and make names of groups unique for each organization."""
    statements = (ASSETS, MEMBERS, GROUPS)
    return run_statements(migration_id=ID, description=DESCRIPTION, statements=statements)
