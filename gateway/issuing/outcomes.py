"""What a stored answer and its grants say about each item. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from functools import lru_cache
from typing import Any
from uuid import UUID

from gateway.grants.pending import present_status
from gateway.grants.record import GrantRecord
from gateway.grants.status import ItemStatus, StatusCode
from gateway.issuing.model import IssuanceOutcome, IssueItem, ItemOutcome
from gateway.issuing.reach import Reach

GRANTED = ItemStatus(StatusCode.GRANTED, "Reward issued.")
REDUCED = ItemStatus(
    StatusCode.QUANTITY_REDUCED, "One was issued: this reward or its payment mode allows no more."
)


def to_answer(status: ItemStatus, grant_id: UUID | None) -> dict[str, Any]:
    """Return the answer that is stored of an item."""
    return {
        "code": status.code,
        "message": status.message,
        "grant_id": str(grant_id) if grant_id else None,
    }


def grant_ids_of(answer: Mapping[str, Any]) -> list[str]:
    """Return the grants that a stored answer names, as text."""
    return [item["grant_id"] for item in answer["items"] if item["grant_id"]]


def read_items(
    reach: Reach, answer: Mapping[str, Any], grants: Mapping[str, GrantRecord]
) -> list[ItemOutcome]:
    """Return the outcome of each item from a stored answer and the grants it names, by id as text."""
    return [
        _read_item(reach, index, stored, grants) for index, stored in enumerate(answer["items"])
    ]


def _read_item(
    reach: Reach, index: int, stored: Mapping[str, Any], grants: Mapping[str, GrantRecord]
) -> ItemOutcome:
    item = reach.command.items[index]
    status = read_status(stored["code"], stored["message"])
    grant = grants[stored["grant_id"]] if stored["grant_id"] else None
    is_replay = stored.get("is_replay", False)
    status, quantity = _present(item, status, grant)
    return ItemOutcome(index, item, reach.terms[index], status, quantity, grant, is_replay)


def present_again(outcome: IssuanceOutcome, grants: Mapping[UUID, GrantRecord]) -> IssuanceOutcome:
    """Return the outcome with these grants as they stand now: settled since it was made, or still pending."""
    items = []
    for known in outcome.items:
        grant = grants.get(known.grant.id) if known.grant else None
        if grant is None:
            items.append(known)
        else:
            status, quantity = _present(known.item, known.status, grant)
            items.append(replace(known, status=status, quantity=quantity, grant=grant))
    return replace(outcome, items=items)


def _present(
    item: IssueItem, status: ItemStatus, grant: GrantRecord | None
) -> tuple[ItemStatus, int]:
    """Return an item's status as it follows from its grant, and how many were issued."""
    if grant is None:
        return status, 0
    if status.code is StatusCode.PENDING:
        status = present_status(status, grant, issued_status(item, grant))
    was_issued = status.is_success and status.code is not StatusCode.ALREADY_ISSUED
    return status, grant.details["quantity"] if was_issued else 0


# Nearly all items have one of a few.
@lru_cache(maxsize=256)
def read_status(code: str, message: str) -> ItemStatus:
    """Return an item's status from how an answer keeps it."""
    return ItemStatus(StatusCode(code), message)


def issued_status(item: IssueItem, grant: GrantRecord) -> ItemStatus:
    """Return the status of an item that was issued: in full, or fewer than asked for."""
    return REDUCED if int(item.quantity) > grant.details.get("quantity", 0) else GRANTED


def by_text(grants: Mapping[UUID, GrantRecord]) -> dict[str, GrantRecord]:
    """Return grants by their ids as answers spell them."""
    return {str(grant_id): grant for grant_id, grant in grants.items()}
