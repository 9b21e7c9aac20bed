"""Judge a distribution's lines: every reason a line cannot be applied, and what moves for one that can. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from uuid import UUID

from gateway.access import Caller
from gateway.distributing.model import DistributionLine, Recipient
from gateway.grants.status import Refusal, StatusCode
from gateway.ids import IdKind, decode_id
from gateway.ledger.assets import AMOUNT_MINOR_MAX, Asset, AssetKind
from gateway.ledger.model import Account, OwnerKind, Transfer
from gateway.members.identifiers import IdentifierKind, normalise

CURRENCY_KINDS = frozenset({AssetKind.CURRENCY, AssetKind.POINTS})
AMOUNT_TOO_LARGE = "currencyReward.amount is too large."
MemberKey = tuple[IdentifierKind | None, str]


@dataclass(frozen=True, slots=True)
class JudgedLine:
    """A line with its form checked: who is meant, how much of what, and every rule of form it breaks."""

    member_key: MemberKey | None
    currency_id: UUID | None
    amount: int
    experience_points: int
    reasons: tuple[str, ...]
    as_sent: DistributionLine

    @property
    def fingerprint(self) -> list[str | int | None]:
        """Return what makes the line what it is, in one spelling; a line of wrong form has only the one it came in."""
        if self.reasons or self.member_key is None:
            # Whatever was sent, in ASCII: it may be text that has no UTF-8 or a number that JSON cannot hold.
            sent = self.as_sent
            return [
                sent.recipient.kind,
                ascii(sent.recipient.value),
                ascii(sent.currency_id),
                str(sent.amount),
                str(sent.experience_points),
            ]
        currency = str(self.currency_id) if self.currency_id else None
        return [*self.member_key, currency, self.amount, self.experience_points]


def judge_form(line: DistributionLine) -> JudgedLine:
    """Check everything about a line that needs no look-up (ON3-1, ON3-2, ON3-3)."""
    reasons: list[str] = []
    member_key = _judge_recipient(line.recipient, reasons)
    currency_id = _judge_currency(line, reasons)
    amount = _judge_amount(line, reasons)
    experience_points = line.experience_points or 0
    if line.experience_points is not None and experience_points <= 0:
        reasons.append("xpReward must be a whole number above 0.")
    elif experience_points > AMOUNT_MINOR_MAX:
        reasons.append("xpReward is too large.")
    if line.currency_id is None and line.experience_points is None:
        reasons.append("A line needs a currencyReward, an xpReward, or both.")
    return JudgedLine(
        member_key=member_key,
        currency_id=currency_id,
        amount=amount,
        experience_points=experience_points,
        reasons=tuple(reasons),
        as_sent=line,
    )


def judge_facts(
    line: JudgedLine, member_id: UUID | None, assets: Mapping[UUID, Asset]
) -> Refusal | None:
    """Return every reason, of form and of fact, why a line cannot be applied; None if there is none."""
    reasons = list(line.reasons)
    code = StatusCode.INVALID_LINE
    if line.member_key is not None and member_id is None:
        reasons.append("No member has this identifier.")
        code = StatusCode.RECIPIENT_NOT_FOUND if len(reasons) == 1 else code
    if line.currency_id is not None:
        asset = assets.get(line.currency_id)
        if asset is None or asset.kind not in CURRENCY_KINDS:
            reasons.append("No such currency.")
        elif abs(line.amount) > AMOUNT_MINOR_MAX // 10**asset.scale:
            reasons.append(AMOUNT_TOO_LARGE)
    return Refusal(code, tuple(reasons)) if reasons else None


def plan_transfers(
    caller: Caller, line: JudgedLine, member_id: UUID, assets: Mapping[UUID, Asset]
) -> tuple[Transfer, ...]:
    """Return what moves for a line that can be applied; a negative amount leaves the member."""
    transfers = []
    if line.currency_id is not None:
        amount_minor = line.amount * 10 ** assets[line.currency_id].scale
        member = Account(line.currency_id, OwnerKind.MEMBER, member_id)
        if amount_minor > 0:
            issuance = Account(line.currency_id, OwnerKind.ISSUANCE, caller.organisation_id)
            transfers.append(Transfer(issuance, member, amount_minor))
        else:
            redemption = Account(line.currency_id, OwnerKind.REDEMPTION, caller.organisation_id)
            transfers.append(Transfer(member, redemption, -amount_minor))
    if line.experience_points:
        experience_id = caller.standard_assets.experience_id
        transfers.append(
            Transfer(
                debit=Account(experience_id, OwnerKind.ISSUANCE, caller.organisation_id),
                credit=Account(experience_id, OwnerKind.MEMBER, member_id),
                amount_minor=line.experience_points,
            )
        )
    return tuple(transfers)


def _judge_recipient(recipient: Recipient, reasons: list[str]) -> MemberKey | None:
    if recipient.kind is None:
        member_id = decode_id(IdKind.MEMBER, recipient.value)
        if member_id is None:
            reasons.append("identifierValue must be a member id.")
            return None
        return None, str(member_id)
    try:
        return recipient.kind, normalise(recipient.kind, recipient.value)
    except ValueError as error:
        reasons.append(f"identifierValue {error}.")
        return None


def _judge_currency(line: DistributionLine, reasons: list[str]) -> UUID | None:
    if line.currency_id is None:
        return None
    currency_id = decode_id(IdKind.ASSET, line.currency_id)
    if currency_id is None:
        reasons.append("currencyReward.currencyId must be a GUID.")
    return currency_id


def _judge_amount(line: DistributionLine, reasons: list[str]) -> int:
    """Return the amount, 0 if there is none that could be applied."""
    amount = line.amount
    if line.currency_id is None:
        return 0
    if amount is None or not amount.is_finite() or amount != amount.to_integral_value():
        reasons.append("currencyReward.amount must be a whole number.")
    elif amount == 0:
        reasons.append("currencyReward.amount must not be 0.")
    elif not -AMOUNT_MINOR_MAX <= amount <= AMOUNT_MINOR_MAX:
        reasons.append(AMOUNT_TOO_LARGE)
    else:
        return int(amount)
    return 0
