"""Every reason why a distribution's line cannot be applied, and what moves for one that can (ON3-1..3)."""

from __future__ import annotations

from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest

from gateway.access import PARTNER_SCOPES, Caller, StandardAssets
from gateway.distributing.judge import JudgedLine, judge_currency, judge_facts, judge_forms
from gateway.distributing.model import DistributionLine, Recipient
from gateway.distributing.plan import Planner
from gateway.grants.status import Refusal, StatusCode
from gateway.ids import IdKind, encode_id, new_id
from gateway.ledger.assets import AMOUNT_MINOR_MAX, Asset, AssetKind
from gateway.ledger.model import Account, OwnerKind, Transfer
from gateway.members.identifiers import IdentifierKind
from gateway.tenants.asset_rights import VisibleAssets

# Constant, because test workers must agree on the names of tests that are made from them.
COINS = Asset(UUID("01a20700-0000-7000-8000-00000000abcd"), "COINS", "Coins", AssetKind.CURRENCY, 0)
MILES = Asset(new_id(), "MILES", "Miles", AssetKind.POINTS, 2)
CASH = Asset(new_id(), "USD", "US dollars", AssetKind.CASH, 2)
EXPERIENCE = Asset(new_id(), "XP", "Experience points", AssetKind.EXPERIENCE, 0)
ASSETS = VisibleAssets({asset.id: asset for asset in (COINS, MILES, CASH, EXPERIENCE)}, frozenset())
CALLER = Caller(
    new_id(), new_id(), new_id(), PARTNER_SCOPES, StandardAssets(MILES.id, EXPERIENCE.id, CASH.id)
)
MEMBER_ID = UUID("01a20700-0000-7000-8000-00000000dcba")
LINE = DistributionLine(
    Recipient(IdentifierKind.EMAIL, "joe@bloggs.com"), str(COINS.id), Decimal(50), 100
)


def judge_form(**changes: Any) -> JudgedLine:
    (judged,) = judge_forms([LINE._replace(**changes)])
    return judged


def reasons_of_form(**changes: Any) -> list[str]:
    return list(judge_form(**changes).reasons)


def judge_fact(judged: JudgedLine, member_id: UUID | None = MEMBER_ID) -> Refusal | None:
    """Return why the line cannot be applied, of form and of fact."""
    reason = judge_currency(judged.reward, ASSETS)
    if judged.reasons or reason or member_id is None:
        return judge_facts(judged, member_id, reason)
    return None


def plan_transfers(judged: JudgedLine) -> tuple[Transfer, ...]:
    return Planner(CALLER, ASSETS, None).plan(judged.reward).to_transfers(MEMBER_ID)


def test_line_of_the_right_form_breaks_no_rule() -> None:
    judged = judge_form()
    assert judged.reasons == ()
    assert judged.member_key == (IdentifierKind.EMAIL, "joe@bloggs.com")
    assert judged.reward == (COINS.id, 50, 100, ())
    assert judge_fact(judged) is None


@pytest.mark.requirement("ON3-1")
@pytest.mark.parametrize(
    ("kind", "value"),
    [
        (IdentifierKind.WALLET_ADDRESS, "0x" + "0" * 39),
        # One letter in the wrong case: the checksum does not match.
        (IdentifierKind.WALLET_ADDRESS, "0xD03ea8624C8C5987235048901fB614fDcA89b117"),
        (IdentifierKind.DISCORD_ID, "pete"),
        (IdentifierKind.TWITTER_ID, "@pete"),
        (IdentifierKind.EMAIL, "joe.bloggs.com"),
        (IdentifierKind.MOBILE, "90123456"),
        (IdentifierKind.EXTERNAL_ID, ""),
        (None, "mem_1"),
        (None, str(MEMBER_ID)),
    ],
)
def test_identifier_must_be_valid_for_its_type(kind: IdentifierKind | None, value: str) -> None:
    (reason,) = reasons_of_form(recipient=Recipient(kind, value))
    assert reason.startswith("identifierValue must ")
    assert reason.endswith(".")


