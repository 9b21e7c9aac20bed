"""What callers are told who ask for too much: how much it was, when to come back; and that others notice nothing."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from dataclasses import replace
from http import HTTPStatus
from pathlib import Path
from typing import Any
from uuid import UUID

import httpx
import pytest
import strawberry
from starlette.requests import ClientDisconnect
from strawberry.schema.config import StrawberryConfig

from gateway.access import Caller
from gateway.allowance import Allowance
from gateway.errors import Unauthenticated
from gateway.http.admission import admission, slow_refusals
from gateway.http.admission.accounts import Tenant
from gateway.http.admission.weighing import Weights
from gateway.http.application import create_http_application
from gateway.http.graphql_schema import GatewaySchema
from gateway.http.refusals import RequestRefused
from gateway.settings import Settings
from gateway.storage.shares import Share
from gateway.storage.slots import Slots
from tests.api.toy_http import CALLER, Readiness, ToyContext, bearer, codes

ALLOWANCE = Allowance(
    operation_cost_max=60,
    cost_per_second=1,
    cost_burst=1_000,
    requests_in_flight_max=3,
    anonymous_requests_per_second=1,
    anonymous_requests_burst=5,
)
OTHER_TENANT = replace(CALLER, tenant_id=UUID(int=7), partner_id=UUID(int=8))
CALLERS = {
    "one": replace(CALLER, credential_id=UUID(int=11)),
    "same": replace(CALLER, credential_id=UUID(int=11)),
    "two": replace(CALLER, credential_id=UUID(int=12)),
    "other": replace(OTHER_TENANT, credential_id=UUID(int=13)),
    "member": replace(CALLER, credential_id=UUID(int=14), member_id=UUID(int=20)),
    "member-again": replace(CALLER, credential_id=UUID(int=15), member_id=UUID(int=20)),
}
CHEAP = "{ cheap }"
DEAR = "{ dear }"


class Gate:
    """Where `{ wait }` waits."""

    def __init__(self) -> None:
        self.waiting = 0
        self.is_open = asyncio.Event()


@strawberry.type
class Query:
    """Fields that cost different amounts, and one that waits."""

    @strawberry.field
    def cheap(self) -> int:
        return 1

    @strawberry.field
    def dear(self) -> int:
        return 1

    @strawberry.field
    async def wait(self, info: strawberry.Info[Any, None]) -> int:
        gate = GATES[info.context.caller.tenant_id]
        gate.waiting += 1
        try:
            await gate.is_open.wait()
        finally:
            gate.waiting -= 1
        return 1


GATES: dict[UUID, Gate] = {}
looked_up: list[str] = []


async def authenticate(token: str) -> Caller:
    looked_up.append(token)
    if token not in CALLERS:
        raise Unauthenticated("The credential is unknown, expired or revoked.")
    return CALLERS[token]


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(slow_refusals, "REFUSAL_DELAY_SECONDS", 0.001)
    # What documents cost is tested where it is worked out.
    monkeypatch.setattr("gateway.http.graphql_schema.CHARACTER_COST", 0)
    GATES.clear()
    GATES.update({caller.tenant_id: Gate() for caller in CALLERS.values()})
    looked_up.clear()


@contextlib.asynccontextmanager
async def serving(
    tmp_path: Path, allowance: Allowance = ALLOWANCE, weights: dict[str, int] | None = None
) -> AsyncIterator[httpx.AsyncClient]:
    schema = GatewaySchema(
        Query,
        config=StrawberryConfig(),
        weights=Weights(weights or {"Query.cheap": 1, "Query.dear": 60, "Query.wait": 1}),
    )
    application = create_http_application(
        schema=schema,
        settings=Settings(allowance=allowance, data_dir=tmp_path),
        authenticate=authenticate,
        make_context=ToyContext,
        find_reasons=Readiness(),
    )
    transport = httpx.ASGITransport(application)
    async with httpx.AsyncClient(transport=transport, base_url="http://localhost") as client:
        yield client


@pytest.fixture
async def client(tmp_path: Path) -> AsyncIterator[httpx.AsyncClient]:
    async with serving(tmp_path) as client:
        yield client


async def ask(
    client: httpx.AsyncClient, query: str, token: str | None = "one", **headers: str
) -> httpx.Response:
    if token is not None:
        headers["Authorization"] = bearer(token)
    return await client.post("/graphql", json={"query": query}, headers=headers)


def begin_to_wait(client: httpx.AsyncClient, *tokens: str) -> list[asyncio.Task[httpx.Response]]:
    """Send a request with each token; all of them wait until their tenant's gate opens."""
    return [asyncio.create_task(ask(client, "{ wait }", token)) for token in tokens]


