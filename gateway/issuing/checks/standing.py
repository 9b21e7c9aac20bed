"""A member who has cards needs an active one, and likewise labels; one who has none is not affected (CAP-11)."""

from __future__ import annotations

from gateway.grants.status import Refusal, StatusCode
from gateway.issuing.facts import Facts
from gateway.issuing.model import IssueItem
from gateway.members.standing.model import StandingStatus


def refuse_standing(_: IssueItem, facts: Facts) -> Refusal | None:
    """Refuse every item to a member all of whose cards, or all of whose labels, are inactive."""
    if facts.card_statuses and StandingStatus.ACTIVE not in facts.card_statuses:
        message = "The member has cards, and none of them is active."
        return Refusal(StatusCode.CARD_INACTIVE, (message,))
    if facts.label_statuses and StandingStatus.ACTIVE not in facts.label_statuses:
        message = "The member has labels, and none of them is active."
        return Refusal(StatusCode.LABEL_INACTIVE, (message,))
    return None
