"""The file of master keys beside the embedded database, made the first time."""

from __future__ import annotations

import os
from pathlib import Path

from gateway.keys.model import KEY_BYTES
from gateway.settings import parse_secret_keys

KEY_FILE_NAME = "secret.keys"


def load_own_keys(data_dir: Path) -> tuple[bytes, ...]:
    """Return the keys in the file, one a line, the current one first; only its owner can read the file.

    Raises:
        InvalidSetting: the file holds something else.
        OSError: it cannot be read or made.
    """
    path = data_dir / KEY_FILE_NAME
    data_dir.mkdir(parents=True, exist_ok=True)
    if not path.exists():
        _make(path)
    return parse_secret_keys(f"The file {path}", path.read_text(encoding="ascii", errors="replace"))


def _make(path: Path) -> None:
    unfinished = path.with_suffix(f".{os.getpid()}.unfinished")
    descriptor = os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w", encoding="ascii") as file:
        file.write(f"{os.urandom(KEY_BYTES).hex()}\n")
        file.flush()
        # What is sealed with a key that a power cut takes away is lost.
        os.fsync(file.fileno())
    # A link, unlike a rename, does not replace the keys of a process that came first.
    try:
        path.hardlink_to(unfinished)
    except FileExistsError:
        pass
    finally:
        unfinished.unlink()