async def spend(client: httpx.AsyncClient, token: str = "one", times: int = 16) -> None:
    """Leave forty points of a thousand."""
    for _ in range(times):
        assert (await ask(client, DEAR, token)).status_code == HTTPStatus.OK


async def test_who_has_spent_all_is_told_when_to_come_back(client: httpx.AsyncClient) -> None:
    await spend(client)
    response = await ask(client, DEAR)
    assert response.status_code == HTTPStatus.TOO_MANY_REQUESTS
    # Sixty are needed, forty are left, one comes back each second.
    assert response.headers["retry-after"] == "20"
    [error] = response.json()["errors"]
    assert error["extensions"] == {
        "code": "RATE_LIMITED",
        "retryAfterSeconds": 20,
        "cost": {"requested": 60, "available": 40, "burst": 1_000, "perSecond": 1},
    }
    assert "data" not in response.json()
    # What is cheaper still goes.
    assert (await ask(client, CHEAP)).json() == {"data": {"cheap": 1}}


async def test_an_account_is_a_credentials_whatever_its_token_and_nobody_elses(
    client: httpx.AsyncClient,
) -> None:
    await spend(client)
    statuses = {
        token: (await ask(client, DEAR, token)).status_code
        for token in ("same", "two", "other", "member")
    }
    assert statuses == {"same": 429, "two": 200, "other": 200, "member": 200}


async def test_a_members_tokens_share_an_account(client: httpx.AsyncClient) -> None:
    await spend(client, "member")
    assert (await ask(client, DEAR, "member-again")).status_code == 429


async def test_an_operation_that_costs_too_much_does_not_run(client: httpx.AsyncClient) -> None:
    response = await ask(client, "{ dear cheap }")
    assert response.status_code == HTTPStatus.BAD_REQUEST
    [error] = response.json()["errors"]
    assert error["extensions"] == {
        "code": "OPERATION_TOO_COSTLY",
        "cost": {"requested": 61, "allowed": 60},
    }
    assert "61" in error["message"]
    assert "60" in error["message"]
    # Asked for again and again, it is asked for too often.
    for _ in range(16):
        response = await ask(client, "{ dear cheap }")
    assert codes(response) == ["RATE_LIMITED"]


async def test_cost_is_reported_to_who_asks_for_it(client: httpx.AsyncClient) -> None:
    response = await ask(client, DEAR, X_Report_Cost="1".replace("_", "-"))
    assert response.json() == {"data": {"dear": 1}}
    response = await ask(client, DEAR, **{"X-Report-Cost": "1"})
    assert response.json()["extensions"]["cost"] == {
        "requested": 60,
        "available": 880,
        "burst": 1_000,
        "perSecond": 1,
    }


