"""A grant as lists read it: its columns are taken from the row, and its JSON parsed, only when they are asked for."""

from __future__ import annotations

import enum
from collections.abc import Mapping, Sequence
from datetime import datetime
from operator import itemgetter
from typing import Any, Final, TypeAlias
from uuid import UUID

import asyncpg
import orjson

from gateway.grants.record import (
    KINDS,
    SOURCES,
    STATUSES,
    GrantKind,
    GrantRecord,
    GrantSource,
    GrantStatus,
)

# Of a time with six digits of a second's fraction, in quotes.
_FULL_LENGTH = 28


def _column(name: str) -> Any:
    return property(itemgetter(name))


class GrantRow(asyncpg.Record):
    """A row of `grants` with the same attributes as `GrantRecord`: making one costs nothing.

    It has the columns that its statement selects: see `GrantColumns`.
    """

    __slots__ = ()

    id: UUID = _column("id")
    organization_id: UUID = _column("organization_id")
    member_id: UUID = _column("member_id")
    reward_version_id: UUID | None = _column("reward_version_id")
    action_code: str | None = _column("action_code")

    client_reference: str | None = _column("client_reference")
    transaction_id: UUID = _column("transaction_id")
    claimed_at: datetime | None = _column("claimed_at")
    expires_at: datetime | None = _column("expires_at")
    reversed_at: datetime | None = _column("reversed_at")
    claim_transaction_id: UUID | None = _column("claim_transaction_id")
    reversal_transaction_id: UUID | None = _column("reversal_transaction_id")

    @property
    def rewarded_at(self) -> datetime:
        """Return when it was granted."""
        return datetime.fromisoformat(self.rewarded_at_text)

    @property
    def rewarded_at_text(self) -> str:
        """Return when it was granted as RFC 3339 in UTC, with six digits of a second's fraction unless it is zero.

        PostgreSQL writes it: the driver would take longer to make a time than all other columns together.
        """
        # In quotes, without an offset, and without zeros at the end of a fraction.
        quoted: str = self["rewarded_at"]
        if len(quoted) == _FULL_LENGTH:
            return quoted[1:-1] + "Z"
        text = quoted[1:-1]
        return f"{text:0<26}Z" if "." in text else f"{text}Z"

    @property
    def source(self) -> GrantSource:
        """Return which use case made the grant."""
        return SOURCES[self["source"]]

    @property
    def kind(self) -> GrantKind:
        """Return which kind of reward was granted."""
        return KINDS[self["kind"]]

    @property
    def status(self) -> GrantStatus:
        """Return where the grant stands."""
        return STATUSES[self["status"]]

    @property
    def benefits(self) -> Sequence[Mapping[str, Any]]:
        """Return what the member got."""
        benefits: Sequence[Mapping[str, Any]] = orjson.loads(self["benefits"])
        return benefits

    @property
    def metadata(self) -> Mapping[str, Any]:
        """Return what the partner keeps with the grant."""
        metadata: Mapping[str, Any] = orjson.loads(self["metadata"])
        return metadata

    @property
    def details(self) -> Mapping[str, Any]:
        """Return what only some sources have."""
        details: Mapping[str, Any] = orjson.loads(self["details"])
        return details

    @property
    def member_metadata(self) -> Mapping[str, Any]:
        """Return what the partner lets the member read with the grant."""
        found: Mapping[str, Any] = self.details.get("member_metadata", {})
        return found


# What shows a grant: one that a use case has made or locked, or one of a list.
ShownGrant: TypeAlias = GrantRecord | GrantRow


class GrantColumns(enum.Enum):
    """How much of each grant a list reads: what is not asked for costs nothing."""

    LEAN = enum.auto()
    SUMMARY = enum.auto()
    DETAIL = enum.auto()


_LEAN: Final = {
    "id": "uuid",
    "source": "text",
    "kind": "text",
    "status": "text",
    "reward_version_id": "uuid",
    "rewarded_at": "text",
    "benefits": "text",
}
_SUMMARY: Final = _LEAN | {"organization_id": "uuid", "member_id": "uuid", "action_code": "text"}
_DETAIL: Final = _SUMMARY | {
    "client_reference": "text",
    "metadata": "text",
    "details": "text",
    "transaction_id": "uuid",
    "claimed_at": "timestamptz",
    "expires_at": "timestamptz",
    "reversed_at": "timestamptz",
    "claim_transaction_id": "uuid",
    "reversal_transaction_id": "uuid",
}
# With their types as the statement gives them.
COLUMNS: Final[Mapping[GrantColumns, Mapping[str, str]]] = {
    GrantColumns.LEAN: _LEAN,
    GrantColumns.SUMMARY: _SUMMARY,
    GrantColumns.DETAIL: _DETAIL,
}
# JSON goes as text, since the driver calls back into Python for each value that it is to decode, and so does the time that every
# list shows.
_WRITTEN: Final = {
    "benefits": "benefits::text",
    "metadata": "metadata::text",
    "details": "details::text",
    "rewarded_at": "to_json(rewarded_at AT TIME ZONE 'UTC')::text",
}
# What shows a reward of the catalog is its version; others have theirs in the benefits.
_WRITTEN_LEANLY: Final = _WRITTEN | {
    "benefits": "CASE WHEN reward_version_id IS NULL THEN benefits::text END"
}


def write_columns(columns: GrantColumns) -> str:
    """Return the columns as a SELECT lists them."""
    written = _WRITTEN_LEANLY if columns is GrantColumns.LEAN else _WRITTEN
    return ", ".join(
        f"{written[name]} AS {name}" if name in written else name for name in COLUMNS[columns]
    )
