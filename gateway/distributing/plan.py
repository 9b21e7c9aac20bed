"""What moves for a line that can be applied, what its grant says it gave, and what its member is told. Pure.

Lines that give the same share one plan: all of it but the member's accounts is worked out once.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple
from uuid import UUID

from gateway.access import Caller
from gateway.distributing.judge import JudgedReward, judge_currency
from gateway.distributing.notices import write_notice
from gateway.ledger.assets import Asset
from gateway.ledger.model import Account, OwnerKind, Transfer
from gateway.tenants.asset_rights import VisibleAssets


class RewardPlan(NamedTuple):
    """A reward ready to be given to any member; or `reason`, the fact for which it cannot be, and nothing else."""

    reason: str | None
    moves: Sequence[Move]
    benefits: Sequence[Mapping[str, Any]]
    notice: str

    def to_transfers(self, member_id: UUID) -> tuple[Transfer, ...]:
        """Return what moves when this member gets it."""
        return tuple([move.to_transfer(member_id) for move in self.moves])


class Move(NamedTuple):
    """An amount that a member gets from `counterpart`, or gives to it if below zero. Units: minor."""

    asset: Asset
    counterpart: Account
    amount_minor: int

    def to_transfer(self, member_id: UUID) -> Transfer:
        """Return the transfer from or to this member's account."""
        asset, counterpart, amount_minor = self
        account = Account(asset.id, OwnerKind.MEMBER, member_id)
        if amount_minor > 0:
            return Transfer(counterpart, account, amount_minor)
        return Transfer(account, counterpart, -amount_minor)


class Planner:
    """Plans rewards for a caller, each distinct one once."""

    def __init__(self, caller: Caller, found: VisibleAssets, message: str | None) -> None:
        """Take the assets that were found, and what members are told instead of a general text."""
        self._caller = caller
        self._found = found
        self._assets = found.assets
        self._message = message
        self._plans: dict[JudgedReward, RewardPlan] = {}

    def plan(self, reward: JudgedReward) -> RewardPlan:
        """Return the reward's plan; of one that breaks a rule, no more than the reason of fact."""
        plan = self._plans.get(reward)
        if plan is None:
            plan = self._plans[reward] = self._plan(reward)
        return plan

    def _plan(self, reward: JudgedReward) -> RewardPlan:
        reason = judge_currency(reward, self._found)
        if reason or reward.reasons:
            return RewardPlan(reason, (), (), "")
        moves = self._find_moves(reward)
        amounts = [(move.asset, move.amount_minor) for move in moves]
        benefits = [
            {"kind": "ASSET_CREDIT", "asset_id": str(asset.id), "amount_minor": amount_minor}
            for asset, amount_minor in amounts
        ]
        return RewardPlan(None, moves, benefits, write_notice(self._message, amounts))

    def _find_moves(self, reward: JudgedReward) -> list[Move]:
        moves = []
        if reward.currency_id is not None:
            asset = self._assets[reward.currency_id]
            is_deduction = reward.amount < 0
            kind = OwnerKind.REDEMPTION if is_deduction else OwnerKind.ISSUANCE
            moves.append(self._move(asset, kind, reward.amount * 10**asset.scale))
        if reward.experience_points:
            experience = self._assets[self._caller.standard_assets.experience_id]
            moves.append(self._move(experience, OwnerKind.ISSUANCE, reward.experience_points))
        return moves

    def _move(self, asset: Asset, kind: OwnerKind, amount_minor: int) -> Move:
        return Move(asset, Account(asset.id, kind, self._caller.organization_id), amount_minor)
