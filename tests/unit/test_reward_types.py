"""Each reward type: its rules, what it stores, and what granting it moves and gives."""

from __future__ import annotations

from decimal import Decimal
from uuid import UUID

import pytest

from gateway.errors import FieldError
from gateway.ledger.assets import Asset, AssetKind
from gateway.ledger.model import Account, OwnerKind, Transfer
from gateway.rewards.model import RewardKind
from gateway.rewards.types import kind_of, read_configuration
from gateway.rewards.types.base import Draft, Facts, Plan, PlanContext, References
from gateway.rewards.types.competition_entry import CompetitionEntryConfiguration
from gateway.rewards.types.non_unique_coupon import DiscountType, NonUniqueCouponDraft
from gateway.rewards.types.points import PointsConfiguration, PointsDraft
from gateway.rewards.types.product import ProductConfiguration
from gateway.rewards.types.unique_coupon import UniqueCouponConfiguration
from tests.sealing import seal_nothing

TENANT, ORGANIZATION, MEMBER = UUID(int=1), UUID(int=2), UUID(int=3)
POINTS, EUROS, CASH = UUID(int=11), UUID(int=12), UUID(int=13)
PRODUCT, COMPETITION, POOL, EMPTY_POOL = UUID(int=21), UUID(int=22), UUID(int=23), UUID(int=24)
ABSENT = UUID(int=99)
PATH = ("input", "config", "type")

CONTEXT = PlanContext(TENANT, ORGANIZATION, MEMBER, quantity=3)
FACTS = Facts(
    points_asset_id=POINTS,
    assets={
        POINTS: Asset(POINTS, "PTS", "Points", AssetKind.POINTS, 0),
        EUROS: Asset(EUROS, "EUR", "Euros", AssetKind.CURRENCY, 2),
        CASH: Asset(CASH, "USD", "US dollars", AssetKind.CASH, 2),
    },
    product_ids=frozenset({PRODUCT}),
    competition_ids=frozenset({COMPETITION}),
    code_pool_ids=frozenset({POOL, EMPTY_POOL}),
    stocked_pool_ids=frozenset({POOL}),
)
SAVE20 = NonUniqueCouponDraft("SAVE20", DiscountType.PERCENTAGE, Decimal(20))


def broken_rules(draft: Draft) -> list[tuple[str, str]]:
    """Return field and rule of every error, having checked that paths lead to the type's own fields."""
    errors = draft.check(FACTS, PATH)
    assert all(error.path[:-1] == PATH for error in errors)
    return [(error.path[-1], error.rule) for error in errors]


@pytest.mark.requirement("MON-2")
@pytest.mark.parametrize(
    ("draft", "expected"),
    [
        (PointsDraft(Decimal(1)), []),
        (PointsDraft(Decimal("0.01"), EUROS), []),
        (PointsDraft(Decimal(0)), [("amount", "positive")]),
        (PointsDraft(Decimal(-1)), [("amount", "positive")]),
        (PointsDraft(Decimal("NaN")), [("amount", "positive")]),
        (PointsDraft(Decimal("1.5")), [("amount", "exact")]),
        (PointsDraft(Decimal(10**15)), []),
        (PointsDraft(Decimal(10**15 + 1)), [("amount", "exact")]),
        (PointsDraft(Decimal(1), ABSENT), [("assetId", "exists")]),
        (PointsDraft(Decimal(-1), ABSENT), [("assetId", "exists"), ("amount", "positive")]),
        (PointsDraft(Decimal(1), CASH), [("assetId", "kind")]),
        (PointsDraft(Decimal("0.001"), CASH), [("amount", "exact"), ("assetId", "kind")]),
        (ProductConfiguration(PRODUCT), []),
        (ProductConfiguration(PRODUCT, 0), [("quantity", "positive")]),
        (ProductConfiguration(PRODUCT, 1_000_001), [("quantity", "range")]),
        (ProductConfiguration(ABSENT, -1), [("productId", "exists"), ("quantity", "positive")]),
        (CompetitionEntryConfiguration(COMPETITION), []),
        (CompetitionEntryConfiguration(COMPETITION, 0), [("entries", "positive")]),
        (CompetitionEntryConfiguration(PRODUCT), [("competitionId", "exists")]),
        (UniqueCouponConfiguration(POOL), []),
        (UniqueCouponConfiguration(EMPTY_POOL), [("codePoolId", "free_codes")]),
        (UniqueCouponConfiguration(ABSENT), [("codePoolId", "exists")]),
    ],
)
def test_type_rules(draft: Draft, expected: list[tuple[str, str]]) -> None:
    assert broken_rules(draft) == expected


@pytest.mark.requirement("MON-2")
@pytest.mark.parametrize(
    ("code", "discount_type", "value", "expected"),
    [
        ("SAVE20", "PERCENTAGE", "0", []),
        ("SAVE20", "PERCENTAGE", "100", []),
        ("SAVE20", "PERCENTAGE", "12.3456", []),
        ("SAVE20", "FIXED", "1000000000000", []),
        ("Å" * 128, "FIXED", "0.5", []),
        ("SAVE20", "PERCENTAGE", "100.0001", [("discountValue", "range")]),
        ("SAVE20", "PERCENTAGE", "-0.01", [("discountValue", "range")]),
        ("SAVE20", "FIXED", "-1", [("discountValue", "range")]),
        ("SAVE20", "FIXED", "1000000000000.1", [("discountValue", "range")]),
        ("SAVE20", "FIXED", "0.00001", [("discountValue", "exact")]),
        ("SAVE20", "FIXED", "NaN", [("discountValue", "range")]),
        ("", "FIXED", "1", [("code", "code")]),
        (" SAVE20", "FIXED", "1", [("code", "code")]),
        ("SAVE\n20", "FIXED", "1", [("code", "code")]),
        ("SAVE\x00", "FIXED", "1", [("code", "code")]),
        ("\ud800", "FIXED", "1", [("code", "code")]),
        ("X" * 129, "PERCENTAGE", "101", [("code", "code"), ("discountValue", "range")]),
    ],
)
def test_non_unique_coupon_rules(
    code: str, discount_type: str, value: str, expected: list[tuple[str, str]]
) -> None:
    draft = NonUniqueCouponDraft(code, DiscountType(discount_type), Decimal(value))
    assert broken_rules(draft) == expected


