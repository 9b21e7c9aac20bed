"""Payment configurations: how a member may pay for a reward (CAP-6)."""

from __future__ import annotations

from decimal import Decimal
from uuid import UUID

import strawberry

from gateway.ids import IdKind, decode_id, encode_id
from gateway.ledger.assets import from_minor
from gateway.rewards import model as domain
from gateway.rewards.model import PaymentMode
from gateway.rewards.payments import PaymentConfigDraft
from gateway.storage.pages import ID_LOWEST
from resolvers.context import Info
from resolvers.enums import expose_enum
from resolvers.fields import resolved
from resolvers.types.asset import Asset, to_asset

expose_enum(
    PaymentMode,
    "How a member pays for a reward.",
    {
        "FREE": "Nothing is paid.",
        "POINTS": "An amount of a points asset.",
        "CASH": "An amount of money, which is paid outside the gateway.",
        "POINTS_CASH": "An amount of a points asset, and an amount of money outside the gateway.",
        "CONV_RATIO": "The value of what is issued, divided by the ratio, in a points asset.",
    },
)


@strawberry.type(description="One way to pay for a reward.")
class PaymentConfig:
    """A mode and what it costs."""

    config: strawberry.Private[domain.PaymentConfig]

    id: strawberry.ID = strawberry.field(description="Name it when issuing: `pay_…`.")
    mode: PaymentMode = strawberry.field(description="How the member pays.")
    conversion_ratio: Decimal | None = strawberry.field(
        description="CONV_RATIO only: what one unit of the asset is worth."
    )

    @resolved("The asset redeemed, such as points or miles; null if the mode redeems none.")
    async def asset(self, info: Info) -> Asset | None:
        """Load the asset."""
        return await _load_asset(info, self.config.asset_id)

    @resolved("How much of the asset is redeemed; null if the mode names no amount.")
    async def amount(self, info: Info) -> Decimal | None:
        """Return the amount in the asset's own decimals."""
        return await _load_amount(info, self.config.asset_id, self.config.amount_minor)

    @resolved("The money that is paid outside the gateway; null if the mode takes none.")
    async def cash_asset(self, info: Info) -> Asset | None:
        """Load the asset."""
        return await _load_asset(info, self.config.cash_asset_id)

    @resolved("How much money is paid; null if the mode takes none.")
    async def cash_amount(self, info: Info) -> Decimal | None:
        """Return the amount in the money's own decimals."""
        return await _load_amount(info, self.config.cash_asset_id, self.config.cash_amount_minor)


@strawberry.input(
    description=(
        "One way to pay for a reward. FREE takes nothing else; POINTS takes `assetId` and `amount`; CASH takes "
        "`cashAssetId` and `cashAmount`; POINTS_CASH takes all four; CONV_RATIO takes `assetId` and `conversionRatio`."
    )
)
class PaymentConfigInput:
    """A mode, and the fields that it takes."""

    mode: PaymentMode = strawberry.field(description="How the member pays.")
    asset_id: strawberry.ID | None = strawberry.field(
        default=None, description="The points or currency to redeem: a GUID."
    )
    amount: Decimal | None = strawberry.field(
        default=None, description="How much of it, above 0 and exact in the asset's decimals."
    )
    cash_asset_id: strawberry.ID | None = strawberry.field(
        default=None, description="The money to pay: the GUID of an asset of kind CASH."
    )
    cash_amount: Decimal | None = strawberry.field(
        default=None, description="How much of it, above 0 and exact in the asset's decimals."
    )
    conversion_ratio: Decimal | None = strawberry.field(
        default=None,
        description="What one unit of the asset is worth: above 0, at most 6 decimals.",
    )


def to_payment_config(config: domain.PaymentConfig) -> PaymentConfig:
    """Return a payment configuration as its GraphQL type."""
    return PaymentConfig(
        config=config,
        id=strawberry.ID(encode_id(IdKind.PAYMENT_CONFIG, config.id)),
        mode=config.mode,
        conversion_ratio=config.conversion_ratio,
    )


def to_payment_config_draft(given: PaymentConfigInput) -> PaymentConfigDraft:
    """Return what a caller wrote; text that is no GUID becomes an id that no asset has."""
    return PaymentConfigDraft(
        mode=given.mode,
        asset_id=_read_guid(given.asset_id),
        amount=given.amount,
        cash_asset_id=_read_guid(given.cash_asset_id),
        cash_amount=given.cash_amount,
        conversion_ratio=given.conversion_ratio,
    )


def _read_guid(given: str | None) -> UUID | None:
    return None if given is None else decode_id(IdKind.ASSET, given) or ID_LOWEST


async def _load_asset(info: Info, asset_id: UUID | None) -> Asset | None:
    asset = await info.context.loaders.known_assets.load(asset_id) if asset_id else None
    return to_asset(asset) if asset else None


async def _load_amount(
    info: Info, asset_id: UUID | None, amount_minor: int | None
) -> Decimal | None:
    if asset_id is None or amount_minor is None:
        return None
    asset = await info.context.loaders.known_assets.load(asset_id)
    assert asset is not None  # noqa: S101 - a foreign key holds it
    return from_minor(amount_minor, asset.scale)
