"""The fingerprint of a distribution is kept for ever: what was sent years ago must still be recognized (ON3-4)."""

from __future__ import annotations

from decimal import Decimal
from uuid import UUID

import pytest

from gateway.access import PARTNER_SCOPES, Caller, StandardAssets
from gateway.distributing.model import DistributeCommand, DistributionLine, Recipient
from gateway.distributing.run import DistributionRun
from gateway.members.identifiers import IdentifierKind

COINS = "01a20700-0000-7000-8000-00000000abcd"
MEMBER = "mem_01a20700-0000-7000-8000-00000000dcba"
OWNER_ID = UUID("01a20700-0000-7000-8000-000000000001")
CALLER = Caller(
    OWNER_ID,
    OWNER_ID,
    OWNER_ID,
    PARTNER_SCOPES,
    StandardAssets(UUID(COINS), UUID(COINS), UUID(COINS)),
)
LINES = (
    (IdentifierKind.EMAIL, "Joe@Bloggs.com", COINS.upper(), "50.00", 100),
    (
        IdentifierKind.WALLET_ADDRESS,
        "0xd03ea8624C8C5987235048901fB614fDcA89b117",
        COINS,
        "-7",
        None,
    ),
    (IdentifierKind.MOBILE, "+47 901 23 456", None, None, 5),
    (None, MEMBER, COINS, "1E+3", None),
    (IdentifierKind.EXTERNAL_ID, "Ærlig-1", COINS, "1", None),
    # From here on, lines that break a rule.
    (IdentifierKind.TWITTER_ID, "@jack", COINS, "1", None),
    (None, "mem_\ud800", "no guid", "0.50", -(2**70)),
    (IdentifierKind.DISCORD_ID, "11237863865923", COINS, "NaN", None),
    (IdentifierKind.DISCORD_ID, "11237863865923", None, None, None),
)


@pytest.mark.requirement("ON3-4")
def test_fingerprint_is_what_the_first_version_made_it() -> None:
    lines = [
        DistributionLine(
            Recipient(kind, value), currency, None if amount is None else Decimal(amount), points
        )
        for kind, value, currency, amount, points in LINES
    ]
    command = DistributeCommand("r-1", lines, "d")
    assert DistributionRun(CALLER, command).request.field_hashes() == {
        "version": "1",
        "organization": "251213956f45ef3bb6c48f4e",
        "description": "3fa5834dc920d385ca9b099c",
        "message": "74234e98afe7498fb5daf1f3",
        "rewards": "44ef0827a070269a520b7bef",
    }
