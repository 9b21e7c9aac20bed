"""An item begins at a stage of fulfillment that its organization declares (CAP-15)."""

from __future__ import annotations

from gateway.grants.status import Refusal, StatusCode
from gateway.issuing.facts import Facts
from gateway.issuing.model import IssueItem


def refuse_stage(item: IssueItem, facts: Facts) -> Refusal | None:
    """Refuse an item that names a stage which its organization does not have."""
    stage = item.fulfillment_stage
    if stage is None or stage in facts.stages_of(item):
        return None
    message = f"The organization has no fulfillment stage {stage!r}."
    return Refusal(StatusCode.STAGE_NOT_FOUND, (message,))
