"""Carry the model's actions out on the real gateway, and put its answers into the model's words."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any
from uuid import UUID

from gateway.distributing.outcome import DistributionRejected
from gateway.errors import RewardsError
from gateway.grants.errors import InsufficientBalance
from gateway.ids import IdKind, encode_id, new_id
from gateway.issuing.model import IssueItem
from gateway.ledger.model import OwnerKind
from tests.properties.model import Action, Model, Reply
from tests.world import World


@dataclass
class Driver:
    """A world, and which of its grants is which in the model."""

    world: World
    grant_ids: list[UUID] = field(default_factory=list)
    nobody: UUID = field(default_factory=new_id)

    async def do(self, key: str, action: Action) -> Reply:
        """Carry out an action; a refusal is a reply."""
        name, *asked = action
        try:
            reply: Reply = await getattr(self, f"do_{name}")(key, *asked)
        except InsufficientBalance as error:
            (shortfall,) = error.shortfalls
            return {
                "error": str(error.code),
                "required": shortfall.required_minor,
                "available": shortfall.available_minor,
            }
        except DistributionRejected as error:
            return {"error": str(error.code), "codes": [str(r.status.code) for r in error.results]}
        except RewardsError as error:
            return {"error": str(error.code)}
        return reply

    async def do_cash(self, key: str, member: int, cents: int) -> Reply:
        dollars = str(Decimal(cents).scaleb(-2))
        outcome = await self.world.grant_cash(key, self.member(member), dollars)
        return self.of_grant(outcome.status.code, outcome.grant.id, outcome.idempotent_replay)

    async def do_give(self, key: str, member: int, reward: str) -> Reply:
        outcome = await self.world.grant(key, self.member(member), self.reward(reward))
        return self.of_grant(outcome.status.code, outcome.grant.id, outcome.idempotent_replay)

    def of_grant(self, code: str, grant_id: UUID, is_replay: bool) -> Reply:
        return {"code": str(code), "grant": self.number(grant_id), "replay": is_replay}

    async def do_issue(
        self, key: str, member: int, items: Sequence[tuple[str, str, str | None]]
    ) -> Reply:
        outcome = await self.world.issue(
            key,
            self.member(member),
            *(
                IssueItem(
                    self.reward(reward),
                    encode_id(IdKind.REWARD, self.reward(reward)),
                    Decimal(quantity),
                    item_key,
                )
                for reward, quantity, item_key in items
            ),
        )
        results = []
        for item in outcome.items:
            result: Reply = {
                "code": str(item.status.code),
                "grant": self.number(item.grant.id) if item.grant else None,
                "quantity": item.quantity,
            }
            results.append({**result, "replay": True} if item.idempotent_replay else result)
        return {"items": results, "replay": outcome.idempotent_replay}

    async def do_distribute(self, key: str, lines: Sequence[tuple[int, int, int]]) -> Reply:
        outcome = await self.world.distribute(
            key, [(self.member(member), points, experience) for member, points, experience in lines]
        )
        return {
            "lines": [
                (str(line.status.code), self.number(line.grant_id) if line.grant_id else None)
                for line in outcome.results
            ],
            "replay": outcome.idempotent_replay,
        }

    async def do_claim(self, key: str, member: int, numbers: Sequence[int]) -> Reply:
        wanted = [self.grant_id(number) for number in numbers]
        outcome = await self.world.claim(key, self.member(member), *wanted)
        return {
            "items": [
                (str(result.status.code), self.number(result.grant_id) if result.grant_id else None)
                for result in outcome.results
            ],
            "replay": outcome.idempotent_replay,
        }

    async def do_reverse(self, key: str, number: int) -> Reply:
        outcome = await self.world.reverse(key, self.grant_id(number))
        return {"grant": self.number(outcome.grant.id), "replay": outcome.idempotent_replay}

    async def do_restock(self, key: str, units: int) -> Reply:
        outcome = await self.world.restock(key, units)
        return {"stock": outcome.stock, "replay": outcome.idempotent_replay}

    def member(self, member: int) -> UUID:
        """Return the member's id, or one of nobody."""
        return self.world.members[member] if member < len(self.world.members) else self.nobody

    def reward(self, reward: str) -> UUID:
        """Return the reward's id."""
        reward_id: UUID = getattr(self.world, f"{reward}_reward")
        return reward_id

    def number(self, grant_id: UUID) -> int:
        """Return the grant's number; a grant not seen before gets the next one."""
        if grant_id not in self.grant_ids:
            self.grant_ids.append(grant_id)
        return self.grant_ids.index(grant_id)

    def grant_id(self, number: int) -> UUID:
        """Return the grant's id, or one of nothing."""
        return self.grant_ids[number] if number < len(self.grant_ids) else self.nobody

    async def read_state(self) -> dict[str, Any]:
        """Return balances, stock, codes and grants as they are stored."""
        caller = self.world.caller
        assets = caller.standard_assets
        names = {
            (assets.points_id, OwnerKind.MEMBER): "points",
            (assets.experience_id, OwnerKind.MEMBER): "experience",
            (assets.cash_id, OwnerKind.MEMBER): "cash",
            (assets.cash_id, OwnerKind.CLAIMABLE): "owed",
            (self.world.product_id, OwnerKind.MEMBER): "mugs",
            (self.world.competition_id, OwnerKind.MEMBER): "entries",
        }
        state: dict[str, Any] = {"stock": 0, "has": {}}
        rows = await self.world.database.fetch(
            "SELECT asset_id, owner_kind, owner_id, posted_minor, held_minor FROM accounts WHERE tenant_id = $1",
            caller.tenant_id,
        )
        for asset_id, owner_kind, owner_id, posted_minor, held_minor in rows:
            assert held_minor == 0
            if owner_kind == OwnerKind.STOCK:
                state["stock"] = posted_minor
            elif posted_minor:
                name = names[asset_id, OwnerKind(owner_kind)]
                state["has"][self.world.members.index(owner_id), name] = posted_minor
        codes = await self.world.database.fetch(
            "SELECT status, count(*) FROM codes WHERE tenant_id = $1 GROUP BY status",
            caller.tenant_id,
        )
        state["codes"] = dict(map(tuple, codes))
        grants = await self.world.database.fetch(
            "SELECT id, member_id, status FROM grants WHERE tenant_id = $1", caller.tenant_id
        )
        state["grants"] = {
            self.number(grant_id): (self.world.members.index(member_id), status)
            for grant_id, member_id, status in grants
        }
        return state


def expected_state(model: Model) -> dict[str, Any]:
    """Return the model's state in the same words."""
    codes = {"FREE": model.free_codes, "GRANTED": len(model.holders), "VOIDED": model.voided_codes}
    return {
        "stock": model.stock,
        "has": {place: amount for place, amount in model.has.items() if amount},
        "codes": {status: count for status, count in codes.items() if count},
        "grants": {n: (grant.member, grant.status) for n, grant in enumerate(model.grants)},
    }
