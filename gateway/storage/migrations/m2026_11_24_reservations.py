"""Reservations: holds that partners place, capture and release, and that end by themselves in time."""

from piccolo.apps.migrations.auto.migration_manager import MigrationManager

from gateway.storage.migration_statements import run_statements

ID = "2026-11-24T12:00:00:000000"
VERSION = "1.38.0"
DESCRIPTION = "reservations"

STATEMENTS = """
CREATE TABLE reservations (
    tenant_id uuid NOT NULL,
    id uuid NOT NULL,
    organization_id uuid NOT NULL,
    member_id uuid NOT NULL,
    reason text,
    captured_minor bigint CHECK (captured_minor > 0),
    transaction_id uuid,
    PRIMARY KEY (tenant_id, id),
    FOREIGN KEY (tenant_id, id) REFERENCES holds (tenant_id, id),
    FOREIGN KEY (tenant_id, member_id) REFERENCES members (tenant_id, id),
    CHECK ((captured_minor IS NULL) = (transaction_id IS NULL))
);
CREATE INDEX reservations_by_member ON reservations (tenant_id, member_id, id);
CREATE INDEX holds_due ON holds (tenant_id, expires_at) WHERE status = 'OPEN' AND expires_at IS NOT NULL;
"""


async def forwards() -> MigrationManager:
    """Create the table and its indexes."""
    return run_statements(migration_id=ID, description=DESCRIPTION, statements=(STATEMENTS,))
