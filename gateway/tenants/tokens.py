"""The text of a token: `rgw_` and base64url of the tenant's id, the credential's id and a secret.

The ids say where to look, so that a token is found by primary key within its tenant; only the secret proves anything.
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
SECRET_BYTES = 32
_ID_BYTES = 16
_PATTERN = re.compile(rf"{PREFIX}([A-Za-z0-9_-]{{86}})")


@dataclass(frozen=True, slots=True)
class Token:
    """The parts of a token."""

    tenant_id: UUID
    credential_id: UUID
    # Kept out of logs and tracebacks, with the text that contains it.
    secret: bytes

    def __repr__(self) -> str:
        return f"Token(credential_id={self.credential_id})"

    @property
    def secret_hash(self) -> bytes:
        """Return what is stored: SHA-256 is enough for a secret of 256 random bits, and fast."""
        return hashlib.sha256(self.secret).digest()

    def encode(self) -> str:
        """Return the text to hand out."""
        parts = self.tenant_id.bytes + self.credential_id.bytes + self.secret
        return PREFIX + base64.urlsafe_b64encode(parts).rstrip(b"=").decode()


def new_token(tenant_id: UUID, credential_id: UUID) -> Token:
    """Make a token with a new secret."""
    return Token(tenant_id, credential_id, secrets.token_bytes(SECRET_BYTES))


def decode_token(text: str) -> Token | None:
    """Return the parts of a token, or None if the text is not one."""
    match = _PATTERN.fullmatch(text)
    if match is None:
        return None
    parts = base64.urlsafe_b64decode(match[1] + "==")
    token = Token(
        to_uuid(parts[:_ID_BYTES]),
        to_uuid(parts[_ID_BYTES : 2 * _ID_BYTES]),
        parts[2 * _ID_BYTES :],
    )
    # The last character has spare bits; a token has one spelling.
    return token if token.encode() == text else None
