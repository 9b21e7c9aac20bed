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
    """Return the item's details; notes, group and custom fields only if there are any."""
    details: dict[str, Any] = {
        "request_id": item.request_id,
        "event_log_id": item.event_log_id,
        "params": terms.params,
        "requested_quantity": "1" if item.quantity is ONE else format(item.quantity, "f"),
        "quantity": price.quantity,
        "payment": price.payment,
    }
    if terms.notes:
        details["notes"] = terms.notes
    if group_id:
        details["group_id"] = str(group_id)
    if item.custom_fields:
        details["custom_fields"] = [field.to_json() for field in item.custom_fields]
    return details
