"""The catalog's words: a reward, its versions, and the ways to pay for it. No storage here."""

from __future__ import annotations

import enum
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from gateway.ids import to_uuid
from gateway.ledger.assets import AssetUse
from gateway.rewards.rules import plain
from gateway.rewards.types import read_configuration
from gateway.rewards.types.base import Configuration, RewardKind
from gateway.rewards.types.points import PointsConfiguration

__all__ = [
    "Configuration",
    "PaymentConfig",
    "PaymentMode",
    "Reward",
    "RewardKind",
    "RewardStatus",
    "RewardTerms",
    "RewardVersion",
    "payment_config_from_json",
    "payment_config_to_json",
    "reward_from_json",
    "reward_to_json",
]


class RewardStatus(enum.StrEnum):
    """Whether a reward can be granted (MON-7)."""

    ACTIVE = "ACTIVE"
    INACTIVE = "INACTIVE"


class PaymentMode(enum.StrEnum):
    """How a member pays for a reward (CAP-6)."""

    FREE = "FREE"
    POINTS = "POINTS"
    CASH = "CASH"
    POINTS_CASH = "POINTS_CASH"
    CONV_RATIO = "CONV_RATIO"


@dataclass(frozen=True, slots=True)
class PaymentConfig:
    """One way to pay for a reward; which fields are set follows from the mode. Units: minor units of each asset."""

    id: UUID
    mode: PaymentMode
    asset_id: UUID | None = None
    amount_minor: int | None = None
    cash_asset_id: UUID | None = None
    cash_amount_minor: int | None = None
    conversion_ratio: Decimal | None = None


@dataclass(frozen=True, slots=True)
class Reward:
    """A reward as it is, or as it was in the version that a grant was made from."""

    id: UUID
    organization_id: UUID
    kind: RewardKind
    version_id: UUID
    name: str
    description: str | None
    configuration: Configuration
    metadata: Mapping[str, Any]
    status: RewardStatus
    payment_configs: tuple[PaymentConfig, ...]
    created_at: datetime
    updated_at: datetime
    # What members may read of it, where `metadata` is the partner's.
    member_metadata: Mapping[str, Any] = field(default_factory=dict)

    @property
    def credit_use(self) -> AssetUse | None:
        """Return the organization and the asset that it would credit, which may be another organization's.

        None of what is always the organization's own: its products, competitions, codes and vendors.
        """
        if isinstance(self.configuration, PointsConfiguration):
            return (self.organization_id, self.configuration.asset_id)
        return None

    @property
    def payment_uses(self) -> list[AssetUse]:
        """Return the organization with each asset that can be paid with."""
        return [
            (self.organization_id, config.asset_id)
            for config in self.payment_configs
            if config.asset_id is not None
        ]


@dataclass(frozen=True, slots=True)
class RewardVersion:
    """What a reward was when a grant of it was made (MON-5); it never changes. `updated_at` is when it became so."""

    version_id: UUID
    id: UUID
    organization_id: UUID
    name: str
    description: str | None
    configuration: Configuration
    metadata: Mapping[str, Any]
    created_at: datetime
    updated_at: datetime
    member_metadata: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class RewardTerms:
    """What is no part of a version: whether a reward can be granted today, and the ways to pay for it."""

    status: RewardStatus
    payment_configs: tuple[PaymentConfig, ...]


def reward_to_json(reward: Reward) -> dict[str, Any]:
    """Return the reward as an operation's stored answer keeps it."""
    return {
        "id": str(reward.id),
        "organization_id": str(reward.organization_id),
        "kind": reward.kind.value,
        "version_id": str(reward.version_id),
        "name": reward.name,
        "description": reward.description,
        "configuration": reward.configuration.to_json(),
        "metadata": dict(reward.metadata),
        "member_metadata": dict(reward.member_metadata),
        "status": reward.status.value,
        "payment_configs": [payment_config_to_json(config) for config in reward.payment_configs],
        "created_at": reward.created_at.isoformat(),
        "updated_at": reward.updated_at.isoformat(),
    }


def reward_from_json(value: Mapping[str, Any]) -> Reward:
    """Read what `reward_to_json` wrote."""
    kind = RewardKind(value["kind"])
    return Reward(
        id=UUID(value["id"]),
        organization_id=UUID(value["organization_id"]),
        kind=kind,
        version_id=UUID(value["version_id"]),
        name=value["name"],
        description=value["description"],
        configuration=read_configuration(kind, value["configuration"]),
        metadata=value["metadata"],
        status=RewardStatus(value["status"]),
        payment_configs=tuple(map(payment_config_from_json, value["payment_configs"])),
        created_at=datetime.fromisoformat(value["created_at"]),
        updated_at=datetime.fromisoformat(value["updated_at"]),
        # Answers that were stored before there was any have none.
        member_metadata=value.get("member_metadata", {}),
    )


def payment_config_to_json(config: PaymentConfig) -> dict[str, Any]:
    """Return a payment configuration as JSON."""
    ratio = config.conversion_ratio
    return {
        "id": str(config.id),
        "mode": config.mode.value,
        "asset_id": str(config.asset_id) if config.asset_id else None,
        "amount_minor": config.amount_minor,
        "cash_asset_id": str(config.cash_asset_id) if config.cash_asset_id else None,
        "cash_amount_minor": config.cash_amount_minor,
        "conversion_ratio": plain(ratio) if ratio is not None else None,
    }


def payment_config_from_json(value: Mapping[str, Any]) -> PaymentConfig:
    """Read what `payment_config_to_json` wrote, or what the store's statements aggregate."""
    ratio = value["conversion_ratio"]
    return PaymentConfig(
        id=to_uuid(value["id"]),
        mode=PaymentMode(value["mode"]),
        asset_id=to_uuid(value["asset_id"]) if value["asset_id"] else None,
        amount_minor=value["amount_minor"],
        cash_asset_id=to_uuid(value["cash_asset_id"]) if value["cash_asset_id"] else None,
        cash_amount_minor=value["cash_amount_minor"],
        conversion_ratio=Decimal(ratio) if ratio is not None else None,
    )
