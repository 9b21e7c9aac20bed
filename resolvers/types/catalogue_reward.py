"""The rewards of the catalogue: what they have in common, and one GraphQL type for each type."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Annotated, Any, TypeAlias

import strawberry

from gateway.access import Scope, authorize
from gateway.ids import IdKind, encode_id
from gateway.ledger.assets import from_minor
from gateway.rewards import items
from gateway.rewards import model as domain
from gateway.rewards.model import RewardKind, RewardStatus
from gateway.rewards.types.competition_entry import CompetitionEntryConfiguration
from gateway.rewards.types.non_unique_coupon import NonUniqueCouponConfiguration
from gateway.rewards.types.points import PointsConfiguration
from gateway.rewards.types.product import ProductConfiguration
from gateway.rewards.types.unique_coupon import UniqueCouponConfiguration
from gateway.rewards.types.vendor_voucher import VendorVoucherConfiguration
from resolvers.context import Info
from resolvers.enums import expose_enum
from resolvers.fields import resolved
from resolvers.node import Node
from resolvers.scalars import JSON
from resolvers.types.asset import Asset, to_asset
from resolvers.types.discount import DiscountType
from resolvers.types.items import (
    CodePool,
    Competition,
    Product,
    load_item,
    to_code_pool,
    to_competition,
    to_product,
)
from resolvers.types.payment_config import PaymentConfig, to_payment_config
from resolvers.types.vendor import Vendor, load_vendor, to_vendor

if TYPE_CHECKING:
    from resolvers.types.segment import Segment

RewardType: TypeAlias = RewardKind

expose_enum(
    RewardStatus,
    "Whether a reward can be granted.",
    {
        "ACTIVE": "It can be granted.",
        "INACTIVE": "Nobody can be granted it until it is active again.",
    },
)

expose_enum(
    RewardKind,
    "The types of reward of the catalogue.",
    {
        "POINTS": "`PointsReward`.",
        "PRODUCT": "`ProductReward`.",
        "COMPETITION_ENTRY": "`CompetitionEntryReward`.",
        "UNIQUE_COUPON": "`UniqueCouponReward`.",
        "NON_UNIQUE_COUPON": "`NonUniqueCouponReward`.",
        "VENDOR_VOUCHER": "`VendorVoucherReward`.",
    },
    name="RewardType",
)


@strawberry.interface(
    description=(
        "A reward of the catalogue. On a grant it shows name, description, metadata and configuration as they were when "
        "the grant was made, even if the reward was changed or deleted since."
    )
)
class RewardDefinition(Node):
    """What every type has."""

    reward: strawberry.Private[domain.Reward]

    org_id: strawberry.ID = strawberry.field(description="The organisation whose reward it is.")
    name: str = strawberry.field(description="Name for people.")
    description: str | None = strawberry.field(description="What it is, for people.")
    status: RewardStatus = strawberry.field(description="Whether it can be granted now.")
    metadata: JSON = strawberry.field(description="What the partner keeps with it.")
    payment_configs: list[PaymentConfig] = strawberry.field(
        description="The ways to pay for it now; none means free."
    )
    created_at: datetime = strawberry.field(description="When it was created.")
    updated_at: datetime = strawberry.field(description="When it was last changed.")

    @resolved("The segments that it is reserved for now; none means everybody. Not for members.")
    async def segments(
        self, info: Info
    ) -> list[Annotated[Segment, strawberry.lazy("resolvers.types.segment")]]:
        """Load the segments."""
        # Segments have members, members have grants, and grants have rewards: the circle is broken here.
        from resolvers.types.segment import load_segments_of_reward  # noqa: PLC0415 - see above

        authorize(info.context.caller, Scope.READ, Scope.CATALOGUE)
        return await load_segments_of_reward(info.context, self.reward.id)


@strawberry.type(description="Points, or another asset, credited at once.")
class PointsReward(RewardDefinition):
    """An amount of an asset."""

    configuration: strawberry.Private[PointsConfiguration]

    @resolved("What is credited.")
    async def asset(self, info: Info) -> Asset:
        """Load the asset."""
        asset = await info.context.loaders.known_assets.load(self.configuration.asset_id)
        assert asset is not None  # noqa: S101 - checked when the reward was written
        return to_asset(asset)

    @resolved("How much is credited.")
    async def amount(self, info: Info) -> Decimal:
        """Return the amount in the asset's own decimals."""
        asset = await info.context.loaders.known_assets.load(self.configuration.asset_id)
        assert asset is not None  # noqa: S101 - checked when the reward was written
        return from_minor(self.configuration.amount_minor, asset.scale)


