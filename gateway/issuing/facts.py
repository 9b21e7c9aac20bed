"""What is known about calls' items before any is judged: looked up once for all of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass, field
from uuid import UUID

import asyncpg

from gateway.access import Caller
from gateway.grants.catalog_line import ASSET_FORBIDDEN
from gateway.grants.status import Refusal
from gateway.issuing.custom_fields.model import CustomField
from gateway.issuing.fact_store import FoundFacts, facts_reading, to_found_facts
from gateway.issuing.model import IssueItem
from gateway.issuing.pricing import Price, Prices
from gateway.issuing.reach import Reach, organization_of
from gateway.issuing.tills.model import NO_TILLS, DeclaredTills
from gateway.ledger.assets import Asset, AssetUse
from gateway.operations.store import Reading
from gateway.rewards.current import load_current_rewards
from gateway.rewards.model import Reward
from gateway.storage.database import Connection
from gateway.tenants.asset_rights import NO_USES, find_forbidden_uses
from gateway.tenants.assets import load_assets
from gateway.text import to_name_key

_NOTHING: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Facts:
    """The rewards and assets of a call, and what its organizations and its member say about it.

    `closed_reward_ids` are reserved for segments that the member is not in. `forbidden_uses` are assets that a reward's
    organization may not credit or take as payment.
    """

    home_id: UUID
    rewards: Mapping[UUID, Reward]
    assets: Mapping[UUID, Asset]
    prices: Prices
    closed_reward_ids: Set[UUID] = frozenset()
    card_statuses: Set[str] = frozenset()
    label_statuses: Set[str] = frozenset()
    custom_fields: Mapping[UUID, Mapping[str, CustomField]] = field(default_factory=dict)
    stages: Mapping[UUID, Sequence[str]] = field(default_factory=dict)
    forbidden_uses: Set[AssetUse] = NO_USES
    tills: DeclaredTills = NO_TILLS

    def reward_of(self, item: IssueItem) -> Reward | None:
        """Return an item's reward, if it is its organization's."""
        reward = self.rewards.get(item.reward_id) if item.reward_id else None
        if reward is not None and reward.organization_id == organization_of(item, self.home_id):
            return reward
        return None

    def price_of(self, item: IssueItem, reward: Reward) -> Price | Refusal:
        """Return what an item costs, or why it cannot be sold like this."""
        price = self.prices.price_of(item, reward)
        if self.forbidden_uses and isinstance(price, Price):
            asset_id = price.config.asset_id if price.config else None
            if (reward.organization_id, asset_id) in self.forbidden_uses:
                return ASSET_FORBIDDEN
        return price

    def custom_fields_of(self, item: IssueItem) -> Mapping[str, CustomField]:
        """Return what an item's organization declares, by name."""
        return self.custom_fields.get(organization_of(item, self.home_id), {})

    def stages_of(self, item: IssueItem) -> Sequence[str]:
        """Return the stages of an item's organization, in order."""
        return self.stages.get(organization_of(item, self.home_id), ())

    def first_stage_of(self, item: IssueItem) -> str | None:
        """Return the stage that an item begins at: the one it names, or the organization's first."""
        return item.fulfillment_stage or next(iter(self.stages_of(item)), None)


def facts_of(reaches: Sequence[Reach]) -> Reading:
    """Return what to read about these calls, before any of them is known to be new."""
    organization_ids = sorted({terms.organization_id for reach in reaches for terms in reach.terms})
    wanted = {item.reward_id for reach in reaches for item in reach.command.items}
    reward_ids = sorted(reward_id for reward_id in wanted if reward_id is not None)
    members = [reach.command.member for reach in reaches]
    till_organization_ids = sorted(
        {id_ for reach in reaches for id_ in reach.till_organization_ids}
    )
    names = {reach.command.till for reach in reaches}
    name_keys = sorted({to_name_key(name) for name in names if name is not None})
    return facts_reading(members, organization_ids, reward_ids, till_organization_ids, name_keys)


async def load_facts(
    connection: Connection, caller: Caller, row: asyncpg.Record
) -> list[tuple[UUID | None, Facts]]:
    """Return for each call its member, if there is one, and what is known about its items, as `facts_of` these calls found it.

    Round trips: none, one if some rewards have changed or are new to this process, one more if they credit or cost an asset that
    is new to it, and one if that is another organization's.
    """
    tenant_id = caller.tenant_id
    found = to_found_facts(row)
    rewards = await load_current_rewards(connection, tenant_id, found.reward_states)
    uses = {use for reward in rewards.values() for use in _uses_of(reward)}
    assets = await load_assets(connection, tenant_id, {asset_id for _, asset_id in uses})
    forbidden = await find_forbidden_uses(connection, caller, uses)
    common = Facts(
        caller.organization_id, rewards, assets, Prices(assets), forbidden_uses=forbidden
    )
    return [(member_id, _select(found, common, member_id)) for member_id in found.member_ids]


def _select(found: FoundFacts, common: Facts, member_id: UUID | None) -> Facts:
    """Return what concerns one call's member, beside what all calls have in common."""
    closed: Set[UUID] = found.reserved_reward_ids
    if member_id is None:
        return common
    if closed and member_id in found.admitted:
        closed -= found.admitted[member_id]
    return Facts(
        home_id=common.home_id,
        rewards=common.rewards,
        assets=common.assets,
        prices=common.prices,
        forbidden_uses=common.forbidden_uses,
        closed_reward_ids=closed,
        card_statuses=found.card_statuses.get(member_id, _NOTHING),
        label_statuses=found.label_statuses.get(member_id, _NOTHING),
        custom_fields=found.custom_fields,
        stages=found.stages,
        tills=found.tills,
    )


def _uses_of(reward: Reward) -> list[AssetUse]:
    credited = reward.credit_use
    return [*reward.payment_uses, credited] if credited else reward.payment_uses
