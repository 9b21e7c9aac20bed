"""Which credential acted, which tenants are for tests, and tokens that are replaced without a pause.

No column that names a credential refers to the table of credentials: one may also name an issuer of members' tokens, and
references would cost every request a look-up. `previous_secret_hash` is the token that a rotation replaces, good until
`previous_until`.
"""

from piccolo.apps.migrations.auto.migration_manager import MigrationManager

from gateway.storage.migration_statements import run_statements

ID = "2026-12-01T02:00:00:000000"
VERSION = "1.38.0"
DESCRIPTION = "credentials on what they did, rotation, last use, test tenants"

WHO_ACTED = """
ALTER TABLE operations ADD COLUMN credential_id uuid;
ALTER TABLE ledger_transactions ADD COLUMN credential_id uuid;
ALTER TABLE vendor_orders ADD COLUMN credential_id uuid;
"""

TENANTS = """
ALTER TABLE tenants ADD COLUMN is_test boolean NOT NULL DEFAULT false;
"""

CREDENTIALS = """
ALTER TABLE credentials ADD COLUMN previous_secret_hash bytea;
ALTER TABLE credentials ADD COLUMN previous_until timestamptz;
ALTER TABLE credentials ADD COLUMN last_used_at timestamptz;
ALTER TABLE credentials ADD CONSTRAINT credentials_previous_secret_ends
    CHECK ((previous_secret_hash IS NULL) = (previous_until IS NULL));
"""


async def forwards() -> MigrationManager:
    """Add the columns."""
    return run_statements(
        migration_id=ID,
        description=DESCRIPTION,
        statements=(WHO_ACTED, TENANTS, CREDENTIALS),
    )
