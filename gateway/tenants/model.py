"""Tenants and organizations, and the assets that every tenant has."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from gateway.access import StandardAssets
from gateway.ledger.assets import AssetKind

NAME_LENGTH_MAX = 200


@dataclass(frozen=True, slots=True)
class Tenant:
    """A group of connected organizations: the unit of isolation, with its standard assets.

    `is_test` is what its tokens say of themselves; nothing else depends on it.
    """

    id: UUID
    name: str
    standard_assets: StandardAssets
    is_test: bool = False


@dataclass(frozen=True, slots=True)
class Organization:
    """One organization of a tenant; owns catalog and grants. One without a parent heads its own tree."""

    id: UUID
    name: str
    parent_id: UUID | None = None


@dataclass(frozen=True, slots=True)
class OrganizationReference:
    """An organization as a caller wrote it; `id` None stands for text that names none."""

    id: UUID | None
    as_sent: str


@dataclass(frozen=True, slots=True)
class AssetDescription:
    """What an asset is called and how it counts, before it has an id."""

    code: str
    name: str
    kind: AssetKind
    scale: int


POINTS = AssetDescription("PTS", "Points", AssetKind.POINTS, 0)
EXPERIENCE = AssetDescription("XP", "Experience points", AssetKind.EXPERIENCE, 0)
CASH = AssetDescription("USD", "US dollars", AssetKind.CASH, 2)
