"""What a member actually got: a union, one file entry for each kind of benefit."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from typing import Annotated, Any, TypeAlias
from uuid import UUID

import strawberry

from gateway.ids import IdKind, encode_id
from gateway.ledger import assets as domain
from gateway.ledger.assets import from_minor
from resolvers.context import Info
from resolvers.fields import resolved
from resolvers.types.asset import Asset, to_asset
from resolvers.types.discount import DiscountType


@strawberry.type(description="An amount of an asset, such as points or cash.")
class AssetCredit:
    """An amount; below zero where a distribution deducts."""

    asset: Asset = strawberry.field(description="What was credited.")
    amount: Decimal = strawberry.field(
        description="How much; below zero where a distribution deducts."
    )


@strawberry.type(description="Units of a product.")
class ProductUnits:
    """A product and how many."""

    product_id: strawberry.ID = strawberry.field(description="The product.")
    asset: Asset = strawberry.field(description="The asset that counts the product's units.")
    quantity: int = strawberry.field(description="How many units.")


@strawberry.type(description="Entries in a competition.")
class CompetitionEntries:
    """A competition and how many chances in it."""

    competition_id: strawberry.ID = strawberry.field(description="The competition.")
    asset: Asset = strawberry.field(description="The asset that counts the competition's entries.")
    entries: int = strawberry.field(description="How many entries.")


@strawberry.type(description="A coupon code, the member's own or one for everybody.")
class CouponCode:
    """A code and what it is worth."""

    code: str = strawberry.field(description="The code to redeem.")
    expires_at: datetime | None = strawberry.field(
        description="When it expires; null if it does not."
    )
    discount_type: DiscountType | None = strawberry.field(
        description="How it lowers a price; null if the gateway does not know."
    )
    discount_value: Decimal | None = strawberry.field(
        description="By how much; null if the gateway does not know."
    )


@strawberry.type(description="A voucher that a vendor issued.")
class VendorVoucher:
    """A voucher and what the vendor said of it."""

    benefit: strawberry.Private[Mapping[str, Any]]

    voucher: str = strawberry.field(description="The code or reference to redeem.")
    valid_till: str | None = strawberry.field(
        description="Until when it can be redeemed, as the vendor wrote it; null if it did not say."
    )
    offer_name: str | None = strawberry.field(
        description="The vendor's offer; null if neither it nor the reward names one."
    )
    series_id: str | None = strawberry.field(
        description="The vendor's series; null if neither it nor the reward names one."
    )
    quantity: int = strawberry.field(description="How many units were bought at once.")

    @resolved("What the payer paid for it, in units of the asset redeemed; null if it was free.")
    async def points_redeemed(self, info: Info) -> Decimal | None:
        """Return the amount in the asset's own decimals."""
        if "paid_asset_id" not in self.benefit:
            return None
        asset = await info.context.loaders.known_assets.load(UUID(self.benefit["paid_asset_id"]))
        assert asset is not None  # noqa: S101 - the ledger has entries of it
        return from_minor(self.benefit["paid_minor"], asset.scale)


Benefit: TypeAlias = Annotated[
    AssetCredit | ProductUnits | CompetitionEntries | CouponCode | VendorVoucher,
    strawberry.union("Benefit", description="What a member got from a grant."),
]


def to_benefit(benefit: Mapping[str, Any], assets: Mapping[UUID, domain.Asset]) -> Benefit:
    """Return a recorded benefit as its GraphQL type; `assets` has those it is counted in."""
    kind = benefit["kind"]
    if kind == "ASSET_CREDIT":
        asset = assets[UUID(benefit["asset_id"])]
        return AssetCredit(
            asset=to_asset(asset), amount=from_minor(benefit["amount_minor"], asset.scale)
        )
    if kind == "PRODUCT_UNITS":
        product_id = UUID(benefit["product_id"])
        return ProductUnits(
            product_id=strawberry.ID(encode_id(IdKind.PRODUCT, product_id)),
            asset=to_asset(assets[product_id]),
            quantity=benefit["quantity"],
        )
    if kind == "COMPETITION_ENTRIES":
        competition_id = UUID(benefit["competition_id"])
        return CompetitionEntries(
            competition_id=strawberry.ID(encode_id(IdKind.COMPETITION, competition_id)),
            asset=to_asset(assets[competition_id]),
            entries=benefit["entries"],
        )
    if kind == "VENDOR_VOUCHER":
        return VendorVoucher(
            benefit=benefit,
            voucher=benefit["voucher"],
            valid_till=benefit["valid_till"],
            offer_name=benefit["offer_name"],
            series_id=benefit["series_id"],
            quantity=benefit["voucher_quantity"],
        )
    return _to_coupon_code(benefit)


def _to_coupon_code(benefit: Mapping[str, Any]) -> CouponCode:
    expires_at, discount_type, discount_value = (
        benefit.get(name) for name in ("expires_at", "discount_type", "discount_value")
    )
    return CouponCode(
        code=benefit["code"],
        expires_at=datetime.fromisoformat(expires_at) if expires_at else None,
        discount_type=DiscountType(discount_type) if discount_type else None,
        discount_value=None if discount_value is None else Decimal(discount_value),
    )
