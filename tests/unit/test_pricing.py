"""What an item costs, exactly (CAP-6, CAP-7)."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal, getcontext, localcontext
from fractions import Fraction
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.grants.status import Refusal, StatusCode
from gateway.ids import new_id
from gateway.issuing.model import IssueItem, PaymentChoice
from gateway.issuing.payers import Payers
from gateway.issuing.pricing import QUANTITY_MAX, Price, Prices, price_item
from gateway.issuing.scope import Terms
from gateway.ledger.assets import AMOUNT_MINOR_MAX, Asset, AssetKind
from gateway.ledger.model import Account, OwnerKind, Transfer
from gateway.rewards.model import (
    PaymentConfig,
    PaymentMode,
    Reward,
    RewardKind,
    RewardStatus,
)
from gateway.rewards.types.points import PointsConfiguration

POINTS = Asset(new_id(), "PTS", "Points", AssetKind.POINTS, 0)
MILES = Asset(new_id(), "MILES", "Miles", AssetKind.CURRENCY, 2)
ASSETS = {POINTS.id: POINTS, MILES.id: MILES}
AT = datetime(2026, 11, 23, tzinfo=UTC)


def reward_with(*configs: PaymentConfig, kind: RewardKind = RewardKind.POINTS) -> Reward:
    return Reward(
        id=new_id(),
        organization_id=new_id(),
        kind=kind,
        version_id=new_id(),
        name="Bonus",
        description=None,
        configuration=PointsConfiguration(POINTS.id, 1),
        metadata={},
        status=RewardStatus.ACTIVE,
        payment_configs=configs,
        created_at=AT,
        updated_at=AT,
    )


def converting(ratio: str, asset: Asset = POINTS) -> PaymentConfig:
    return PaymentConfig(
        new_id(), PaymentMode.CONV_RATIO, asset.id, conversion_ratio=Decimal(ratio)
    )


def ask(reward: Reward, quantity: str = "1", value: str = "1", **fields: Any) -> Price | Refusal:
    choice = PaymentChoice(redemption_value=Decimal(value), **fields)
    item = IssueItem(reward.id, f"rew_{reward.id}", Decimal(quantity), payment=choice)
    return price_item(item, reward, ASSETS)


def price(reward: Reward, quantity: str = "1", value: str = "1") -> Price:
    priced = ask(reward, quantity, value)
    assert isinstance(priced, Price)
    return priced


def refusal(reward: Reward, quantity: str = "1", value: str = "1", **fields: Any) -> StatusCode:
    priced = ask(reward, quantity, value, **fields)
    assert isinstance(priced, Refusal)
    return priced.code


@pytest.mark.requirement("CAP-6")
@pytest.mark.parametrize(
    ("value", "ratio", "points", "miles"),
    [
        # The example of the source: value 1 at ratio 0.5 redeems 2.
        ("1", "0.5", 2, 200),
        ("1", "2", 1, 50),
        ("3", "2", 2, 150),
        ("5", "2", 3, 250),
        ("1", "3", None, 33),
        ("2", "3", 1, 67),
        ("0.5", "1", 1, 50),
        ("0.49", "1", None, 49),
        ("0.005", "1", None, 1),
        ("0.004999", "1", None, None),
        ("0.015", "1", None, 2),
        ("1", "0.000001", 1_000_000, 100_000_000),
        ("10", "0.7", 14, 1429),
    ],
)
def test_conversion_is_rounded_half_up_once(
    value: str, ratio: str, points: int | None, miles: int | None
) -> None:
    for asset, amount_minor in ((POINTS, points), (MILES, miles)):
        reward = reward_with(converting(ratio, asset))
        if amount_minor is None:
            assert refusal(reward, value=value) is StatusCode.INVALID_QUANTITY
        else:
            assert price(reward, value=value).amount_minor == amount_minor


@pytest.mark.requirement("CAP-6")
@given(
    value=st.decimals(min_value=Decimal("0.001"), max_value=10**6, places=3),
    ratio=st.decimals(min_value=Decimal("0.000001"), max_value=10**9, places=6),
    quantity=st.integers(1, QUANTITY_MAX),
    asset=st.sampled_from([POINTS, MILES]),
)
def test_conversion_is_what_fractions_say(
    value: Decimal, ratio: Decimal, quantity: int, asset: Asset
) -> None:
    exact = Fraction(value) * quantity / Fraction(ratio) * 10**asset.scale
    expected = int(exact + Fraction(1, 2))
    priced = ask(reward_with(converting(str(ratio), asset)), str(quantity), str(value))
    if 0 < expected <= AMOUNT_MINOR_MAX:
        assert isinstance(priced, Price)
        assert priced.amount_minor == expected
        assert priced.total_value == value * quantity
    else:
        assert isinstance(priced, Refusal)


@pytest.mark.requirement("CAP-6")
def test_conversion_does_not_depend_on_the_callers_arithmetic() -> None:
    reward = reward_with(converting("0.3", MILES))
    with localcontext() as context:
        context.prec = 2
        assert price(reward, "123456", "1").amount_minor == 41_152_000
        assert getcontext().prec == 2


@pytest.mark.requirement("CAP-6", "CAP-7")
def test_rounding_is_of_the_whole_item_and_not_of_each_unit() -> None:
    # Three times 0.5 is 1.5, which is 2; each rounded by itself would make 3.
    assert price(reward_with(converting("2")), "3").amount_minor == 2


@pytest.mark.requirement("CAP-7")
@pytest.mark.parametrize(
    ("quantity", "units"),
    [("1", 1), ("1.56", 1), ("1.99", 1), ("2", 2), ("1000000.99", 1_000_000)],
)
def test_fraction_of_a_quantity_is_dropped(quantity: str, units: int) -> None:
    priced = price(reward_with(converting("1")), quantity)
    assert (priced.quantity, priced.amount_minor, priced.total_value) == (
        units,
        units,
        Decimal(units),
    )


@pytest.mark.requirement("CAP-7")
@pytest.mark.parametrize(
    "quantity",
    ["0", "0.99", "-0.5", "-2", "1000001", "1E+999999", "NaN", "sNaN", "Infinity", "-Infinity"],
)
def test_quantity_below_one_or_beyond_reason_is_refused(quantity: str) -> None:
    for reward in (reward_with(), reward_with(converting("1"))):
        assert refusal(reward, quantity) is StatusCode.INVALID_QUANTITY


@pytest.mark.requirement("CAP-7")
@pytest.mark.parametrize("mode", [PaymentMode.FREE, PaymentMode.CASH, PaymentMode.POINTS])
def test_other_modes_give_one_at_their_fixed_price(mode: PaymentMode) -> None:
    amount_minor = 30 if mode is PaymentMode.POINTS else None
    asset_id = POINTS.id if amount_minor else None
    priced = price(reward_with(PaymentConfig(new_id(), mode, asset_id, amount_minor)), "3", "7")
    assert (priced.quantity, priced.amount_minor) == (1, amount_minor or 0)
    # What is redeemed of an asset is the value; cash has an amount of its own.
    value = Decimal(amount_minor) if amount_minor else None
    assert (priced.mode, priced.total_value) == (mode, value)


@pytest.mark.requirement("CAP-7", "MON-10")
@pytest.mark.parametrize("kind", [RewardKind.UNIQUE_COUPON, RewardKind.NON_UNIQUE_COUPON])
def test_converted_coupon_is_one_and_costs_one(kind: RewardKind) -> None:
    priced = price(reward_with(converting("0.5"), kind=kind), "5")
    assert (priced.quantity, priced.amount_minor) == (1, 2)


@pytest.mark.requirement("CAP-6")
@pytest.mark.parametrize(("value", "quantity"), [("1000000000000000", "2"), ("0.4", "1")])
def test_cost_out_of_bounds_is_refused(value: str, quantity: str) -> None:
    assert refusal(reward_with(converting("1")), quantity, value) is StatusCode.INVALID_QUANTITY


@pytest.mark.requirement("CAP-6")
def test_largest_cost_is_exact() -> None:
    priced = price(reward_with(converting("1")), "1", "999999999999999")
    assert priced.amount_minor == 999_999_999_999_999
    assert price(reward_with(converting("1")), "1", "1E+15").amount_minor == AMOUNT_MINOR_MAX


@pytest.mark.requirement("CAP-6")
def test_configuration_is_chosen_by_name_or_is_the_only_one() -> None:
    cheap, dear = converting("2"), converting("0.1")
    several = reward_with(cheap, dear)
    assert refusal(several) is StatusCode.PAYMENT_CONFIG_REQUIRED
    named = ask(several, config_id=dear.id, config_id_as_sent=f"pay_{dear.id}")
    assert isinstance(named, Price)
    assert named.config == dear
    assert price(reward_with(cheap)).config == cheap
    for config_id in (None, new_id()):
        code = refusal(several, config_id=config_id, config_id_as_sent="pay_other")
        assert code is StatusCode.PAYMENT_CONFIG_NOT_FOUND
        assert refusal(reward_with(), config_id=config_id, config_id_as_sent="pay_other") is code


@pytest.mark.requirement("CAP-6")
def test_payment_is_one_transfer_or_none() -> None:
    organization_id, payer_id = new_id(), new_id()
    priced = price(reward_with(converting("0.5")), "3")
    payers, terms = Payers(payer_id, {}), Terms(organization_id, None, (), None, None)
    payer = Account(POINTS.id, OwnerKind.MEMBER, payer_id)
    taken = Account(POINTS.id, OwnerKind.REDEMPTION, organization_id)
    assert priced.to_transfers(organization_id, payers, terms) == (Transfer(payer, taken, 6),)
    assert price(reward_with()).to_transfers(organization_id, payers, terms) == ()
    cash = PaymentConfig(new_id(), PaymentMode.CASH, cash_asset_id=MILES.id, cash_amount_minor=1250)
    paid = ask(reward_with(cash), cash_reference="receipt-1")
    assert isinstance(paid, Price)
    assert paid.to_transfers(organization_id, payers, terms) == ()


def test_items_that_ask_for_one_plainly_share_its_price_and_others_do_not() -> None:
    fixed = PaymentConfig(new_id(), PaymentMode.POINTS, POINTS.id, 20)
    reward, dearer = reward_with(fixed), reward_with(replace(fixed, amount_minor=30))
    prices = Prices(ASSETS)
    first = prices.price_of(IssueItem(reward.id, "rew_1"), reward)
    assert isinstance(first, Price)
    assert first.amount_minor == 20
    assert prices.price_of(IssueItem(reward.id, "rew_1"), reward) is first
    other = prices.price_of(IssueItem(dearer.id, "rew_2"), dearer)
    assert isinstance(other, Price)
    assert other.amount_minor == 30
    too_many = IssueItem(reward.id, "rew_1", Decimal(QUANTITY_MAX + 1))
    refused = prices.price_of(too_many, reward)
    assert isinstance(refused, Refusal)
    assert refused.code is StatusCode.INVALID_QUANTITY
    in_cash = IssueItem(reward.id, "rew_1", payment=PaymentChoice(cash_reference="receipt-1"))
    unexpected = prices.price_of(in_cash, reward)
    assert isinstance(unexpected, Refusal)
    assert unexpected.code is StatusCode.CASH_REFERENCE_UNEXPECTED


@pytest.mark.requirement("CAP-6")
def test_payment_is_kept_as_it_was_agreed() -> None:
    config = replace(converting("0.500000"), id=UUID(int=1))
    assert price(reward_with(config), "2.5", "1.50").payment == {
        "mode": "CONV_RATIO",
        "config_id": "00000000-0000-0000-0000-000000000001",
        "conversion_ratio": "0.500000",
        "asset_id": str(POINTS.id),
        "amount_minor": 6,
        "total_value": "3.00",
    }


def test_configuration_that_cannot_be_computed_fails_loudly() -> None:
    broken = PaymentConfig(new_id(), PaymentMode.CONV_RATIO, POINTS.id)
    with pytest.raises(ValueError, match="no asset or ratio"):
        price(reward_with(broken))
