"""Calls to vendors have a bound by vendor, by tenant and by process; what waits at one bound takes nothing of another."""

from __future__ import annotations

import asyncio
from uuid import UUID

import pytest

from gateway.purchasing.slots import CallLimits, VendorSlots

LIMITS = CallLimits(vendor_max=2, tenant_max=3, total_max=4)
TENANT, OTHER = UUID(int=1), UUID(int=2)
SLOW, QUICK, THIRD = UUID(int=11), UUID(int=12), UUID(int=13)


def call(
    slots: VendorSlots, tenant_id: UUID, vendor_id: UUID, begun: list[UUID]
) -> asyncio.Task[None]:
    """Begin a call that lasts until it is cancelled, and is in `begun` once it has a slot."""

    async def run() -> None:
        async with slots.take(tenant_id, vendor_id, 10):
            begun.append(vendor_id)
            await asyncio.Event().wait()

    return asyncio.create_task(run())


async def turn() -> None:
    for _ in range(10):
        await asyncio.sleep(0)


async def end(*tasks: asyncio.Task[None]) -> None:
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


async def test_vendor_tenant_and_process_have_a_bound_each() -> None:
    slots = VendorSlots(LIMITS)
    begun: list[UUID] = []
    calls = [call(slots, TENANT, SLOW, begun) for _ in range(3)]
    await turn()
    assert begun == [SLOW, SLOW]
    calls += [call(slots, TENANT, vendor, begun) for vendor in (QUICK, THIRD)]
    await turn()
    assert begun == [SLOW, SLOW, QUICK]
    # Another tenant has slots of its own, as far as the process has any.
    calls += [call(slots, OTHER, vendor, begun) for vendor in (QUICK, THIRD)]
    await turn()
    assert begun == [SLOW, SLOW, QUICK, QUICK]
    # What comes free goes to one of those that wait for any; the third call of the slow vendor waits for a slot of it.
    await end(calls[3])
    await turn()
    assert begun[4:] == [THIRD]
    await end(calls[0], calls[1])
    await turn()
    assert sorted(begun[5:]) == [SLOW, THIRD]
    await end(*calls)
    assert (slots._vendors, slots._tenants) == ({}, {})


async def test_what_waits_for_a_slow_vendor_keeps_no_slot_from_others() -> None:
    slots = VendorSlots(LIMITS)
    begun: list[UUID] = []
    calls = [call(slots, TENANT, SLOW, begun) for _ in range(20)]
    await turn()
    calls.append(call(slots, TENANT, QUICK, begun))
    await turn()
    assert begun == [SLOW, SLOW, QUICK]
    await end(*calls)
    assert (slots._vendors, slots._tenants) == ({}, {})


async def test_wait_for_a_slot_ends_in_time_and_leaves_nothing() -> None:
    slots = VendorSlots(LIMITS)
    assert slots.take_free(TENANT, SLOW, 2) == 2
    with pytest.raises(TimeoutError):
        async with slots.take(TENANT, SLOW, 0.01):
            pass
    for _ in range(2):
        slots.give_back(TENANT, SLOW)
    assert (slots._vendors, slots._tenants) == ({}, {})


async def test_free_slots_are_taken_without_waiting() -> None:
    slots = VendorSlots(LIMITS)
    assert slots.take_free(TENANT, SLOW, 1) == 1
    assert slots.take_free(TENANT, SLOW, 9) == 1
    assert slots.take_free(TENANT, SLOW, 9) == 0
    # The tenant has three in all, and the process four.
    assert slots.take_free(TENANT, QUICK, 9) == 1
    assert slots.take_free(TENANT, THIRD, 9) == 0
    assert slots.take_free(OTHER, THIRD, 9) == 1
    assert slots.take_free(OTHER, QUICK, 9) == 0
    for tenant_id, vendor_id in ((TENANT, SLOW), (TENANT, SLOW), (TENANT, QUICK), (OTHER, THIRD)):
        slots.give_back(tenant_id, vendor_id)
    assert (slots._vendors, slots._tenants) == ({}, {})


async def test_whoever_gives_up_when_its_slot_comes_leaves_nothing() -> None:
    slots = VendorSlots(CallLimits(vendor_max=1, tenant_max=1, total_max=1))
    begun: list[UUID] = []
    first = call(slots, TENANT, SLOW, begun)
    await turn()
    second = call(slots, TENANT, SLOW, begun)
    await turn()
    # The first gives its slot back, and the second, which has it then, does not come to know.
    first.cancel()
    await asyncio.sleep(0)
    await end(first, second)
    assert begun == [SLOW]
    assert slots._vendors == {}
    assert slots._tenants == {}
