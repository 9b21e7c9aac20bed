"""Whoever serves may delete members' tokens that partners made and that ended a month ago, and finds them."""

from piccolo.apps.migrations.auto.migration_manager import MigrationManager

from gateway.storage.migration_statements import run_statements

ID = "2026-12-01T11:45:00:000000"
VERSION = "1.38.0"
DESCRIPTION = "members' tokens that ended are forgotten"

POLICY = """
CREATE POLICY credentials_are_forgotten ON credentials FOR DELETE TO rewards_gateway
    USING (member_id IS NOT NULL AND created_by IS NOT NULL AND expires_at < now() - interval '30 days');
"""
INDEX = """
CREATE INDEX credentials_to_forget ON credentials (tenant_id, expires_at) WHERE created_by IS NOT NULL;
"""


async def forwards() -> MigrationManager:
    """Add the policy and the index."""
    return run_statements(migration_id=ID, description=DESCRIPTION, statements=(POLICY, INDEX))
