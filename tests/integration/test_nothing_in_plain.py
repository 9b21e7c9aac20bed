"""Whoever has a copy of the database has no coupon code, no voucher, no vendor's secret and no token."""

from __future__ import annotations

import base64
import io
from collections.abc import Sequence
from pathlib import Path

import asyncpg
import orjson

from gateway.demo.catalog import CODE_COUNT
from gateway.demo.seed import ensure_demo
from gateway.storage.database import Database
from gateway.vendors.creating import CreateVendor, create_vendor
from gateway.vendors.mapping import ResponseMapping
from gateway.vendors.model import VendorFields
from tests.sealing import MASTER
from tests.vendor_shop import SECRET, SECURITY, NoServer, open_vendor_shop

VOUCHER = "VOUCHER-7319-0042"
TEMPLATE_SECRET = "key-in-a-template-93117"


async def dump(owner: asyncpg.Connection[asyncpg.Record]) -> bytes:
    """Return every row of every table as text, with binary columns in plain too."""
    tables = await owner.fetch("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")
    written = io.BytesIO()
    for (name,) in tables:
        await owner.copy_from_table(name, output=written, format="text")
        await owner.copy_from_table(name, output=written, format="binary")
    return written.getvalue()


def spellings(secrets: Sequence[str]) -> list[bytes]:
    """Return the forms in which a text could stand in a dump."""
    return [
        form
        for secret in secrets
        for form in (
            secret.encode(),
            secret.lower().encode(),
            secret.encode().hex().encode(),
            base64.b64encode(secret.encode()).rstrip(b"=")[:-1],
        )
    ]


async def test_copy_of_the_database_holds_no_secret(
    database: Database, owner: asyncpg.Connection[asyncpg.Record], tmp_path: Path
):
    assert await ensure_demo(database, tmp_path)
    demo = orjson.loads((tmp_path / "demo.json").read_bytes())
    shop = await open_vendor_shop(database, NoServer())
    await shop.issue(None)
    await shop.settle(VOUCHER)
    template = {"key": TEMPLATE_SECRET, "order": "{orderId}"}
    fields = VendorFields("Other", "https://example.com/", template, ResponseMapping("code"))
    await create_vendor(database, shop.caller, CreateVendor("other", fields), SECURITY)
    codes = [f"DEMO-{number:04}" for number in range(1, CODE_COUNT + 1)]
    tokens = [value for name, value in demo.items() if name.endswith("Token")]
    assert len(tokens) >= 2
    secrets = [
        *codes,
        "WELCOME20",
        "OUTLET10",
        VOUCHER,
        TEMPLATE_SECRET,
        SECRET.value,
        MASTER.hex(),
        *tokens,
    ]
    text = await dump(owner)
    assert b"Exclusive discount codes" in text
    assert [secret for secret in spellings(secrets) if secret in text] == []
    assert MASTER not in text
