"""A credential's token is replaced without a pause, and the credential stays who it was."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from gateway.access import PARTNER_SCOPES
from gateway.errors import InvalidInput, NotFound, Unauthenticated
from gateway.ids import new_id
from gateway.storage.database import Database
from gateway.tenants.credentials import (
    CreatedToken,
    authenticate,
    create_partner_token,
    revoke_token,
)
from gateway.tenants.credentials_store import fetch_credentials
from gateway.tenants.founding import FoundedTenant, create_tenant
from gateway.tenants.rotation import NO_OVERLAP, rotate_token

DAY = timedelta(days=1)


@pytest.fixture
async def founded(database: Database) -> FoundedTenant:
    return await create_tenant(database, "Acme", "Acme Oslo")


@pytest.fixture
async def created(database: Database, founded: FoundedTenant) -> CreatedToken:
    return await create_partner_token(
        database, founded.tenant.id, founded.organization.id, "token", PARTNER_SCOPES
    )


async def is_refused(database: Database, text: str) -> bool:
    try:
        await authenticate(database, text)
    except Unauthenticated:
        return True
    return False


async def test_both_tokens_are_the_same_caller_until_the_overlap_ends(
    database: Database, founded: FoundedTenant, created: CreatedToken, owner: Any
) -> None:
    caller = await authenticate(database, created.text)
    rotated = await rotate_token(database, founded.tenant.id, created.credential.id, overlap=DAY)
    assert rotated.previous_until is not None
    assert rotated.text not in repr(rotated)
    assert await authenticate(database, created.text) == caller
    assert await authenticate(database, rotated.text) == caller
    await owner.execute("UPDATE credentials SET previous_until = now()")
    assert await is_refused(database, created.text)
    assert await authenticate(database, rotated.text) == caller


async def test_rotation_without_an_overlap_ends_the_old_token_at_once(
    database: Database, founded: FoundedTenant, created: CreatedToken
) -> None:
    ids = (founded.tenant.id, created.credential.id)
    first = await rotate_token(database, *ids, overlap=DAY)
    with pytest.raises(InvalidInput) as refusal:
        await rotate_token(database, *ids, overlap=DAY)
    assert [error.rule for error in refusal.value.errors] == ["two"]
    second = await rotate_token(database, *ids, overlap=NO_OVERLAP)
    assert second.previous_until is None
    assert [await is_refused(database, one) for one in (created.text, first.text, second.text)] == [
        True,
        True,
        False,
    ]


async def test_old_token_never_outlives_the_end_that_it_had(
    database: Database, founded: FoundedTenant
) -> None:
    ends = datetime.now(UTC) + timedelta(hours=1)
    made = await create_partner_token(
        database,
        founded.tenant.id,
        founded.organization.id,
        "short",
        PARTNER_SCOPES,
        expires_at=ends,
    )
    later = ends + DAY
    rotated = await rotate_token(
        database, founded.tenant.id, made.credential.id, overlap=DAY, expires_at=later
    )
    assert (rotated.previous_until, rotated.expires_at) == (ends, later)


async def test_revocation_ends_both_tokens(
    database: Database, founded: FoundedTenant, created: CreatedToken
) -> None:
    ids = (founded.tenant.id, created.credential.id)
    rotated = await rotate_token(database, *ids)
    await revoke_token(database, *ids)
    assert await is_refused(database, created.text)
    assert await is_refused(database, rotated.text)
    with pytest.raises(NotFound):
        await rotate_token(database, *ids)


async def test_rotation_that_cannot_be_changes_nothing(
    database: Database, founded: FoundedTenant, created: CreatedToken
) -> None:
    other = await create_tenant(database, "Other", "Other")
    for tenant_id, credential_id in (
        (founded.tenant.id, new_id()),
        (other.tenant.id, created.credential.id),
    ):
        with pytest.raises(NotFound):
            await rotate_token(database, tenant_id, credential_id)
    for fields, path in (
        ({"overlap": timedelta(days=31)}, ("overlap",)),
        ({"overlap": -DAY}, ("overlap",)),
        ({"expires_at": datetime(2020, 1, 1, tzinfo=UTC)}, ("expiresAt",)),
    ):
        with pytest.raises(InvalidInput) as refusal:
            await rotate_token(database, founded.tenant.id, created.credential.id, **fields)
        assert refusal.value.path == path
    async with database.connection() as connection:
        assert await fetch_credentials(connection, founded.tenant.id) == [created.credential]
    await authenticate(database, created.text)


async def test_of_rotations_at_once_one_is_done(
    database: Database, founded: FoundedTenant, created: CreatedToken
) -> None:
    ids = (founded.tenant.id, created.credential.id)
    outcomes = await asyncio.gather(
        *(rotate_token(database, *ids) for _ in range(5)), return_exceptions=True
    )
    done = [one for one in outcomes if not isinstance(one, BaseException)]
    assert len(done) == 1
    caller = await authenticate(database, created.text)
    assert await authenticate(database, done[0].text) == replace(caller)
