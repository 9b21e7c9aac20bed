"""Subkeys of master keys, one for each purpose, and values sealed with them (decision 0072)."""

from __future__ import annotations

import enum
import hmac
import os
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Sequence
from typing import Final
from uuid import UUID

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

KEY_BYTES: Final = 32
KEY_ID_BYTES: Final = 8
NONCE_BYTES: Final = 12
TAG_BYTES: Final = 16
# The form of a sealed value: this byte, the id of the master key, the nonce, the encrypted text and its tag.
SEALED_FORM: Final = b"\x01"
_HEADER_BYTES: Final = len(SEALED_FORM) + KEY_ID_BYTES
_OVERHEAD_BYTES: Final = _HEADER_BYTES + NONCE_BYTES + TAG_BYTES
_KEY_ID_LABEL: Final = b"key id"


class Label(enum.StrEnum):
    """What a subkey is for. The text goes into the subkey: changing it makes what was sealed unreadable."""

    VENDOR_SECRETS = "vendor secrets"
    COUPON_CODES = "coupon codes"
    COUPON_CODE_INDEX = "coupon code index"
    FINGERPRINTS = "fingerprints"
    LEDGER_CHAIN = "ledger chain"
    HEAD_SIGNING = "head signing"


class CannotOpen(Exception):
    """A sealed value was altered, or was sealed for another place, such as another row or tenant."""


class KeyNotConfigured(CannotOpen):
    """A value was sealed with a master key that this gateway does not have."""

    def __init__(self, key_id: str) -> None:
        """Name the key by its id."""
        super().__init__(f"SECRET_KEYS lacks the key {key_id}.")
        self.key_id = key_id


class Keys:
    """The master keys of a gateway: the first one seals, each of them opens. Safe to share between tasks and threads."""

    def __init__(self, masters: Sequence[bytes]) -> None:
        """Take the master keys, the current one first.

        Raises:
            ValueError: there is none, or one has not 32 bytes.
        """
        if not masters or any(len(master) != KEY_BYTES for master in masters):
            message = f"at least one master key is needed, of {KEY_BYTES} bytes each"
            raise ValueError(message)
        self._masters = {master.id: master for master in map(_Master, masters)}
        self._current = next(iter(self._masters.values()))
        self._by_header = {
            SEALED_FORM + bytes.fromhex(key_id): master for key_id, master in self._masters.items()
        }

    @property
    def ids(self) -> tuple[str, ...]:
        """Return the ids of the master keys, 16 hexadecimal digits each, the current one first."""
        return tuple(self._masters)

    @property
    def current_id(self) -> str:
        """Return the id of the master key that seals."""
        return self._current.id

    def derive(self, label: Label, key_id: str | None = None) -> bytes:
        """Return the subkey for a purpose, of the current master key or the named one. Shape: 32 bytes.

        Raises:
            KeyNotConfigured: there is no master key of this id.
        """
        if key_id is None:
            return self._current.subkeys[label]
        master = self._masters.get(key_id)
        if master is None:
            raise KeyNotConfigured(key_id)
        return master.subkeys[label]

    def seal(self, label: Label, plaintext: bytes, context: bytes) -> bytes:
        """Encrypt with the current master key; opening needs the same label and context. Takes about a microsecond.

        `context` is authenticated and not stored: see `place`.
        """
        nonce = os.urandom(NONCE_BYTES)
        current = self._current
        return current.header + nonce + current.ciphers[label].encrypt(nonce, plaintext, context)

    def open(self, label: Label, sealed: bytes, context: bytes) -> bytes:
        """Return what was sealed with this label and context, whichever of the master keys did it.

        Raises:
            KeyNotConfigured: a master key did that is not among these.
            CannotOpen: the value was altered, or sealed with another label or context.
        """
        master = self._by_header.get(sealed[:_HEADER_BYTES])
        if master is None:
            raise KeyNotConfigured(key_id_of(sealed))
        nonce = sealed[_HEADER_BYTES : _HEADER_BYTES + NONCE_BYTES]
        try:
            return master.ciphers[label].decrypt(
                nonce, sealed[_HEADER_BYTES + NONCE_BYTES :], context
            )
        except (InvalidTag, ValueError) as error:
            message = f"A value of {label.value} was altered, or sealed for another place."
            raise CannotOpen(message) from error

    def seal_text(self, label: Label, text: str, context: bytes) -> str:
        """Encrypt a text as `seal` does and return it as text, for a place in JSON."""
        return urlsafe_b64encode(self.seal(label, text.encode(), context)).decode()

    def open_text(self, label: Label, sealed: str, context: bytes) -> str:
        """Return what `seal_text` sealed.

        Raises:
            KeyNotConfigured, CannotOpen: as `open` does.
        """
        return self.open(label, sealed_bytes(sealed), context).decode()

    def hash(self, label: Label, message: bytes, key_id: str | None = None) -> bytes:
        """Return the HMAC-SHA256 of a message, which says nothing about it to who has not the key. Shape: 32 bytes.

        Raises:
            KeyNotConfigured: there is no master key of this id.
        """
        return hmac.digest(self.derive(label, key_id), message, "sha256")

    def __repr__(self) -> str:
        return f"Keys({', '.join(self._masters)})"


def key_id_of(sealed: bytes) -> str:
    """Return the id of the master key that sealed a value.

    Raises:
        CannotOpen: it is no sealed value.
    """
    if len(sealed) < _OVERHEAD_BYTES or not sealed.startswith(SEALED_FORM):
        message = "This is no sealed value."
        raise CannotOpen(message)
    return sealed[len(SEALED_FORM) : _HEADER_BYTES].hex()


def sealed_bytes(sealed: str) -> bytes:
    """Return the value behind the text of `seal_text`.

    Raises:
        CannotOpen: it is no such text.
    """
    try:
        return urlsafe_b64decode(sealed)
    except ValueError as error:
        message = "This is no sealed text."
        raise CannotOpen(message) from error


def place(tenant_id: UUID, *ids: UUID) -> bytes:
    """Return the context of a value that stands in this tenant's row of these ids, so that it opens nowhere else."""
    return b"".join([tenant_id.bytes, *(id_.bytes for id_ in ids)])


class _Master:
    """One master key and what was derived from it: every subkey at once, so that sealing only looks it up."""

    def __init__(self, secret: bytes) -> None:
        """Derive the id and the subkeys; the secret itself is not kept."""
        self.id = _expand(secret, _KEY_ID_LABEL, KEY_ID_BYTES).hex()
        self.header = SEALED_FORM + bytes.fromhex(self.id)
        self.subkeys = {label: _expand(secret, label.value.encode(), KEY_BYTES) for label in Label}
        self.ciphers = {label: AESGCM(subkey) for label, subkey in self.subkeys.items()}


def _expand(secret: bytes, label: bytes, length_bytes: int) -> bytes:
    """Derive by HKDF-SHA256 (RFC 5869) without a salt: a master key is random already."""
    return HKDF(SHA256(), length_bytes, None, b"rewards-gateway " + label).derive(secret)
