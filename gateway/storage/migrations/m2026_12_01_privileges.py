"""Two roles that may do what they need and no more; what that is, storage/privileges.py says.

Keys are freed by a function of the owner's, which deletes only what this very database transaction has claimed. And whoever
serves makes no credentials but members' own.
"""

from piccolo.apps.migrations.auto.migration_manager import MigrationManager

from gateway.storage.migration_statements import run_statements

ID = "2026-12-01T09:30:00:000000"
VERSION = "1.38.0"
DESCRIPTION = "privileges"

RELEASE_KEYS = """
CREATE FUNCTION release_keys(tenant uuid, partner uuid, kinds text[], freed_keys text[], operation_ids uuid[]) RETURNS void
LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $function$
    DELETE FROM public.operations
    WHERE tenant_id = tenant AND partner_id = partner
        AND (kind, key, id) IN (SELECT * FROM unnest(kinds, freed_keys, operation_ids))
        AND xmin = pg_current_xact_id()::xid
$function$;
REVOKE ALL ON FUNCTION release_keys FROM PUBLIC;
GRANT EXECUTE ON FUNCTION release_keys TO rewards_gateway;
"""

CREDENTIALS = """
ALTER TABLE credentials ENABLE ROW LEVEL SECURITY;
CREATE POLICY credentials_are_readable ON credentials FOR SELECT USING (true);
CREATE POLICY credentials_are_used ON credentials FOR UPDATE TO rewards_gateway USING (true);
CREATE POLICY credentials_of_members_only ON credentials FOR INSERT TO rewards_gateway
    WITH CHECK (member_id IS NOT NULL AND scopes = '{member}');
CREATE POLICY credentials_are_the_operators ON credentials TO rewards_gateway_operator USING (true) WITH CHECK (true);
"""


async def forwards() -> MigrationManager:
    """Add the function and the policies; privileges are granted at the end of every run of migrations."""
    return run_statements(
        migration_id=ID, description=DESCRIPTION, statements=(RELEASE_KEYS, CREDENTIALS)
    )
