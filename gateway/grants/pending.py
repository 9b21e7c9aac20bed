"""What a caller is told of a grant that was pending when its answer was stored."""

from __future__ import annotations

from gateway.grants.record import GrantRecord, GrantStatus
from gateway.grants.status import ItemStatus, StatusCode

PENDING = ItemStatus(
    StatusCode.PENDING, "The vendor has not answered yet; ask again with the same key."
)


def present_status(stored: ItemStatus, grant: GrantRecord, issued: ItemStatus) -> ItemStatus:
    """Return the stored status, or if that is pending what has become of the grant since.

    `issued` is what to answer once the vendor has issued.
    """
    if stored.code is not StatusCode.PENDING:
        return stored
    if grant.status is GrantStatus.PENDING:
        return PENDING
    if grant.status is GrantStatus.DECLINED:
        reason = grant.details.get("decline_reason", "it was declined")
        return ItemStatus(StatusCode.VENDOR_DECLINED, f"The vendor did not issue it: {reason}.")
    return issued
