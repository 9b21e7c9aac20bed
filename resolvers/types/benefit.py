"""What a member actually got: a union. Each kind is what its grant keeps, and nothing is made of that which is not selected."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from datetime import datetime
from decimal import Decimal
from typing import Annotated, Any, TypeAlias, cast
from uuid import UUID

import strawberry

from gateway.ids import IdKind, encode_id
from gateway.ledger.assets import from_minor
from resolvers.codes import CodeView, Held, show_code
from resolvers.context import Info
from resolvers.fields import resolved
from resolvers.types.asset import Asset, to_asset
from resolvers.types.discount import DiscountType


@strawberry.type(description="An amount of an asset, such as points or cash.")
class AssetCredit:
    """An amount; below zero where a distribution deducts."""

    benefit: strawberry.Private[Mapping[str, Any]]

    @resolved("What was credited.", graphql_type=Asset)
    def asset(self, info: Info) -> Asset | Awaitable[Asset]:
        """Return the asset: at once if the process has met it before."""
        return _to_asset(info, self.benefit["asset_id"])

    @resolved("How much; below zero where a distribution deducts.", graphql_type=Decimal)
    def amount(self, info: Info) -> Decimal | Awaitable[Decimal]:
        """Return the amount in the asset's own decimals."""
        return _to_amount(info, self.benefit["asset_id"], self.benefit["amount_minor"])


@strawberry.type(description="Units of a product.")
class ProductUnits:
    """A product and how many."""

    benefit: strawberry.Private[Mapping[str, Any]]

    @resolved("The product.")
    def product_id(self) -> strawberry.ID:
        """Name the product."""
        return strawberry.ID(encode_id(IdKind.PRODUCT, UUID(self.benefit["product_id"])))

    @resolved("The asset that counts the product's units.", graphql_type=Asset)
    def asset(self, info: Info) -> Asset | Awaitable[Asset]:
        """Return the asset of the product's own id."""
        return _to_asset(info, self.benefit["product_id"])

    @resolved("How many units.")
    def quantity(self) -> int:
        """Return what the grant keeps."""
        return cast(int, self.benefit["quantity"])


@strawberry.type(description="Entries in a competition.")
class CompetitionEntries:
    """A competition and how many chances in it."""

    benefit: strawberry.Private[Mapping[str, Any]]

    @resolved("The competition.")
    def competition_id(self) -> strawberry.ID:
        """Name the competition."""
        return strawberry.ID(encode_id(IdKind.COMPETITION, UUID(self.benefit["competition_id"])))

    @resolved("The asset that counts the competition's entries.", graphql_type=Asset)
    def asset(self, info: Info) -> Asset | Awaitable[Asset]:
        """Return the asset of the competition's own id."""
        return _to_asset(info, self.benefit["competition_id"])

    @resolved("How many entries.")
    def entries(self) -> int:
        """Return what the grant keeps."""
        return cast(int, self.benefit["entries"])


@strawberry.type(description="A coupon code, the member's own or one for everybody.")
class CouponCode:
    """A code and what it is worth."""

    benefit: strawberry.Private[Mapping[str, Any]]
    grant: strawberry.Private[Held]
    view: strawberry.Private[CodeView]

    @resolved(
        "The code to redeem. Partners without the scope `codes` see it masked, but in the answer of the call that issued it; in "
        "a dry run nothing of it is shown."
    )
    def code(self, info: Info) -> str:
        """Open what the grant keeps, if the caller may read it."""
        return show_code(info.context, self.grant, self.benefit, self.view)

    @resolved("When it expires; null if it does not.")
    def expires_at(self) -> datetime | None:
        """Return what the grant keeps."""
        expires_at = self.benefit.get("expires_at")
        return datetime.fromisoformat(expires_at) if expires_at else None

    @resolved("How it lowers a price; null if the gateway does not know.")
    def discount_type(self) -> DiscountType | None:
        """Return what the grant keeps."""
        discount_type = self.benefit.get("discount_type")
        return DiscountType(discount_type) if discount_type else None

    @resolved("By how much; null if the gateway does not know.")
    def discount_value(self) -> Decimal | None:
        """Return what the grant keeps."""
        discount_value = self.benefit.get("discount_value")
        return None if discount_value is None else Decimal(discount_value)


@strawberry.type(description="A voucher that a vendor issued.")
class VendorVoucher:
    """A voucher and what the vendor said of it."""

    benefit: strawberry.Private[Mapping[str, Any]]
    grant: strawberry.Private[Held]
    view: strawberry.Private[CodeView]

    @resolved(
        "The code or reference to redeem. Partners without the scope `codes` see it masked, but in the answer of the call that "
        "issued it."
    )
    def voucher(self, info: Info) -> str:
        """Open what the grant keeps, if the caller may read it."""
        return show_code(info.context, self.grant, self.benefit, self.view)

    @resolved("Until when it can be redeemed, as the vendor wrote it; null if it did not say.")
    def valid_till(self) -> str | None:
        """Return what the grant keeps."""
        return cast("str | None", self.benefit["valid_till"])

    @resolved("The vendor's offer; null if neither it nor the reward names one.")
    def offer_name(self) -> str | None:
        """Return what the grant keeps."""
        return cast("str | None", self.benefit["offer_name"])

    @resolved("The vendor's series; null if neither it nor the reward names one.")
    def series_id(self) -> str | None:
        """Return what the grant keeps."""
        return cast("str | None", self.benefit["series_id"])

    @resolved("How many units were bought at once.")
    def quantity(self) -> int:
        """Return what the grant keeps."""
        return cast(int, self.benefit["voucher_quantity"])

    @resolved(
        "What the payer paid for it, in units of the asset redeemed; null if it was free.",
        graphql_type=Decimal | None,
    )
    def points_redeemed(self, info: Info) -> Decimal | Awaitable[Decimal] | None:
        """Return the amount in the asset's own decimals."""
        if "paid_asset_id" not in self.benefit:
            return None
        return _to_amount(info, self.benefit["paid_asset_id"], self.benefit["paid_minor"])


Benefit: TypeAlias = Annotated[
    AssetCredit | ProductUnits | CompetitionEntries | CouponCode | VendorVoucher,
    strawberry.union("Benefit", description="What a member got from a grant."),
]


_TYPES: Mapping[str, Callable[..., Benefit]] = {
    "ASSET_CREDIT": AssetCredit,
    "PRODUCT_UNITS": ProductUnits,
    "COMPETITION_ENTRIES": CompetitionEntries,
}
_TYPES_WITH_CODE: Mapping[str, Callable[..., Benefit]] = {
    "COUPON_CODE": CouponCode,
    "VENDOR_VOUCHER": VendorVoucher,
}


def to_benefit(benefit: Mapping[str, Any], grant: Held, view: CodeView) -> Benefit:
    """Return a grant's recorded benefit as its GraphQL type."""
    kind = benefit["kind"]
    if kind in _TYPES:
        return _TYPES[kind](benefit=benefit)
    return _TYPES_WITH_CODE[kind](benefit=benefit, grant=grant, view=view)


def _to_asset(info: Info, asset_id: str) -> Asset | Awaitable[Asset]:
    return info.context.loaders.with_asset_by_text(asset_id, to_asset)


def _to_amount(info: Info, asset_id: str, amount_minor: int) -> Decimal | Awaitable[Decimal]:
    return info.context.loaders.with_asset_by_text(
        asset_id, lambda asset: from_minor(amount_minor, asset.scale)
    )
