"""Who may call a vendor now: a slow vendor uses up its own slots only, and a tenant its own."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import NamedTuple
from uuid import UUID

from gateway.storage.shares import Share
from gateway.storage.slots import Slots

VendorKey = tuple[UUID, UUID]


class CallLimits(NamedTuple):
    """How many calls may be under way: to one vendor, to all vendors of one tenant, and in all."""

    vendor_max: int
    tenant_max: int
    total_max: int


class VendorSlots:
    """The slots of one process. A call takes one of its vendor's first, so that what waits there keeps nobody else waiting."""

    def __init__(self, limits: CallLimits) -> None:
        """Begin with every slot free."""
        self._limits = limits
        # Vendors share nothing with each other here: each is bounded by its own share.
        self._vendor_slots = Slots(limits.vendor_max * limits.total_max)
        self._tenant_slots = Slots(limits.total_max)
        self._vendors: dict[VendorKey, Share] = {}
        self._tenants: dict[UUID, Share] = {}

    @asynccontextmanager
    async def take(self, tenant_id: UUID, vendor_id: UUID, seconds: float) -> AsyncIterator[None]:
        """Wait for a slot and hold it for the time of the block.

        Raises:
            TimeoutError: none came free in time.
        """
        clock = asyncio.get_running_loop().time
        deadline = clock() + seconds
        vendor = self._find_vendor(tenant_id, vendor_id)
        try:
            await self._vendor_slots.take(vendor, seconds)
        except BaseException:
            self._forget_idle(tenant_id, vendor_id)
            raise
        try:
            tenant = self._find_tenant(tenant_id)
            await self._tenant_slots.take(tenant, deadline - clock())
        except BaseException:
            self._vendor_slots.give_back(vendor)
            self._forget_idle(tenant_id, vendor_id)
            raise
        try:
            yield
        finally:
            self.give_back(tenant_id, vendor_id)

    def take_free(self, tenant_id: UUID, vendor_id: UUID, most: int) -> int:
        """Take as many slots as are free now, at most so many, and return how many; each has to be given back."""
        vendor, tenant = self._find_vendor(tenant_id, vendor_id), self._find_tenant(tenant_id)
        taken = 0
        while taken < most and self._vendor_slots.take_free(vendor):
            if not self._tenant_slots.take_free(tenant):
                self._vendor_slots.give_back(vendor)
                break
            taken += 1
        self._forget_idle(tenant_id, vendor_id)
        return taken

    def give_back(self, tenant_id: UUID, vendor_id: UUID) -> None:
        """Free one slot."""
        self._tenant_slots.give_back(self._tenants[tenant_id])
        self._vendor_slots.give_back(self._vendors[tenant_id, vendor_id])
        self._forget_idle(tenant_id, vendor_id)

    def _find_vendor(self, tenant_id: UUID, vendor_id: UUID) -> Share:
        return self._vendors.setdefault((tenant_id, vendor_id), Share(self._limits.vendor_max))

    def _find_tenant(self, tenant_id: UUID) -> Share:
        return self._tenants.setdefault(tenant_id, Share(self._limits.tenant_max))

    def _forget_idle(self, tenant_id: UUID, vendor_id: UUID) -> None:
        vendor, tenant = (
            self._vendors.get((tenant_id, vendor_id)),
            self._tenants.get(tenant_id),
        )
        if vendor is not None and vendor.is_idle:
            del self._vendors[tenant_id, vendor_id]
        if tenant is not None and tenant.is_idle:
            del self._tenants[tenant_id]
