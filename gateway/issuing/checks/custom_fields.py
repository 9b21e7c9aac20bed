"""An item carries the custom fields that its organization declares, of the types it declares (CAP-14)."""

from __future__ import annotations

from gateway.grants.status import Refusal, StatusCode
from gateway.issuing.custom_fields.model import judge
from gateway.issuing.facts import Facts
from gateway.issuing.model import IssueItem


def refuse_custom_fields(item: IssueItem, facts: Facts) -> Refusal | None:
    """Refuse an item with undeclared, mistyped or missing custom fields, with every reason."""
    reasons = judge(facts.custom_fields_of(item), item.custom_fields)
    return Refusal(StatusCode.INVALID_CUSTOM_FIELD, tuple(reasons)) if reasons else None