async def test_a_new_document_is_paid_for_though_it_cannot_run(
    client: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("gateway.http.graphql_schema.CHARACTER_COST", 20)
    statuses = [(await ask(client, f"{{ nothing{number} }}")).status_code for number in range(6)]
    assert statuses == [200, 200, 200, 200, 429, 429]


async def test_requests_in_flight_are_bounded_for_each_credential(
    client: httpx.AsyncClient,
) -> None:
    gate = GATES[CALLER.tenant_id]
    waiting = [asyncio.create_task(ask(client, "{ wait }")) for _ in range(3)]
    await until(lambda: gate.waiting == 3)
    response = await ask(client, CHEAP)
    assert (response.status_code, codes(response)) == (429, ["RATE_LIMITED"])
    assert response.headers["retry-after"] == "1"
    assert (await ask(client, CHEAP, "two")).status_code == 200
    gate.is_open.set()
    assert {response.status_code for response in await asyncio.gather(*waiting)} == {200}
    assert (await ask(client, CHEAP)).status_code == 200


async def test_requests_that_fail_or_are_given_up_are_in_flight_no_more(
    client: httpx.AsyncClient,
) -> None:
    gate = GATES[CALLER.tenant_id]
    waiting = [asyncio.create_task(ask(client, "{ wait }")) for _ in range(3)]
    await until(lambda: gate.waiting == 3)
    for task in waiting:
        task.cancel()
    await asyncio.gather(*waiting, return_exceptions=True)
    for query in ("{ nothing }", "{", "{ dear cheap }"):
        for _ in range(4):
            await ask(client, query)
    assert (await ask(client, CHEAP)).status_code == 200


async def test_a_tenant_runs_few_large_operations_and_leaves_room_for_another(
    tmp_path: Path,
) -> None:
    allowance = replace(ALLOWANCE, operation_cost_max=10_000, cost_burst=100_000)
    async with serving(tmp_path, allowance, {"Query.wait": 5_000, "Query.cheap": 1}) as client:
        gates = GATES[CALLER.tenant_id], GATES[OTHER_TENANT.tenant_id]
        tasks = begin_to_wait(client, "one", "two", "one")
        await until(lambda: gates[0].waiting == 1)
        tasks.append(asyncio.create_task(ask(client, "{ wait }", "other")))
        await until(lambda: gates[1].waiting == 1)
        # Others go on.
        assert (await ask(client, CHEAP, "two")).status_code == 200
        assert gates[0].waiting == 1
        for gate in gates:
            gate.is_open.set()
        assert {response.status_code for response in await asyncio.gather(*tasks)} == {200}


async def test_a_tenant_with_many_requests_leaves_room_for_another(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(admission, "RUNNING_COST_ALONE_MAX", 2)
    monkeypatch.setattr(admission, "LATE_SECONDS", 60)
    async with serving(tmp_path) as client:
        gate = GATES[CALLER.tenant_id]
        tasks = begin_to_wait(client, "one", "two", "one", "two", "one")
        await until(lambda: gate.waiting == 2)
        assert (await ask(client, CHEAP, "other")).status_code == 200
        assert gate.waiting == 2
        gate.is_open.set()
        assert {response.status_code for response in await asyncio.gather(*tasks)} == {200}


def test_less_of_a_tenant_runs_where_others_were_there_a_moment_ago() -> None:
    keeper = admission.Admission(Allowance())
    one, other = (Tenant(1, 1) for _ in range(2))
    asked = [(one, 0.0), (one, 9.0), (other, 10.0), (other, 11.9), (other, 12.1), (one, 13.0)]
    most = [keeper._running_cost_max(tenant, now) for tenant, now in asked]
    assert most == [3_000, 3_000, 400, 400, 3_000, 400]


async def test_what_waits_for_something_else_keeps_no_other_of_its_tenant_waiting(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(admission, "RUNNING_COST_ALONE_MAX", 2)
    monkeypatch.setattr(admission, "LATE_SECONDS", 0.01)
    async with serving(tmp_path) as client:
        gate = GATES[CALLER.tenant_id]
        tasks = begin_to_wait(client, "one", "two", "one", "two", "one")
        await until(lambda: gate.waiting == 5)
        assert (await ask(client, CHEAP, "two")).status_code == 200
        gate.is_open.set()
        assert {response.status_code for response in await asyncio.gather(*tasks)} == {200}
        # Everything was given back once.
        for _ in range(3):
            assert (await ask(client, CHEAP, "two")).status_code == 200


async def test_a_turn_is_given_back_once_also_if_it_was_late(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(admission, "LATE_SECONDS", 0.005)
    keeper = admission.Admission(Allowance())
    tenant = keeper.open_for("one", CALLERS["one"]).tenant
    assert tenant is not None
    cost = admission.RUNNING_COST_ALONE_MAX
    late = [await keeper.begin(tenant, cost, never) for _ in range(1)]
    await asyncio.sleep(0.01)
    # It would wait, had the first one not run for so long.
    late.append(await asyncio.wait_for(keeper.begin(tenant, cost, never), 5))
    for turn in late:
        keeper.end(turn)
    await asyncio.sleep(0.01)
    assert tenant.is_idle
    assert keeper._running._free == admission.RUNNING_MAX


async def test_less_of_a_tenant_runs_while_others_ask(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(admission, "LATE_SECONDS", 60)
    monkeypatch.setattr(admission, "TURN_TIMEOUT_SECONDS", 0.01)
    keeper = admission.Admission(Allowance())
    busy, other = (keeper.open_for(name, CALLERS[name]).tenant for name in ("one", "other"))
    assert busy is not None
    assert other is not None
    turns = [await keeper.begin(busy, admission.RUNNING_COST_MAX, never) for _ in range(2)]
    turns.append(await keeper.begin(other, 1, never))
    with pytest.raises(RequestRefused):
        await keeper.begin(busy, 1, never)
    monkeypatch.setattr(admission, "COMPANY_SECONDS", 0)
    keeper._company_until = 0
    turns.append(await keeper.begin(busy, 1, never))
    for turn in turns:
        keeper.end(turn)
    assert busy.is_idle


async def never() -> Any:
    await asyncio.Event().wait()


async def test_who_has_left_leaves_the_line_too() -> None:
    slots, share = Slots(2), Share(1)
    has_left = asyncio.Event()

    async def receive() -> dict[str, str]:
        await has_left.wait()
        return {"type": "http.disconnect"}

    await slots.take(share, 1)
    waiting = asyncio.create_task(admission.take_unless_left(slots, share, receive))
    await asyncio.sleep(0.01)
    has_left.set()
    with pytest.raises(ClientDisconnect):
        await waiting
    slots.give_back(share)
    assert share.is_idle
    # Who is there gets it, and nothing is lost where both come at once, or somebody is cancelled.
    has_left.clear()
    for _ in range(20):
        await admission.take_unless_left(slots, share, receive)
        tasks = [
            asyncio.create_task(admission.take_unless_left(slots, share, receive)) for _ in range(4)
        ]
        await asyncio.sleep(0.001)
        slots.give_back(share)
        tasks[0].cancel()
        has_left.set()
        done = await asyncio.gather(*tasks, return_exceptions=True)
        assert share.held == done.count(None)
        for _ in range(share.held):
            slots.give_back(share)
        has_left.clear()
    assert share.is_idle
    assert slots._free == 2


async def test_whose_turn_does_not_come_is_told_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(admission, "RUNNING_COST_ALONE_MAX", 1)
    monkeypatch.setattr(admission, "LATE_SECONDS", 60)
    monkeypatch.setattr(admission, "TURN_TIMEOUT_SECONDS", 0.01)
    async with serving(tmp_path) as client:
        gate = GATES[CALLER.tenant_id]
        first = asyncio.create_task(ask(client, "{ wait }"))
        await until(lambda: gate.waiting == 1)
        response = await ask(client, CHEAP, "two")
        assert (response.status_code, codes(response)) == (429, ["RATE_LIMITED"])
        gate.is_open.set()
        assert (await first).status_code == 200


async def test_those_without_a_credential_share_what_an_address_may_ask_for(
    client: httpx.AsyncClient,
) -> None:
    statuses = [(await ask(client, "{ __typename }", None)).status_code for _ in range(7)]
    assert statuses == [200] * 5 + [429] * 2
    response = await ask(client, "{ cheap }", None)
    assert (response.status_code, codes(response)) == (429, ["RATE_LIMITED"])
    assert response.headers["retry-after"] == "1"
    # Nor is a token looked up that nobody was recognized by before …
    assert (await ask(client, CHEAP, "one")).status_code == 429
    assert looked_up == []


async def test_who_was_recognized_before_is_not_hindered_by_others_at_the_address(
    client: httpx.AsyncClient,
) -> None:
    assert (await ask(client, CHEAP)).status_code == 200
    statuses = [(await ask(client, CHEAP, f"guess-{number}")).status_code for number in range(7)]
    assert statuses == [401] * 5 + [429] * 2
    assert looked_up == ["one", *(f"guess-{number}" for number in range(5))]
    assert (await ask(client, CHEAP)).status_code == 200
    assert (await ask(client, CHEAP, "two")).status_code == 429


async def test_a_token_that_is_not_valid_any_more_is_as_unknown_as_any(
    client: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert (await ask(client, CHEAP)).status_code == 200
    monkeypatch.delitem(CALLERS, "one")
    statuses = [(await ask(client, CHEAP)).status_code for _ in range(8)]
    assert statuses == [401] * 5 + [429] * 3
    assert len(looked_up) == 1 + 5


@pytest.mark.parametrize(
    ("addresses", "is_shared"),
    [
        (("10.0.0.1", "10.0.0.2"), False),
        (("2001:db8:0:1::1", "2001:db8:0:1:ffff::2"), True),
        (("2001:db8:0:1::1", "2001:db8:0:2::1"), False),
        (("::ffff:10.0.0.1", "::ffff:10.0.0.2"), False),
        (("::ffff:10.0.0.1", "10.0.0.1"), True),
        (("fe80::1%eth0", "fe80::2%eth0"), True),
    ],
)
def test_an_address_is_what_one_end_user_has(addresses: tuple[str, str], is_shared: bool) -> None:
    keeper = admission.Admission(ALLOWANCE)
    first, second = (
        keeper.enter_anonymously({"type": "http", "client": (address, 1)}) for address in addresses
    )
    assert (first is second) is is_shared


async def test_refusals_are_answered_late_but_not_all_of_them(
    client: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(slow_refusals, "REFUSAL_DELAY_SECONDS", 60)
    monkeypatch.setattr(slow_refusals, "REFUSALS_DELAYED_MAX", 2)
    late = [asyncio.create_task(ask(client, "{ dear cheap }")) for _ in range(2)]
    await asyncio.sleep(0.05)
    assert not any(task.done() for task in late)
    # They are not in flight meanwhile.
    assert (await ask(client, CHEAP)).status_code == 200
    assert (await ask(client, "{ dear cheap }")).status_code == 400
    for task in late:
        task.cancel()
    await asyncio.gather(*late, return_exceptions=True)


async def until(is_true: Any) -> None:
    async with asyncio.timeout(5):
        while not is_true():  # noqa: ASYNC110 - what is waited for has no event
            await asyncio.sleep(0.001)
