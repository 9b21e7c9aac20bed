"""A busy token is looked up once a second, and a revoked one is refused within that time."""

from __future__ import annotations

from dataclasses import replace

import pytest

from gateway.access import PARTNER_SCOPES
from gateway.errors import Unauthenticated
from gateway.storage.database import Database
from gateway.tenants import recognition
from gateway.tenants.credentials import CreatedToken, create_partner_token, revoke_token
from gateway.tenants.founding import FoundedTenant, create_tenant
from gateway.tenants.recognition import Recognition
from gateway.tenants.tokens import SECRET_BYTES, decode_token
from tests.wallets import logged_statements


@pytest.fixture
async def founded(database: Database) -> FoundedTenant:
    return await create_tenant(database, "Acme", "Acme Oslo")


@pytest.fixture
async def created(database: Database, founded: FoundedTenant) -> CreatedToken:
    return await create_partner_token(
        database, founded.tenant.id, founded.organisation.id, "token", PARTNER_SCOPES
    )


async def test_token_is_looked_up_once_while_trusted(
    database: Database, created: CreatedToken
) -> None:
    recognising = Recognition(database)
    first = await recognising.recognise(created.text)
    with logged_statements(database) as statements:
        again = await recognising.recognise(created.text)
    assert (again, statements) == (first, [])


async def test_revoked_token_is_refused_when_the_trust_ends(
    database: Database,
    founded: FoundedTenant,
    created: CreatedToken,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(recognition, "TRUST_SECONDS", 0.0)
    recognising = Recognition(database)
    await recognising.recognise(created.text)
    await revoke_token(database, founded.tenant.id, created.credential.id)
    with pytest.raises(Unauthenticated):
        await recognising.recognise(created.text)


async def test_refusals_are_not_remembered(database: Database, created: CreatedToken) -> None:
    recognising = Recognition(database)
    with pytest.raises(Unauthenticated):
        await recognising.recognise(created.text[:-1] + "!")
    caller = await recognising.recognise(created.text)
    assert caller.scopes == PARTNER_SCOPES


async def test_memory_is_bounded(
    database: Database,
    founded: FoundedTenant,
    created: CreatedToken,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(recognition, "TOKENS_MAX", 1)
    other = await create_partner_token(
        database, founded.tenant.id, founded.organisation.id, "other", PARTNER_SCOPES
    )
    recognising = Recognition(database)
    await recognising.recognise(created.text)
    await recognising.recognise(other.text)
    with logged_statements(database) as statements:
        await recognising.recognise(other.text)
        assert statements == []
        await recognising.recognise(created.text)
    assert len(statements) == 1


async def test_busy_tokens_are_renewed_together(
    database: Database,
    founded: FoundedTenant,
    created: CreatedToken,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    clock = 0.0
    monkeypatch.setattr(recognition, "monotonic", lambda: clock)
    names = ("busy", "idle", "revoked", "next")
    busy, idle, revoked, following = [
        await create_partner_token(
            database, founded.tenant.id, founded.organisation.id, name, PARTNER_SCOPES
        )
        for name in names
    ]
    recognising = Recognition(database)
    for token in (busy, idle, revoked):
        await recognising.recognise(token.text)
    for token in (busy, revoked):
        await recognising.recognise(token.text)
    await revoke_token(database, founded.tenant.id, revoked.credential.id)
    clock = 0.75
    with logged_statements(database) as statements:
        await recognising.recognise(following.text)
        clock = 1.5
        await recognising.recognise(busy.text)
        assert len(statements) == 1
        # Its second was not over yet, but the look-up of the other has told.
        clock = 0.9
        with pytest.raises(Unauthenticated):
            await recognising.recognise(revoked.text)
        clock = 1.5
        await recognising.recognise(idle.text)
    assert len(statements) == 3


async def test_wrong_secret_is_refused_while_the_right_one_is_renewed(
    database: Database,
    created: CreatedToken,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A token with a busy one's ids and another secret is looked up together with it, and told apart from it."""
    clock = 0.0
    monkeypatch.setattr(recognition, "monotonic", lambda: clock)
    recognising = Recognition(database)
    for _ in range(2):
        await recognising.recognise(created.text)
    right = decode_token(created.text)
    assert right is not None
    forged = replace(right, secret=bytes(SECRET_BYTES)).encode()
    clock = 0.75
    for _ in range(2):
        with pytest.raises(Unauthenticated):
            await recognising.recognise(forged)
    clock = 1.5
    with logged_statements(database) as statements:
        assert (await recognising.recognise(created.text)).scopes == PARTNER_SCOPES
    assert statements == []


async def test_tenants_are_looked_up_apart(
    database: Database,
    founded: FoundedTenant,
    created: CreatedToken,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    clock = 0.0
    monkeypatch.setattr(recognition, "monotonic", lambda: clock)
    stranger = await create_tenant(database, "Other", "Other Oslo")
    other = await create_partner_token(
        database, stranger.tenant.id, stranger.organisation.id, "token", PARTNER_SCOPES
    )
    recognising = Recognition(database)
    for clock in (0.0, 0.4, 0.9, 1.1):  # noqa: B007 - the lambda reads it
        assert (await recognising.recognise(created.text)).tenant_id == founded.tenant.id
        assert (await recognising.recognise(other.text)).tenant_id == stranger.tenant.id
