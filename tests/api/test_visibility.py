"""A member's token shows what is theirs, whichever way the thing is reached."""

from __future__ import annotations

from typing import Any

import pytest

from gateway.errors import Forbidden
from gateway.ids import IdKind, encode_id
from gateway.storage.database import Database
from tests.issuing_cases import add_group
from tests.use_cases import give_points
from tests.wallets import Wallets, open_wallets

WHOLE = """id displayName externalId createdAt identifiers { identifierValue } balances { available } cards { number }
  labels { name } ledgerEntries(first: 5) { edges { node { amount } } } grants { totalCount } holds { totalCount }
  notifications { totalCount } nextExpirations { amount }"""
FAMILY = f"""{{ me {{ groups {{ id balances {{ available }} primaryMember {{ {WHOLE}
  groups {{ primaryMember {{ {WHOLE} }} }} }} }} }} }}"""


@pytest.fixture
async def wallets(database: Database) -> Wallets:
    return await open_wallets(database)


async def test_member_reads_nothing_of_who_stands_for_their_group(wallets: Wallets) -> None:
    ann, joe = await wallets.add_members(2)
    await give_points(wallets.shop, ann, 50)
    group = await add_group(wallets.shop, ann, joe)
    group_id = encode_id(IdKind.GROUP, group.id)

    async def groups_of(member_id: Any) -> Any:
        return (await wallets.read(FAMILY, None, wallets.as_member(member_id)))["me"]["groups"]

    assert await groups_of(joe) == [{"id": group_id, "balances": [], "primaryMember": None}]
    ((own,),) = (await groups_of(ann),)
    assert own["primaryMember"]["id"] == encode_id(IdKind.MEMBER, ann)
    assert own["primaryMember"]["groups"][0]["primaryMember"]["balances"] == [{"available": "50"}]


async def test_member_learns_no_other_name_of_their_group(wallets: Wallets) -> None:
    ann, joe = await wallets.add_members(2)
    group = await add_group(wallets.shop, ann, joe)
    query = "query ($by: GroupRef!) { group(by: $by) { id } }"
    group_id = encode_id(IdKind.GROUP, group.id)
    guess = {"primaryMember": {"externalId": f"customer-{ann}"}}
    for caller, by, seen in (
        (wallets.caller, guess, True),
        (wallets.as_member(joe), guess, False),
        (wallets.as_member(joe), {"id": group_id}, True),
    ):
        found = await wallets.read(query, {"by": by}, caller)
        assert found == {"group": {"id": group_id} if seen else None}


@pytest.mark.parametrize(
    ("query", "path"),
    [
        ('{ grants(filter: {clientReference: "x"}) { totalCount } }', "filter"),
        ('{ me { grants(filter: {clientReference: "x"}) { totalCount } } }', "filter"),
        ('{ grantTotals(groupBy: DAY, filter: {clientReference: "x"}) { key } }', "filter"),
        ("{ grantTotals(groupBy: CAMPAIGN) { key } }", "groupBy"),
    ],
)
async def test_member_cannot_find_out_by_guessing_what_is_the_partners(
    wallets: Wallets, query: str, path: str
) -> None:
    (member_id,) = await wallets.add_members()
    _, (error,) = await wallets.run(query, None, wallets.as_member(member_id))
    assert isinstance(error.original_error, Forbidden)
    assert error.original_error.path[0] == path
    _, errors = await wallets.run(query, None, wallets.caller)
    assert errors == []
