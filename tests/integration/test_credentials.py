"""A token opens what it names until it ends; every refusal reads the same."""

from __future__ import annotations

import asyncio
import base64
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from gateway.access import PARTNER_SCOPES, Caller, Scope
from gateway.errors import InvalidInput, NotFound, Unauthenticated
from gateway.ids import new_id
from gateway.members.creating import create_members
from gateway.members.model import NewMember
from gateway.storage.database import Database
from gateway.tenants.credentials import (
    REFUSAL,
    authenticate,
    create_member_token,
    create_partner_token,
    revoke_token,
)
from gateway.tenants.credentials_store import fetch_credentials
from gateway.tenants.founding import FoundedTenant, create_tenant
from gateway.tenants.tokens import SECRET_BYTES, decode_token
from tests.wallets import logged_statements

SOON = timedelta(seconds=0.3)


@pytest.fixture
async def founded(database: Database) -> FoundedTenant:
    return await create_tenant(database, "Acme", "Acme Oslo")


async def test_token_says_who_calls(database: Database, founded: FoundedTenant) -> None:
    organization_id = founded.organization.id
    scopes = frozenset({Scope.GRANT, Scope.READ})
    created = await create_partner_token(
        database, founded.tenant.id, organization_id, "Shop", scopes
    )
    renewed = await create_partner_token(
        database,
        founded.tenant.id,
        organization_id,
        "Shop, new",
        scopes,
        partner_id=created.credential.partner_id,
    )
    caller = Caller(
        founded.tenant.id,
        organization_id,
        created.credential.partner_id,
        scopes,
        founded.tenant.standard_assets,
        credential_id=created.credential.id,
    )
    assert await authenticate(database, created.text) == caller
    assert await authenticate(database, renewed.text) == replace(
        caller, credential_id=renewed.credential.id
    )
    assert created.text.startswith("rgw_live_")
    assert created.text != renewed.text


async def test_member_token_is_for_one_member_only(
    database: Database, founded: FoundedTenant
) -> None:
    member_id = new_id()
    async with database.transaction() as connection:
        await create_members(
            connection,
            founded.tenant.id,
            founded.organization.id,
            [NewMember(member_id, ())],
            datetime.now(UTC),
        )
    created = await create_member_token(
        database, founded.tenant.id, founded.organization.id, member_id
    )
    assert await authenticate(database, created.text) == Caller(
        founded.tenant.id,
        founded.organization.id,
        member_id,
        frozenset({Scope.MEMBER}),
        founded.tenant.standard_assets,
        member_id,
        credential_id=created.credential.id,
    )


async def test_only_a_hash_of_the_secret_is_stored(
    database: Database, founded: FoundedTenant
) -> None:
    created = await create_partner_token(
        database, founded.tenant.id, founded.organization.id, "Shop", [Scope.READ]
    )
    parts = base64.urlsafe_b64decode(created.text.removeprefix("rgw_live_"))
    (row,) = await database.fetch("SELECT * FROM credentials")
    assert parts[:32] == founded.tenant.id.bytes + created.credential.id.bytes
    assert parts[32:64] not in [value for value in row.values() if isinstance(value, bytes)]
    assert len(row["secret_hash"]) == 32
    assert created.text not in repr(created)


async def test_every_refusal_reads_the_same(database: Database, founded: FoundedTenant) -> None:
    tenant_id, organization_id = founded.tenant.id, founded.organization.id
    valid = await create_partner_token(database, tenant_id, organization_id, "a", [Scope.READ])
    revoked = await create_partner_token(database, tenant_id, organization_id, "b", [Scope.READ])
    expired = await create_partner_token(
        database,
        tenant_id,
        organization_id,
        "c",
        [Scope.READ],
        expires_at=datetime.now(UTC) + SOON,
    )
    assert (await authenticate(database, expired.text)).scopes == {Scope.READ}
    await revoke_token(database, tenant_id, revoked.credential.id)
    # Once more changes nothing.
    await revoke_token(database, tenant_id, revoked.credential.id)
    await asyncio.sleep(SOON.total_seconds())
    other = await create_tenant(database, "Other", "Other")
    token = decode_token(valid.text)
    assert token is not None
    moved = replace(token, tenant_id=other.tenant.id).encode()
    guessed = replace(token, secret=bytes(SECRET_BYTES)).encode()
    relabeled = replace(token, is_test=True).encode()
    refused = [
        "",
        "rgw_",
        "garbage\x00",
        valid.text[:-1],
        valid.text + "A",
        valid.text.removeprefix("rgw_"),
        "rgw_live_" + "A" * 92,
        moved,
        guessed,
        relabeled,
        revoked.text,
        expired.text,
    ]
    for text in refused:
        with pytest.raises(Unauthenticated) as refusal:
            await authenticate(database, text)
        assert refusal.value.message == REFUSAL
    await authenticate(database, valid.text)


