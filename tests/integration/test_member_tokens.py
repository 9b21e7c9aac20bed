"""A partner makes a short-lived token for one member, and can make no other kind."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from gateway.access import PARTNER_SCOPES, Scope
from gateway.errors import Forbidden, InvalidInput, NotFound, Unauthenticated
from gateway.expiring.jobs import expire_everywhere
from gateway.ids import new_id
from gateway.operations.model import IdempotencyConflict
from gateway.signing_in.create_member_token import (
    CreateMemberToken,
    create_member_token,
)
from gateway.tenants.credentials import (
    authenticate,
    create_partner_token,
    revoke_token,
)
from gateway.tenants.credentials import create_member_token as create_member_token_by_hand
from gateway.tenants.credentials_store import fetch_credentials
from tests.catalog import Shop
from tests.use_cases import add_member, add_members, as_member, named, snapshot, without


async def test_token_is_the_members_and_ends_within_the_hour(shop: Shop, owner: Any) -> None:
    member_id = await add_member(shop)
    command = CreateMemberToken("1", named(member_id), 3_600)
    made = await create_member_token(shop.database, shop.caller, command)
    assert made.token is not None
    assert made.token not in repr(made)
    caller = await authenticate(shop.database, made.token)
    assert (caller.scopes, caller.member_id, caller.partner_id) == (
        frozenset({Scope.MEMBER}),
        member_id,
        member_id,
    )
    assert caller.credential_id == made.credential_id
    async with shop.database.connection() as connection:
        (listed,) = await fetch_credentials(connection, shop.caller.tenant_id)
    assert (listed.id, listed.created_by) == (made.credential_id, shop.caller.credential_id)
    (row,) = await shop.database.fetch("SELECT created_at, expires_at, created_by FROM credentials")
    assert row["expires_at"] - row["created_at"] == timedelta(hours=1)
    await owner.execute("UPDATE credentials SET expires_at = now()")
    async with shop.database.connection() as connection:
        assert await fetch_credentials(connection, shop.caller.tenant_id) == []
    assert (row["expires_at"], row["created_by"]) == (made.expires_at, shop.caller.credential_id)


async def test_row_is_deleted_a_month_after_the_token_has_ended_and_no_other_is(
    shop: Shop, owner: Any
) -> None:
    member_id = await add_member(shop)
    made = [
        await create_member_token(
            shop.database, shop.caller, CreateMemberToken(key, named(member_id))
        )
        for key in ("1", "2", "3")
    ]
    tenant_id, organization_id = shop.caller.tenant_id, shop.caller.organization_id
    partners = await create_partner_token(
        shop.database, tenant_id, organization_id, "till", PARTNER_SCOPES
    )
    members = await create_member_token_by_hand(
        shop.database, tenant_id, organization_id, member_id
    )
    end = "UPDATE credentials SET expires_at = now() - $2::interval WHERE id = $1"
    month = timedelta(days=30)
    for credential_id in (made[0].credential_id, partners.credential.id, members.credential.id):
        await owner.execute(end, credential_id, month + timedelta(seconds=1))
    await owner.execute(end, made[1].credential_id, month - timedelta(minutes=1))
    # As whoever has got into the application would: the policy, and not the statement, says which.
    async with shop.database.transaction() as connection:
        assert (
            await connection.execute(
                "DELETE FROM credentials WHERE id <> $1", made[0].credential_id
            )
            == "DELETE 0"
        )
    assert await expire_everywhere(shop.database) == 1
    assert await expire_everywhere(shop.database) == 0
    rows = await shop.database.fetch("SELECT id FROM credentials")
    assert {row["id"] for row in rows} == {
        made[1].credential_id,
        made[2].credential_id,
        partners.credential.id,
        members.credential.id,
    }
    # Its operation stays, and is no other one's to do again.
    again = await create_member_token(
        shop.database, shop.caller, CreateMemberToken("1", named(member_id))
    )
    assert (again.credential_id, again.token) == (made[0].credential_id, None)


async def test_repeat_has_no_token_and_makes_none(shop: Shop) -> None:
    member_id = await add_member(shop)
    command = CreateMemberToken("1", named(member_id))
    first = await create_member_token(shop.database, shop.caller, command)
    before = await snapshot(shop.database)
    again = await create_member_token(shop.database, shop.caller, command)
    assert again == replace(first, token=None, idempotent_replay=True)
    with pytest.raises(IdempotencyConflict):
        await create_member_token(shop.database, shop.caller, replace(command, valid_seconds=1))
    assert await snapshot(shop.database) == before
    (row,) = await shop.database.fetch(
        "SELECT row_to_json(operations)::text AS text FROM operations WHERE key = '1'"
    )
    assert first.token is not None
    assert first.token not in row["text"]


async def test_token_ends_with_the_credential_that_made_it(shop: Shop) -> None:
    member_id = await add_member(shop)
    partner = await create_partner_token(
        shop.database,
        shop.caller.tenant_id,
        shop.caller.organization_id,
        "app",
        [Scope.SIGN_IN],
    )
    caller = await authenticate(shop.database, partner.text)
    made = await create_member_token(
        shop.database, caller, CreateMemberToken("1", named(member_id))
    )
    other = await create_member_token(
        shop.database, shop.caller, CreateMemberToken("1", named(member_id))
    )
    assert made.token is not None
    assert other.token is not None
    await authenticate(shop.database, made.token)
    await revoke_token(shop.database, caller.tenant_id, partner.credential.id)
    with pytest.raises(Unauthenticated):
        await authenticate(shop.database, made.token)
    await authenticate(shop.database, other.token)


async def test_request_that_cannot_be_changes_nothing(shop: Shop) -> None:
    member_id, _ = await add_members(shop, 2)
    before = await snapshot(shop.database)
    for caller in (
        without(shop.caller, Scope.SIGN_IN),
        replace(shop.caller, scopes=PARTNER_SCOPES - {Scope.SIGN_IN}),
        as_member(shop, member_id),
    ):
        with pytest.raises(Forbidden):
            await create_member_token(
                shop.database, caller, CreateMemberToken("1", named(member_id))
            )
    for command, path in (
        (CreateMemberToken("1", named(member_id), 3_601), ("input", "validSeconds")),
        (CreateMemberToken("1", named(member_id), 0), ("input", "validSeconds")),
        (CreateMemberToken("", named(member_id)), ("input", "requestId")),
    ):
        with pytest.raises(InvalidInput) as refusal:
            await create_member_token(shop.database, shop.caller, command)
        assert refusal.value.path == path
    with pytest.raises(NotFound):
        await create_member_token(
            shop.database, shop.caller, CreateMemberToken("1", named(new_id()))
        )
    assert await snapshot(shop.database) == before
