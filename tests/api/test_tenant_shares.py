"""What a request does is counted in its tenant's share of the connections."""

from __future__ import annotations

import json
from pathlib import Path

import httpx
import pytest

from gateway.storage.database import Database


async def test_what_a_request_reads_is_counted_in_its_tenants_share(
    demo_client: httpx.AsyncClient,
    database: Database,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    tenants: list[object] = []
    on_behalf_of = Database.on_behalf_of

    def note(self: Database, tenant: object) -> Database:
        tenants.append(tenant)
        return on_behalf_of(self, tenant)

    monkeypatch.setattr(Database, "on_behalf_of", note)
    demo = json.loads((tmp_path / "demo.json").read_text())
    headers = {"Authorization": f"Bearer {demo['partnerToken']}"}
    query = {"query": "{ assets { totalCount } }"}
    response = await demo_client.post("/graphql", json=query, headers=headers)
    assert "errors" not in response.json()
    rows = await database.fetch("SELECT id FROM tenants")
    assert tenants == [row["id"] for row in rows]
