"""The reward exists in the item's organisation and is active (MON-7, CAP-13)."""

from __future__ import annotations

from gateway.grants.catalogue_line import find_refusal
from gateway.grants.status import Refusal
from gateway.issuing.facts import Facts
from gateway.issuing.model import IssueItem


def refuse_reward(item: IssueItem, facts: Facts) -> Refusal | None:
    """Refuse a reward that is unknown to the item's organisation, or inactive."""
    return find_refusal(facts.reward_of(item))
