"""Runs migrations with Piccolo. Imported only when there are some to run: Piccolo's commands bring a code formatter with them."""

from __future__ import annotations

import asyncio
import contextlib
import io
import logging
import os

from piccolo.apps.migrations.commands.forwards import ForwardsMigrationManager
from piccolo.apps.migrations.tables import Migration
from piccolo.conf.apps import ENVIRONMENT_VARIABLE
from piccolo.engine.postgres import PostgresEngine

from gateway.database_address import DatabaseAddress
from gateway.storage.connecting import Connector
from gateway.storage.migrate import APP_NAME
from gateway.storage.privileges import APPLICATION_ROLE, OPERATOR_ROLE, grant_statements

logger = logging.getLogger(__name__)

MIGRATION_LOCK_KEY = 7_239_115_402_881_637

# Piccolo finds its engine in a module, so one process migrates one database at a time.
_one_at_a_time = asyncio.Lock()

_CREATE_ROLE = """
DO $$ BEGIN
    IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = '{role}') THEN
        CREATE ROLE {role} {login} NOSUPERUSER NOCREATEDB NOCREATEROLE;
    END IF;
    IF NOT pg_has_role(current_user, '{role}', 'MEMBER') THEN
        GRANT {role} TO current_user;
    END IF;
END $$
"""
CREATE_ROLES = (
    _CREATE_ROLE.format(role=APPLICATION_ROLE, login="LOGIN"),
    # The owner takes it for one database transaction at a time; nobody logs in as it.
    _CREATE_ROLE.format(role=OPERATOR_ROLE, login="NOLOGIN"),
)


async def run_migrations(owner_url: str) -> None:
    """Create the roles, run every migration that has not run, and grant what privileges.py says, in one database transaction.

    Under a lock: who had to wait for it finds nothing left to do.
    """
    async with _one_at_a_time:
        await _run_forwards(owner_url)


async def _run_forwards(owner_url: str) -> None:
    os.environ[ENVIRONMENT_VARIABLE] = "gateway.storage.piccolo_conf"
    from gateway.storage import piccolo_conf  # noqa: PLC0415 - builds an engine when imported

    connector = Connector(DatabaseAddress.parse(owner_url))
    # Finds the server that can be written to.
    await (await connector.connect()).close()
    engine = PostgresEngine(config=connector.options_for_server(), extensions=())
    piccolo_conf.DB = engine
    Migration._meta._db = engine
    progress = io.StringIO()
    # Piccolo reports with print; a service's standard output is not the place for it.
    with contextlib.redirect_stdout(progress):
        async with engine.transaction() as transaction:
            connection = transaction.connection
            await connection.execute("SELECT pg_advisory_xact_lock($1)", MIGRATION_LOCK_KEY)
            for statement in CREATE_ROLES:
                await connection.execute(statement)
            result = await ForwardsMigrationManager(app_name=APP_NAME).run()
            if result.success:
                await connection.execute(";".join(grant_statements()))
    logger.info("migrated", extra={"progress": progress.getvalue()})
    if not result.success:
        raise RuntimeError(result.message)
