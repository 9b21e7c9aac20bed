"""A database that cannot be used costs every command one line that says why, after seconds, and shows no password."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import asyncpg
import pytest

from gateway.storage.embedded import embedded_postgres
from gateway.storage.migrate import migrate
from tests.faults.test_servers import closed_port
from tests.forwarder import forwarding
from tests.gateway_process import PROGRAM
from tests.waiting import WAIT_SECONDS_MAX

TENANT = "01a20708-d78d-7f38-8315-37a5b8113ec8"
COMMANDS = [
    ("serve",),
    ("worker",),
    ("verify",),
    ("token", "list", "--tenant", TENANT),
    ("tenant", "create", "x", "--organization", "y"),
]
PASSWORD = "hunter2"


async def run(*command: str, **environment: str) -> str:
    """Run a command that must fail, and return what it says on standard error."""
    process = await asyncio.to_thread(
        subprocess.run,
        [sys.executable, "-c", PROGRAM, *command],
        env=os.environ | {"PORT": "0", "SECRET_KEYS": "0a" * 32} | environment,
        capture_output=True,
        text=True,
        timeout=WAIT_SECONDS_MAX,
        check=False,
    )
    assert process.returncode == 1
    assert PASSWORD not in process.stderr + process.stdout
    return process.stderr


@dataclass(frozen=True, slots=True)
class PasswordServer:
    """A migrated server that asks the application's role for a password."""

    owner_url: str

    @property
    def socket(self) -> str:
        return parse_qs(urlsplit(self.owner_url).query)["host"][0]

    def url(self, password: str = PASSWORD, database: str = "rewards") -> str:
        return f"postgresql://rewards_gateway:{password}@/{database}?host={self.socket}"


@pytest.fixture
async def server(server_folder: Path) -> AsyncIterator[PasswordServer]:
    with embedded_postgres(server_folder, disposable=True) as owner_url:
        await migrate(owner_url)
        owner = await asyncpg.connect(owner_url)
        await owner.execute("ALTER ROLE rewards_gateway PASSWORD 'right'")
        hba = server_folder / "postgres" / "pg_hba.conf"
        rule = "local all rewards_gateway scram-sha-256\n"
        hba.write_text(rule + hba.read_text())
        await owner.execute("SELECT pg_reload_conf()")
        await owner.close()
        yield PasswordServer(owner_url)


@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
async def test_wrong_password_is_one_line(server: PasswordServer, command: tuple[str, ...]):
    """Of the application for what serves; the other commands log in as the owner."""
    is_serving = command[0] in {"serve", "worker"}
    owner_url = server.owner_url if is_serving else server.url()
    said = await run(*command, DATABASE_URL=server.url(), MIGRATION_DATABASE_URL=owner_url)
    assert said == (
        f"gateway: The database {server.socket}/.s.PGSQL.5432/rewards cannot be used: "
        'it says: password authentication failed for user "rewards_gateway".\n'
    )


@pytest.mark.parametrize("command", [*COMMANDS, ("migrate",)], ids=" ".join)
async def test_silent_server_is_one_line(pristine_database_url: str, command: tuple[str, ...]):
    async with forwarding(pristine_database_url) as forwarder:
        forwarder.freeze()
        url = forwarder.url(pristine_database_url).replace("@", f":{PASSWORD}@")
        said = await run(*command, DATABASE_URL=f"{url}&connect_timeout=1")
    assert said == (
        f"gateway: The database cannot be used: 127.0.0.1:{forwarder.port} "
        "does not answer within 1 s.\n"
    )


async def test_nobody_listening_is_one_line():
    port = closed_port()
    said = await run("verify", DATABASE_URL=f"postgresql://u:{PASSWORD}@127.0.0.1:{port}/db")
    assert said == (
        f"gateway: The database cannot be used: 127.0.0.1:{port} "
        "refuses connections: no server listens there.\n"
    )


async def test_unknown_host_is_one_line():
    said = await run("migrate", DATABASE_URL=f"postgresql://u:{PASSWORD}@nowhere.invalid/db")
    assert said == (
        "gateway: The database cannot be used: nowhere.invalid:5432 is not a known host name.\n"
    )


async def test_missing_socket_is_one_line(tmp_path: Path):
    said = await run("worker", DATABASE_URL=f"postgresql://u:{PASSWORD}@/db?host={tmp_path}")
    assert said == (
        f"gateway: The database cannot be used: {tmp_path}/.s.PGSQL.5432 "
        "is not there: no server listens on this socket.\n"
    )


async def test_unknown_database_is_one_line(server: PasswordServer):
    url = server.owner_url.replace("/rewards?", "/missing?")
    said = await run("migrate", DATABASE_URL=url)
    assert said == (
        f"gateway: The database {server.socket}/.s.PGSQL.5432/missing cannot be used: "
        'it says: database "missing" does not exist.\n'
    )


async def test_role_that_may_not_migrate_is_one_line(server: PasswordServer):
    """A login without rights on the tables, which is not the application's role either."""
    owner = await asyncpg.connect(server.owner_url)
    await owner.execute("CREATE ROLE stranger LOGIN")
    await owner.close()
    url = server.owner_url.replace("//postgres:", "//stranger:")
    said = await run("migrate", DATABASE_URL=url)
    assert said.startswith("gateway: The database ")
    assert said.endswith(" cannot be used: it says: permission denied for table migration.\n")
    assert said.count("\n") == 1
