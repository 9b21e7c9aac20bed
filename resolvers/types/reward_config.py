"""What a reward gives, as input: one field for each type, of which exactly one is set (MON-2)."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from uuid import UUID

import strawberry

from gateway.ids import IdKind, decode_id
from gateway.rewards.types.base import Draft
from gateway.rewards.types.competition_entry import CompetitionEntryConfiguration
from gateway.rewards.types.non_unique_coupon import NonUniqueCouponDraft
from gateway.rewards.types.points import PointsDraft
from gateway.rewards.types.product import ProductConfiguration
from gateway.rewards.types.unique_coupon import UniqueCouponConfiguration
from gateway.rewards.types.vendor_voucher import VendorVoucherDraft
from gateway.storage.pages import ID_LOWEST
from resolvers.types.discount import DiscountType


@strawberry.input(description="Points, or another asset, credited at once.")
class PointsConfigInput:
    """An amount of an asset."""

    amount: Decimal = strawberry.field(
        description="How much: above 0 and exact in the asset's decimals."
    )
    asset_id: strawberry.ID | None = strawberry.field(
        default=None,
        description="Points, experience points or a currency; the tenant's own points if left out.",
    )


@strawberry.input(description="Units of a product, taken from its stock.")
class ProductConfigInput:
    """A product and how many."""

    product_id: strawberry.ID = strawberry.field(description="The product: `prod_…`.")
    quantity: int = strawberry.field(default=1, description="How many units: 1 to 1,000,000.")


@strawberry.input(description="Entries in a competition.")
class CompetitionEntryConfigInput:
    """A competition and how many entries."""

    competition_id: strawberry.ID = strawberry.field(description="The competition: `comp_…`.")
    entries: int = strawberry.field(default=1, description="How many entries: 1 to 1,000,000.")


@strawberry.input(description="A coupon with a code of its own for each member.")
class UniqueCouponConfigInput:
    """A pool to draw codes from."""

    code_pool_id: strawberry.ID = strawberry.field(
        description="The pool that codes are drawn from: `pool_…`. It must have free codes."
    )


@strawberry.input(description="A coupon with the same code for everybody.")
class NonUniqueCouponConfigInput:
    """A code and its discount."""

    code: str = strawberry.field(
        description="The code: 1 to 128 printable characters without white space around them."
    )
    discount_type: DiscountType = strawberry.field(description="How it lowers a price.")
    discount_value: Decimal = strawberry.field(
        description="By how much: 0 or more, at most 100 for a percentage, at most 4 decimals."
    )


@strawberry.input(description="A voucher that is bought from a vendor when it is granted.")
class VendorVoucherConfigInput:
    """A vendor and what to ask it for."""

    vendor_id: strawberry.ID = strawberry.field(description="The vendor: `vnd_…`.")
    offer_name: str | None = strawberry.field(
        default=None,
        description="The value of `{offerName}` in the vendor's request: at most 200 characters.",
    )
    series_id: str | None = strawberry.field(
        default=None,
        description="The value of `{seriesId}` in the vendor's request: at most 200 characters.",
    )


@strawberry.input(
    one_of=True, description="What a reward gives; the field that is set is its type."
)
class RewardConfigInput:
    """Exactly one of the fields is set."""

    points: PointsConfigInput | None = strawberry.field(
        default=strawberry.UNSET, description="Points, or another asset."
    )
    product: ProductConfigInput | None = strawberry.field(
        default=strawberry.UNSET, description="Units of a product."
    )
    competition_entry: CompetitionEntryConfigInput | None = strawberry.field(
        default=strawberry.UNSET, description="Entries in a competition."
    )
    unique_coupon: UniqueCouponConfigInput | None = strawberry.field(
        default=strawberry.UNSET, description="A code of a pool."
    )
    non_unique_coupon: NonUniqueCouponConfigInput | None = strawberry.field(
        default=strawberry.UNSET, description="One code for everybody."
    )
    vendor_voucher: VendorVoucherConfigInput | None = strawberry.field(
        default=strawberry.UNSET, description="A voucher of a vendor."
    )


def to_draft(given: RewardConfigInput) -> Draft:
    """Return the configuration that is set; text that is no id becomes an id that nothing has."""
    if points := given.points:
        asset_id = None if points.asset_id is None else _read(IdKind.ASSET, points.asset_id)
        return PointsDraft(points.amount, asset_id)
    if product := given.product:
        return ProductConfiguration(_read(IdKind.PRODUCT, product.product_id), product.quantity)
    if entry := given.competition_entry:
        competition_id = _read(IdKind.COMPETITION, entry.competition_id)
        return CompetitionEntryConfiguration(competition_id, entry.entries)
    if unique := given.unique_coupon:
        return UniqueCouponConfiguration(_read(IdKind.CODE_POOL, unique.code_pool_id))
    if voucher := given.vendor_voucher:
        vendor_id = _read(IdKind.VENDOR, voucher.vendor_id)
        return VendorVoucherDraft(vendor_id, voucher.offer_name, voucher.series_id)
    coupon = given.non_unique_coupon
    assert coupon  # noqa: S101 - GraphQL has seen to it that one field is set
    return NonUniqueCouponDraft(coupon.code, coupon.discount_type, coupon.discount_value)


def _read(kind: IdKind, public_id: str) -> UUID:
    return decode_id(kind, public_id) or ID_LOWEST


def to_segment_ids(given: Sequence[strawberry.ID]) -> tuple[UUID, ...]:
    """Return the ids of segments; text that is none becomes an id that no segment has."""
    return tuple(decode_id(IdKind.SEGMENT, one) or ID_LOWEST for one in given)