@pytest.mark.requirement("ON3-1")
def test_member_id_names_a_recipient() -> None:
    recipient = Recipient(None, encode_id(IdKind.MEMBER, MEMBER_ID))
    assert judge_form(recipient=recipient).member_key == (None, str(MEMBER_ID))


@pytest.mark.requirement("ON3-2")
def test_line_needs_at_least_one_reward() -> None:
    assert reasons_of_form(currency_id=None, amount=None, experience_points=None) == [
        "A line needs a currencyReward, an xpReward, or both."
    ]
    assert reasons_of_form(currency_id=None, amount=None) == []
    assert reasons_of_form(experience_points=None) == []


@pytest.mark.requirement("ON3-3")
@pytest.mark.parametrize("currency_id", ["", "1", "not a guid", f"mem_{COINS.id}", f"{COINS.id} "])
def test_currency_id_must_be_a_guid(currency_id: str) -> None:
    assert reasons_of_form(currency_id=currency_id) == ["currencyReward.currencyId must be a GUID."]


@pytest.mark.requirement("ON3-3")
@pytest.mark.parametrize("spelled", [str(COINS.id).upper(), str(COINS.id).title()])
def test_guid_may_be_written_in_capitals(spelled: str) -> None:
    assert judge_form(currency_id=spelled).reward.currency_id == COINS.id


@pytest.mark.requirement("ON3-3")
@pytest.mark.parametrize(
    ("amount", "reason"),
    [
        (None, "must be a whole number"),
        ("0.5", "must be a whole number"),
        ("-1.000001", "must be a whole number"),
        ("NaN", "must be a whole number"),
        ("sNaN", "must be a whole number"),
        ("Infinity", "must be a whole number"),
        ("0", "must not be 0"),
        ("-0.00", "must not be 0"),
        ("1000000000000001", "is too large"),
        ("-1000000000000001", "is too large"),
        ("1" + "0" * 29, "is too large"),
        ("1E+999999", "is too large"),
    ],
)
def test_amount_must_be_a_whole_number_but_not_zero(amount: str | None, reason: str) -> None:
    given = None if amount is None else Decimal(amount)
    assert reasons_of_form(amount=given) == [f"currencyReward.amount {reason}."]


@pytest.mark.requirement("ON3-3")
@pytest.mark.parametrize(
    ("amount", "whole"), [("1", 1), ("-100", -100), ("5.00", 5), ("1E+3", 1000)]
)
def test_whole_amounts_are_taken(amount: str, whole: int) -> None:
    assert judge_form(amount=Decimal(amount)).reward.amount == whole


@pytest.mark.requirement("ON3-3")
@pytest.mark.parametrize(
    ("points", "reason"),
    [
        (0, "must be a whole number above 0"),
        (-1, "must be a whole number above 0"),
        (AMOUNT_MINOR_MAX + 1, "is too large"),
        (2**64, "is too large"),
    ],
)
def test_experience_points_must_be_positive(points: int, reason: str) -> None:
    assert reasons_of_form(experience_points=points) == [f"xpReward {reason}."]


@pytest.mark.requirement("ON3-2")
def test_reasons_of_form_and_of_fact_are_listed_together() -> None:
    refusal = judge_fact(judge_form(currency_id=str(new_id()), amount=Decimal(0)), None)
    assert refusal is not None
    assert refusal.code is StatusCode.INVALID_LINE
    assert refusal.reasons == (
        "currencyReward.amount must not be 0.",
        "No member has this identifier.",
        "No such currency.",
    )


@pytest.mark.requirement("ON3-2")
def test_unknown_recipient_alone_has_a_code_of_its_own() -> None:
    refusal = judge_fact(judge_form(), None)
    assert refusal == Refusal(StatusCode.RECIPIENT_NOT_FOUND, ("No member has this identifier.",))


@pytest.mark.requirement("ON3-2")
@pytest.mark.parametrize("asset", [CASH, EXPERIENCE])
def test_only_currencies_and_points_can_be_distributed(asset: Asset) -> None:
    refusal = judge_fact(judge_form(currency_id=str(asset.id)))
    assert refusal is not None
    assert refusal.reasons == ("No such currency.",)


