"""What issuing asks about: connected organizations, groups, segments, cards, labels, custom fields, stages, tills.

As in the foundation, every key and index starts with the tenant, and nothing depends on triggers or sequences.
"""

from piccolo.apps.migrations.auto.migration_manager import MigrationManager

from gateway.storage.migration_statements import run_statements

ID = "2026-11-23T08:20:00:000000"
VERSION = "1.38.0"
DESCRIPTION = (
    "connected organizations, groups, segments, standing, custom fields, fulfillment, tills"
)

ORGANIZATIONS = """
ALTER TABLE organizations ADD COLUMN parent_id uuid;
ALTER TABLE organizations ADD FOREIGN KEY (tenant_id, parent_id) REFERENCES organizations (tenant_id, id);
ALTER TABLE credentials ADD COLUMN reach uuid[] NOT NULL DEFAULT '{}';
ALTER TABLE issuances ADD COLUMN data_scope text NOT NULL DEFAULT 'SELF';
ALTER TABLE issuances ADD COLUMN group_redemption boolean NOT NULL DEFAULT false;
ALTER TABLE issuances ADD COLUMN organization_details jsonb;
"""

GROUPS = """
CREATE TABLE groups (
    tenant_id uuid NOT NULL REFERENCES tenants (id),
    id uuid NOT NULL,
    name text,
    external_id text,
    primary_member_id uuid NOT NULL,
    created_at timestamptz NOT NULL,
    PRIMARY KEY (tenant_id, id),
    CONSTRAINT groups_external_id_taken UNIQUE (tenant_id, external_id),
    CONSTRAINT groups_primary_member_taken UNIQUE (tenant_id, primary_member_id),
    FOREIGN KEY (tenant_id, primary_member_id) REFERENCES members (tenant_id, id)
);
CREATE TABLE group_members (
    tenant_id uuid NOT NULL,
    group_id uuid NOT NULL,
    member_id uuid NOT NULL,
    created_at timestamptz NOT NULL,
    PRIMARY KEY (tenant_id, group_id, member_id),
    FOREIGN KEY (tenant_id, group_id) REFERENCES groups (tenant_id, id),
    FOREIGN KEY (tenant_id, member_id) REFERENCES members (tenant_id, id)
);
CREATE INDEX group_members_by_member ON group_members (tenant_id, member_id, group_id);
CREATE TABLE segments (
    tenant_id uuid NOT NULL,
    id uuid NOT NULL,
    organization_id uuid NOT NULL,
    name text NOT NULL,
    created_at timestamptz NOT NULL,
    PRIMARY KEY (tenant_id, id),
    CONSTRAINT segments_name_taken UNIQUE (tenant_id, organization_id, name),
    FOREIGN KEY (tenant_id, organization_id) REFERENCES organizations (tenant_id, id)
);
CREATE INDEX segments_by_organization ON segments (tenant_id, organization_id, id);
CREATE TABLE segment_members (
    tenant_id uuid NOT NULL,
    segment_id uuid NOT NULL,
    member_id uuid NOT NULL,
    created_at timestamptz NOT NULL,
    PRIMARY KEY (tenant_id, segment_id, member_id),
    FOREIGN KEY (tenant_id, segment_id) REFERENCES segments (tenant_id, id),
    FOREIGN KEY (tenant_id, member_id) REFERENCES members (tenant_id, id)
);
CREATE INDEX segment_members_by_member ON segment_members (tenant_id, member_id, segment_id);
CREATE TABLE reward_segments (
    tenant_id uuid NOT NULL,
    reward_id uuid NOT NULL,
    segment_id uuid NOT NULL,
    PRIMARY KEY (tenant_id, reward_id, segment_id),
    FOREIGN KEY (tenant_id, reward_id) REFERENCES rewards (tenant_id, id),
    FOREIGN KEY (tenant_id, segment_id) REFERENCES segments (tenant_id, id)
);
"""

