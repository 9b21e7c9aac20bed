"""What an organization owns is its own: every kind of thing, everything that can be done with it, and every kind of caller."""

from __future__ import annotations

from dataclasses import dataclass

import pytest

from gateway.access import Caller
from gateway.storage.database import Database
from gateway.verifying.verify import verify
from tests.catalog import open_shop
from tests.issuing_cases import add_child, reaching
from tests.owned_things import ACTIONS, attempt, make_mine, make_things
from tests.use_cases import as_member, snapshot

DONE = "done"
GOLD_IS_ANOTHERS = (
    "rejected: currencyReward.currencyId: The asset GOLD is another organization's, which does not name this one as an issuer: "
    "only the owner and its issuers credit, deduct or fund it."
)


@dataclass(frozen=True, slots=True)
class Answers:
    """What each caller but the owner is answered: unrelated ones of the tenant, one that reaches the owner, another tenant's.

    Another tenant's caller is answered as unrelated ones are, if nothing else is said; a member's token lacks the scope.
    """

    unrelated: str
    reaching: str
    stranger: str | None = None
    member: str = "Forbidden"


def only_the_owners(answer: str, stranger: str | None = None) -> Answers:
    return Answers(answer, answer, stranger)


NO_MEMBER = "NotFound member"
NOT_REACHED = "OutOfReach dataScopeOrgIds.0"
MATRIX = {
    "asset: reward that gives it": Answers(
        "InvalidInput exists config.points.assetId", "InvalidInput issuer config.points.assetId"
    ),
    "asset: reward changed to give it": Answers(
        "InvalidInput exists config.points.assetId", "InvalidInput issuer config.points.assetId"
    ),
    "asset: price in it": Answers(
        "InvalidInput exists paymentConfigs.0.assetId",
        "InvalidInput issuer paymentConfigs.0.assetId",
    ),
    "asset: campaign's budget of it": Answers(
        "InvalidInput exists budgetAssetId", "InvalidInput issuer budgetAssetId"
    ),
    "asset: distribute": Answers(
        "rejected: No such currency.", GOLD_IS_ANOTHERS, "rejected: No member has this identifier."
    ),
    "asset: deduct": Answers(
        "rejected: No such currency.", GOLD_IS_ANOTHERS, "rejected: No member has this identifier."
    ),
    "asset: reserve": Answers("NotFound assetId", "OutOfReach assetId", NO_MEMBER),
    "asset: fund a group of one's own": Answers(
        "InvalidInput exists assetId", "OutOfReach assetId"
    ),
    "asset: name issuers": Answers("NotFound assetId", "OutOfReach assetId"),
    "group: change members": Answers("NotFound groupId", "OutOfReach groupId"),
    "group: fund": Answers("NotFound group", "OutOfReach group", NO_MEMBER),
    "group: fund by external id": Answers("NotFound group", "OutOfReach group", NO_MEMBER),
    "group: pay for one's own reward": only_the_owners("NotFound group", NO_MEMBER),
    "group: pay in a connected call": Answers(NOT_REACHED, DONE),
    "segment: change members": only_the_owners("NotFound segmentId"),
    "segment: reserve a reward for it": only_the_owners("InvalidInput exists segmentIds.0"),
    "reward: grant": only_the_owners("NotFound reward.rewardId", NO_MEMBER),
    "reward: issue": only_the_owners("REWARD_NOT_FOUND", NO_MEMBER),
    "reward: issue in a connected call": Answers(NOT_REACHED, DONE),
    "reward: update": only_the_owners("NotFound id"),
    "reward: campaign over it": only_the_owners("InvalidInput exists tiers.0.rewardIds.0"),
    "reward: delete": only_the_owners("NotFound id"),
    "product: restock": only_the_owners("NotFound productId"),
    "product: reward of it": only_the_owners("InvalidInput exists config.product.productId"),
    "competition: reward of it": only_the_owners(
        "InvalidInput exists config.competitionEntry.competitionId"
    ),
    "pool: load codes": only_the_owners("NotFound codePoolId"),
    "pool: reward of it": only_the_owners("InvalidInput exists config.uniqueCoupon.codePoolId"),
    "vendor: update": only_the_owners("NotFound id"),
    "vendor: reward of it": only_the_owners("InvalidInput exists config.vendorVoucher.vendorId"),
    "campaign: update": only_the_owners("NotFound id"),
    "campaign: fund": only_the_owners("NotFound campaignId"),
    "till: request a code": Answers(
        "NotFound tillId", DONE, NO_MEMBER, "InvalidInput unexpected member"
    ),
    "till: declare one": Answers("OutOfReach orgId", DONE),
    # Another tenant has members of its own, of the same external id.
    "member: rename": Answers("OutOfReach displayName", DONE, DONE),
    "member: add an identifier": Answers("OutOfReach identifiers", DONE, DONE),
    "member: say what is": Answers(DONE, DONE, DONE),
    "member: link an identifier": Answers("OutOfReach identifier", DONE, NO_MEMBER),
    "member: set cards": Answers("OutOfReach member", DONE, NO_MEMBER),
    "member: set labels": Answers("OutOfReach member", DONE, NO_MEMBER),
    "member: make a token": Answers("OutOfReach member", DONE, NO_MEMBER),
    "grant: move to a stage": only_the_owners("NotFound grantId"),
    "grant: claim for the member": Answers(
        "GRANT_NOT_FOUND", "GRANT_NOT_FOUND", NO_MEMBER, member=DONE
    ),
    "grant: reverse its transaction": only_the_owners("NotFound target.transactionId"),
    "grant: reverse": only_the_owners("NotFound grantId"),
    "hold: capture": only_the_owners("NotFound holdId"),
    "hold: release": only_the_owners("NotFound holdId"),
}
# Answers that must not tell another's from nothing's.
_HIDING = ("NotFound", "InvalidInput exists", "REWARD_NOT_FOUND", "GRANT_NOT_FOUND", "rejected: No")


def test_every_action_is_in_the_matrix() -> None:
    assert set(MATRIX) == set(ACTIONS)


@pytest.mark.requirement("MON-13", "CAP-12", "CAP-13")
@pytest.mark.parametrize("name", MATRIX)
async def test_who_may_do_what_with_whose(database: Database, name: str) -> None:
    answers, action = MATRIX[name], ACTIONS[name]
    shop = await open_shop(database)
    child = await add_child(shop)
    owned = await make_things(child)
    stranger = (await open_shop(database)).caller
    own = await make_mine(database, child.caller, owned)
    # The member claims what nobody else could; who may do it comes last.
    tries: list[tuple[Caller, str]] = [
        (stranger, answers.stranger or answers.unrelated),
        (shop.neighbor, answers.unrelated),
        (shop.caller, answers.unrelated),
        (reaching(shop, child), answers.reaching),
    ]
    for caller, expected in tries:
        mine = await make_mine(database, caller, owned)
        before = await snapshot(database)
        assert await attempt(database, caller, action, owned, mine) == expected, caller
        if expected != DONE:
            assert await snapshot(database) == before
        if expected.startswith(_HIDING):
            vanished = owned.vanished()
            assert await attempt(database, caller, action, vanished, mine) == expected
    member = as_member(child, owned.member_id)
    before = await snapshot(database)
    assert await attempt(database, member, action, owned, own) == answers.member
    if answers.member != DONE:
        assert await snapshot(database) == before
        assert await attempt(database, child.caller, action, owned, own) == DONE
    assert await verify(database) == []
