"""When a credential was last used is noted when it is looked up, and written later."""

from __future__ import annotations

from datetime import datetime

import pytest

from gateway.access import PARTNER_SCOPES
from gateway.storage.database import Database
from gateway.tenants import last_use
from gateway.tenants.credentials import CreatedToken, create_partner_token
from gateway.tenants.founding import create_tenant
from gateway.tenants.last_use import LastUse
from gateway.tenants.recognition import Recognition
from tests.wallets import logged_statements


@pytest.fixture
async def created(database: Database) -> CreatedToken:
    founded = await create_tenant(database, "Acme", "Acme Oslo")
    return await create_partner_token(
        database, founded.tenant.id, founded.organization.id, "token", PARTNER_SCOPES
    )


async def last_used(database: Database) -> datetime | None:
    (row,) = await database.fetch("SELECT last_used_at FROM credentials")
    at: datetime | None = row["last_used_at"]
    return at


async def test_use_is_written_by_the_job_and_not_by_the_request(
    database: Database, created: CreatedToken, monkeypatch: pytest.MonkeyPatch
) -> None:
    noted = LastUse(database)
    recognizing = Recognition(database, noted)
    with logged_statements(database) as statements:
        await recognizing.recognize(created.text)
    assert not any("UPDATE" in statement for statement in statements)
    await noted.write_due()
    assert await last_used(database) is None
    monkeypatch.setattr(last_use, "WRITTEN_EVERY_SECONDS", 0.0)
    await noted.write_due()
    first = await last_used(database)
    assert first is not None
    with logged_statements(database) as statements:
        await noted.write_due()
    assert statements == []
    assert await last_used(database) == first


async def test_times_never_go_back(database: Database, created: CreatedToken) -> None:
    late, early = LastUse(database), LastUse(database)
    await Recognition(database, early).recognize(created.text)
    await Recognition(database, late).recognize(created.text)
    await late.write()
    newest = await last_used(database)
    await early.write()
    assert await last_used(database) == newest


async def test_what_cannot_be_written_is_written_later(
    database: Database, created: CreatedToken, monkeypatch: pytest.MonkeyPatch
) -> None:
    noted = LastUse(database)
    await Recognition(database, noted).recognize(created.text)

    async def fail(*_: object) -> None:
        raise OSError

    with monkeypatch.context() as broken:
        broken.setattr(last_use, "record_use", fail)
        with pytest.raises(OSError):  # noqa: PT011 - any
            await noted.write()
        # The end of the process is not held up by it.
        await noted.close()
    await noted.close()
    assert await last_used(database) is not None