@pytest.mark.requirement("ON3-3")
def test_amount_is_bounded_in_smallest_units() -> None:
    largest = Decimal(AMOUNT_MINOR_MAX // 100)
    for amount, reasons in (
        (largest, None),
        (-largest, None),
        (largest + 1, ("currencyReward.amount is too large.",)),
        (-largest - 1, ("currencyReward.amount is too large.",)),
    ):
        refusal = judge_fact(judge_form(currency_id=str(MILES.id), amount=amount))
        assert (None if refusal is None else refusal.reasons) == reasons


@pytest.mark.requirement("ON3-3")
def test_credit_comes_from_issuance_and_deduction_goes_to_redemption() -> None:
    def account(asset: Asset, kind: OwnerKind) -> Account:
        member = kind is OwnerKind.MEMBER
        return Account(asset.id, kind, MEMBER_ID if member else CALLER.organization_id)

    experience = Transfer(
        account(EXPERIENCE, OwnerKind.ISSUANCE), account(EXPERIENCE, OwnerKind.MEMBER), 100
    )
    credit = judge_form(currency_id=str(MILES.id))
    assert plan_transfers(credit) == (
        Transfer(account(MILES, OwnerKind.ISSUANCE), account(MILES, OwnerKind.MEMBER), 5_000),
        experience,
    )
    deduction = judge_form(amount=Decimal(-7), experience_points=None)
    assert plan_transfers(deduction) == (
        Transfer(account(COINS, OwnerKind.MEMBER), account(COINS, OwnerKind.REDEMPTION), 7),
    )
    alone = judge_form(currency_id=None, amount=None)
    assert plan_transfers(alone) == (experience,)


@pytest.mark.requirement("ON3-4")
def test_spellings_of_one_line_have_one_fingerprint() -> None:
    respelled = judge_form(
        recipient=Recipient(IdentifierKind.EMAIL, "Joe@Bloggs.com"),
        currency_id=str(COINS.id).upper(),
        amount=Decimal("50.00"),
    )
    assert respelled.fingerprint == judge_form().fingerprint
    changes: tuple[dict[str, Any], ...] = (
        {"amount": Decimal(51)},
        {"experience_points": None},
        {"currency_id": str(MILES.id)},
        {"recipient": Recipient(IdentifierKind.EXTERNAL_ID, "joe@bloggs.com")},
    )
    for change in changes:
        assert judge_form(**change).fingerprint != judge_form().fingerprint


def test_lines_that_say_the_same_share_one_reward() -> None:
    spelled = LINE._replace(amount=Decimal("50.00"))
    other = LINE._replace(amount=Decimal(51))
    first, same, different = judge_forms([LINE, spelled, other])
    assert first.reward is same.reward
    assert different.reward.amount == 51


def test_rule_that_one_line_breaks_is_not_held_against_its_neighbors() -> None:
    stranger = LINE._replace(recipient=Recipient(IdentifierKind.EMAIL, "nobody"))
    nonsense = LINE._replace(amount=Decimal("sNaN"))
    assert [len(line.reasons) for line in judge_forms([stranger, LINE, nonsense, LINE])] == [
        1,
        0,
        1,
        0,
    ]


class Compared(Decimal):
    """A number that counts how often it is compared with another."""

    count = 0

    def __eq__(self, other: object) -> bool:
        Compared.count += 1
        return super().__eq__(other)

    __hash__ = Decimal.__hash__


def test_amounts_made_to_share_one_hash_are_not_compared_with_each_other() -> None:
    """Numbers are hashed by their remainder: whoever knows it could make each look-up walk past all earlier ones."""
    lines = [
        LINE._replace(amount=Compared(10**18 + number * (2**61 - 1))) for number in range(2_000)
    ]
    assert len({hash(line.amount) for line in lines}) == 1
    Compared.count = 0
    judged = judge_forms(lines)
    # A few for each line; with each other it would be a million times two.
    assert Compared.count <= 10 * len(lines)
    assert {line.reasons for line in judged} == {("currencyReward.amount is too large.",)}
