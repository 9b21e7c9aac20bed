"""The hash chain over an account's entries: edits, deletions, reordering and truncation show."""

from __future__ import annotations

import hashlib
import struct
from datetime import datetime
from uuid import UUID

_NUMBERS = struct.Struct(">iqqqd")
_NO_GRANT = bytes(16)


def next_hash(
    previous: bytes,
    transaction_id: UUID,
    index: int,
    account_id: UUID,
    asset_id: UUID,
    amount_minor: int,
    grant_id: UUID | None,
    occurred_at: datetime,
    sequence: int,
    balance_after_minor: int,
) -> bytes:
    """Return SHA-256 over the previous entry's hash and every column of this one. Shape: 32 bytes."""
    numbers = _NUMBERS.pack(
        index, amount_minor, sequence, balance_after_minor, occurred_at.timestamp()
    )
    grant = grant_id.bytes if grant_id else _NO_GRANT
    return hashlib.sha256(
        previous + transaction_id.bytes + account_id.bytes + asset_id.bytes + grant + numbers
    ).digest()