STANDING = """
CREATE TABLE member_cards (
    tenant_id uuid NOT NULL,
    number text NOT NULL,
    member_id uuid NOT NULL,
    status text NOT NULL,
    created_at timestamptz NOT NULL,
    PRIMARY KEY (tenant_id, number),
    FOREIGN KEY (tenant_id, member_id) REFERENCES members (tenant_id, id)
);
CREATE INDEX member_cards_by_member ON member_cards (tenant_id, member_id);
CREATE TABLE member_labels (
    tenant_id uuid NOT NULL,
    member_id uuid NOT NULL,
    name text NOT NULL,
    status text NOT NULL,
    created_at timestamptz NOT NULL,
    PRIMARY KEY (tenant_id, member_id, name),
    FOREIGN KEY (tenant_id, member_id) REFERENCES members (tenant_id, id)
);
"""

DECLARATIONS = """
CREATE TABLE custom_fields (
    tenant_id uuid NOT NULL,
    organization_id uuid NOT NULL,
    name text NOT NULL,
    kind text NOT NULL,
    is_required boolean NOT NULL,
    choices text[] NOT NULL,
    created_at timestamptz NOT NULL,
    PRIMARY KEY (tenant_id, organization_id, name),
    FOREIGN KEY (tenant_id, organization_id) REFERENCES organizations (tenant_id, id)
);
CREATE TABLE fulfillment_stages (
    tenant_id uuid NOT NULL,
    organization_id uuid NOT NULL,
    name text NOT NULL,
    position integer NOT NULL,
    created_at timestamptz NOT NULL,
    PRIMARY KEY (tenant_id, organization_id, name),
    FOREIGN KEY (tenant_id, organization_id) REFERENCES organizations (tenant_id, id)
);
CREATE TABLE fulfillments (
    tenant_id uuid NOT NULL,
    grant_id uuid NOT NULL,
    organization_id uuid NOT NULL,
    stage text NOT NULL,
    step_count integer NOT NULL,
    updated_at timestamptz NOT NULL,
    PRIMARY KEY (tenant_id, grant_id),
    FOREIGN KEY (tenant_id, grant_id) REFERENCES grants (tenant_id, id),
    FOREIGN KEY (tenant_id, organization_id) REFERENCES organizations (tenant_id, id)
);
CREATE INDEX fulfillments_by_stage ON fulfillments (tenant_id, organization_id, stage, grant_id);
CREATE TABLE fulfillment_steps (
    tenant_id uuid NOT NULL,
    grant_id uuid NOT NULL,
    step integer NOT NULL,
    stage text NOT NULL,
    note text,
    operation_id uuid NOT NULL,
    occurred_at timestamptz NOT NULL,
    PRIMARY KEY (tenant_id, grant_id, step),
    FOREIGN KEY (tenant_id, grant_id) REFERENCES fulfillments (tenant_id, grant_id)
);
"""

TILLS = """
CREATE TABLE tills (
    tenant_id uuid NOT NULL,
    id uuid NOT NULL,
    organization_id uuid NOT NULL,
    name text NOT NULL,
    created_at timestamptz NOT NULL,
    PRIMARY KEY (tenant_id, id),
    CONSTRAINT tills_name_taken UNIQUE (tenant_id, organization_id, name),
    FOREIGN KEY (tenant_id, organization_id) REFERENCES organizations (tenant_id, id)
);
CREATE TABLE validation_codes (
    tenant_id uuid NOT NULL,
    code_hash bytea NOT NULL,
    till_id uuid NOT NULL,
    member_id uuid NOT NULL,
    created_at timestamptz NOT NULL,
    expires_at timestamptz NOT NULL,
    used_at timestamptz,
    operation_id uuid,
    PRIMARY KEY (tenant_id, code_hash),
    FOREIGN KEY (tenant_id, till_id) REFERENCES tills (tenant_id, id),
    FOREIGN KEY (tenant_id, member_id) REFERENCES members (tenant_id, id),
    CHECK ((used_at IS NULL) = (operation_id IS NULL))
);
CREATE TABLE cash_references (
    tenant_id uuid NOT NULL,
    partner_id uuid NOT NULL,
    reference text NOT NULL,
    operation_id uuid NOT NULL,
    created_at timestamptz NOT NULL,
    PRIMARY KEY (tenant_id, partner_id, reference)
);
"""


async def forwards() -> MigrationManager:
    """Create the tables and columns."""
    return run_statements(
        migration_id=ID,
        description=DESCRIPTION,
        statements=(ORGANIZATIONS, GROUPS, STANDING, DECLARATIONS, TILLS),
    )