async def test_token_needs_scopes_label_and_future(
    database: Database, founded: FoundedTenant
) -> None:
    for scopes in ([], [Scope.MEMBER], [Scope.READ, Scope.MEMBER]):
        with pytest.raises(InvalidInput) as refusal:
            await create_partner_token(
                database,
                founded.tenant.id,
                founded.organization.id,
                "\x00",
                scopes,
                expires_at=datetime(2020, 1, 1, tzinfo=UTC),
            )
        assert [error.path for error in refusal.value.errors] == [
            ("label",),
            ("scopes",),
            ("expiresAt",),
        ]
    assert await database.fetch("SELECT FROM credentials") == []


@pytest.mark.requirement("MON-13")
async def test_token_stays_in_its_tenant(database: Database, founded: FoundedTenant) -> None:
    other = await create_tenant(database, "Other", "Other")
    with pytest.raises(NotFound):
        await create_partner_token(
            database, founded.tenant.id, other.organization.id, "Shop", [Scope.READ]
        )
    with pytest.raises(NotFound):
        await create_member_token(database, founded.tenant.id, founded.organization.id, new_id())
    mine = await create_partner_token(
        database, founded.tenant.id, founded.organization.id, "Shop", [Scope.READ]
    )
    with pytest.raises(NotFound):
        await revoke_token(database, other.tenant.id, mine.credential.id)
    await authenticate(database, mine.text)
    async with database.connection() as connection:
        assert await fetch_credentials(connection, other.tenant.id) == []
        assert await fetch_credentials(connection, founded.tenant.id) == [mine.credential]


@pytest.mark.requirement("ALL-2", "OWN-5")
async def test_replaced_token_knows_the_keys_of_the_old_one(database: Database) -> None:
    """Without a partner of its own, a new token of an organization stands for the same partner: a retry with it replays."""
    founded = await create_tenant(database, "Acme", "Acme Oslo")
    tenant_id, organization_id = founded.tenant.id, founded.organization.id
    own = new_id()
    callers = [
        await authenticate(
            database,
            (
                await create_partner_token(
                    database, tenant_id, organization_id, "token", PARTNER_SCOPES, partner_id=named
                )
            ).text,
        )
        for named in (None, None, own, own)
    ]
    assert [caller.partner_id for caller in callers] == [organization_id, organization_id, own, own]


async def test_malformed_token_is_refused_without_a_statement(
    database: Database, founded: FoundedTenant
) -> None:
    created = await create_partner_token(
        database, founded.tenant.id, founded.organization.id, "token", PARTNER_SCOPES
    )
    text = created.text
    swapped = text[:50] + text[51] + text[50] + text[52:]
    malformed = [text[:-1], text + "A", text.lower(), f" {text}", text.replace("live", "test")]
    if swapped != text:
        malformed.append(swapped)
    with logged_statements(database) as statements:
        for wrong in malformed:
            with pytest.raises(Unauthenticated):
                await authenticate(database, wrong)
    assert statements == []


async def test_tenant_for_tests_has_tokens_that_say_so(database: Database) -> None:
    founded = await create_tenant(database, "Acme", "Acme Oslo", is_test=True)
    created = await create_partner_token(
        database, founded.tenant.id, founded.organization.id, "token", [Scope.READ]
    )
    assert created.text.startswith("rgw_test_")
    assert (await authenticate(database, created.text)).scopes == {Scope.READ}
