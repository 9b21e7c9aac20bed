"""The rewards of the catalog: what they have in common, and one GraphQL type for each type."""

from __future__ import annotations

from collections.abc import Awaitable, Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Annotated, Any, TypeAlias
from uuid import UUID

import strawberry

from gateway.access import Scope
from gateway.ids import IdKind, encode_id
from gateway.ledger import assets as ledger
from gateway.ledger.assets import from_minor
from gateway.rewards import items
from gateway.rewards import model as domain
from gateway.rewards.codes import mask_code
from gateway.rewards.model import Configuration, RewardKind, RewardStatus
from gateway.rewards.sealing import RewardSeal
from gateway.rewards.types.competition_entry import CompetitionEntryConfiguration
from gateway.rewards.types.non_unique_coupon import NonUniqueCouponConfiguration
from gateway.rewards.types.points import PointsConfiguration
from gateway.rewards.types.product import ProductConfiguration
from gateway.rewards.types.unique_coupon import UniqueCouponConfiguration
from gateway.rewards.types.vendor_voucher import VendorVoucherConfiguration
from gateway.rewards.version_store import fetch_reward_terms
from gateway.storage.database import Connection
from resolvers.codes import may_read_codes
from resolvers.context import Info
from resolvers.enums import expose_enum
from resolvers.fields import resolved
from resolvers.loaders import Loaders
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
    "The types of reward of the catalog.",
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
        "A reward of the catalog. On a grant it shows name, description, metadata and configuration as they were when "
        "the grant was made, even if the reward was changed or deleted since."
    )
)
class RewardDefinition(Node):
    """What every type has."""

    reward: strawberry.Private[domain.Reward | domain.RewardVersion]

    @resolved("The organization whose reward it is.")
    def org_id(self) -> strawberry.ID:
        """Name the organization."""
        return strawberry.ID(encode_id(IdKind.ORGANIZATION, self.reward.organization_id))

    @resolved("Name for people.")
    def name(self) -> str:
        """Return what the version keeps."""
        return self.reward.name

    @resolved("What it is, for people.")
    def description(self) -> str | None:
        """Return what the version keeps."""
        return self.reward.description

    @resolved("Whether it can be granted now.", graphql_type=RewardStatus)
    def status(self, info: Info) -> RewardStatus | Awaitable[RewardStatus]:
        """Return it, or load it for a version, which does not have it."""
        if isinstance(self.reward, domain.Reward):
            return self.reward.status
        return self._load_status(info)

    @resolved("What the partner keeps with it. Null for members.")
    def metadata(self) -> JSON | None:
        """Return what the version keeps."""
        return JSON(dict(self.reward.metadata))

    @resolved("What the partner lets members read of it; empty if nothing.")
    def member_metadata(self) -> JSON:
        """Return what the version keeps."""
        return JSON(dict(self.reward.member_metadata))

    @resolved("The ways to pay for it now; none means free.", graphql_type=list[PaymentConfig])
    def payment_configs(self, info: Info) -> list[PaymentConfig] | Awaitable[list[PaymentConfig]]:
        """Return them, or load them for a version, which does not have them."""
        if isinstance(self.reward, domain.Reward):
            return [to_payment_config(config) for config in self.reward.payment_configs]
        return self._load_payment_configs(info)

    @resolved("When it was created.")
    def created_at(self) -> datetime:
        """Return what the version keeps."""
        return self.reward.created_at

    @resolved("When it was last changed.")
    def updated_at(self) -> datetime:
        """Return what the version keeps."""
        return self.reward.updated_at

    @resolved(
        "The segments that it is reserved for now; none means everybody. Null for members.",
        requires=[Scope.READ, Scope.CATALOG, Scope.MEMBER],
    )
    async def segments(
        self, info: Info
    ) -> list[Annotated[Segment, strawberry.lazy("resolvers.types.segment")]] | None:
        """Load the segments."""
        # Segments have members, members have grants, and grants have rewards: the circle is broken here.
        from resolvers.types.segment import load_segments_of_reward  # noqa: PLC0415 - see above

        return await load_segments_of_reward(info.context, self.reward.id)

    async def _load_status(self, info: Info) -> RewardStatus:
        return (await self._load_terms(info)).status

    async def _load_payment_configs(self, info: Info) -> list[PaymentConfig]:
        terms = await self._load_terms(info)
        return [to_payment_config(config) for config in terms.payment_configs]

    async def _load_terms(self, info: Info) -> domain.RewardTerms:
        terms = await info.context.loaders.using(_fetch_terms).load(self.reward.id)
        assert terms is not None  # noqa: S101 - a deleted reward keeps its row
        return terms


@strawberry.type(description="Points, or another asset, credited at once.")
class PointsReward(RewardDefinition):
    """An amount of an asset."""

    configuration: strawberry.Private[PointsConfiguration]

    @resolved("What is credited.", graphql_type=Asset)
    def asset(self, info: Info) -> Asset | Awaitable[Asset]:
        """Return the asset."""
        return info.context.loaders.with_asset(self.configuration.asset_id, to_asset)

    @resolved("How much is credited.", graphql_type=Decimal)
    def amount(self, info: Info) -> Decimal | Awaitable[Decimal]:
        """Return the amount in the asset's own decimals."""
        return info.context.loaders.with_asset(self.configuration.asset_id, self._in_units_of)

    def _in_units_of(self, asset: ledger.Asset) -> Decimal:
        return from_minor(self.configuration.amount_minor, asset.scale)


