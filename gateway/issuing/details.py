"""What a grant keeps of the item that it was issued for; pure."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from gateway.issuing.model import ONE, IssueItem
from gateway.issuing.pricing import Price
from gateway.issuing.scope import Terms


def to_details(
    item: IssueItem, price: Price, terms: Terms, group_id: UUID | None
) -> dict[str, Any]:
    """Return the item's details. What the caller did not send is left out: most of it is what hardly any item has."""
    details: dict[str, Any] = {
        "requested_quantity": "1" if item.quantity is ONE else format(item.quantity, "f"),
        "quantity": price.quantity,
        "payment": price.payment,
    }
    if item.request_id is not None:
        details["request_id"] = item.request_id
    if item.event_log_id is not None:
        details["event_log_id"] = item.event_log_id
    if terms.params is not None:
        details["params"] = terms.params
    if terms.notes:
        details["notes"] = terms.notes
    if group_id:
        details["group_id"] = str(group_id)
    if item.member_metadata:
        details["member_metadata"] = item.member_metadata
    if item.custom_fields:
        details["custom_fields"] = [field.to_json() for field in item.custom_fields]
    return details
