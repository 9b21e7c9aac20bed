"""Anything answered can be fetched again by its id, by whoever may see it and by nobody else."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest

from gateway.access import Caller, Scope
from gateway.errors import Forbidden, InvalidInput, Unauthenticated
from gateway.ids import IdKind, decode_id, encode_id, new_id, new_ids
from gateway.ledger.statement import encode_entry_id
from gateway.rewards.types.points import PointsDraft
from gateway.storage.database import Database
from resolvers.node import NODES_MAX
from resolvers.queries.node import LOADS
from tests.issuing_cases import add_group, add_segment
from tests.wallets import Wallets, logged_statements, open_wallets

UNKNOWN = "01a20712-c409-7ff2-82b0-0984fa53a871"
NODES = "query ($ids: [ID!]!) { nodes(ids: $ids) { __typename id } }"
# They are shown by their parents, or only named: nothing answers them as nodes.
NOT_NODES = {
    IdKind.TRANSACTION,
    IdKind.ORGANIZATION,
    IdKind.PAYMENT_CONFIG,
    IdKind.OPERATION,
    IdKind.TILL,
}


@pytest.fixture
async def wallets(database: Database) -> Wallets:
    return await open_wallets(database)


async def fetch(wallets: Wallets, ids: list[str], caller: Caller | None = None) -> list[Any]:
    data = await wallets.read(NODES, {"ids": ids}, caller)
    return [node and node["__typename"] for node in data["nodes"]]


async def make_everything(wallets: Wallets) -> dict[str, str]:
    """Make one of everything that is a node, and return the ids by type."""
    (member_id,) = await wallets.add_members()
    reward = await wallets.shop.create_reward(PointsDraft(Decimal(10)))
    (grant,) = await wallets.grant(member_id, reward)
    notification_id = new_id()
    await wallets.database.fetch(
        "INSERT INTO notifications (tenant_id, id, member_id, grant_id, text, created_at) VALUES ($1, $2, $3, $4, $5, $6)",
        wallets.caller.tenant_id,
        notification_id,
        member_id,
        grant.id,
        "Hello",
        wallets.at,
    )
    return {
        "Member": encode_id(IdKind.MEMBER, member_id),
        "Grant": encode_id(IdKind.GRANT, grant.id),
        "LedgerEntry": encode_entry_id(grant.transaction_id, 1),
        "Notification": encode_id(IdKind.NOTIFICATION, notification_id),
        "Asset": str(wallets.caller.standard_assets.points_id),
        "PointsReward": encode_id(IdKind.REWARD, reward.id),
        "Product": encode_id(IdKind.PRODUCT, await wallets.shop.create_product()),
        "Competition": encode_id(IdKind.COMPETITION, await wallets.shop.create_competition()),
        "CodePool": encode_id(IdKind.CODE_POOL, await wallets.shop.create_pool()),
        "Group": encode_id(IdKind.GROUP, (await add_group(wallets.shop, member_id)).id),
        "Segment": encode_id(IdKind.SEGMENT, await add_segment(wallets.shop, member_id)),
    }


def test_every_kind_of_id_is_a_node_or_known_not_to_be() -> None:
    assert set(LOADS) | NOT_NODES == set(IdKind)


@pytest.mark.requirement("ALL-3")
async def test_nodes_are_found_by_id(wallets: Wallets) -> None:
    made = await make_everything(wallets)
    assert await fetch(wallets, list(made.values())) == list(made)
    for name, public_id in made.items():
        data = await wallets.read(
            "query ($id: ID!) { node(id: $id) { __typename id } }", {"id": public_id}
        )
        assert data["node"] == {"__typename": name, "id": public_id}


@pytest.mark.requirement("MON-13")
async def test_another_organization_sees_only_what_the_tenant_shares(wallets: Wallets) -> None:
    made = await make_everything(wallets)
    found = await fetch(wallets, list(made.values()), wallets.shop.neighbor)
    shared = {"Member", "LedgerEntry", "Asset"}
    assert found == [name if name in shared else None for name in made]


@pytest.mark.requirement("MON-13")
async def test_another_tenant_sees_nothing(wallets: Wallets) -> None:
    made = await make_everything(wallets)
    stranger = replace(wallets.caller, tenant_id=new_id())
    assert await fetch(wallets, list(made.values()), stranger) == [None] * len(made)


async def test_member_sees_their_own_and_no_catalog(wallets: Wallets) -> None:
    made = await make_everything(wallets)
    member_id = decode_id(IdKind.MEMBER, made["Member"])
    assert member_id is not None
    found = await fetch(wallets, list(made.values()), wallets.as_member(member_id))
    own = {"Member", "Grant", "LedgerEntry", "Notification", "Asset", "Group"}
    assert {name for name in found if name} >= own
    assert found[list(made).index("PointsReward")] is None
    assert found[list(made).index("Segment")] is None


async def test_member_sees_nothing_of_another_member(wallets: Wallets) -> None:
    made = await make_everything(wallets)
    (other_id,) = await wallets.add_members()
    private = ["Member", "Grant", "LedgerEntry", "Notification"]
    ids = [made[name] for name in private]
    assert await fetch(wallets, ids, wallets.as_member(other_id)) == [None] * len(private)


@pytest.mark.parametrize(
    "public_id",
    [
        "", "x", "mem_", "mem_x", "XT_", "ent_", "ent_x_1", f"ent_{UNKNOWN}", f"ent_{UNKNOWN}_", f"ent_{UNKNOWN}_01",
        f"ent_{UNKNOWN}_-1", f"ent_{UNKNOWN}_99999999999", f"ent_{UNKNOWN}_1", f"XT_{UNKNOWN}", f"xt_{UNKNOWN}",
        f"mem_{UNKNOWN}", f"mem_{UNKNOWN.upper()}", f"txn_{UNKNOWN}", f"op_{UNKNOWN}", UNKNOWN, "\ud800",
        "mem_\x00", "9" * 10_000,
    ],
)  # fmt: skip
async def test_anything_else_is_null(wallets: Wallets, public_id: str) -> None:
    assert await fetch(wallets, [public_id]) == [None]


async def test_nodes_keep_their_order_and_repeats(wallets: Wallets) -> None:
    made = await make_everything(wallets)
    member, grant = made["Member"], made["Grant"]
    found = await wallets.read(NODES, {"ids": [grant, member, "mem_x", grant]})
    assert [node and node["id"] for node in found["nodes"]] == [grant, member, None, grant]


async def test_many_nodes_take_one_statement_for_each_kind(wallets: Wallets) -> None:
    members = await wallets.add_members(30)
    reward = await wallets.shop.create_reward(PointsDraft(Decimal(10)))
    ids = []
    for member_id in members:
        (grant,) = await wallets.grant(member_id, reward)
        ids += [
            encode_id(IdKind.GRANT, grant.id),
            encode_id(IdKind.MEMBER, member_id),
            encode_entry_id(grant.transaction_id, 1),
        ]
    await fetch(wallets, ids)
    with logged_statements(wallets.database) as statements:
        assert None not in await fetch(wallets, ids)
    assert len(statements) == 3


async def test_too_many_nodes_are_refused(wallets: Wallets) -> None:
    ids = [encode_id(IdKind.GRANT, id) for id in new_ids(NODES_MAX + 1)]
    _, (error,) = await wallets.run(NODES, {"ids": ids}, wallets.caller)
    assert isinstance(error.original_error, InvalidInput)


async def test_reading_needs_a_credential_and_a_scope(wallets: Wallets) -> None:
    _, (error,) = await wallets.run(NODES, {"ids": []}, None)
    assert isinstance(error.original_error, Unauthenticated)
    granter = replace(wallets.caller, scopes=frozenset({Scope.GRANT}))
    _, (error,) = await wallets.run(NODES, {"ids": []}, granter)
    assert isinstance(error.original_error, Forbidden)
