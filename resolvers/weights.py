"""What fields cost that cost more than an object does, and how long lists are that are no pages.

A point is about five microseconds of a machine's time: what one object costs. Sums look through a history, counts through at most
a hundred thousand rows of an index.
"""

from __future__ import annotations

from typing import Final

_TOTALS = 10_000
# Lists that grow with what is done: grants, entries, members.
_COUNT_OF_HISTORY = 500
# Lists that people make: rewards, campaigns, assets.
_COUNT_OF_SETUP = 50

FIELD_COSTS: Final = {
    "Query.grantTotals": _TOTALS,
    # Of all grants of a campaign, and their members.
    "Campaign.counts": _COUNT_OF_HISTORY,
    **{
        f"{name}Connection.totalCount": _COUNT_OF_HISTORY
        for name in ("Grant", "Hold", "LedgerEntry", "Member", "Notification")
    },
    **{
        f"{name}Connection.totalCount": _COUNT_OF_SETUP
        for name in (
            "Asset",
            "Campaign",
            "CodePool",
            "Competition",
            "Product",
            "Reward",
            "Segment",
            "Vendor",
        )
    },
}

# Others are taken for ten items long.
LIST_SIZES: Final = {
    "Query.grantTotals": 100,
    "InvalidInput.fieldErrors": 1,
    "InsufficientBalance.shortfalls": 1,
    "Member.identifiers": 3,
    "Grant.benefits": 2,
    "Grant.customFields": 5,
    "GrantTotal.amounts": 2,
}
