"""The hash chain over an account's entries: edits, deletions, reordering and truncation show."""

from __future__ import annotations

import struct
from datetime import datetime
from hashlib import sha256
from uuid import UUID

_NUMBERS = struct.Struct(">iqqqd")
_NO_GRANT = bytes(16)


def to_seconds(occurred_at: datetime) -> float:
    """Return a time as the chain counts it: seconds since 1970."""
    return occurred_at.timestamp()


def next_hash(
    previous: bytes,
    transaction_id: UUID,
    index: int,
    account_id: UUID,
    asset_id: UUID,
    amount_minor: int,
    grant_id: UUID | None,
    occurred_at_seconds: float,
    sequence: int,
    balance_after_minor: int,
) -> bytes:
    """Return SHA-256 over the previous entry's hash and every column of this one. Shape: 32 bytes."""
    return sha256(
        previous
        + transaction_id.bytes
        + account_id.bytes
        + asset_id.bytes
        + (_NO_GRANT if grant_id is None else grant_id.bytes)
        + _NUMBERS.pack(index, amount_minor, sequence, balance_after_minor, occurred_at_seconds)
    ).digest()
