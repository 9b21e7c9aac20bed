"""Vendors' request templates sealed: whatever a template says beside its placeholders may be a secret (decision 0074)."""

from piccolo.apps.migrations.auto.migration_manager import MigrationManager

from gateway.storage.migration_statements import run_statements

ID = "2026-12-01T02:27:41:000000"
VERSION = "1.38.0"
DESCRIPTION = "sealed templates"

# The keys are the gateway's, so no statement can seal what is there.
REFUSE_PLAIN = """
DO $$ BEGIN
    IF EXISTS (SELECT FROM vendors) THEN
        RAISE EXCEPTION 'this database has vendors in plain, from before the first release: begin with a new one';
    END IF;
END $$
"""

TEMPLATES = """
ALTER TABLE vendors DROP COLUMN request_template, ADD COLUMN request_template_sealed bytea NOT NULL,
    ADD COLUMN sends_quantity boolean NOT NULL;
ALTER TABLE vendor_orders DROP COLUMN request_template, ADD COLUMN request_template_sealed bytea NOT NULL;
"""


async def forwards() -> MigrationManager:
    """Replace the templates' JSON."""
    return run_statements(
        migration_id=ID, description=DESCRIPTION, statements=(REFUSE_PLAIN, TEMPLATES)
    )
