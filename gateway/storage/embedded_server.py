"""One PostgreSQL server process on one directory: create, start, stop. Nothing here knows who uses it."""

from __future__ import annotations

import contextlib
import hashlib
import os
import re
import shlex
import shutil
import signal
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO
from urllib.parse import quote

import psutil

from gateway.storage.embedded_programs import EmbeddedServerFailed, hand_over, run_program

USERS_LOCK_NAME = ".postgres-users.lock"
DATABASE_NAME = "rewards"
OWNER_ROLE = "postgres"

SOCKET_NAME = ".s.PGSQL.5432"
# 104 bytes on macOS with the closing zero, 108 on Linux.
SOCKET_PATH_BYTES_MAX = 103
PLAIN_PATH = re.compile(r"[A-Za-z0-9_./-]+")
STOP_TIMEOUT_SECONDS = 120
POLL_SECONDS = 0.01
START_ATTEMPTS_MAX = 5
START_PAUSE_SECONDS = 0.2
# One more than the highest that Linux and macOS hand out.
PID_OF_NOBODY = 4_194_305

INITDB_OPTIONS = (
    f"--username={OWNER_ROLE}",
    "--auth-local=trust",
    "--auth-host=reject",
    "--encoding=UTF8",
    # One collation everywhere, whatever the machine's language: text sorts by code point.
    "--locale=C",
    "--locale-provider=builtin",
    "--builtin-locale=C.UTF-8",
    "--no-instructions",
)
CONNECTIONS_MAX = 200
SETTINGS = {
    # Only the socket, and only for its owner (and root): nothing listens on the network.
    "listen_addresses": "",
    "port": "5432",
    "unix_socket_permissions": "0700",
    # What is acknowledged is on the disk.
    "fsync": "on",
    "synchronous_commit": "on",
    "full_page_writes": "on",
    "max_connections": f"{CONNECTIONS_MAX}",
    "shared_buffers": "128MB",
    "max_wal_size": "2GB",
    "random_page_cost": "1.1",
    "timezone": "UTC",
    "log_timezone": "UTC",
    "log_checkpoints": "off",
}
DISPOSABLE_SETTINGS = {
    "fsync": "off",
    "synchronous_commit": "off",
    "full_page_writes": "off",
    # Statistics gathered at some moment of a test run would make plans depend on that moment.
    "autovacuum": "off",
}


