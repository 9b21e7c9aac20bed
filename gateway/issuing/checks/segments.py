"""A reward that is reserved for segments goes to members of one of them (CAP-10)."""

from __future__ import annotations

from gateway.grants.status import Refusal, StatusCode
from gateway.issuing.facts import Facts
from gateway.issuing.model import IssueItem

MESSAGE = "The reward is reserved for segments, and the member is in none of them."


def refuse_outsider(item: IssueItem, facts: Facts) -> Refusal | None:
    """Refuse a reward that is reserved for segments which the member is not in."""
    if item.reward_id in facts.closed_reward_ids:
        return Refusal(StatusCode.NOT_IN_SEGMENT, (MESSAGE,))
    return None
