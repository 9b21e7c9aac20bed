"""Whoever asks for everything gets what belongs to them: members' tokens and each partner scope, from every root field, six levels deep."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest

from gateway.access import PARTNER_SCOPES, Caller, Scope
from gateway.storage.database import Database
from resolvers.visibility.rules import RULES, Audience
from tests.marked_world import POINTS, SCHEMA, Corner, open_corners
from tests.schema_walk import Answer, Walker
from tests.walk_arguments import MUTATIONS, QUERIES, to_input

Corners = tuple[Corner, Corner, Corner]
UUIDS = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")
# What a member may call; and what anybody may ask of keys, which are their own.
FOR_MEMBERS = {"claimRewards", "markNotificationsRead", "requestValidationCode", "fenceOperation"}
# There are groups in one of the corners only; and the members of its tenant are that one's.
OF_GROUPS = {"setGroupMembers", "fundGroup"}
OF_MEMBERS = {"createMemberToken", "linkIdentifier", "setMemberCards", "setMemberLabels"}
NOT_DONE = {"a": set(), "b": OF_GROUPS | OF_MEMBERS, "c": OF_GROUPS}
# Texts by the first word of what they are, and the scopes of which one is needed to read them.
NEEDED = {
    "profile": {Scope.READ, Scope.MEMBERS},
    "wallet": {Scope.READ},
    "label": {Scope.READ},
    **{what: {Scope.READ, Scope.CATALOG} for what in ("host", "template", "header", "never")},
}
# Everything that has an owner: tenant, organization or null, member or null, id.
OWNED = """
SELECT tenant_id, NULL::uuid AS organization_id, id AS member_id, id FROM members
UNION ALL SELECT tenant_id, organization_id, member_id, id FROM grants
UNION ALL SELECT tenant_id, organization_id, member_id, id FROM reservations
UNION ALL SELECT notifications.tenant_id, organization_id, notifications.member_id, notifications.id
    FROM notifications JOIN grants ON grants.tenant_id = notifications.tenant_id AND grants.id = grant_id
UNION ALL SELECT tenant_id, organization_id, NULL, id FROM campaigns
UNION ALL SELECT tenant_id, organization_id, NULL, id FROM code_pools
UNION ALL SELECT tenant_id, organization_id, NULL, id FROM vendors
UNION ALL SELECT tenant_id, organization_id, NULL, id FROM segments
UNION ALL SELECT tenant_id, organization_id, NULL, id FROM tills
UNION ALL SELECT tenant_id, organization_id, NULL, id FROM rewards
    WHERE NOT EXISTS (SELECT FROM grants WHERE grants.tenant_id = rewards.tenant_id AND reward_id = rewards.id)
UNION ALL SELECT tenant_id, partner_id, partner_id, id FROM operations
"""


@pytest.fixture
async def corners(database: Database) -> Corners:
    return await open_corners(database)


def test_every_root_field_is_walked() -> None:
    query, mutation = SCHEMA._schema.query_type, SCHEMA._schema.mutation_type
    assert query is not None
    assert mutation is not None
    assert set(QUERIES) == set(query.fields)
    assert set(MUTATIONS) == set(mutation.fields)


async def walk_queries(walker: Walker, *asked_about: Corner) -> Answer:
    """Ask every query about what there is in these corners."""
    answer = Answer()
    for name, arguments in QUERIES.items():
        for text in dict.fromkeys(text for corner in asked_about for text in arguments(corner)):
            answer.add(await walker.query(name, text), sent=text)
    return answer


async def walk_mutations(walker: Walker, asked_about: Corner, caller: Caller) -> Answer:
    """Call every mutation about what there is in this corner."""
    answer = Answer()
    for name in MUTATIONS:
        given = to_input(name, asked_about)
        if caller.member_id is not None:
            given.pop("member", None) if name in FOR_MEMBERS else None
        answer.add(await walker.mutate(name, given), sent=str(given))
    return answer


async def foreign_ids(corner: Corner, caller: Caller) -> set[str]:
    """Return the ids of everything that has an owner and is not the caller's."""

    def is_own(row: Any) -> bool:
        if row["tenant_id"] != caller.tenant_id:
            return False
        if caller.member_id is not None:
            return bool(row["member_id"] == caller.member_id)
        return row["organization_id"] in {None, caller.organization_id, caller.partner_id}

    rows = await corner.database.fetch(OWNED)
    return {str(row["id"]) for row in rows if not is_own(row)}


def codes_of(name: str, *corners: Corner) -> set[str]:
    """Return the owners that the coupon codes of a member are marked with."""
    return {code for corner in corners for code, holder in corner.codes.items() if holder == name}


