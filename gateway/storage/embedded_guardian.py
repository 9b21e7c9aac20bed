"""Stops the embedded server when its last user has gone without doing so, for example because it was killed.

Runs as a process of its own: `python -m gateway.storage.embedded_guardian DATA_DIR [--disposable]`.
"""

from __future__ import annotations

import fcntl
import sys
from pathlib import Path

# Not from embedded.py, which would bring the database driver into this small process.
from gateway.storage.embedded_server import EmbeddedServer, open_users_lock


def guard(data_dir: Path, *, disposable: bool) -> None:
    """Wait until nobody uses the server, then stop it if it still runs."""
    server = EmbeddedServer(data_dir / "postgres", is_disposable=disposable)
    with open_users_lock(data_dir) as users_lock:
        fcntl.flock(users_lock, fcntl.LOCK_EX)
        server.retire(users_lock)


if __name__ == "__main__":
    guard(Path(sys.argv[1]), disposable="--disposable" in sys.argv[2:])
