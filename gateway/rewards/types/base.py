"""What every reward type is made of. The types know this file and none of each other."""

from __future__ import annotations

import enum
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol, TypeAlias
from uuid import UUID

from gateway.errors import FieldError
from gateway.ledger.assets import Asset, say_forbidden
from gateway.ledger.model import Transfer
from gateway.rewards.rules import check_exists


class RewardKind(enum.StrEnum):
    """The kinds of reward that stand in the catalog."""

    POINTS = "POINTS"
    PRODUCT = "PRODUCT"
    COMPETITION_ENTRY = "COMPETITION_ENTRY"
    UNIQUE_COUPON = "UNIQUE_COUPON"
    NON_UNIQUE_COUPON = "NON_UNIQUE_COUPON"
    VENDOR_VOUCHER = "VENDOR_VOUCHER"

    @property
    def input_name(self) -> str:
        """Return the name of this kind's field in the input of configurations, for example `competitionEntry`."""
        first, *others = self.value.lower().split("_")
        return first + "".join(word.capitalize() for word in others)


# A text to what the reward may keep of it.
Seal: TypeAlias = Callable[[str], str]


@dataclass(frozen=True, slots=True)
class References:
    """The ids that something refers to and that must exist."""

    asset_ids: frozenset[UUID] = frozenset()
    product_ids: frozenset[UUID] = frozenset()
    competition_ids: frozenset[UUID] = frozenset()
    code_pool_ids: frozenset[UUID] = frozenset()
    vendor_ids: frozenset[UUID] = frozenset()

    def __or__(self, other: References) -> References:
        """Return the ids of both."""
        return References(
            self.asset_ids | other.asset_ids,
            self.product_ids | other.product_ids,
            self.competition_ids | other.competition_ids,
            self.code_pool_ids | other.code_pool_ids,
            self.vendor_ids | other.vendor_ids,
        )


@dataclass(frozen=True, slots=True)
class Facts:
    """Which of the ids referred to the caller's organization can see, fetched in one statement.

    `points_asset_id` is the tenant's own points; its asset is always among `assets`. `forbidden_asset_ids` are those of them that
    the organization may not credit or deduct. `stocked_pool_ids` are the pools with
    at least one free code that has not expired. `quantity_vendor_ids` are the vendors that are told how many.
    """

    points_asset_id: UUID
    assets: Mapping[UUID, Asset]
    forbidden_asset_ids: frozenset[UUID] = frozenset()
    product_ids: frozenset[UUID] = frozenset()
    competition_ids: frozenset[UUID] = frozenset()
    code_pool_ids: frozenset[UUID] = frozenset()
    stocked_pool_ids: frozenset[UUID] = frozenset()
    vendor_ids: frozenset[UUID] = frozenset()
    quantity_vendor_ids: frozenset[UUID] = frozenset()

    def check_asset(self, asset_id: UUID, noun: str, path: tuple[str, ...]) -> list[FieldError]:
        """Return the broken rule of an asset that a reward gives or costs: the organization sees it, and may move it."""
        if asset_id in self.forbidden_asset_ids:
            return [FieldError(path, "issuer", say_forbidden(self.assets[asset_id]))]
        return check_exists(asset_id, self.assets, noun, path)


@dataclass(slots=True)
class PlanContext:
    """For whom a reward is planned: one member, in the organization that owns the reward. `quantity` is at least 1.

    Not changed once made: freezing it would only make it dearer.
    """

    tenant_id: UUID
    organization_id: UUID
    member_id: UUID
    quantity: int


@dataclass(frozen=True, slots=True)
class Purchase:
    """What is bought from a vendor for a grant; until the vendor has answered, the grant is pending (CAP-5)."""

    vendor_id: UUID
    offer_name: str | None
    series_id: str | None
    quantity: int


@dataclass(slots=True)
class Plan:
    """What granting a reward would do: what moves, and what the member gets. Not changed once made, like its context.

    `benefits` have the shapes that `grants.benefits` keeps. Where `coupon_pool_id` is set, the benefit of kind COUPON_CODE
    has no code yet: the engine draws one of that pool and fills it in. Where `purchase` is set nothing is given at once:
    there are no benefits until the vendor has issued them.
    """

    transfers: tuple[Transfer, ...] = ()
    benefits: tuple[Mapping[str, Any], ...] = field(default=())
    coupon_pool_id: UUID | None = None
    purchase: Purchase | None = None


class Configuration(Protocol):
    """What a reward of one type gives; kept as JSON in `reward_versions.configuration`."""

    def to_json(self) -> dict[str, Any]:
        """Return the JSON object to be stored."""
        ...

    def plan(self, context: PlanContext) -> Plan:
        """Say what granting this would move and give; purely, nothing is looked up."""
        ...


class Draft(Protocol):
    """A configuration as a caller wrote it, not yet checked against what exists."""

    def to_fields(self) -> dict[str, Any]:
        """Return the request's fields in one spelling, for its fingerprint."""
        ...

    def references(self) -> References:
        """Return the ids that must exist."""
        ...

    def check(self, facts: Facts, path: tuple[str, ...]) -> list[FieldError]:
        """Return every broken rule; `path` leads to the type's own input object."""
        ...

    def complete(self, facts: Facts, seal: Seal) -> Configuration:
        """Return the configuration of a draft that breaks no rule; what is secret in it is sealed for this reward."""
        ...
