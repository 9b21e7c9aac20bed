"""What recipients of a distribution are told (ON3-5)."""

from __future__ import annotations

import pytest

from gateway.distributing.notices import write_notice
from gateway.ids import new_id
from gateway.ledger.assets import Asset, AssetKind

COINS = Asset(new_id(), "COINS", "Coins", AssetKind.CURRENCY, 0)
MILES = Asset(new_id(), "MILES", "Miles", AssetKind.POINTS, 2)


@pytest.mark.requirement("ON3-5")
@pytest.mark.parametrize(
    ("message", "amounts", "notice"),
    [
        ("Well done!", [(COINS, 50)], "Well done! 50 COINS"),
        ("Well done!", [(COINS, 50), (MILES, 12_345)], "Well done! 50 COINS, 123.45 MILES"),
        (None, [(COINS, 50)], "You have received a reward: 50 COINS"),
        ("", [(MILES, 5)], "You have received a reward: 0.05 MILES"),
        (None, [(COINS, -50)], "Your balance has changed: -50 COINS"),
        (None, [(COINS, -50), (MILES, 1)], "Your balance has changed: -50 COINS, 0.01 MILES"),
        ("Fee", [(MILES, -(10**15))], "Fee -10000000000000.00 MILES"),
    ],
)
def test_amounts_stand_at_the_end(
    message: str | None, amounts: list[tuple[Asset, int]], notice: str
) -> None:
    assert write_notice(message, amounts) == notice
