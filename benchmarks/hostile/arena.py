"""A gateway on a database of its own with two tenants: one with a history, who will flood, and one who only wants to be served."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

import psutil

from benchmarks.databases import fresh_database
from benchmarks.gateway_side import serve_gateway, wallet_call
from benchmarks.growth import grow
from benchmarks.hostile.vendor import QUICK_PATH, SLOW_PATH, offer_voucher, serving_vendor
from gateway.access import PARTNER_SCOPES
from gateway.storage.database import Database
from gateway.tenants.credentials import create_partner_token
from gateway.tenants.founding import create_tenant

# The member for whom vouchers are bought, in either tenant.
BUYER = "buyer"
# A hundred thousand grants.
ENTRIES = 400_000
MEGABYTE = 1_000_000


@dataclass(frozen=True, slots=True)
class Arena:
    """Where everything happens. `loud` floods, `quiet` is measured; their partners' tokens, and members' of the loud one."""

    port: int
    process_id: int
    loud_token: str
    loud_member_tokens: Sequence[str]
    quiet_token: str
    # Rewards that a vendor sells: to the loud tenant slowly, to the quiet one at once.
    loud_voucher: str
    quiet_voucher: str

    def memory_megabytes(self) -> float:
        """Return what the gateway's process holds."""
        return psutil.Process(self.process_id).memory_info().rss / MEGABYTE


@contextmanager
def open_arena() -> Iterator[Arena]:
    """Build it, run `gateway serve` as shipped, and take both away again."""
    with fresh_database("hostile", migrated=True) as database:
        world = grow(database, ENTRIES)

        async def found() -> str:
            pool = await Database.open(database.owner_url, pool_size_max=1)
            try:
                founded = await create_tenant(pool, "Quiet", "Quiet Rewards")
                token = await create_partner_token(
                    pool, founded.tenant.id, founded.organization.id, "hostile", PARTNER_SCOPES
                )
                return token.text
            finally:
                await pool.close()

        quiet_token = asyncio.run(found())
        probe = wallet_call(world.member_tokens[:1], None)
        settings = {"VENDOR_ALLOW_LOOPBACK": "true"}
        with (
            serving_vendor() as vendor,
            serve_gateway(database, probe, settings=settings) as (url, process_id),
        ):
            port = int(url.rpartition(":")[2])
            yield Arena(
                port,
                process_id,
                world.partner_token,
                world.member_tokens,
                quiet_token,
                offer_voucher(port, world.partner_token, BUYER, vendor + SLOW_PATH),
                offer_voucher(port, quiet_token, BUYER, vendor + QUICK_PATH),
            )
