"""Who is calling and what they may do: pure, no storage."""

from __future__ import annotations

import enum
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final
from uuid import UUID

from gateway.errors import Forbidden


class Scope(enum.StrEnum):
    """What a credential may do. A member's own token has only `member`."""

    MEMBER = "member"
    READ = "read"
    GRANT = "grant"
    ISSUE = "issue"
    DISTRIBUTE = "distribute"
    CLAIM = "claim"
    REVERSE = "reverse"
    CATALOG = "catalog"
    MEMBERS = "members"
    SKIP_VALIDATION = "skip_validation"
    HOLD = "hold"
    # Reads coupon codes and vouchers in full, which others see masked.
    CODES = "codes"
    SIGN_IN = "sign_in"


PARTNER_SCOPES = frozenset(Scope) - {Scope.MEMBER}


@dataclass(frozen=True, slots=True)
class Requirement:
    """What a field needs of a credential: every scope of at least one of the alternatives. An empty one is met by whoever has any."""

    alternatives: tuple[frozenset[Scope], ...]

    def is_met_by(self, scopes: frozenset[Scope]) -> bool:
        """Tell whether a credential with these scopes has what is needed."""
        return any(alternative <= scopes for alternative in self.alternatives)

    def list_scopes(self) -> list[list[str]]:
        """Return the alternatives as lists of names, each in the order in which scopes are declared."""
        return [
            [scope.value for scope in Scope if scope in alternative]
            for alternative in self.alternatives
        ]

    def __str__(self) -> str:
        return " or ".join(" and ".join(names) for names in self.list_scopes())


# Where the metadata of a GraphQL field has what it needs.
REQUIREMENT_KEY: Final = "requirement"
# A credential, with whatever scopes.
ANY_CREDENTIAL: Final = Requirement((frozenset(),))


def any_of(alternatives: Iterable[Scope | frozenset[Scope]]) -> Requirement:
    """Return what is met by any of the alternatives: a scope, or several that are needed together."""
    return Requirement(
        tuple(frozenset({each}) if isinstance(each, Scope) else each for each in alternatives)
    )


@dataclass(frozen=True, slots=True)
class StandardAssets:
    """The assets that every tenant has: its points, its experience points and its cash."""

    points_id: UUID
    experience_id: UUID
    cash_id: UUID

    def __contains__(self, asset_id: UUID) -> bool:
        """Tell whether an asset is one of them."""
        return asset_id in (self.points_id, self.experience_id, self.cash_id)


@dataclass(frozen=True, slots=True)
class BoundTill:
    """The one till that a credential acts at; `name_key` is what its name is compared by."""

    id: UUID
    name: str
    name_key: str


@dataclass(frozen=True, slots=True)
class Caller:
    """An authenticated credential: its tenant, organization and partner, and the member if it is one's own.

    `reach` lists the other organizations of the tenant for which it may act, where a use case lets it say so (CAP-13).
    `credential_id` is None for what the gateway does by itself.
    """

    tenant_id: UUID
    organization_id: UUID
    partner_id: UUID
    scopes: frozenset[Scope]
    standard_assets: StandardAssets
    member_id: UUID | None = None
    reach: frozenset[UUID] = frozenset()
    credential_id: UUID | None = None
    till: BoundTill | None = None
    # Whether the credential may issue only so much of an asset in a day.
    has_daily_limits: bool = False

    @property
    def limited_credential_id(self) -> UUID | None:
        """Return whose daily limits count what is issued; None if nobody's do."""
        return self.credential_id if self.has_daily_limits else None

    @property
    def organization_ids(self) -> frozenset[UUID]:
        """Return the caller's own organization and those that it reaches."""
        return self.reach | {self.organization_id}


def authorize(caller: Caller, *scopes: Scope) -> None:
    """Let a caller pass who has at least one of the scopes.

    Raises:
        Forbidden: the credential has none of them; the message names what is needed (OWN-1).
    """
    if caller.scopes.isdisjoint(scopes):
        needed = " or ".join(scope.value for scope in scopes)
        raise Forbidden(f"This credential lacks the scope: {needed}.")
