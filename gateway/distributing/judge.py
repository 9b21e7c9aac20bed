"""Judge a distribution's lines: every reason why a line cannot be applied. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal
from typing import NamedTuple, TypeAlias
from uuid import UUID

from gateway.distributing.model import DistributionLine, Recipient
from gateway.grants.status import Refusal, StatusCode
from gateway.ids import IdKind, decode_id
from gateway.ledger.assets import AMOUNT_MINOR_MAX, AssetKind, say_forbidden
from gateway.members.identifiers import IdentifierKind, normalize
from gateway.tenants.asset_rights import VisibleAssets

CURRENCY_KINDS = frozenset({AssetKind.CURRENCY, AssetKind.POINTS})
AMOUNT_TOO_LARGE = "currencyReward.amount is too large."

MemberKey: TypeAlias = tuple[IdentifierKind | None, str]


class JudgedReward(NamedTuple):
    """What a line gives or takes, and every rule of form that this breaks. Lines that say the same share one."""

    currency_id: UUID | None
    amount: int
    experience_points: int
    reasons: tuple[str, ...]


class JudgedLine(NamedTuple):
    """A line with its form checked: who is meant, what is given or taken, and every rule of form it breaks."""

    member_key: MemberKey | None
    reward: JudgedReward
    reasons: tuple[str, ...]
    as_sent: DistributionLine

    @property
    def fingerprint(self) -> tuple[str | int | None, ...]:
        """Return what makes the line what it is, in one spelling; a line of wrong form has only the one it came in."""
        if self.reasons or self.member_key is None:
            # Whatever was sent, in ASCII: it may be text that has no UTF-8 or a number that JSON cannot hold.
            (kind, value), currency, sent, points = self.as_sent
            return (kind, ascii(value), ascii(currency), str(sent), str(points))
        kind, value = self.member_key
        currency_id, amount, experience_points, _ = self.reward
        return (kind, value, str(currency_id) if currency_id else None, amount, experience_points)


def judge_forms(lines: Iterable[DistributionLine]) -> list[JudgedLine]:
    """Check everything about lines that needs no look-up (ON3-1, ON3-2, ON3-3)."""
    rewards: dict[tuple[object, ...], JudgedReward] = {}
    judged = []
    for line in lines:
        member_key, problem = _judge_recipient(line.recipient)
        reward = _judge_reward(line, rewards)
        reasons = reward.reasons if problem is None else (problem, *reward.reasons)
        judged.append(JudgedLine(member_key, reward, reasons, line))
    return judged


def judge_currency(reward: JudgedReward, found: VisibleAssets) -> str | None:
    """Return why so much of this currency cannot be distributed, or None."""
    if reward.currency_id is None:
        return None
    asset = found.assets.get(reward.currency_id)
    if asset is None or asset.kind not in CURRENCY_KINDS:
        return "No such currency."
    if asset.id in found.forbidden_ids:
        return f"currencyReward.currencyId: {say_forbidden(asset)}"
    is_too_large = abs(reward.amount) > AMOUNT_MINOR_MAX // 10**asset.scale
    return AMOUNT_TOO_LARGE if is_too_large else None


def judge_facts(line: JudgedLine, member_id: UUID | None, currency_reason: str | None) -> Refusal:
    """Return every reason, of form and of fact, why a line cannot be applied.

    `member_id` is who was found, `currency_reason` what `judge_currency` says of its reward. For lines with a reason only.
    """
    reasons = line.reasons
    code = StatusCode.INVALID_LINE
    if member_id is None and line.member_key is not None:
        code = code if reasons else StatusCode.RECIPIENT_NOT_FOUND
        reasons = (*reasons, "No member has this identifier.")
    if currency_reason is not None:
        reasons = (*reasons, currency_reason)
    return Refusal(code, reasons)


def _judge_recipient(recipient: Recipient) -> tuple[MemberKey | None, str | None]:
    """Return who is meant, or which rule is broken."""
    kind, value = recipient
    if kind is None:
        member_id = decode_id(IdKind.MEMBER, value)
        if member_id is None:
            return None, "identifierValue must be a member id."
        return (None, str(member_id)), None
    try:
        return (kind, normalize(kind, value)), None
    except ValueError as error:
        return None, f"identifierValue {error}."


def _judge_reward(
    line: DistributionLine, known: dict[tuple[object, ...], JudgedReward]
) -> JudgedReward:
    """Return the line's reward, judged once for all lines that say the same and break no rule."""
    amount = line.amount
    if amount is not None and amount.is_nan():
        # Not every one of these can be looked up.
        return _judge_new_reward(line)
    said = line[1:]
    reward = known.get(said)
    if reward is None:
        reward = _judge_new_reward(line)
        # Whole numbers within bounds have hashes of their own. Others can be made to share one, which would make finding them slow.
        if not reward.reasons:
            known[said] = reward
    return reward


def _judge_new_reward(line: DistributionLine) -> JudgedReward:
    reasons: list[str] = []
    currency_id = _judge_currency(line.currency_id, reasons)
    amount = 0 if line.currency_id is None else _judge_amount(line.amount, reasons)
    experience_points = line.experience_points or 0
    if line.experience_points is not None and experience_points <= 0:
        reasons.append("xpReward must be a whole number above 0.")
    elif experience_points > AMOUNT_MINOR_MAX:
        reasons.append("xpReward is too large.")
    if line.currency_id is None and line.experience_points is None:
        reasons.append("A line needs a currencyReward, an xpReward, or both.")
    return JudgedReward(currency_id, amount, experience_points, tuple(reasons))


def _judge_currency(public_id: str | None, reasons: list[str]) -> UUID | None:
    if public_id is None:
        return None
    currency_id = decode_id(IdKind.ASSET, public_id)
    if currency_id is None:
        reasons.append("currencyReward.currencyId must be a GUID.")
    return currency_id


def _judge_amount(amount: Decimal | None, reasons: list[str]) -> int:
    """Return the amount, 0 if there is none that could be applied."""
    if amount is None or not amount.is_finite() or amount != amount.to_integral_value():
        reasons.append("currencyReward.amount must be a whole number.")
    elif amount == 0:
        reasons.append("currencyReward.amount must not be 0.")
    elif not -AMOUNT_MINOR_MAX <= amount <= AMOUNT_MINOR_MAX:
        reasons.append(AMOUNT_TOO_LARGE)
    else:
        return int(amount)
    return 0
