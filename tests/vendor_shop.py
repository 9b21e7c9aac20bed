"""A shop whose rewards are bought from the test vendor, and the promises that must hold whatever the vendor did."""

from __future__ import annotations

import ssl
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from pathlib import Path
from typing import Any
from uuid import UUID

import httpx

from gateway.access import Caller
from gateway.granting.grant_reward import grant_reward
from gateway.granting.model import CatalogReward, GrantCommand
from gateway.grants.codes import open_benefit
from gateway.ids import new_id
from gateway.issuing.issue_rewards import issue_rewards
from gateway.issuing.model import IssuanceOutcome, IssueCommand, IssueItem
from gateway.members.identifiers import IdentifierKind
from gateway.members.model import Identifier, MemberReference
from gateway.members.upserting import UpsertMember, upsert_member
from gateway.purchasing.client import VendorClient
from gateway.purchasing.model import ClaimedOrder, Issued
from gateway.purchasing.order_store import claim_due_orders, fetch_vendors_with_due_orders
from gateway.purchasing.purchaser import Purchaser
from gateway.purchasing.settling import settle_declined, settle_issued
from gateway.rewards.model import PaymentMode
from gateway.rewards.payments import PaymentConfigDraft
from gateway.rewards.types.points import PointsDraft
from gateway.rewards.types.vendor_voucher import VendorVoucherDraft
from gateway.storage.database import Database
from gateway.vendors.addresses import AddressPolicy
from gateway.vendors.creating import CreateVendor, create_vendor
from gateway.vendors.mapping import ResponseMapping
from gateway.vendors.model import SecretHeader, VendorFields, VendorSecurity
from tests.catalog import Shop, open_shop
from tests.sealing import KEYS

SECURITY = VendorSecurity(AddressPolicy(allow_loopback=True), KEYS)
SSL_CONTEXT = ssl.create_default_context()
POINTS = 100
PRICE = 30
ROUNDS_MAX = 12

TEMPLATE = {
    "order": {"id": "{orderId}", "count": "{quantity}"},
    "customer": "{memberExternalId}",
    "offer": "{offerName}/{seriesId}",
}
MAPPING = ResponseMapping(
    "data.items[0].code", "data.items[0].expires", None, "data.items[0].series"
)
SECRET = SecretHeader("X-Api-Key", "vendor-secret-1")


class VendorServer:
    """The test vendor's process, which can be killed and started again with what it has sold."""

    def __init__(self, folder: Path) -> None:
        self._path = folder / f"sold-{new_id()}"
        self._process: subprocess.Popen[str] | None = None
        self._client = httpx.Client()
        self.port = 0

    @property
    def endpoint(self) -> str:
        return f"http://127.0.0.1:{self.port}/orders"

    def start(self) -> None:
        """Start it, on the port that it had before, ending one that runs or has died."""
        self.stop()
        command = [sys.executable, "-m", "tests.vendor_server", str(self._path), str(self.port)]
        self._process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        assert self._process.stdout is not None
        self.port = int(self._process.stdout.readline())

    def stop(self) -> None:
        """Kill it."""
        if self._process is not None:
            self._process.kill()
            self._process.communicate()
            self._process = None
            # Its connections are dead, too.
            self._client.close()
            self._client = httpx.Client()

    def close(self) -> None:
        """Kill it for good."""
        self.stop()
        self._client.close()

    def reset(self) -> None:
        """Forget everything, starting again if it has died."""
        if self._process is None or self._process.poll() is not None:
            self.start()
        self._client.delete(f"http://127.0.0.1:{self.port}/script").raise_for_status()

    def behave(self, *script: str) -> None:
        """Say how the next calls are answered; later ones succeed."""
        self._client.put(f"http://127.0.0.1:{self.port}/script", json=script).raise_for_status()

    def look(self) -> Any:
        """Return the vouchers sold, by order id, and the calls that came."""
        return self._client.get(f"http://127.0.0.1:{self.port}/script").raise_for_status().json()

    @property
    def vouchers(self) -> dict[str, str]:
        vouchers: dict[str, str] = self.look()["vouchers"]
        return vouchers

    @property
    def calls(self) -> list[dict[str, Any]]:
        calls: list[dict[str, Any]] = self.look()["calls"]
        return calls


class NoServer(VendorServer):
    """Stands where nobody listens: for tests that settle orders by hand."""

    def __init__(self) -> None:
        self.port = 1