def uuids_in(answer: Answer) -> set[str]:
    return {found for text in answer.texts for found in UUIDS.findall(text)}


def foreign_amounts(answer: Answer, *names: str) -> Iterator[str]:
    """Give the amounts that say that somebody else has them."""
    for name, points in POINTS.items():
        if name not in names:
            prefix = str(points)[:2]
            yield from (text for text in answer.texts if re.fullmatch(rf"-?{prefix}\d{{5}}", text))


async def test_member_gets_nothing_but_their_own(corners: Corners) -> None:
    a, b, c = corners
    joe = a.as_member("joe")
    assert joe.member_id is not None
    walker = Walker(lambda: a.context(joe), first=40, below=1)
    answer = await walk_queries(walker, a, b, c)
    await assert_ids_give(walker, answer, without_rewards=True)
    answer.add(await walk_mutations(walker, a, joe))
    own = {"joe", "opena", "openb", "asseta", "assetb"} | codes_of("joe", a, b)
    assert answer.owners <= own, sorted(answer.marks)
    assert answer.types >= {f"{name[0].upper()}{name[1:]}Payload" for name in FOR_MEMBERS}
    # The walk has come everywhere: all of their own was seen.
    assert answer.owners == own
    assert {what for owner, what in answer.marks if owner == "joe"} == {
        "profile", "wallet", "member", "group",
    }  # fmt: skip
    assert uuids_in(answer) & await foreign_ids(a, joe) == set()
    assert list(foreign_amounts(answer, "joe")) == []
    partners = {name for name, rule in RULES.items() if rule.audience is Audience.PARTNERS}
    assert answer.types & partners == set()
    # Nothing of what is theirs is lost because something beside it is not: but for root fields, what is refused is of partners.
    refused_types = {name.partition("__")[0] for name in walker.refused}
    assert refused_types <= partners


async def assert_ids_give(walker: Walker, answer: Answer, *, without_rewards: bool) -> None:
    """Assert that whatever was reached is what its id gives; but for rewards as they were, which are a grant's part."""
    reached = sorted(
        id for name, id in answer.nodes
        if not (without_rewards and name.endswith("Reward")) and name not in {"Till", "Organization"}
        and name not in {"PaymentConfig", "Operation"}
    )  # fmt: skip
    missing = []
    for start in range(0, len(reached), 100):
        ids = reached[start : start + 100]
        missing += [id for id, found in zip(ids, await walker.find(ids), strict=True) if not found]
    assert reached
    assert missing == []


@pytest.mark.parametrize("name", ["a", "b", "c"])
async def test_partner_gets_nothing_of_others(corners: Corners, name: str) -> None:
    (corner,) = (each for each in corners if each.name == name)
    walker = Walker(corner.context, first=2, below=1)
    answer = await walk_queries(walker, *corners)
    tenant = corner.tenant
    own = {name, f"open{name}", f"tenant{tenant}", f"asset{name}", *corner.members}
    codes = set(corner.codes)
    assert answer.owners <= own | codes, sorted(answer.marks)
    assert own <= answer.owners
    assert uuids_in(answer) & await foreign_ids(corner, corner.caller) == set()
    assert list(foreign_amounts(answer, *corner.members)) == []
    await assert_ids_give(walker, answer, without_rewards=False)
    called = await walk_mutations(walker, corner, corner.caller)
    done = set(MUTATIONS) - {"markNotificationsRead"} - NOT_DONE[name]
    assert {f"{each[0].upper()}{each[1:]}Payload" for each in done} <= called.types
    assert called.owners <= own | codes


@pytest.mark.parametrize("scope", sorted(PARTNER_SCOPES))
async def test_one_scope_reads_no_more_than_it_is_for(corners: Corners, scope: Scope) -> None:
    a, b, c = corners
    # Its tills would want a code; the second scope alone reads nothing, as its own walk shows.
    scopes = {scope, Scope.SKIP_VALIDATION} if scope is Scope.ISSUE else {scope}
    caller = replace(a.caller, scopes=frozenset(scopes))
    walker = Walker(lambda: a.context(caller), first=2, below=1)
    answer = await walk_mutations(walker, a, caller)
    if scope is not Scope.READ:
        # Whoever may read is walked with all scopes.
        answer.add(await walk_queries(walker, a, b, c))
    assert answer.owners <= {"a", "opena", "tenant1", "asseta", *a.members, *a.codes}
    assert uuids_in(answer) & await foreign_ids(a, caller) == set()
    seen = {what for _, what in answer.marks}
    assert {
        what for what, scopes in NEEDED.items() if what in seen and scope not in scopes
    } == set()
