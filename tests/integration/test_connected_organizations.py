"""A call issues for its own organization, or for others that its credential reaches (CAP-13)."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any
from uuid import UUID

import pytest

from gateway.access import PARTNER_SCOPES, Caller
from gateway.errors import InvalidInput, NotFound, OutOfReach
from gateway.grants.status import StatusCode
from gateway.ids import new_id
from gateway.issuing.custom_fields.model import CustomFieldType, GivenField
from gateway.issuing.model import IssuanceOutcome, IssueItem
from gateway.issuing.scope import DataScope, OrganizationDetails
from gateway.ledger.model import Account, OwnerKind
from gateway.operations.model import IdempotencyConflict
from gateway.storage.database import Database
from gateway.tenants.credentials import authenticate, create_partner_token
from gateway.tenants.founding import create_organization
from gateway.tenants.model import OrganizationReference
from gateway.verifying.verify import verify
from tests.catalog import Shop, open_shop
from tests.issuing_cases import (
    add_child,
    add_group,
    add_segment,
    by_id,
    declare_field,
    declare_stages,
    fund,
    mug,
    organization,
    reaching,
)
from tests.use_cases import (
    NUL,
    add_member,
    balance,
    codes_of,
    costing,
    count,
    find_broken,
    give_points,
    issue,
    item,
    points_of,
    snapshot,
)

NOWHERE = OrganizationReference(None, "org_nonsense")


@pytest.fixture
async def shop(database: Database) -> AsyncIterator[Shop]:
    yield await open_shop(database)
    assert await find_broken(database) == {}
    assert await verify(database) == []


def of(shop: Shop) -> OrganizationReference:
    return organization(shop.caller.organization_id)


async def issue_elsewhere(
    shop: Shop,
    caller: Caller,
    member_id: UUID,
    *items: IssueItem,
    scope: tuple[OrganizationReference, ...],
    key: str = "1",
    **fields: Any,
) -> IssuanceOutcome:
    return await issue(
        shop,
        key,
        member_id,
        *items,
        caller=caller,
        data_scope=DataScope.OTHER,
        organizations=scope,
        **fields,
    )


async def redeemed(shop: Shop) -> int:
    """Return what an organization has taken as payment: its account has entries and no row."""
    account = Account(points_of(shop), OwnerKind.REDEMPTION, shop.caller.organization_id)
    (row,) = await shop.database.fetch(
        "SELECT coalesce(sum(amount_minor), 0)::int AS total FROM ledger_entries WHERE account_id = $1",
        account.id,
    )
    total: int = row["total"]
    return total


@pytest.mark.requirement("CAP-13")
async def test_childs_reward_is_issued_to_the_tenants_member(shop: Shop) -> None:
    child = await add_child(shop)
    member_id = await add_member(shop)
    await give_points(shop, member_id, 100)
    own = await mug(shop, payment_configs=costing(shop, 5))
    theirs = await mug(child, payment_configs=costing(shop, 7))
    outcome = await issue_elsewhere(
        shop,
        reaching(shop, child),
        member_id,
        item(theirs, organization=of(child)),
        item(own, organization=of(shop)),
        scope=(of(child), of(shop)),
    )
    grants = [result.grant for result in outcome.items if result.grant]
    assert [made.organization_id for made in grants] == [
        child.caller.organization_id,
        shop.caller.organization_id,
    ]
    assert await balance(shop, member_id) == 88
    assert (await redeemed(child), await redeemed(shop)) == (7, 5)
    again = await issue_elsewhere(
        shop,
        reaching(shop, child),
        member_id,
        item(theirs, organization=of(child)),
        item(own, organization=of(shop)),
        scope=(of(child), of(shop)),
    )
    assert again == replace(outcome, idempotent_replay=True)


@pytest.mark.requirement("CAP-13")
async def test_reward_of_another_organization_than_the_items_is_not_found(shop: Shop) -> None:
    child = await add_child(shop)
    member_id = await add_member(shop)
    own, theirs = await shop.create_reward(), await child.create_reward()
    outcome = await issue_elsewhere(
        shop,
        reaching(shop, child),
        member_id,
        item(own, organization=of(child)),
        item(theirs, organization=of(shop)),
        item(theirs, organization=of(child)),
        scope=(of(child), of(shop)),
    )
    assert codes_of(outcome) == [
        StatusCode.REWARD_NOT_FOUND,
        StatusCode.REWARD_NOT_FOUND,
        StatusCode.GRANTED,
    ]


@pytest.mark.requirement("CAP-13", "MON-13")
async def test_what_is_out_of_reach_is_refused_by_path(shop: Shop) -> None:
    child = await add_child(shop)
    stranger = await open_shop(shop.database)
    member_id = await add_member(shop)
    reward = await child.create_reward()
    wide, narrow = reaching(shop, child), shop.caller
    theirs = item(reward, organization=of(child))
    before = await snapshot(shop.database)
    cases: list[tuple[Caller, dict[str, Any], tuple[str, ...]]] = [
        (narrow, {"organizations": (of(child),)}, ("dataScopeOrgIds", "0")),
        (wide, {"organizations": (of(child), of(stranger))}, ("dataScopeOrgIds", "1")),
        (wide, {"organizations": (of(child), NOWHERE)}, ("dataScopeOrgIds", "1")),
        # Within the credential's reach, and not within what the call asked for.
        (wide, {"organizations": (of(shop),)}, ("rewards", "0", "orgId")),
        (wide, {"data_scope": DataScope.SELF}, ("rewards", "0", "orgId")),
        (
            wide,
            {
                "organizations": (of(child),),
                "organization_details": (OrganizationDetails(of(shop), notes="x"),),
            },
            ("orgLevelDetails", "0", "orgId"),
        ),
    ]
    for caller, fields, path in cases:
        defaults: dict[str, Any] = {"data_scope": DataScope.OTHER}
        with pytest.raises(OutOfReach) as raised:
            await issue(shop, "1", member_id, theirs, caller=caller, **defaults | fields)
        assert raised.value.path == ("input", *path)
    assert await snapshot(shop.database) == before


@pytest.mark.requirement("CAP-13")
async def test_child_does_not_reach_its_parent_unless_recorded(shop: Shop) -> None:
    child = await add_child(shop)
    member_id = await add_member(shop)
    reward = await shop.create_reward()
    wanted = item(reward, organization=of(shop))
    with pytest.raises(OutOfReach):
        await issue_elsewhere(child, child.caller, member_id, wanted, scope=(of(shop),))
    outcome = await issue_elsewhere(
        child, reaching(child, shop), member_id, wanted, scope=(of(shop),)
    )
    assert codes_of(outcome) == [StatusCode.GRANTED]


@pytest.mark.requirement("CAP-13")
async def test_own_organization_may_be_named_within_self(shop: Shop) -> None:
    member_id = await add_member(shop)
    reward = await shop.create_reward()
    outcome = await issue(shop, "1", member_id, item(reward, organization=of(shop)))
    assert codes_of(outcome) == [StatusCode.GRANTED]


@pytest.mark.requirement("CAP-13")
async def test_malformed_scope_is_named_by_path(shop: Shop) -> None:
    child = await add_child(shop)
    caller = reaching(shop, child)
    member_id = await add_member(shop)
    reward = await shop.create_reward()
    named = item(reward, organization=of(shop))
    other: dict[str, Any] = {"data_scope": DataScope.OTHER}
    details = OrganizationDetails(of(shop), notes=NUL)
    cases: list[tuple[IssueItem, dict[str, Any], tuple[str, ...]]] = [
        (named, other, ("dataScopeOrgIds",)),
        (named, other | {"organizations": (of(shop),) * 101}, ("dataScopeOrgIds",)),
        (named, {"organizations": (of(shop),)}, ("dataScopeOrgIds",)),
        (item(reward), other | {"organizations": (of(shop),)}, ("rewards", "0", "orgId")),
        (named, {"organization_details": (details,)}, ("orgLevelDetails", "0", "notes")),
        (
            named,
            {"organization_details": (replace(details, notes=None, params={"x": NUL}),)},
            ("orgLevelDetails", "0", "params"),
        ),
        (
            named,
            {"organization_details": (replace(details, notes="x"),) * 2},
            ("orgLevelDetails", "1", "orgId"),
        ),
        (
            named,
            {"organization_details": (replace(details, notes="x"),) * 101},
            ("orgLevelDetails",),
        ),
    ]
    before = await snapshot(shop.database)
    for wanted, fields, path in cases:
        with pytest.raises(InvalidInput) as raised:
            await issue(shop, "1", member_id, wanted, caller=caller, **fields)
        assert raised.value.path == ("input", *path)
    assert await snapshot(shop.database) == before


@pytest.mark.requirement("CAP-13", "CAP-9")
async def test_organizations_details_apply_to_its_items(shop: Shop) -> None:
    child = await add_child(shop)
    ann = await add_member(shop)
    await give_points(shop, ann, 50)
    group = await add_group(shop, ann)
    await fund(shop, group.id, ann, 20)
    own = await mug(shop, payment_configs=costing(shop, 5))
    theirs = await mug(child, payment_configs=costing(shop, 7))
    outcome = await issue_elsewhere(
        shop,
        reaching(shop, child),
        ann,
        item(own, organization=of(shop)),
        item(theirs, organization=of(child)),
        item(theirs, organization=of(child), params={"own": 1}),
        scope=(of(child), of(shop)),
        organization_details=(
            OrganizationDetails(of(child), {"shared": True}, "for the child", by_id(group.id)),
        ),
    )
    details = [result.grant.details for result in outcome.items if result.grant]
    assert [one.get("notes") for one in details] == [None, "for the child", "for the child"]
    assert [one.get("params") for one in details] == [None, {"shared": True}, {"own": 1}]
    assert [one.get("group_id") for one in details] == [None, str(group.id), str(group.id)]
    assert await balance(shop, ann) == 30 - 5
    assert await balance(shop, group.id, kind=OwnerKind.GROUP) == 20 - 14
    (row,) = await shop.database.fetch(
        "SELECT data_scope, group_redemption, organization_details FROM issuances"
    )
    assert tuple(row) == (
        "OTHER",
        True,
        [
            {
                "organization_id": str(child.caller.organization_id),
                "params": {"shared": True},
                "notes": "for the child",
                "has_group": True,
            }
        ],
    )


@pytest.mark.requirement("CAP-12", "CAP-13")
async def test_organizations_group_comes_before_the_calls(shop: Shop) -> None:
    child = await add_child(shop)
    ann, bob = await add_member(shop), await add_member(shop)
    await give_points(shop, ann, 50)
    await give_points(shop, bob, 50)
    calls, childs = await add_group(shop, ann), await add_group(shop, bob, ann)
    await fund(shop, calls.id, ann, 20)
    await fund(shop, childs.id, bob, 20)
    own = await mug(shop, payment_configs=costing(shop, 5))
    theirs = await mug(child, payment_configs=costing(shop, 7))
    given = (OrganizationDetails(of(child), group=by_id(childs.id)),)
    items = (item(own, organization=of(shop)), item(theirs, organization=of(child)))
    scope = (of(child), of(shop))
    await issue_elsewhere(
        shop,
        reaching(shop, child),
        ann,
        *items,
        scope=scope,
        group=by_id(calls.id),
        organization_details=given,
    )
    kind = OwnerKind.GROUP
    assert await balance(shop, calls.id, kind=kind) == 15
    assert await balance(shop, childs.id, kind=kind) == 13
    # A member who is not in it is answered by the path of the organization's group.
    with pytest.raises(NotFound) as raised:
        await issue_elsewhere(
            shop,
            reaching(shop, child),
            bob,
            *items,
            scope=scope,
            key="2",
            group=by_id(childs.id),
            organization_details=(OrganizationDetails(of(child), group=by_id(calls.id)),),
        )
    assert raised.value.path == ("input", "orgLevelDetails", "0", "group")


@pytest.mark.requirement("CAP-13", "CAP-10", "CAP-14", "CAP-15")
async def test_each_organizations_own_rules_judge_its_items(shop: Shop) -> None:
    child = await add_child(shop)
    member_id = await add_member(shop)
    await declare_field(child, "invoice", is_required=True)
    await declare_stages(child, "PACKED")
    await declare_stages(shop, "BOOKED")
    own = await shop.create_reward()
    theirs = await child.create_reward()
    reserved = await child.create_reward(segment_ids=(await add_segment(child),))
    invoice = (GivenField("invoice", CustomFieldType.STRING, "1"),)
    outcome = await issue_elsewhere(
        shop,
        reaching(shop, child),
        member_id,
        item(own, organization=of(shop)),
        item(theirs, organization=of(child)),
        item(theirs, organization=of(child), custom_fields=invoice),
        item(theirs, organization=of(child), custom_fields=invoice, fulfillment_stage="BOOKED"),
        item(reserved, organization=of(child), custom_fields=invoice),
        scope=(of(child), of(shop)),
    )
    assert codes_of(outcome) == [
        StatusCode.GRANTED,
        StatusCode.INVALID_CUSTOM_FIELD,
        StatusCode.GRANTED,
        StatusCode.STAGE_NOT_FOUND,
        StatusCode.NOT_IN_SEGMENT,
    ]
    rows = await shop.database.fetch("SELECT stage FROM fulfillments ORDER BY stage")
    assert [row["stage"] for row in rows] == ["BOOKED", "PACKED"]


@pytest.mark.requirement("CAP-8", "CAP-13")
async def test_another_scope_under_a_used_key_is_a_conflict(shop: Shop) -> None:
    child = await add_child(shop)
    member_id = await add_member(shop)
    reward = await shop.create_reward()
    caller = reaching(shop, child)
    named = item(reward, organization=of(shop))
    await issue_elsewhere(shop, caller, member_id, named, scope=(of(shop),))
    with pytest.raises(IdempotencyConflict) as raised:
        await issue_elsewhere(shop, caller, member_id, named, scope=(of(shop), of(child)))
    assert raised.value.differing_fields == ("dataScopeOrgIds",)
    details = (OrganizationDetails(of(shop), notes="x"),)
    with pytest.raises(IdempotencyConflict) as raised:
        await issue_elsewhere(
            shop, caller, member_id, named, scope=(of(shop),), organization_details=details
        )
    assert raised.value.differing_fields == ("orgLevelDetails",)


@pytest.mark.requirement("CAP-13")
async def test_token_reaches_what_its_record_says(shop: Shop) -> None:
    child = await add_child(shop)
    grandchild = await add_child(child, "Acme Tromsø")
    scope = (shop.database, shop.caller.tenant_id)
    created = await create_partner_token(
        *scope,
        child.caller.organization_id,
        "till",
        PARTNER_SCOPES,
        reach=[shop.caller.organization_id, grandchild.caller.organization_id],
    )
    caller = await authenticate(shop.database, created.text)
    assert caller.reach == {shop.caller.organization_id, grandchild.caller.organization_id}
    plain = await create_partner_token(*scope, child.caller.organization_id, "till", PARTNER_SCOPES)
    assert (await authenticate(shop.database, plain.text)).reach == frozenset()


@pytest.mark.requirement("CAP-13", "MON-13")
async def test_token_cannot_reach_beside_its_tree(shop: Shop) -> None:
    child = await add_child(shop)
    stranger = await open_shop(shop.database)
    before = await count(shop, "credentials")
    for beside in (
        shop.neighbor.organization_id,
        stranger.caller.organization_id,
        new_id(),
    ):
        with pytest.raises(InvalidInput) as raised:
            await create_partner_token(
                shop.database,
                shop.caller.tenant_id,
                child.caller.organization_id,
                "till",
                PARTNER_SCOPES,
                reach=[shop.caller.organization_id, beside],
            )
        assert raised.value.path == ("reach",)
    with pytest.raises(NotFound) as missing:
        await create_organization(
            shop.database, shop.caller.tenant_id, "Lost", stranger.caller.organization_id
        )
    assert missing.value.path == ("parentId",)
    assert await count(shop, "credentials") == before