@dataclass(frozen=True, slots=True)
class VendorShop:
    """A caller, a member with 100 points, and a reward for 30 of them that the test vendor sells."""

    database: Database
    caller: Caller
    shop: Shop
    server: VendorServer
    member: MemberReference
    vendor_id: UUID
    paid_reward_id: UUID
    free_reward_id: UUID

    def open_purchaser(self) -> Purchaser:
        """Return a purchaser with a client of its own, as another process would have."""
        return Purchaser(self.database, VendorClient(SECURITY, SSL_CONTEXT))

    def item(self, *, paid: bool = True, **fields: Any) -> IssueItem:
        reward_id = self.paid_reward_id if paid else self.free_reward_id
        return IssueItem(reward_id, f"rew_{reward_id}", **fields)

    async def issue(
        self,
        purchaser: Purchaser | None,
        *items: IssueItem,
        key: str | None = None,
        dry_run: bool = False,
    ) -> IssuanceOutcome:
        """Issue these items, or one that is paid for."""
        command = IssueCommand(key or str(new_id()), self.member, items or (self.item(),))
        command = replace(command, is_dry_run=dry_run)
        return await issue_rewards(self.database, self.caller, command, purchaser)

    async def claim_all(self) -> list[ClaimedOrder]:
        """Claim the orders that are due, as a worker would."""
        async with self.database.connection() as connection:
            return [
                order
                for tenant_id, vendor_id in await fetch_vendors_with_due_orders(connection)
                if tenant_id == self.caller.tenant_id
                for order in await claim_due_orders(connection, tenant_id, vendor_id, new_id(), 10)
            ]

    async def claim(self) -> ClaimedOrder:
        """Claim the one order that is due."""
        (order,) = await self.claim_all()
        return order

    async def settle(self, voucher: str = "V1") -> None:
        """Settle the one order as if the vendor had issued."""
        issued = Issued(voucher, None, None, None)
        assert await settle_issued(self.database, await self.claim(), issued)

    async def decline(self) -> None:
        """Settle the one order as if the vendor had refused."""
        assert await settle_declined(self.database, await self.claim(), "it was told so")

    async def make_due(self) -> None:
        """Let time pass: every lease has ended and every pause is over."""
        await self.database.fetch(
            "UPDATE vendor_orders SET due_at = now() WHERE status = 'PENDING'"
        )

    async def work(self, *purchasers: Purchaser) -> None:
        """Let workers go on, without their pauses, until nothing is pending."""
        workers = purchasers or (self.open_purchaser(),)
        for _ in range(ROUNDS_MAX):
            await self.make_due()
            for worker in workers:
                await worker.run_due()
            for worker in workers:
                await worker.finish_begun()
            if not await self.count("vendor_orders", "PENDING"):
                break
        for worker in set(workers) - set(purchasers):
            await worker.close()

    async def count(self, table: str, status: str) -> int:
        rows = await self.database.fetch(
            f"SELECT count(*) FROM {table} WHERE status = $1",  # noqa: S608 - a table of ours
            status,
        )
        return int(rows[0]["count"])

    async def balance(self) -> tuple[int, int]:
        """Return the member's posted and held points."""
        (row,) = await self.database.fetch(
            "SELECT posted_minor, held_minor FROM accounts WHERE owner_id = $1 AND asset_id = $2",
            UUID(self.member.value),
            self.caller.standard_assets.points_id,
        )
        return row["posted_minor"], row["held_minor"]

    async def check_promises(self, *, settled: bool = True) -> None:
        """No double purchase, no lost voucher, no points without a reward; and all is settled, if it should be."""
        grants = await self.database.fetch(
            "SELECT id, status, benefits, entry_to, transaction_id FROM grants WHERE kind = 'VENDOR_VOUCHER'"
        )
        held = {
            str(row["id"]): open_benefit(KEYS, self.caller.tenant_id, row["id"], row["benefits"][0])
            for row in grants
            if row["status"] == "CLAIMED"
        }
        sold = self.server.vouchers
        assert {order: sold[order] for order in held} == held, "a voucher that the vendor sold"
        pending = {str(row["id"]) for row in grants if row["status"] == "PENDING"}
        assert set(sold) - set(held) <= pending, "no voucher is lost"
        if settled:
            assert pending == set()
            assert await self.count("holds", "OPEN") == 0
        await self._check_ledger(grants)

    async def _check_ledger(self, grants: Sequence[Any]) -> None:
        orders = await self.database.fetch(
            "SELECT status, grant_id, jsonb_array_length(payments) AS paid FROM vendor_orders"
        )
        paid = dict.fromkeys(("PENDING", "ISSUED", "DECLINED"), 0)
        for order in orders:
            paid[order["status"]] += order["paid"]
        counts = [await self.count("holds", status) for status in ("OPEN", "CAPTURED", "RELEASED")]
        assert counts == [paid["PENDING"], paid["ISSUED"], paid["DECLINED"]]
        assert await self.balance() == (POINTS - PRICE * counts[1], PRICE * counts[0])
        transactions = {
            row["id"]
            for row in await self.database.fetch(
                "SELECT id FROM ledger_transactions JOIN outbox_events ON transaction_id = id"
            )
        }
        for grant in grants:
            assert (grant["transaction_id"] in transactions) == (grant["status"] == "CLAIMED")
        (row,) = await self.database.fetch(
            "SELECT coalesce(sum(amount_minor), 0) AS total FROM ledger_entries"
        )
        assert row["total"] == 0


async def open_vendor_shop(database: Database, server: VendorServer) -> VendorShop:
    """Found a tenant whose vendor is the test vendor, with a time-out of one second."""
    shop = await open_shop(database)
    caller = shop.caller
    identifier = Identifier(IdentifierKind.EXTERNAL_ID, "customer-1")
    upserted = await upsert_member(database, caller, UpsertMember("ada", (identifier,), "Ada"))
    member = MemberReference(None, str(upserted.member_id))
    gift = await shop.create_reward(PointsDraft(Decimal(POINTS)))
    await grant_reward(
        database, caller, GrantCommand("gift", member, CatalogReward(gift.id), None, {})
    )
    return await sell_vouchers(shop, server, member, PRICE)


async def sell_vouchers(
    shop: Shop, server: VendorServer, member: MemberReference, price_points: int
) -> VendorShop:
    """Make a vendor and two rewards that it sells, one of them for points."""
    database, caller = shop.database, shop.caller
    fields = VendorFields("Vouchers", server.endpoint, TEMPLATE, MAPPING, SECRET, False, 1)
    vendor = await create_vendor(database, caller, CreateVendor("vendor", fields), SECURITY)
    draft = VendorVoucherDraft(vendor.vendor.id, "Coffee", "S1")
    points_id = caller.standard_assets.points_id
    price = PaymentConfigDraft(PaymentMode.POINTS, points_id, Decimal(price_points))
    paid = await shop.create_reward(draft, payment_configs=(price,))
    free = await shop.create_reward(draft)
    return VendorShop(database, caller, shop, server, member, vendor.vendor.id, paid.id, free.id)
