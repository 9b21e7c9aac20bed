"""Members' tokens that partners make, and issuers of members' tokens.

Issuers are read across tenants: a token names its issuer and its audience, and these say whose it is. So the two together are unique
in the whole database, of all keys the only one that does not begin with the tenant.
"""

from piccolo.apps.migrations.auto.migration_manager import MigrationManager

from gateway.storage.migration_statements import run_statements

ID = "2026-12-01T10:30:00:000000"
VERSION = "1.38.0"
DESCRIPTION = "members' tokens of partners and of issuers"

CREDENTIALS = """
ALTER TABLE credentials ADD COLUMN created_by uuid;
"""

ISSUERS = """
CREATE TABLE issuers (
    tenant_id uuid NOT NULL,
    id uuid NOT NULL,
    organization_id uuid NOT NULL,
    url text NOT NULL,
    audience text NOT NULL,
    jwks_url text NOT NULL,
    member_claim text NOT NULL,
    created_at timestamptz NOT NULL,
    removed_at timestamptz,
    CONSTRAINT issuers_pkey PRIMARY KEY (tenant_id, id),
    CONSTRAINT issuers_organization FOREIGN KEY (tenant_id, organization_id) REFERENCES organizations (tenant_id, id)
);
CREATE UNIQUE INDEX issuers_taken ON issuers (url, audience) WHERE removed_at IS NULL;
"""


async def forwards() -> MigrationManager:
    """Add the column and the table."""
    return run_statements(
        migration_id=ID, description=DESCRIPTION, statements=(CREDENTIALS, ISSUERS)
    )