def test_error_names_field_and_rule() -> None:
    assert ProductConfiguration(PRODUCT, 0).check(FACTS, PATH) == [
        FieldError(
            (*PATH, "quantity"), "positive", "quantity must be a whole number from 1 to 1000000."
        )
    ]


@pytest.mark.requirement("MON-9")
def test_points_are_issued_to_the_member() -> None:
    plan = PointsDraft(Decimal("1.25"), EUROS).complete(FACTS, seal_nothing).plan(CONTEXT)
    assert plan == Plan(
        transfers=(
            Transfer(
                Account(EUROS, OwnerKind.ISSUANCE, ORGANIZATION),
                Account(EUROS, OwnerKind.MEMBER, MEMBER),
                375,
            ),
        ),
        benefits=({"kind": "ASSET_CREDIT", "asset_id": str(EUROS), "amount_minor": 375},),
    )


def test_points_without_asset_are_the_tenants_own() -> None:
    assert PointsDraft(Decimal(7)).complete(FACTS, seal_nothing) == PointsConfiguration(POINTS, 7)


@pytest.mark.requirement("MON-9")
def test_product_leaves_stock() -> None:
    assert ProductConfiguration(PRODUCT, 2).plan(CONTEXT) == Plan(
        transfers=(
            Transfer(
                Account(PRODUCT, OwnerKind.STOCK, PRODUCT),
                Account(PRODUCT, OwnerKind.MEMBER, MEMBER),
                6,
            ),
        ),
        benefits=({"kind": "PRODUCT_UNITS", "product_id": str(PRODUCT), "quantity": 6},),
    )


@pytest.mark.requirement("MON-9")
def test_entries_are_issued_to_the_member() -> None:
    assert CompetitionEntryConfiguration(COMPETITION, 5).plan(CONTEXT) == Plan(
        transfers=(
            Transfer(
                Account(COMPETITION, OwnerKind.ISSUANCE, ORGANIZATION),
                Account(COMPETITION, OwnerKind.MEMBER, MEMBER),
                15,
            ),
        ),
        benefits=(
            {"kind": "COMPETITION_ENTRIES", "competition_id": str(COMPETITION), "entries": 15},
        ),
    )


@pytest.mark.requirement("MON-10")
def test_unique_coupon_asks_for_one_code_whatever_the_quantity() -> None:
    plan = UniqueCouponConfiguration(POOL).plan(CONTEXT)
    assert plan.coupon_pool_id == POOL
    assert plan.transfers == ()
    assert [benefit["kind"] for benefit in plan.benefits] == ["COUPON_CODE"]


@pytest.mark.requirement("MON-11")
def test_non_unique_coupon_gives_its_code_once() -> None:
    assert SAVE20.complete(FACTS, seal_nothing).plan(CONTEXT) == Plan(
        benefits=(
            {
                "kind": "COUPON_CODE",
                "sealed_code": "sealed SAVE20",
                "expires_at": None,
                "discount_type": "PERCENTAGE",
                "discount_value": "20",
            },
        )
    )


@pytest.mark.parametrize(
    ("draft", "kind"),
    [
        (PointsDraft(Decimal(5), EUROS), RewardKind.POINTS),
        (ProductConfiguration(PRODUCT, 2), RewardKind.PRODUCT),
        (CompetitionEntryConfiguration(COMPETITION, 3), RewardKind.COMPETITION_ENTRY),
        (UniqueCouponConfiguration(POOL), RewardKind.UNIQUE_COUPON),
        (SAVE20, RewardKind.NON_UNIQUE_COUPON),
    ],
)
def test_stored_configuration_reads_back(draft: Draft, kind: RewardKind) -> None:
    configuration = draft.complete(FACTS, seal_nothing)
    assert kind_of(draft) is kind
    assert read_configuration(kind, configuration.to_json()) == configuration


def test_references_add_up() -> None:
    both = ProductConfiguration(PRODUCT).references() | PointsDraft(Decimal(1), EUROS).references()
    both |= CompetitionEntryConfiguration(COMPETITION).references()
    both |= UniqueCouponConfiguration(POOL).references() | SAVE20.references()
    both |= PointsDraft(Decimal(1)).references()
    assert both == References(
        frozenset({EUROS}), frozenset({PRODUCT}), frozenset({COMPETITION}), frozenset({POOL})
    )


@pytest.mark.parametrize(
    ("written", "spelled"),
    [("10.0", "10"), ("10", "10"), ("1E+2", "100"), ("0.50", "0.5"), ("0.00", "0"), ("100", "100")],
)
def test_amount_has_one_spelling_in_the_fingerprint(written: str, spelled: str) -> None:
    assert PointsDraft(Decimal(written)).to_fields()["amount"] == spelled


@pytest.mark.parametrize(
    ("kind", "name"),
    [
        (RewardKind.POINTS, "points"),
        (RewardKind.COMPETITION_ENTRY, "competitionEntry"),
        (RewardKind.NON_UNIQUE_COUPON, "nonUniqueCoupon"),
    ],
)
def test_kind_names_its_input_field(kind: RewardKind, name: str) -> None:
    assert kind.input_name == name
