"""A pooler between the gateway and its server is found when a connection is made, and refused in one line."""

from __future__ import annotations

import asyncio
import os
import pwd
import shutil
import subprocess
from collections.abc import AsyncIterator
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest

from gateway.storage import session_store
from gateway.storage.addresses import DatabaseUnavailable, open_database
from gateway.storage.connecting import NoServer
from gateway.storage.database import Database
from gateway.storage.embedded import application_url
from gateway.storage.session_store import POOLER
from tests.faults.test_servers import closed_port
from tests.waiting import WAIT_SECONDS_MAX

pgbouncer = pytest.mark.skipif(
    shutil.which("pgbouncer") is None, reason="pgbouncer is not installed"
)
IGNORED = (
    "role,lock_timeout,statement_timeout,idle_in_transaction_session_timeout,jit,plan_cache_mode,"
    "max_parallel_workers_per_gather,tcp_keepalives_idle,tcp_keepalives_interval,tcp_keepalives_count,"
    "extra_float_digits"
)


def owner_of(folder: Path) -> pwd.struct_passwd:
    return pwd.getpwuid(folder.stat().st_uid)


@pytest.fixture
async def pooler_url(
    pristine_database_url: str, server_folder: Path, ignored: str
) -> AsyncIterator[str]:
    """Run pgbouncer in transaction mode in front of the test server, ignoring settings."""
    parts = urlsplit(pristine_database_url)
    name, port = parts.path[1:], closed_port()
    configuration = server_folder / "pgbouncer.ini"
    configuration.write_text(
        f"[databases]\n{name} = host={parse_qs(parts.query)['host'][0]} port=5432\n"
        f"[pgbouncer]\nlisten_addr = 127.0.0.1\nlisten_port = {port}\nunix_socket_dir =\n"
        f"auth_type = any\npool_mode = transaction\n{ignored}\n"
    )
    configuration.write_text(
        configuration.read_text().replace(f"{name} =", f"{name} = user=rewards_gateway")
    )
    # It does not run as root, and the server's socket is for the server's user only.
    owner = owner_of(Path(parse_qs(parts.query)["host"][0]))
    user = ["-u", owner.pw_name] if os.geteuid() == 0 else []
    for path in (server_folder, configuration) if user else ():
        shutil.chown(path, owner.pw_uid)
    process = subprocess.Popen(  # noqa: ASYNC220 - it starts at once
        ["pgbouncer", *user, str(configuration)], stderr=subprocess.DEVNULL
    )
    for _ in range(200):
        try:
            _, writer = await asyncio.open_connection("127.0.0.1", port)
            writer.close()
            break
        except OSError:
            await asyncio.sleep(0.05)
    yield f"postgresql://rewards_gateway@127.0.0.1:{port}/{name}?sslmode=disable"
    process.terminate()
    process.wait(WAIT_SECONDS_MAX)


@pgbouncer
@pytest.mark.parametrize("ignored", ["", f"ignore_startup_parameters = {IGNORED}"])
async def test_pgbouncer_is_refused_in_one_line(pooler_url: str):
    async def use() -> None:
        async with open_database(pooler_url):
            pass

    with pytest.raises(DatabaseUnavailable) as refusal:
        await use()
    server = urlsplit(pooler_url).netloc.partition("@")[2]
    assert str(refusal.value) == f"The database cannot be used: {server} {POOLER}."


async def test_process_id_that_is_not_the_servers_is_a_pooler(
    database_url: str, monkeypatch: pytest.MonkeyPatch
):
    other = session_store.SESSION.replace("pg_backend_pid()", "pg_backend_pid() + 1")
    monkeypatch.setattr(session_store, "SESSION", other)
    with pytest.raises(NoServer, match="is a connection pooler such as pgbouncer"):
        await Database.open(database_url)


@pytest.mark.parametrize(
    ("sent", "arrived"),
    [("current_setting(name)", "'0'"), ("current_user", "session_user || 'x'")],
)
async def test_settings_that_did_not_arrive_are_refused(
    database_url: str, monkeypatch: pytest.MonkeyPatch, sent: str, arrived: str
):
    monkeypatch.setattr(session_store, "SESSION", session_store.SESSION.replace(sent, arrived, 1))
    with pytest.raises(NoServer, match="did not take over the role or a time-out"):
        await Database.open(database_url)


@pytest.mark.parametrize("seconds", [0.001, 0.25, 5.0, 60.0])
async def test_session_at_the_server_itself_is_taken(pristine_database_url: str, seconds: float):
    database = await Database.open(
        application_url(pristine_database_url),
        lock_timeout_seconds=seconds,
        read_timeout_seconds=max(1.0, seconds),
    )
    await database.close()
