"""The chain's words: positions, facts, blocks, heads. Pure.

A fact is what a row says for good. A block holds the hashes of facts in the order in which they were written, the root of the
Merkle tree over them, and a hash of the block before; it is authenticated with one key and signed with another.
"""

from __future__ import annotations

import enum
import hmac
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from typing import NamedTuple
from uuid import UUID

import orjson
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from gateway.keys.model import Keys, Label

HASH_BYTES = 32
ID_BYTES = 16
# What facts contain and how they are hashed; a later form stands beside this one, so that old blocks stay readable.
FORM = 1
# What the first block of a tenant follows.
NOTHING = bytes(HASH_BYTES)
_NO_ID = UUID(int=0)


class FactKind(enum.IntEnum):
    """What a fact is about. The numbers are stored."""

    OPERATION = 1
    TRANSACTION = 2
    GRANT = 3
    CLAIM = 4
    END = 5
    REVERSAL = 6

    @property
    def words(self) -> str:
        """Return how a person calls it."""
        return _WORDS[self]


_WORDS = {
    FactKind.OPERATION: "operation",
    FactKind.TRANSACTION: "transaction with its entries",
    FactKind.GRANT: "grant",
    FactKind.CLAIM: "claim of grant",
    FactKind.END: "end of grant",
    FactKind.REVERSAL: "reversal of grant",
}


class Position(NamedTuple):
    """A place in the order in which rows are written: the number of the database transaction, then the row's id."""

    written_in: int = 0
    id: UUID = _NO_ID


class Positions(NamedTuple):
    """How far the chain has come in each table."""

    operations: Position = Position()
    transactions: Position = Position()
    grants: Position = Position()


class Fact(NamedTuple):
    """A fact as a block keeps it."""

    kind: FactKind
    id: UUID
    hash: bytes


@dataclass(frozen=True, slots=True)
class Facts:
    """Facts in order, packed as a block stores them: one byte, sixteen and thirty-two for each."""

    kinds: bytes = b""
    ids: bytes = b""
    hashes: bytes = b""

    def __len__(self) -> int:
        """Count the facts."""
        return len(self.kinds)

    def __iter__(self) -> Iterator[Fact]:
        """Yield the facts in order; of a kind that nobody knows, or cut short, none."""
        return (self[position] for position in range(len(self)))

    def __getitem__(self, position: int) -> Fact:
        """Return one."""
        start = position * ID_BYTES
        return Fact(
            FactKind(self.kinds[position]),
            UUID(bytes=self.ids[start : start + ID_BYTES]),
            self.hashes[position * HASH_BYTES : (position + 1) * HASH_BYTES],
        )

    @property
    def is_whole(self) -> bool:
        """Tell whether each fact has a known kind, an id and a hash."""
        count = len(self.kinds)
        return (
            len(self.ids) == count * ID_BYTES
            and len(self.hashes) == count * HASH_BYTES
            and set(self.kinds) <= set(FactKind)
        )


@dataclass(frozen=True, slots=True)
class Header:
    """What of a block is authenticated and signed."""

    tenant_id: UUID
    number: int
    previous: bytes
    until: Positions
    fact_count: int
    root: bytes
    made_at: datetime
    key_id: str
    form: int = FORM

    def to_bytes(self) -> bytes:
        """Return the one text that stands for this header: a JSON list without blanks."""
        return orjson.dumps(
            [
                "rewards-gateway chain",
                self.form,
                str(self.tenant_id),
                self.number,
                self.previous.hex(),
                [[position.written_in, str(position.id)] for position in self.until],
                self.fact_count,
                self.root.hex(),
                self.made_at.isoformat(),
                self.key_id,
            ]
        )


@dataclass(frozen=True, slots=True)
class Head:
    """A header with its authentication code and its signature."""

    header: Header
    tag: bytes
    signature: bytes

    @property
    def link(self) -> bytes:
        """Return the hash by which the next block names this one."""
        return sha256(self.header.to_bytes() + self.tag).digest()


@dataclass(frozen=True, slots=True)
class Block:
    """A head and the facts below it."""

    head: Head
    facts: Facts


def make_head(keys: Keys, header: Header) -> Head:
    """Authenticate and sign a header."""
    text = header.to_bytes()
    return Head(header, keys.hash(Label.LEDGER_CHAIN, text), signing_key(keys).sign(text))


def is_authentic(keys: Keys, head: Head) -> bool:
    """Tell whether who has the key made the head.

    Raises:
        KeyNotConfigured: it names a master key that is not there.
    """
    header = head.header
    tag = keys.hash(Label.LEDGER_CHAIN, header.to_bytes(), header.key_id)
    return hmac.compare_digest(tag, head.tag)


def signing_key(keys: Keys, key_id: str | None = None) -> Ed25519PrivateKey:
    """Return the key that signs heads, of the current master key or the named one."""
    return Ed25519PrivateKey.from_private_bytes(keys.derive(Label.HEAD_SIGNING, key_id))
