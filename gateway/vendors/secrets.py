"""Vendors' secrets, sealed: what stands in the database is of no use without the gateway's key (decision 0020)."""

from __future__ import annotations

import hashlib
import hmac
import os
from pathlib import Path

from Crypto.Cipher import AES

KEY_BYTES = 32
NONCE_BYTES = 12
TAG_BYTES = 16
KEY_FILE_NAME = "vendor-secret.key"


class SecretUnreadable(Exception):
    """The secret was sealed with another key, for another vendor, or was tampered with."""


class SecretBox:
    """Seals texts with AES-256-GCM, each to its place, so that one vendor's secret cannot be moved to another vendor."""

    def __init__(self, key: bytes | None) -> None:
        """Take the key: 32 bytes. Without one nothing can be sealed or opened."""
        if key is not None and len(key) != KEY_BYTES:
            message = f"the key must have {KEY_BYTES} bytes, and has {len(key)}"
            raise ValueError(message)
        self._key = key or b""

    @property
    def has_key(self) -> bool:
        """Tell whether secrets can be sealed."""
        return bool(self._key)

    def seal(self, secret: str, place: bytes) -> bytes:
        """Return a fresh nonce, the encrypted text and its tag."""
        cipher = AES.new(self._key, AES.MODE_GCM, nonce=os.urandom(NONCE_BYTES))
        cipher.update(place)
        sealed, tag = cipher.encrypt_and_digest(secret.encode())
        return cipher.nonce + sealed + tag

    def open(self, sealed: bytes, place: bytes) -> str:
        """Return the text that was sealed to this place.

        Raises:
            SecretUnreadable: it was not, or not with this key.
        """
        try:
            cipher = AES.new(self._key, AES.MODE_GCM, nonce=sealed[:NONCE_BYTES])
            cipher.update(place)
            text = cipher.decrypt_and_verify(sealed[NONCE_BYTES:-TAG_BYTES], sealed[-TAG_BYTES:])
        except ValueError as error:
            message = "The vendor's secret cannot be read with this gateway's key."
            raise SecretUnreadable(message) from error
        return text.decode()

    def fingerprint(self, secret: str) -> str:
        """Return what tells a repeat from a change without giving the secret away, even to somebody who guesses."""
        return hmac.new(self._key, secret.encode(), hashlib.sha256).hexdigest()


def load_own_key(data_dir: Path) -> bytes:
    """Return the key beside our own database, which is made the first time and readable by its owner only."""
    path = data_dir / KEY_FILE_NAME
    data_dir.mkdir(parents=True, exist_ok=True)
    unfinished = path.with_suffix(f".{os.getpid()}.unfinished")
    if not path.exists():
        descriptor = os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "wb") as file:
            file.write(os.urandom(KEY_BYTES))
        # A link, unlike a rename, does not replace the key of a process that came first.
        try:
            path.hardlink_to(unfinished)
        except FileExistsError:
            pass
        finally:
            unfinished.unlink()
    return path.read_bytes()
