"""The text of a token: `rgw_live_` or `rgw_test_`, then base64url of two ids, a secret and a checksum.

The ids of the tenant and the credential say where to look, so that a token is found by primary key within its tenant; only the
secret proves anything. The checksum tells a typing error or a made-up token from a real one without asking the database.
"""

from __future__ import annotations

import base64
import hashlib
import re
import secrets
from dataclasses import dataclass
from uuid import UUID

from gateway.ids import to_uuid

PREFIX = "rgw_"
LIVE_PREFIX = f"{PREFIX}live_"
TEST_PREFIX = f"{PREFIX}test_"
SECRET_BYTES = 32
CHECKSUM_BYTES = 5
_ID_BYTES = 16
# 69 bytes fill 92 characters exactly: no character has spare bits, so a token has one spelling.
_PATTERN = re.compile(rf"({LIVE_PREFIX}|{TEST_PREFIX})([A-Za-z0-9_-]{{92}})")


@dataclass(frozen=True, slots=True)
class Token:
    """The parts of a token. Those of a tenant for tests say so, for people and for scanners that look for leaked ones."""

    tenant_id: UUID
    credential_id: UUID
    # Kept out of logs and tracebacks, with the text that contains it.
    secret: bytes
    is_test: bool = False

    def __repr__(self) -> str:
        return f"Token(credential_id={self.credential_id})"

    @property
    def secret_hash(self) -> bytes:
        """Return what is stored: SHA-256 is enough for a secret of 256 random bits, and fast.

        It covers the whole token, so that none can be relabeled.
        """
        return hashlib.sha256(self._signified).digest()

    @property
    def prefix(self) -> str:
        """Return how its text begins."""
        return TEST_PREFIX if self.is_test else LIVE_PREFIX

    @property
    def _signified(self) -> bytes:
        parts = self.tenant_id.bytes + self.credential_id.bytes + self.secret
        return self.prefix.encode() + parts

    def encode(self) -> str:
        """Return the text to hand out."""
        signified = self._signified
        parts = signified[len(self.prefix) :] + _checksum(signified)
        return self.prefix + base64.urlsafe_b64encode(parts).decode()


def new_token(tenant_id: UUID, credential_id: UUID, *, is_test: bool = False) -> Token:
    """Make a token with a new secret."""
    return Token(tenant_id, credential_id, secrets.token_bytes(SECRET_BYTES), is_test)


def decode_token(text: str) -> Token | None:
    """Return the parts of a token, or None if the text is not one: of another form, or with a wrong checksum."""
    match = _PATTERN.fullmatch(text)
    if match is None:
        return None
    parts = base64.urlsafe_b64decode(match[2])
    signified, checksum = parts[:-CHECKSUM_BYTES], parts[-CHECKSUM_BYTES:]
    if _checksum(match[1].encode() + signified) != checksum:
        return None
    return Token(
        tenant_id=to_uuid(signified[:_ID_BYTES]),
        credential_id=to_uuid(signified[_ID_BYTES : 2 * _ID_BYTES]),
        secret=signified[2 * _ID_BYTES :],
        is_test=match[1] == TEST_PREFIX,
    )


def _checksum(signified: bytes) -> bytes:
    # Apart from the stored hash, of which it would otherwise show the beginning.
    return hashlib.sha256(b"checksum" + signified).digest()[:CHECKSUM_BYTES]
