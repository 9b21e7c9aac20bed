"""Competition entry: entries credited to the member in one competition."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self
from uuid import UUID

from gateway.errors import FieldError
from gateway.ids import to_uuid
from gateway.ledger.model import Account, OwnerKind, Transfer, organization_account
from gateway.rewards.rules import check_count, check_exists
from gateway.rewards.types.base import Facts, Plan, PlanContext, References, Seal


@dataclass(frozen=True, slots=True)
class CompetitionEntryConfiguration:
    """So many entries in one competition."""

    competition_id: UUID
    entries: int = 1

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> Self:
        """Read what `to_json` wrote."""
        return cls(to_uuid(value["competition_id"]), value["entries"])

    def to_json(self) -> dict[str, Any]:
        """Return the JSON object to be stored."""
        return {"competition_id": str(self.competition_id), "entries": self.entries}

    def to_fields(self) -> dict[str, Any]:
        """Return the request's fields in one spelling."""
        return self.to_json()

    def references(self) -> References:
        """Return the competition."""
        return References(competition_ids=frozenset({self.competition_id}))

    def check(self, facts: Facts, path: tuple[str, ...]) -> list[FieldError]:
        """Return every broken rule: the competition exists, the number of entries is positive."""
        return check_exists(
            self.competition_id, facts.competition_ids, "competition", (*path, "competitionId")
        ) + check_count(self.entries, (*path, "entries"))

    def complete(self, _: Facts, __: Seal) -> Self:
        """Return itself: nothing is left to find out."""
        return self

    def plan(self, context: PlanContext) -> Plan:
        """Credit entries, which are units of the competition's asset, from the organization's issuance."""
        entries = self.entries * context.quantity
        issuance = organization_account(
            self.competition_id, OwnerKind.ISSUANCE, context.organization_id
        )
        member = Account(self.competition_id, OwnerKind.MEMBER, context.member_id)
        benefit = {
            "kind": "COMPETITION_ENTRIES",
            "competition_id": str(self.competition_id),
            "entries": entries,
        }
        return Plan((Transfer(issuance, member, entries),), (benefit,))
