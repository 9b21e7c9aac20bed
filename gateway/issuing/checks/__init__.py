"""Why an item cannot be issued to the member: one file a rule, each a pure function of the item and the facts.

A new rule is a file in this folder, a line in this list, and what it must know in `facts.py` and `fact_store.py`.
"""

from __future__ import annotations

from collections.abc import Callable

from gateway.grants.catalog_line import find_refusal
from gateway.grants.status import Refusal
from gateway.issuing.checks.custom_fields import refuse_custom_fields
from gateway.issuing.checks.segments import refuse_outsider
from gateway.issuing.checks.stage import refuse_stage
from gateway.issuing.checks.standing import refuse_standing
from gateway.issuing.facts import Facts
from gateway.issuing.model import IssueItem
from gateway.rewards.model import Reward

# In the order in which reasons count: the first rule that refuses gives the item its status. Before all of them comes that the
# item's organization has the reward and that it is active (MON-7, CAP-13).
CHECKS: tuple[Callable[[IssueItem, Facts], Refusal | None], ...] = (
    refuse_outsider,
    refuse_standing,
    refuse_custom_fields,
    refuse_stage,
)


def find_item_refusal(item: IssueItem, reward: Reward | None, facts: Facts) -> Refusal | None:
    """Return the first reason why the item, which names this reward, cannot be issued, or None."""
    if refusal := find_refusal(reward, facts.forbidden_uses):
        return refusal
    for check in CHECKS:
        if refusal := check(item, facts):
            return refusal
    return None
