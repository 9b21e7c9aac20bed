"""What is known about a call's items before any is judged: looked up once for all of them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from uuid import UUID

from gateway.issuing.custom_fields.model import CustomField
from gateway.issuing.fact_store import fetch_facts
from gateway.issuing.model import IssueItem
from gateway.issuing.reach import Reach, organisation_of
from gateway.ledger.assets import Asset
from gateway.rewards.model import Reward
from gateway.rewards.store import fetch_rewards_of
from gateway.storage.database import Connection
from gateway.tenants.assets import load_assets


@dataclass(frozen=True, slots=True)
class Facts:
    """The rewards and assets of a call, and what its organisations and its member say about it.

    `closed_reward_ids` are reserved for segments that the member is not in.
    """

    reach: Reach
    rewards: Mapping[UUID, Reward]
    assets: Mapping[UUID, Asset]
    closed_reward_ids: frozenset[UUID] = frozenset()
    card_statuses: frozenset[str] = frozenset()
    label_statuses: frozenset[str] = frozenset()
    custom_fields: Mapping[UUID, Mapping[str, CustomField]] = field(default_factory=dict)
    stages: Mapping[UUID, Sequence[str]] = field(default_factory=dict)

    def reward_of(self, item: IssueItem) -> Reward | None:
        """Return an item's reward, if it is its organisation's."""
        reward = self.rewards.get(item.reward_id) if item.reward_id else None
        if reward is None or reward.organisation_id != self._organisation_of(item):
            return None
        return reward

    def custom_fields_of(self, item: IssueItem) -> Mapping[str, CustomField]:
        """Return what an item's organisation declares, by name."""
        return self.custom_fields.get(self._organisation_of(item), {})

    def stages_of(self, item: IssueItem) -> Sequence[str]:
        """Return the stages of an item's organisation, in order."""
        return self.stages.get(self._organisation_of(item), ())

    def first_stage_of(self, item: IssueItem) -> str | None:
        """Return the stage that an item begins at: the one it names, or the organisation's first."""
        return item.fulfillment_stage or next(iter(self.stages_of(item)), None)

    def _organisation_of(self, item: IssueItem) -> UUID:
        return organisation_of(item, self.reach.home_id)


async def load_facts(
    connection: Connection, tenant_id: UUID, reach: Reach, member_id: UUID
) -> Facts:
    """Look everything up. Round trips: two, and one more if a price is in an asset that is new to this process."""
    items = reach.command.items
    organisation_ids = sorted({organisation_of(item, reach.home_id) for item in items})
    reward_ids = sorted({item.reward_id for item in items if item.reward_id is not None})
    rewards = await fetch_rewards_of(connection, tenant_id, organisation_ids, reward_ids)
    assets = await load_assets(connection, tenant_id, _assets_of(rewards.values()))
    found = await fetch_facts(connection, tenant_id, organisation_ids, reward_ids, member_id)
    return Facts(
        reach=reach,
        rewards=rewards,
        assets=assets,
        closed_reward_ids=found.closed_reward_ids,
        card_statuses=found.card_statuses,
        label_statuses=found.label_statuses,
        custom_fields=found.custom_fields,
        stages=found.stages,
    )


def _assets_of(rewards: Iterable[Reward]) -> set[UUID]:
    return {
        config.asset_id
        for reward in rewards
        for config in reward.payment_configs
        if config.asset_id is not None
    }
