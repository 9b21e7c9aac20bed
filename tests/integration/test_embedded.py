import os
import subprocess
import sys
import time
from pathlib import Path

import asyncpg
import psutil
import pytest

from gateway.storage import embedded_server
from gateway.storage.embedded import application_url, embedded_postgres
from gateway.storage.embedded_guardian import guard
from gateway.storage.embedded_programs import EmbeddedServerFailed
from gateway.storage.embedded_server import EmbeddedServer, open_users_lock

WAIT_SECONDS_MAX = 20.0


@pytest.fixture
def data_dir(server_folder: Path) -> Path:
    return server_folder / "data"


def is_running(data_dir: Path) -> bool:
    return EmbeddedServer(data_dir / "postgres").is_running()


def server_process(data_dir: Path) -> psutil.Process:
    return psutil.Process(int((data_dir / "postgres/postmaster.pid").read_text().split()[0]))


async def fetch_value(url: str, statement: str) -> object:
    connection = await asyncpg.connect(url)
    try:
        return await connection.fetchval(statement)
    finally:
        await connection.close()


def start_gateway_elsewhere(data_dir: Path) -> subprocess.Popen[str]:
    """Start a process that uses the server until its input ends; return when it does."""
    script = (
        "import pathlib, sys; from gateway.storage.embedded import embedded_postgres\n"
        "with embedded_postgres(pathlib.Path(sys.argv[1])) as url: print(url, flush=True); input()"
    )
    process = subprocess.Popen(
        [sys.executable, "-c", script, str(data_dir)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    assert process.stdout.readline().startswith("postgresql://")
    return process


async def test_commits_wait_for_the_disk(data_dir: Path):
    with embedded_postgres(data_dir) as url:
        for setting in ("fsync", "synchronous_commit", "full_page_writes"):
            assert await fetch_value(url, f"SHOW {setting}") == "on"


async def test_data_survives_a_restart(data_dir: Path):
    with embedded_postgres(data_dir) as url:
        await fetch_value(url, "CREATE TABLE kept AS SELECT 42 AS answer")
    assert not is_running(data_dir)
    with embedded_postgres(data_dir) as url:
        assert await fetch_value(url, "SELECT answer FROM kept") == 42


async def test_text_sorts_by_code_point_whatever_the_machine_speaks(data_dir: Path):
    with embedded_postgres(data_dir) as url:
        assert await fetch_value(url, "SELECT 'Z' < 'a' AND 'z' < 'ä'") is True


def test_last_user_stops_the_server(data_dir: Path):
    with embedded_postgres(data_dir) as first_url:
        with embedded_postgres(data_dir) as second_url:
            assert second_url == first_url
        assert is_running(data_dir)
    assert not is_running(data_dir)


def test_another_process_keeps_the_server(data_dir: Path):
    with embedded_postgres(data_dir):
        other = start_gateway_elsewhere(data_dir)
    assert is_running(data_dir)
    other.communicate("\n", timeout=WAIT_SECONDS_MAX)
    assert other.returncode == 0
    assert not is_running(data_dir)


def test_guardian_stops_the_server_of_a_killed_process(data_dir: Path):
    with start_gateway_elsewhere(data_dir) as other:
        other.kill()
    deadline = time.monotonic() + WAIT_SECONDS_MAX
    while is_running(data_dir):
        assert time.monotonic() < deadline, "the server outlived its last user"
        time.sleep(0.02)


def test_guard_waits_for_nobody_when_nobody_is_there(data_dir: Path):
    data_dir.mkdir()
    EmbeddedServer(data_dir / "postgres").start()
    guard(data_dir, disposable=True)
    assert not data_dir.exists()


def test_guard_of_a_server_that_was_stopped_does_nothing(data_dir: Path):
    with embedded_postgres(data_dir):
        pass
    guard(data_dir, disposable=False)
    assert (data_dir / "postgres/PG_VERSION").exists()


def test_late_guardian_leaves_a_new_server_alone(data_dir: Path):
    data_dir.mkdir()
    with open_users_lock(data_dir) as old_lock:
        (data_dir / old_lock.name).unlink()
        with embedded_postgres(data_dir):
            EmbeddedServer(data_dir / "postgres", is_disposable=True).retire(old_lock)
            assert is_running(data_dir)


def test_failed_creation_leaves_nothing_half_made(data_dir: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(embedded_server, "INITDB_OPTIONS", ("--no-such-option",))
    with (
        pytest.raises(EmbeddedServerFailed, match=r"could not be created: .*no-such-option"),
        embedded_postgres(data_dir),
    ):
        pass
    assert not (data_dir / "postgres").exists()


def test_failure_inside_still_stops_the_server(data_dir: Path):
    with pytest.raises(KeyboardInterrupt), embedded_postgres(data_dir):
        raise KeyboardInterrupt
    assert not is_running(data_dir)


async def test_killed_server_starts_again(data_dir: Path):
    with embedded_postgres(data_dir) as url:
        await fetch_value(url, "CREATE TABLE kept AS SELECT 42 AS answer")
        server_process(data_dir).kill()
    with embedded_postgres(data_dir) as url:
        assert await fetch_value(url, "SELECT answer FROM kept") == 42


def test_pid_that_another_program_has_by_now_is_forgotten(data_dir: Path):
    with embedded_postgres(data_dir):
        pid_file = (data_dir / "postgres/postmaster.pid").read_text()
    own_pid = str(os.getpid())
    (data_dir / "postgres/postmaster.pid").write_text(
        "\n".join([own_pid, *pid_file.split("\n")[1:]])
    )
    assert not is_running(data_dir)
    with embedded_postgres(data_dir):
        assert is_running(data_dir)


async def test_interrupted_creation_is_done_again(data_dir: Path):
    (data_dir / "postgres.new").mkdir(parents=True)
    (data_dir / "postgres.new/PG_VERSION").write_text("18")
    with embedded_postgres(data_dir) as url:
        assert await fetch_value(url, "SELECT current_database()") == "rewards"
    assert not (data_dir / "postgres.new").exists()


async def test_path_too_long_for_a_socket_and_hard_to_quote_works(server_folder: Path):
    data_dir = server_folder / ("long" * 30) / 'it\'s "odd" $HOME, `id`'
    with embedded_postgres(data_dir, disposable=True) as url:
        assert await fetch_value(url, "SELECT 1") == 1
    assert not data_dir.exists()


def test_unusable_data_directory_is_one_clear_sentence(server_folder: Path):
    (server_folder / "file").write_text("not a folder")
    data_dir = server_folder.resolve() / "file" / "data"
    with pytest.raises(EmbeddedServerFailed) as failure, embedded_postgres(data_dir):
        pass
    assert str(failure.value) == f"DATA_DIR {data_dir} cannot be used: Not a directory"


def test_refusal_to_start_tells_the_reason_of_the_server(data_dir: Path):
    with embedded_postgres(data_dir):
        pass
    (data_dir / "postgres/PG_VERSION").write_text("12\n")
    with (
        pytest.raises(EmbeddedServerFailed, match="did not start: database files are incompatible"),
        embedded_postgres(data_dir),
    ):
        pass


def test_disposable_server_leaves_nothing_behind(data_dir: Path):
    with embedded_postgres(data_dir, disposable=True):
        assert is_running(data_dir)
    assert not data_dir.exists()


def test_application_address_names_the_ordinary_role():
    assert (
        application_url("postgresql://postgres:@/rewards?host=/tmp/x")
        == "postgresql://rewards_gateway:@/rewards?host=/tmp/x"
    )
