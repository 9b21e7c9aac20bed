"""Payment configurations: which fields each mode needs, and their bounds."""

from __future__ import annotations

from decimal import Decimal
from uuid import UUID

import pytest

from gateway.ledger.assets import Asset, AssetKind
from gateway.rewards.model import (
    PaymentConfig,
    PaymentMode,
    payment_config_from_json,
    payment_config_to_json,
)
from gateway.rewards.payments import PaymentConfigDraft, check_payment_configs
from gateway.rewards.types.base import Facts

POINTS, CASH, ABSENT, CONFIG = UUID(int=11), UUID(int=13), UUID(int=99), UUID(int=31)
PATH = ("input", "paymentConfigs")
FACTS = Facts(
    points_asset_id=POINTS,
    assets={
        POINTS: Asset(POINTS, "PTS", "Points", AssetKind.POINTS, 0),
        CASH: Asset(CASH, "USD", "US dollars", AssetKind.CASH, 2),
    },
)
FREE = PaymentConfigDraft(PaymentMode.FREE)
FOR_POINTS = PaymentConfigDraft(PaymentMode.POINTS, POINTS, Decimal(100))
FOR_CASH = PaymentConfigDraft(PaymentMode.CASH, cash_asset_id=CASH, cash_amount=Decimal("9.99"))
FOR_BOTH = PaymentConfigDraft(PaymentMode.POINTS_CASH, POINTS, Decimal(50), CASH, Decimal("4.5"))
BY_RATIO = PaymentConfigDraft(PaymentMode.CONV_RATIO, POINTS, conversion_ratio=Decimal("0.500000"))


def broken_rules(draft: PaymentConfigDraft) -> list[tuple[str, str]]:
    errors = check_payment_configs([FREE, draft], FACTS, PATH)
    assert all(error.path[:-1] == (*PATH, "1") for error in errors)
    return [(error.path[-1], error.rule) for error in errors]


@pytest.mark.requirement("CAP-6")
def test_each_mode_takes_its_own_fields() -> None:
    drafts = [FREE, FOR_POINTS, FOR_CASH, FOR_BOTH, BY_RATIO]
    assert check_payment_configs(drafts, FACTS, PATH) == []
    assert [draft.complete(CONFIG, FACTS) for draft in drafts] == [
        PaymentConfig(CONFIG, PaymentMode.FREE),
        PaymentConfig(CONFIG, PaymentMode.POINTS, POINTS, 100),
        PaymentConfig(CONFIG, PaymentMode.CASH, None, None, CASH, 999),
        PaymentConfig(CONFIG, PaymentMode.POINTS_CASH, POINTS, 50, CASH, 450),
        PaymentConfig(CONFIG, PaymentMode.CONV_RATIO, POINTS, conversion_ratio=Decimal("0.5")),
    ]


@pytest.mark.requirement("CAP-6")
@pytest.mark.parametrize(
    ("draft", "expected"),
    [
        (PaymentConfigDraft(PaymentMode.FREE, POINTS), [("assetId", "unexpected")]),
        (
            PaymentConfigDraft(PaymentMode.POINTS),
            [("assetId", "required"), ("amount", "required")],
        ),
        (PaymentConfigDraft(PaymentMode.POINTS, POINTS, Decimal(0)), [("amount", "positive")]),
        (PaymentConfigDraft(PaymentMode.POINTS, POINTS, Decimal("0.5")), [("amount", "exact")]),
        (PaymentConfigDraft(PaymentMode.POINTS, ABSENT, Decimal("0.5")), [("assetId", "exists")]),
        (PaymentConfigDraft(PaymentMode.POINTS, CASH, Decimal(1)), [("assetId", "kind")]),
        (
            PaymentConfigDraft(PaymentMode.POINTS, POINTS, Decimal(1), conversion_ratio=Decimal(1)),
            [("conversionRatio", "unexpected")],
        ),
        (
            PaymentConfigDraft(PaymentMode.CASH, cash_asset_id=POINTS, cash_amount=Decimal(1)),
            [("cashAssetId", "kind")],
        ),
        (
            PaymentConfigDraft(PaymentMode.POINTS_CASH, POINTS, Decimal(1)),
            [("cashAssetId", "required"), ("cashAmount", "required")],
        ),
        (
            PaymentConfigDraft(PaymentMode.CONV_RATIO, POINTS),
            [("conversionRatio", "required")],
        ),
        *(
            (
                PaymentConfigDraft(PaymentMode.CONV_RATIO, POINTS, conversion_ratio=Decimal(ratio)),
                [("conversionRatio", rule)],
            )
            for ratio, rule in [
                ("0", "positive"),
                ("-1", "positive"),
                ("NaN", "positive"),
                ("1000000000.1", "positive"),
                ("0.0000001", "exact"),
            ]
        ),
    ],
)
def test_other_fields_are_refused(
    draft: PaymentConfigDraft, expected: list[tuple[str, str]]
) -> None:
    assert broken_rules(draft) == expected


def test_reward_has_at_most_20_payment_configurations() -> None:
    assert check_payment_configs([FREE] * 20, FACTS, PATH) == []
    (error,) = check_payment_configs([FREE] * 21, FACTS, PATH)
    assert (error.path, error.rule) == (PATH, "length")


def test_json_keeps_every_field() -> None:
    for draft in (FREE, FOR_BOTH, BY_RATIO):
        config = draft.complete(CONFIG, FACTS)
        assert payment_config_from_json(payment_config_to_json(config)) == config
