"""A member's statement: balances, and entries as the member's side of each transfer."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from gateway.ids import IdKind, decode_id, encode_id
from gateway.ledger.model import TransactionKind

ENTRY_INDEX_MAX = 2**31 - 1
_INDEX = re.compile(r"0|[1-9][0-9]{0,9}")


@dataclass(frozen=True, slots=True)
class EntryKey:
    """What identifies an entry: its transaction, and its place in it."""

    transaction_id: UUID
    index: int


class EntryPlace(NamedTuple):
    """Where an entry stands in a statement over several accounts, oldest first: time, then account, then sequence."""

    occurred_at: datetime
    account_id: UUID
    sequence: int


class Period(NamedTuple):
    """A part of a statement: from `after`, that very moment included, up to, not including, `before`. None is no bound."""

    after: datetime | None = None
    before: datetime | None = None


ALWAYS = Period()


class AssetBalance(NamedTuple):
    """What a member has of one asset. Units: minor. `updated_at` is None if it was not read."""

    asset_id: UUID
    posted_minor: int
    held_minor: int
    updated_at: datetime | None

    @property
    def available_minor(self) -> int:
        """Return what may be spent: posted less held."""
        return self.posted_minor - self.held_minor


class StatementEntry(NamedTuple):
    """One side of a transfer, as its account's statement shows it. Units: minor, negative where it left."""

    key: EntryKey
    account_id: UUID
    asset_id: UUID
    amount_minor: int
    balance_after_minor: int
    sequence: int
    kind: TransactionKind
    grant_id: UUID | None
    occurred_at: datetime

    @property
    def place(self) -> EntryPlace:
        """Return where the entry stands in a statement."""
        return EntryPlace(self.occurred_at, self.account_id, self.sequence)


def encode_entry_id(transaction_id: UUID, index: int) -> str:
    """Return the public id `ent_<transaction's UUID>_<index>`."""
    return f"{encode_id(IdKind.LEDGER_ENTRY, transaction_id)}_{index}"


def decode_entry_id(public_id: str) -> EntryKey | None:
    """Return the key behind an entry's public id, or None if it is not one."""
    transaction, _, index = public_id.rpartition("_")
    transaction_id = decode_id(IdKind.LEDGER_ENTRY, transaction)
    if transaction_id is None or _INDEX.fullmatch(index) is None or int(index) > ENTRY_INDEX_MAX:
        return None
    return EntryKey(transaction_id, int(index))
