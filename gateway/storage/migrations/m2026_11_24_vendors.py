"""Vendors, and the orders placed with them."""

from piccolo.apps.migrations.auto.migration_manager import MigrationManager

from gateway.storage.migration_statements import run_statements

ID = "2026-11-24T08:00:00:000000"
VERSION = "1.38.0"
DESCRIPTION = "vendors, vendor orders"

VENDORS = """
CREATE TABLE vendors (
    tenant_id uuid NOT NULL,
    id uuid NOT NULL,
    organization_id uuid NOT NULL,
    name text NOT NULL,
    endpoint text NOT NULL,
    request_template jsonb NOT NULL,
    response_mapping jsonb NOT NULL,
    secret_header_name text,
    secret_header_sealed bytea,
    timeout_seconds integer NOT NULL CHECK (timeout_seconds BETWEEN 1 AND 30),
    created_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL,
    PRIMARY KEY (tenant_id, id),
    FOREIGN KEY (tenant_id, organization_id) REFERENCES organizations (tenant_id, id),
    CHECK ((secret_header_name IS NULL) = (secret_header_sealed IS NULL))
);
CREATE INDEX vendors_by_organization ON vendors (tenant_id, organization_id, id);
CREATE TABLE vendor_orders (
    tenant_id uuid NOT NULL,
    grant_id uuid NOT NULL,
    vendor_id uuid NOT NULL,
    operation_id uuid NOT NULL,
    transaction_kind text NOT NULL,
    endpoint text NOT NULL,
    request_template jsonb NOT NULL,
    request_values jsonb NOT NULL,
    payments jsonb NOT NULL,
    status text NOT NULL,
    attempt_count integer NOT NULL,
    is_uncertain boolean NOT NULL,
    lease_id uuid,
    due_at timestamptz NOT NULL,
    last_problem text,
    created_at timestamptz NOT NULL,
    settled_at timestamptz,
    PRIMARY KEY (tenant_id, grant_id),
    FOREIGN KEY (tenant_id, vendor_id) REFERENCES vendors (tenant_id, id),
    FOREIGN KEY (tenant_id, grant_id) REFERENCES grants (tenant_id, id),
    CHECK ((status = 'PENDING') = (settled_at IS NULL))
) WITH (fillfactor = 70);
CREATE INDEX vendor_orders_due ON vendor_orders (tenant_id, due_at) WHERE status = 'PENDING';
"""


async def forwards() -> MigrationManager:
    """Create the tables."""
    return run_statements(migration_id=ID, description=DESCRIPTION, statements=(VENDORS,))
