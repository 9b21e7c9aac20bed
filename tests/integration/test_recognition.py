"""A busy token is looked up once a second, and a revoked one is refused within that time."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, cast

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
        database, founded.tenant.id, founded.organization.id, "token", PARTNER_SCOPES
    )


async def test_token_is_looked_up_once_while_trusted(
    database: Database, created: CreatedToken
) -> None:
    recognizing = Recognition(database)
    first = await recognizing.recognize(created.text)
    with logged_statements(database) as statements:
        again = await recognizing.recognize(created.text)
    assert (again, statements) == (first, [])


async def test_revoked_token_is_refused_when_the_trust_ends(
    database: Database,
    founded: FoundedTenant,
    created: CreatedToken,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(recognition, "TRUST_SECONDS", 0.0)
    recognizing = Recognition(database)
    await recognizing.recognize(created.text)
    await revoke_token(database, founded.tenant.id, created.credential.id)
    with pytest.raises(Unauthenticated):
        await recognizing.recognize(created.text)


async def test_refusals_are_not_remembered(database: Database, created: CreatedToken) -> None:
    recognizing = Recognition(database)
    with pytest.raises(Unauthenticated):
        await recognizing.recognize(created.text[:-1] + "!")
    caller = await recognizing.recognize(created.text)
    assert caller.scopes == PARTNER_SCOPES


async def test_memory_is_bounded(
    database: Database,
    founded: FoundedTenant,
    created: CreatedToken,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(recognition, "TOKENS_MAX", 1)
    other = await create_partner_token(
        database, founded.tenant.id, founded.organization.id, "other", PARTNER_SCOPES
    )
    recognizing = Recognition(database)
    await recognizing.recognize(created.text)
    await recognizing.recognize(other.text)
    with logged_statements(database) as statements:
        await recognizing.recognize(other.text)
        assert statements == []
        await recognizing.recognize(created.text)
    assert len(statements) == 1
    assert [len(known) for known in recognizing._of_tenants.values()] == [1]


async def test_no_look_up_goes_through_the_tokens_of_other_tenants(
    database: Database, created: CreatedToken
) -> None:
    """They may be thousands, and stay until that tenant comes again."""
    stranger = await create_tenant(database, "Globex", "Globex Oslo")
    theirs = await create_partner_token(
        database, stranger.tenant.id, stranger.organization.id, "token", PARTNER_SCOPES
    )
    recognizing = Recognition(database)
    await recognizing.recognize(created.text)
    # Whoever looks at it fails.
    recognizing._known[created.text] = cast(Any, None)
    await recognizing.recognize(theirs.text)


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
            database, founded.tenant.id, founded.organization.id, name, PARTNER_SCOPES
        )
        for name in names
    ]
    recognizing = Recognition(database)
    for token in (busy, idle, revoked):
        await recognizing.recognize(token.text)
    for token in (busy, revoked):
        await recognizing.recognize(token.text)
    await revoke_token(database, founded.tenant.id, revoked.credential.id)
    clock = 0.75
    with logged_statements(database) as statements:
        await recognizing.recognize(following.text)
        clock = 1.5
        await recognizing.recognize(busy.text)
        assert len(statements) == 1
        # Its second was not over yet, but the look-up of the other has told.
        clock = 0.9
        with pytest.raises(Unauthenticated):
            await recognizing.recognize(revoked.text)
        clock = 1.5
        await recognizing.recognize(idle.text)
    assert len(statements) == 3


async def test_wrong_secret_is_refused_while_the_right_one_is_renewed(
    database: Database,
    created: CreatedToken,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A token with a busy one's ids and another secret is looked up together with it, and told apart from it."""
    clock = 0.0
    monkeypatch.setattr(recognition, "monotonic", lambda: clock)
    recognizing = Recognition(database)
    for _ in range(2):
        await recognizing.recognize(created.text)
    right = decode_token(created.text)
    assert right is not None
    forged = replace(right, secret=bytes(SECRET_BYTES)).encode()
    clock = 0.75
    for _ in range(2):
        with pytest.raises(Unauthenticated):
            await recognizing.recognize(forged)
    clock = 1.5
    with logged_statements(database) as statements:
        assert (await recognizing.recognize(created.text)).scopes == PARTNER_SCOPES
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
        database, stranger.tenant.id, stranger.organization.id, "token", PARTNER_SCOPES
    )
    recognizing = Recognition(database)
    for clock in (0.0, 0.4, 0.9, 1.1):  # noqa: B007 - the lambda reads it
        assert (await recognizing.recognize(created.text)).tenant_id == founded.tenant.id
        assert (await recognizing.recognize(other.text)).tenant_id == stranger.tenant.id
