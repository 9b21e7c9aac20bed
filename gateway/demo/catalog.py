"""The demo tenant's catalog: a reward of every type, and something to pay for."""

from __future__ import annotations

from decimal import Decimal
from typing import NamedTuple
from uuid import UUID

from gateway.access import Caller
from gateway.ids import IdKind, encode_id
from gateway.rewards.code_pools import CreateCodePool, ImportCodes, create_code_pool, import_codes
from gateway.rewards.competitions import CreateCompetition, create_competition
from gateway.rewards.creating import CreateReward, create_reward
from gateway.rewards.fields import RewardFields
from gateway.rewards.model import PaymentMode, RewardStatus
from gateway.rewards.payments import PaymentConfigDraft
from gateway.rewards.products import CreateProduct, create_product
from gateway.rewards.types.base import Draft
from gateway.rewards.types.competition_entry import CompetitionEntryConfiguration
from gateway.rewards.types.non_unique_coupon import DiscountType, NonUniqueCouponDraft
from gateway.rewards.types.points import PointsDraft
from gateway.rewards.types.product import ProductConfiguration
from gateway.rewards.types.unique_coupon import UniqueCouponConfiguration
from gateway.rewards.types.vendor_voucher import VendorVoucherDraft
from gateway.storage.database import Database
from gateway.vendors.addresses import AddressPolicy
from gateway.vendors.creating import CreateVendor, create_vendor
from gateway.vendors.mapping import ResponseMapping
from gateway.vendors.model import VendorFields, VendorSecurity

CODE_COUNT = 50
STOCK = 1_000


class DemoCatalog(NamedTuple):
    """Ids of what was made: rewards by type, and the things behind them."""

    rewards: dict[str, UUID]
    product_id: UUID
    competition_id: UUID
    code_pool_id: UUID
    vendor_id: UUID

    def to_json(self) -> dict[str, object]:
        """Return the public ids as `demo.json` keeps them."""
        return {
            "rewards": {
                name: encode_id(IdKind.REWARD, reward_id)
                for name, reward_id in self.rewards.items()
            },
            "productId": encode_id(IdKind.PRODUCT, self.product_id),
            "competitionId": encode_id(IdKind.COMPETITION, self.competition_id),
            "codePoolId": encode_id(IdKind.CODE_POOL, self.code_pool_id),
            "vendorId": encode_id(IdKind.VENDOR, self.vendor_id),
        }


async def create_catalog(database: Database, caller: Caller) -> DemoCatalog:
    """Make a product, a competition, a pool of codes, a vendor and six rewards; every one can be bought for points or is free."""
    product = await create_product(
        database, caller, CreateProduct("demo-product", "First place badge", STOCK)
    )
    competition = await create_competition(
        database, caller, CreateCompetition("demo-competition", "Grand prize draw")
    )
    pool = await create_code_pool(
        database, caller, CreateCodePool("demo-pool", "Exclusive discount codes")
    )
    codes = [f"DEMO-{number:04}" for number in range(1, CODE_COUNT + 1)]
    await import_codes(database, caller, ImportCodes("demo-codes", pool.pool.id, codes))
    points_id = caller.standard_assets.points_id
    price = PaymentConfigDraft(PaymentMode.POINTS, asset_id=points_id, amount=Decimal(20))
    ratio = PaymentConfigDraft(
        PaymentMode.CONV_RATIO, asset_id=points_id, conversion_ratio=Decimal("0.5")
    )
    vendor_id = await _create_vendor(database, caller)
    welcome = NonUniqueCouponDraft("WELCOME20", DiscountType.PERCENTAGE, Decimal(20))
    drafts: dict[str, tuple[str, Draft, tuple[PaymentConfigDraft, ...]]] = {
        "points": ("Quiz completion bonus", PointsDraft(Decimal(100)), ()),
        "product": ("First place badge", ProductConfiguration(product.product.id), (price,)),
        "competitionEntry": (
            "Grand prize entries",
            CompetitionEntryConfiguration(competition.competition.id, 5),
            (ratio,),
        ),
        "uniqueCoupon": (
            "Exclusive discount code",
            UniqueCouponConfiguration(pool.pool.id),
            (price,),
        ),
        "nonUniqueCoupon": ("Welcome discount", welcome, ()),
        "vendorVoucher": (
            "Coffee voucher",
            VendorVoucherDraft(vendor_id, "Coffee", "2026"),
            (price,),
        ),
    }
    rewards = {
        name: await _create(database, caller, f"demo-{name}", *draft)
        for name, draft in drafts.items()
    }
    return DemoCatalog(
        rewards, product.product.id, competition.competition.id, pool.pool.id, vendor_id
    )


async def _create_vendor(database: Database, caller: Caller) -> UUID:
    """Make a vendor that nobody runs: buying from it is refused after a while, and nothing is taken."""
    fields = VendorFields(
        name="Example vouchers",
        endpoint="https://vouchers.example.com/orders",
        request_template={"order": "{orderId}", "offer": "{offerName}", "count": "{quantity}"},
        response_mapping=ResponseMapping("data.code", "data.expires"),
    )
    security = VendorSecurity(AddressPolicy(), database.keys)
    outcome = await create_vendor(database, caller, CreateVendor("demo-vendor", fields), security)
    return outcome.vendor.id


async def _create(
    database: Database,
    caller: Caller,
    request_id: str,
    name: str,
    draft: Draft,
    payments: tuple[PaymentConfigDraft, ...],
) -> UUID:
    fields = RewardFields(
        name=name,
        description=None,
        config=draft,
        metadata={},
        status=RewardStatus.ACTIVE,
        payment_configs=payments,
    )
    outcome = await create_reward(database, caller, CreateReward(request_id, fields))
    return outcome.reward.id