@strawberry.type(description="Units of a product, taken from its stock.")
class ProductReward(RewardDefinition):
    """A product and how many."""

    configuration: strawberry.Private[ProductConfiguration]

    @resolved("How many units.")
    def quantity(self) -> int:
        """Return what the configuration has."""
        return self.configuration.quantity

    @resolved("The product. Null for members.")
    async def product(self, info: Info) -> Product | None:
        """Load the product."""
        key = (self.reward.organization_id, self.configuration.product_id)
        return to_product(await load_item(info.context, items.Product, *key))


@strawberry.type(description="Entries in a competition.")
class CompetitionEntryReward(RewardDefinition):
    """A competition and how many chances in it."""

    configuration: strawberry.Private[CompetitionEntryConfiguration]

    @resolved("How many entries.")
    def entries(self) -> int:
        """Return what the configuration has."""
        return self.configuration.entries

    @resolved("The competition. Null for members.")
    async def competition(self, info: Info) -> Competition | None:
        """Load the competition."""
        key = (self.reward.organization_id, self.configuration.competition_id)
        return to_competition(await load_item(info.context, items.Competition, *key))


@strawberry.type(description="A coupon with a code of its own for each member, one a member.")
class UniqueCouponReward(RewardDefinition):
    """A pool to draw from."""

    configuration: strawberry.Private[UniqueCouponConfiguration]

    @resolved("The pool that codes are drawn from. Null for members.")
    async def code_pool(self, info: Info) -> CodePool | None:
        """Load the pool."""
        key = (self.reward.organization_id, self.configuration.code_pool_id)
        return to_code_pool(await load_item(info.context, items.CodePool, *key))


@strawberry.type(description="A coupon with the same code for everybody.")
class NonUniqueCouponReward(RewardDefinition):
    """A code and its discount."""

    configuration: strawberry.Private[NonUniqueCouponConfiguration]

    @resolved(
        "The code to redeem, masked for partners without the scope `codes`. Null for members, whose benefits have the code."
    )
    def code(self, info: Info) -> str | None:
        """Open what the configuration keeps, and mask it for those who may not read it."""
        caller = info.context.caller
        sealing = RewardSeal(info.context.database.keys, caller.tenant_id, self.reward.id)
        code = sealing.open(self.configuration.sealed_code)
        return code if may_read_codes(caller) else mask_code(code)

    @resolved("How it lowers a price.")
    def discount_type(self) -> DiscountType:
        """Return what the configuration has."""
        return self.configuration.discount_type

    @resolved("By how much: per cent, or an amount in the currency of the shop.")
    def discount_value(self) -> Decimal:
        """Return what the configuration has."""
        return self.configuration.discount_value


@strawberry.type(
    description="A voucher that is bought from a vendor over HTTP when it is granted or issued."
)
class VendorVoucherReward(RewardDefinition):
    """A vendor and what to ask it for."""

    configuration: strawberry.Private[VendorVoucherConfiguration]

    @resolved("The vendor's offer; null if none.")
    def offer_name(self) -> str | None:
        """Return what the configuration has."""
        return self.configuration.offer_name

    @resolved("The vendor's series; null if none.")
    def series_id(self) -> str | None:
        """Return what the configuration has."""
        return self.configuration.series_id

    @resolved("The vendor. Null for members.")
    async def vendor(self, info: Info) -> Vendor | None:
        """Load the vendor."""
        key = (self.reward.organization_id, self.configuration.vendor_id)
        return to_vendor(await load_vendor(info.context, *key))


CatalogReward: TypeAlias = (
    PointsReward
    | ProductReward
    | CompetitionEntryReward
    | UniqueCouponReward
    | NonUniqueCouponReward
    | VendorVoucherReward
)


_TYPES: dict[type[Configuration], type[Any]] = {
    PointsConfiguration: PointsReward,
    ProductConfiguration: ProductReward,
    CompetitionEntryConfiguration: CompetitionEntryReward,
    UniqueCouponConfiguration: UniqueCouponReward,
    NonUniqueCouponConfiguration: NonUniqueCouponReward,
    VendorVoucherConfiguration: VendorVoucherReward,
}


def to_catalog_reward(reward: domain.Reward | domain.RewardVersion) -> CatalogReward:
    """Return a reward, as it is or as a version shows it, as the GraphQL type of its configuration."""
    configuration = reward.configuration
    shown: CatalogReward = _TYPES[type(configuration)](
        id=encode_id(IdKind.REWARD, reward.id), reward=reward, configuration=configuration
    )
    return shown


async def _fetch_terms(
    connection: Connection, loaders: Loaders, reward_ids: Sequence[UUID]
) -> Mapping[UUID, domain.RewardTerms]:
    return await fetch_reward_terms(connection, loaders.caller.tenant_id, reward_ids)
