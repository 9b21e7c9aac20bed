"""Bring a database to the current schema, once, however many gateways start together."""

from __future__ import annotations

import asyncio
import contextlib
import io
import logging
import os
from pathlib import Path

import asyncpg
from piccolo.apps.migrations.commands.forwards import ForwardsMigrationManager
from piccolo.apps.migrations.tables import Migration
from piccolo.conf.apps import ENVIRONMENT_VARIABLE
from piccolo.engine.postgres import PostgresEngine

from gateway.storage.database import APPLICATION_ROLE

logger = logging.getLogger(__name__)

MIGRATION_LOCK_KEY = 7_239_115_402_881_637
MIGRATIONS_FOLDER = Path(__file__).parent / "migrations"

# Piccolo finds its engine in a module, so one process migrates one database at a time.
_one_at_a_time = asyncio.Lock()

CREATE_ROLE = f"""
DO $$ BEGIN
    IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = '{APPLICATION_ROLE}') THEN
        CREATE ROLE {APPLICATION_ROLE} LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE;
    END IF;
    IF NOT pg_has_role(current_user, '{APPLICATION_ROLE}', 'MEMBER') THEN
        GRANT {APPLICATION_ROLE} TO current_user;
    END IF;
END $$
"""


async def migrate(owner_url: str) -> None:
    """Create the application's role and run every migration that has not run, in one database transaction.

    The lock makes concurrent starts wait for each other; the one that waited finds nothing left to do. A crash half-way
    leaves the schema as it was. `owner_url` names a role that may create tables and roles.

    Raises:
        OSError: the server cannot be reached.
        asyncpg.PostgresError: the role may not do this, or a migration fails.
    """
    if not await is_current(owner_url):
        async with _one_at_a_time:
            await _run_forwards(owner_url)


async def _run_forwards(owner_url: str) -> None:
    os.environ[ENVIRONMENT_VARIABLE] = "gateway.storage.piccolo_conf"
    from gateway.storage import piccolo_conf  # noqa: PLC0415 - builds an engine when imported

    engine = PostgresEngine(config={"dsn": owner_url}, extensions=())
    piccolo_conf.DB = engine
    Migration._meta._db = engine
    progress = io.StringIO()
    # Piccolo reports with print; a service's standard output is not the place for it.
    with contextlib.redirect_stdout(progress):
        async with engine.transaction() as transaction:
            connection = transaction.connection
            await connection.execute("SELECT pg_advisory_xact_lock($1)", MIGRATION_LOCK_KEY)
            await connection.execute(CREATE_ROLE)
            result = await ForwardsMigrationManager(app_name="rewards_gateway").run()
    logger.info("migrated", extra={"progress": progress.getvalue()})
    if not result.success:
        raise RuntimeError(result.message)


async def is_current(owner_url: str) -> bool:
    """Tell whether every migration in the folder has run; one connection, one statement."""
    connection = await asyncpg.connect(owner_url)
    try:
        ran = await connection.fetchval("SELECT count(*) FROM migration")
    except asyncpg.UndefinedTableError:
        return False
    finally:
        await connection.close()
    return bool(ran == len(list(MIGRATIONS_FOLDER.glob("m*.py"))))