@dataclass(frozen=True, slots=True)
class EmbeddedServer:
    """A server on `directory`. Callers hold the locks of embedded.py around every method that changes something."""

    directory: Path
    # Deleted when unused, and too short-lived to wait for the disk.
    is_disposable: bool = False

    def is_running(self) -> bool:
        """Tell whether the server of this directory runs."""
        return self._process() is not None

    def owner_url(self) -> str:
        """Return the superuser's address; the server must run."""
        # Line five of the file that PostgreSQL keeps while it runs names the socket's folder.
        socket_directory = self._pid_file.read_text().splitlines()[4]
        return f"postgresql://{OWNER_ROLE}:@/{DATABASE_NAME}?host={quote(socket_directory)}"

    def start(self) -> None:
        """Create the directory if there is none, and return when the server takes connections.

        Raises:
            EmbeddedServerFailed: PostgreSQL refuses to create the directory or to start.
            OSError: the directory is unusable.
        """
        if not self.directory.exists():
            self._create()
        socket_directory = self._prepare_socket_directory()
        if (pid := self._recorded_pid()) and psutil.pid_exists(pid) and not self.is_running():
            self._disown_pid(socket_directory)
        self._launch(socket_directory)

    def stop(self) -> None:
        """Stop the server if it runs: sessions are ended, everything committed is kept."""
        process = self._process()
        if process is None:
            return
        # PostgreSQL's fast shutdown.
        process.send_signal(signal.SIGINT)
        deadline = time.monotonic() + STOP_TIMEOUT_SECONDS
        # Not a wait for the process: init may take a second to bury it after it has finished.
        while self.is_running():
            if time.monotonic() > deadline:
                raise EmbeddedServerFailed(
                    "The embedded PostgreSQL does not stop; see its server.log."
                )
            time.sleep(POLL_SECONDS)

    def retire(self, users_lock: BinaryIO) -> None:
        """Stop the server that nobody uses, and delete it if it is disposable; `users_lock` is held exclusively."""
        if not is_linked(users_lock):
            # Deleted by another's retirement while we waited: a server that runs here now is not ours.
            return
        self.stop()
        if self.is_disposable:
            shutil.rmtree(self._short_socket_directory, ignore_errors=True)
            shutil.rmtree(self.directory.parent, ignore_errors=True)

    @property
    def _pid_file(self) -> Path:
        return self.directory / "postmaster.pid"

    @property
    def _short_socket_directory(self) -> Path:
        digest = hashlib.sha256(os.fsencode(self.directory)).hexdigest()[:16]
        return Path(tempfile.gettempdir()) / f"rewards-gateway-{digest}"

    def _recorded_pid(self) -> int | None:
        try:
            return int(self._pid_file.read_text().split("\n", 1)[0])
        except (FileNotFoundError, ValueError):
            return None

    def _process(self) -> psutil.Process | None:
        """Return the running server, told from a stranger with a reused pid by its working directory."""
        pid = self._recorded_pid()
        if pid is None:
            return None
        with contextlib.suppress(psutil.Error):
            process = psutil.Process(pid)
            if Path(process.cwd()) == self.directory:
                return process
        return None

    def _disown_pid(self, socket_directory: Path) -> None:
        """Replace a recorded pid that by now is a stranger's or a zombie's, which would stop the start.

        The rest of the file stays: it leads PostgreSQL to orphans of the old server that may still write.
        """
        _, _, rest = self._pid_file.read_text().partition("\n")
        self._pid_file.write_text(f"{PID_OF_NOBODY}\n{rest}")
        (socket_directory / f"{SOCKET_NAME}.lock").unlink(missing_ok=True)

    def _create(self) -> None:
        """Make the database cluster beside its final place, so that a crash leaves nothing half-made there."""
        draft = self.directory.with_name(f"{self.directory.name}.new")
        shutil.rmtree(draft, ignore_errors=True)
        draft.mkdir(mode=0o700)
        hand_over(draft)
        for command, text in (
            (("initdb", "-D", ".", *INITDB_OPTIONS), ""),
            (("postgres", "--single", "-D", ".", OWNER_ROLE), f"CREATE DATABASE {DATABASE_NAME}\n"),
        ):
            result = run_program(draft, *command, text=text)
            if result.returncode != 0:
                raise EmbeddedServerFailed(
                    f"The embedded PostgreSQL could not be created: {result.stderr.strip()}"
                )
        draft.rename(self.directory)

    def _prepare_socket_directory(self) -> Path:
        """Return a folder for the socket whose path is short and plain enough, made if need be."""
        path_bytes = len(os.fsencode(self.directory / SOCKET_NAME))
        if path_bytes <= SOCKET_PATH_BYTES_MAX and PLAIN_PATH.fullmatch(str(self.directory)):
            return self.directory
        folder = self._short_socket_directory
        folder.mkdir(mode=0o700, exist_ok=True)
        owner_id = self.directory.stat().st_uid
        if folder.stat().st_uid not in {owner_id, os.geteuid()}:
            raise EmbeddedServerFailed(f"The folder {folder} belongs to another user; remove it.")
        os.chown(folder, owner_id, -1)
        return folder

    def _launch(self, socket_directory: Path) -> None:
        settings = SETTINGS | DISPOSABLE_SETTINGS if self.is_disposable else SETTINGS
        settings = settings | {"unix_socket_directories": str(socket_directory)}
        options = " ".join(f"-c {name}={shlex.quote(value)}" for name, value in settings.items())
        log_path = self.directory / "server.log"
        command = ("pg_ctl", "start", "-w", "-s", "-D", ".", "-l", log_path.name, "-o", options)
        for attempt in range(1, START_ATTEMPTS_MAX + 1):
            log_bytes = log_path.stat().st_size if log_path.exists() else 0
            result = run_program(self.directory, *command)
            if result.returncode == 0:
                return
            if attempt < START_ATTEMPTS_MAX:
                # The children of a server that was killed need a moment to notice.
                time.sleep(START_PAUSE_SECONDS)
        reason = _last_fatal_line(log_path, log_bytes) or result.stderr.strip()
        raise EmbeddedServerFailed(f"The embedded PostgreSQL did not start: {reason}")


def open_users_lock(data_dir: Path) -> BinaryIO:
    """Open the file whose lock every user of the server shares."""
    return (data_dir / USERS_LOCK_NAME).open("ab")


def is_linked(users_lock: BinaryIO) -> bool:
    """Tell whether the open lock file is still the one that newcomers find."""
    return os.fstat(users_lock.fileno()).st_nlink > 0


def _last_fatal_line(log_path: Path, offset_bytes: int) -> str | None:
    """Return what the server said last before it gave up, from the part of its log after `offset_bytes`."""
    if not log_path.exists():
        return None
    with log_path.open("rb") as log:
        log.seek(offset_bytes)
        lines = log.read().decode(errors="replace").splitlines()
    fatal = [line.partition("FATAL:")[2].strip() for line in lines if "FATAL:" in line]
    return fatal[-1] if fatal else None
