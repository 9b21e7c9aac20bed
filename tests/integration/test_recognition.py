"""A busy token is looked up once a second, and a revoked one is refused within that time."""

from __future__ import annotations

import pytest

from gateway.access import PARTNER_SCOPES
from gateway.errors import Unauthenticated
from gateway.storage.database import Database
from gateway.tenants import recognition
from gateway.tenants.credentials import CreatedToken, create_partner_token, revoke_token
from gateway.tenants.founding import FoundedTenant, create_tenant
from gateway.tenants.recognition import Recognition
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