@strawberry.type(description="Units of a product, taken from its stock.")
class ProductReward(RewardDefinition):
    """A product and how many."""

    configuration: strawberry.Private[ProductConfiguration]

    quantity: int = strawberry.field(description="How many units.")

    @resolved("The product.")
    async def product(self, info: Info) -> Product:
        """Load the product."""
        key = (self.reward.organisation_id, self.configuration.product_id)
        return to_product(await load_item(info.context, items.Product, *key))


@strawberry.type(description="Entries in a competition.")
class CompetitionEntryReward(RewardDefinition):
    """A competition and how many chances in it."""

    configuration: strawberry.Private[CompetitionEntryConfiguration]

    entries: int = strawberry.field(description="How many entries.")

    @resolved("The competition.")
    async def competition(self, info: Info) -> Competition:
        """Load the competition."""
        key = (self.reward.organisation_id, self.configuration.competition_id)
        return to_competition(await load_item(info.context, items.Competition, *key))


@strawberry.type(description="A coupon with a code of its own for each member, one a member.")
class UniqueCouponReward(RewardDefinition):
    """A pool to draw from."""

    configuration: strawberry.Private[UniqueCouponConfiguration]

    @resolved("The pool that codes are drawn from.")
    async def code_pool(self, info: Info) -> CodePool:
        """Load the pool."""
        key = (self.reward.organisation_id, self.configuration.code_pool_id)
        return to_code_pool(await load_item(info.context, items.CodePool, *key))


@strawberry.type(description="A coupon with the same code for everybody.")
class NonUniqueCouponReward(RewardDefinition):
    """A code and its discount."""

    code: str = strawberry.field(description="The code to redeem.")
    discount_type: DiscountType = strawberry.field(description="How it lowers a price.")
    discount_value: Decimal = strawberry.field(
        description="By how much: per cent, or an amount in the currency of the shop."
    )


@strawberry.type(
    description="A voucher that is bought from a vendor over HTTP when it is granted or issued."
)
class VendorVoucherReward(RewardDefinition):
    """A vendor and what to ask it for."""

    configuration: strawberry.Private[VendorVoucherConfiguration]

    offer_name: str | None = strawberry.field(description="The vendor's offer; null if none.")
    series_id: str | None = strawberry.field(description="The vendor's series; null if none.")

    @resolved("The vendor.")
    async def vendor(self, info: Info) -> Vendor:
        """Load the vendor."""
        key = (self.reward.organisation_id, self.configuration.vendor_id)
        return to_vendor(await load_vendor(info.context, *key))


CatalogueReward: TypeAlias = (
    PointsReward
    | ProductReward
    | CompetitionEntryReward
    | UniqueCouponReward
    | NonUniqueCouponReward
    | VendorVoucherReward
)


def to_catalogue_reward(reward: domain.Reward) -> CatalogueReward:
    """Return a reward, as it is or as a version shows it, as the GraphQL type of its configuration."""
    common: dict[str, Any] = {
        "id": strawberry.ID(encode_id(IdKind.REWARD, reward.id)),
        "reward": reward,
        "org_id": strawberry.ID(encode_id(IdKind.ORGANISATION, reward.organisation_id)),
        "name": reward.name,
        "description": reward.description,
        "status": reward.status,
        "metadata": JSON(dict(reward.metadata)),
        "payment_configs": [to_payment_config(config) for config in reward.payment_configs],
        "created_at": reward.created_at,
        "updated_at": reward.updated_at,
    }
    match reward.configuration:
        case PointsConfiguration() as points:
            return PointsReward(**common, configuration=points)
        case ProductConfiguration() as product:
            return ProductReward(**common, configuration=product, quantity=product.quantity)
        case CompetitionEntryConfiguration() as entry:
            return CompetitionEntryReward(**common, configuration=entry, entries=entry.entries)
        case UniqueCouponConfiguration() as unique:
            return UniqueCouponReward(**common, configuration=unique)
        case VendorVoucherConfiguration() as voucher:
            return VendorVoucherReward(
                **common,
                configuration=voucher,
                offer_name=voucher.offer_name,
                series_id=voucher.series_id,
            )
    coupon = reward.configuration
    assert isinstance(coupon, NonUniqueCouponConfiguration)  # noqa: S101 - the registry has no other
    return NonUniqueCouponReward(
        **common,
        code=coupon.code,
        discount_type=coupon.discount_type,
        discount_value=coupon.discount_value,
    )
