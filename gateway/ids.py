"""Prefixed public ids, and the time-ordered UUIDs behind them."""

from __future__ import annotations

import enum
import os
import re
import time
from typing import AnyStr
from uuid import UUID

from asyncpg.pgproto import pgproto

UUID_PATTERN = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")


class IdKind(enum.StrEnum):
    """The prefix of each kind of public id. Assets have none: their id is a bare GUID (ON3-3)."""

    ASSET = ""
    GRANT = "XT_"
    REWARD = "rew_"
    MEMBER = "mem_"
    TRANSACTION = "txn_"
    LEDGER_ENTRY = "ent_"
    CODE_POOL = "pool_"
    PRODUCT = "prod_"
    COMPETITION = "comp_"
    ORGANIZATION = "org_"
    PAYMENT_CONFIG = "pay_"
    OPERATION = "op_"
    NOTIFICATION = "ntf_"
    GROUP = "grp_"
    SEGMENT = "seg_"
    TILL = "till_"
    CAMPAIGN = "camp_"
    VENDOR = "vnd_"
    HOLD = "hold_"


_KIND_BY_PREFIX = {kind.value: kind for kind in IdKind if kind.value}
_VERSION_AND_VARIANT = (0x7 << 76) | (0x2 << 62)
_RANDOM_BITS_74 = (1 << 74) - 1
_last = 0


def _forget_last() -> None:
    """Let a new process forget the last id of the one it was forked from.

    If both counted on from it, a clock that is set back would give both the same ids.
    """
    global _last  # noqa: PLW0603 - the order is the process's
    _last = 0


os.register_at_fork(after_in_child=_forget_last)


def new_id() -> UUID:
    """Make a version 7 UUID that sorts after every one this process made before."""
    return to_uuid(_take(1).to_bytes(16))


def new_ids(count: int) -> list[UUID]:
    """Make `count` version 7 UUIDs (RFC 9562) that sort in the order returned.

    Milliseconds since 1970, then random bits; within a millisecond, and while the clock is behind, each next id adds one
    (section 6.2, method 2), so that lists sorted by id keep the order in which one process made the rows.
    """
    first = _take(count)
    return [to_uuid((first + step).to_bytes(16)) for step in range(count)]


def _take(count: int) -> int:
    """Return the first of as many numbers in a row that nobody else gets."""
    global _last  # noqa: PLW0603 - the order is the process's
    milliseconds = time.time_ns() // 1_000_000
    first = _last + 1 if milliseconds <= _last >> 80 else _begin(milliseconds)
    _last = first + count - 1
    return first


def _begin(milliseconds: int) -> int:
    """Return the first id of a millisecond: its other bits are random."""
    random_bits = int.from_bytes(os.urandom(10)) & _RANDOM_BITS_74
    # The top bit of the low part stays clear, so that counting up never reaches the variant bits.
    high, low = random_bits >> 62, random_bits & ((1 << 61) - 1)
    return milliseconds << 80 | _VERSION_AND_VARIANT | high << 64 | low


def to_uuid(value: AnyStr) -> UUID:
    """Return 16 bytes, or the text of a UUID, as a UUID of the driver's own class, which equals Python's.

    It is what rows come back with; making, hashing and writing one takes a tenth of the time.
    """
    made: UUID = pgproto.UUID(value)
    return made


def encode_id(kind: IdKind, value: UUID) -> str:
    """Return the public id, for example `XT_0198…`."""
    return kind + str(value)


def decode_id(kind: IdKind, public_id: str) -> UUID | None:
    """Return the UUID behind a public id of this kind, or None if it is not one.

    Only assets' GUIDs may be written in upper case; every other id has exactly one spelling.
    """
    if not public_id.startswith(kind):
        return None
    body = public_id.lower() if kind is IdKind.ASSET else public_id[len(kind) :]
    try:
        value = to_uuid(body)
    except ValueError:
        return None
    # The driver also reads braces, and hyphens elsewhere or none. Comparing costs less than a regular expression.
    return value if str(value) == body else None


def decode_any_id(public_id: str) -> tuple[IdKind, UUID] | None:
    """Return the kind and UUID of any public id, or None if it is not one."""
    prefix, separator, _ = public_id.partition("_")
    kind = _KIND_BY_PREFIX.get(prefix + separator, IdKind.ASSET)
    value = decode_id(kind, public_id)
    return None if value is None else (kind, value)
