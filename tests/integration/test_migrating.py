"""Whether there is anything to migrate is told exactly, and without Piccolo's commands."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
from pathlib import Path
from urllib.parse import urlsplit

import asyncpg
import pytest
from piccolo.apps.migrations.commands.base import BaseMigrationManager

from gateway.storage import migrate as migrating
from gateway.storage.embedded import application_url
from gateway.storage.migrate import (
    APP_NAME,
    MIGRATIONS_FOLDER,
    is_current,
    migrate,
    migration_ids,
)
from gateway.storage.privileges import APPLICATION_ROLE, OPERATOR_ROLE

ROOT = Path(__file__).parents[2]


@pytest.fixture
async def owner(pristine_database_url: str):
    connection = await asyncpg.connect(pristine_database_url)
    yield connection
    await connection.close()


def test_ids_are_those_that_piccolo_finds(monkeypatch: pytest.MonkeyPatch):
    # Piccolo puts the folder on the path.
    monkeypatch.setattr(sys, "path", [*sys.path])
    manager = BaseMigrationManager()
    found = manager.get_migration_ids(manager.get_migration_modules(str(MIGRATIONS_FOLDER)))
    assert migration_ids() == set(found)
    assert len(migration_ids()) == len(list(MIGRATIONS_FOLDER.glob("m*.py")))


async def test_a_missing_migration_shows_whatever_else_has_run(
    pristine_database_url: str, owner: asyncpg.Connection[asyncpg.Record]
):
    assert await is_current(pristine_database_url)
    oldest = min(migration_ids())
    await owner.execute("UPDATE migration SET name = 'newer' WHERE name = $1", oldest)
    assert not await is_current(pristine_database_url)
    await owner.execute("UPDATE migration SET name = $1 WHERE name = 'newer'", oldest)
    await owner.execute(
        "INSERT INTO migration (name, app_name, ran_on) VALUES ('newer', $1, now()), ($2, 'other', now())",
        APP_NAME,
        oldest,
    )
    assert await is_current(pristine_database_url)
    await owner.execute("DELETE FROM migration WHERE name = $1 AND app_name = $2", oldest, APP_NAME)
    assert not await is_current(pristine_database_url)


async def test_a_role_that_is_missing_or_out_of_reach_shows(
    pristine_database_url: str,
    owner: asyncpg.Connection[asyncpg.Record],
    monkeypatch: pytest.MonkeyPatch,
):
    """Migrations may have run in another cluster, or for another owner: whoever finds all of them makes sure of the role."""
    await owner.execute(f"CREATE ROLE newcomer_{os.getpid()} LOGIN")
    try:
        await owner.execute(f"GRANT SELECT ON migration TO newcomer_{os.getpid()}")
        parts = urlsplit(pristine_database_url)
        host = parts.netloc.rpartition("@")[2]
        newcomer = parts._replace(netloc=f"newcomer_{os.getpid()}@{host}").geturl()
        assert not await is_current(newcomer)
        await owner.execute(f"GRANT {APPLICATION_ROLE} TO newcomer_{os.getpid()}")
        assert not await is_current(newcomer)
        await owner.execute(f"GRANT {OPERATOR_ROLE} TO newcomer_{os.getpid()}")
        assert await is_current(newcomer)
    finally:
        await owner.execute(
            f"DROP OWNED BY newcomer_{os.getpid()}; DROP ROLE newcomer_{os.getpid()}"
        )
    assert await is_current(application_url(pristine_database_url))
    monkeypatch.setattr(migrating, "ROLES", [APPLICATION_ROLE, "nobody_here"])
    assert not await is_current(pristine_database_url)


async def test_gateways_that_start_together_migrate_once(
    pristine_database_url: str, owner: asyncpg.Connection[asyncpg.Record]
):
    """Processes of their own, on a database without anything; meanwhile nobody finds it half migrated."""
    await owner.execute("DROP SCHEMA public CASCADE; CREATE SCHEMA public")
    program = (
        "import asyncio, sys; from gateway.storage.migrate import migrate; "
        "asyncio.run(migrate(sys.argv[1]))"
    )
    processes = [
        await asyncio.create_subprocess_exec(
            sys.executable, "-c", program, pristine_database_url, cwd=ROOT
        )
        for _ in range(4)
    ]
    seen = set()
    while any(process.returncode is None for process in processes):
        try:
            seen.add(await owner.fetchval("SELECT count(*) FROM migration"))
        except asyncpg.UndefinedTableError:
            seen.add(0)
        await asyncio.sleep(0.01)
    assert [process.returncode for process in processes] == [0] * 4
    assert seen <= {0, len(migration_ids())}
    assert await is_current(pristine_database_url)
    rows = await owner.fetch("SELECT name FROM migration")
    assert sorted(row["name"] for row in rows) == sorted(migration_ids())


def test_start_without_migrations_imports_no_command_line(owner_database_url: str):
    """Nor a code formatter, nor terminal tools: they take a fifth of a start, and 20 MB."""
    program = (
        "import asyncio, sys, gateway.cli, gateway.serving; from gateway.storage.migrate import migrate; "
        "asyncio.run(migrate(sys.argv[1])); "
        "print(sorted({'black', 'cel', 'prompt_toolkit', 'rich'} & set(sys.modules)))"
    )
    result = subprocess.run(
        [sys.executable, "-c", program, owner_database_url],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    assert result.stdout == "[]\n"


async def test_current_database_is_left_alone(
    pristine_database_url: str, owner: asyncpg.Connection[asyncpg.Record]
):
    before = await owner.fetch("SELECT * FROM migration")
    await migrate(pristine_database_url)
    assert await owner.fetch("SELECT * FROM migration") == before
