"""Whose things a member's token and a partner's see."""

from __future__ import annotations

from gateway.access import Caller, Scope, StandardAssets
from gateway.ids import new_id
from gateway.visibility import (
    Visibility,
    can_see_member,
    is_partner,
    visible_members,
    visible_to,
)

ANN, JOE = new_id(), new_id()
ORGANIZATION_ID = new_id()
ASSETS = StandardAssets(new_id(), new_id(), new_id())
PARTNER = Caller(new_id(), ORGANIZATION_ID, new_id(), frozenset({Scope.READ}), ASSETS)
MEMBER = Caller(new_id(), ORGANIZATION_ID, ANN, frozenset({Scope.MEMBER}), ASSETS, member_id=ANN)


def test_member_sees_themselves_and_what_is_their_own() -> None:
    assert not is_partner(MEMBER)
    assert visible_to(MEMBER) == Visibility(None, ANN)
    assert visible_members(MEMBER, [JOE, ANN, JOE]) == [ANN]
    assert [can_see_member(MEMBER, member_id) for member_id in (ANN, JOE)] == [True, False]


def test_partner_sees_every_member_and_what_is_its_organizations() -> None:
    assert is_partner(PARTNER)
    assert visible_to(PARTNER) == Visibility(ORGANIZATION_ID, None)
    assert visible_members(PARTNER, [JOE, ANN]) == [JOE, ANN]
    assert [can_see_member(PARTNER, member_id) for member_id in (ANN, JOE)] == [True, True]
