"""How much of an asset one credential may issue in a day (UTC): pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Final
from uuid import UUID

from gateway.errors import ErrorCode, RewardsError
from gateway.ledger.assets import from_minor
from gateway.ledger.model import OwnerKind, Transfer

# What leaves these is given out, also where another credential has filled a campaign's budget or a product's stock.
SOURCES: Final = frozenset({OwnerKind.ISSUANCE, OwnerKind.BUDGET, OwnerKind.STOCK})


@dataclass(slots=True)
class DailyLimit:
    """A locked limit of one asset, and what of it is used. Units: minor."""

    asset_id: UUID
    asset_code: str
    scale: int
    maximum_minor: int
    used_minor: int
    day: date

    @property
    def left_minor(self) -> int:
        """Return how much may still be issued this day; none if the limit was lowered below what is used."""
        return max(self.maximum_minor - self.used_minor, 0)

    def begin_day(self, day: date) -> None:
        """Count from nothing on a new day; a clock that is behind another does not begin the day before again."""
        if day > self.day:
            self.day, self.used_minor = day, 0


class LimitExceeded(RewardsError):
    """The credential may issue no such amount of the asset today; nothing was done."""

    code = ErrorCode.LIMIT_EXCEEDED

    def __init__(self, limit: DailyLimit, path: Sequence[str] = ()) -> None:
        """Keep what is left, and when the limit begins anew."""
        left = from_minor(limit.left_minor, limit.scale)
        super().__init__(
            f"This credential's daily limit of {limit.asset_code} has {left:f} left.", path
        )
        self.limit = limit
        self.left_minor = limit.left_minor
        next_day = limit.day + timedelta(days=1)
        self.resets_at = datetime.combine(next_day, time(), UTC)


class DailyLimits:
    """The locked limits of one credential; what it issues is counted here and written with the book."""

    def __init__(self, credential_id: UUID, limits: Sequence[DailyLimit]) -> None:
        """Take every limit that the credential has."""
        self.credential_id = credential_id
        self.by_asset = {limit.asset_id: limit for limit in limits}
        self.has_changed = False

    def check(self, transfers: Sequence[Transfer]) -> dict[UUID, int]:
        """Return how much of each limited asset these transfers issue.

        Raises:
            LimitExceeded: a limit has too little left for them; nothing is counted.
        """
        issued: dict[UUID, int] = {}
        for debit, _, amount_minor in transfers:
            if debit.owner_kind in SOURCES and debit.asset_id in self.by_asset:
                issued[debit.asset_id] = issued.get(debit.asset_id, 0) + amount_minor
        for asset_id, amount_minor in issued.items():
            if amount_minor > self.by_asset[asset_id].left_minor:
                raise LimitExceeded(self.by_asset[asset_id])
        return issued

    def count(self, issued: dict[UUID, int]) -> None:
        """Count what was issued."""
        for asset_id, amount_minor in issued.items():
            self.by_asset[asset_id].used_minor += amount_minor
            self.has_changed = True
