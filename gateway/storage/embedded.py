"""PostgreSQL from a Python package, for running the gateway without installing a database.

Gateways that share a data directory share one server. Each holds a shared lock on a file while it uses the server;
whoever gets that lock exclusively is alone and may stop it. The kernel drops the lock of a process that dies, so nobody
is counted who is not there, and a guardian process (embedded_guardian.py) waits for it in case the last user is killed.

When root starts it, the server runs as an ordinary user, as PostgreSQL demands, and the folders above the data directory
become passable (not readable) for others.
"""

from __future__ import annotations

import fcntl
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import BinaryIO
from urllib.parse import urlsplit, urlunsplit

from gateway.storage.embedded_programs import EmbeddedServerFailed
from gateway.storage.embedded_server import EmbeddedServer, is_linked, open_users_lock
from gateway.storage.privileges import APPLICATION_ROLE

START_LOCK_NAME = ".postgres-start.lock"


@contextmanager
def embedded_postgres(data_dir: Path, *, disposable: bool = False) -> Iterator[str]:
    """Run PostgreSQL on `data_dir/postgres` and yield the address of its owner for the database `rewards`.

    The server is started unless another gateway has, and stopped on leaving unless another gateway still uses it.
    A disposable one, for tests, does not wait for the disk, and `data_dir` is removed when its last user leaves.

    Raises:
        EmbeddedServerFailed: the directory is unusable or the server does not start; one sentence says why.
    """
    data_dir = data_dir.expanduser().resolve()
    server = EmbeddedServer(data_dir / "postgres", is_disposable=disposable)
    with ExitStack() as leaving:
        try:
            users_lock = leaving.enter_context(_join(data_dir))
            leaving.callback(_leave, users_lock, server)
            start_lock = leaving.enter_context((data_dir / START_LOCK_NAME).open("ab"))
            fcntl.flock(start_lock, fcntl.LOCK_EX)
            if not server.is_running():
                _start_guardian(data_dir, disposable=disposable)
                server.start()
            fcntl.flock(start_lock, fcntl.LOCK_UN)
            owner_url = server.owner_url()
        except OSError as error:
            raise EmbeddedServerFailed(
                f"DATA_DIR {data_dir} cannot be used: {error.strerror or error}"
            ) from error
        yield owner_url


def application_url(owner_url: str) -> str:
    """Return the address at which the application's ordinary role reaches the same embedded database."""
    parts = urlsplit(owner_url)
    return urlunsplit(parts._replace(netloc=f"{APPLICATION_ROLE}:@"))


def _join(data_dir: Path) -> BinaryIO:
    """Return the users' lock file, held shared, once nobody is stopping the server."""
    while True:
        data_dir.mkdir(parents=True, exist_ok=True)
        users_lock = open_users_lock(data_dir)
        fcntl.flock(users_lock, fcntl.LOCK_SH)
        # A disposable server's last user deletes the file; who waited for its lock then starts afresh.
        if is_linked(users_lock):
            return users_lock
        users_lock.close()


def _leave(users_lock: BinaryIO, server: EmbeddedServer) -> None:
    fcntl.flock(users_lock, fcntl.LOCK_UN)
    try:
        fcntl.flock(users_lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        # Others use the server, or the guardian is stopping it: a shared lock comes at once, or when that is done.
        fcntl.flock(users_lock, fcntl.LOCK_SH)
    else:
        server.retire(users_lock)


def _start_guardian(data_dir: Path, *, disposable: bool) -> None:
    command = [sys.executable, "-m", "gateway.storage.embedded_guardian", str(data_dir)]
    # The shell leaves at once, so that the guardian is init's child and not ours to bury; in a session of its own,
    # Ctrl-C in the terminal reaches the gateway only.
    subprocess.run(
        ["/bin/sh", "-c", '"$@" &', "sh", *command, *(["--disposable"] if disposable else [])],
        check=True,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
    )
