"""Who may ask, for how much, and when it is their turn."""

from __future__ import annotations

import asyncio
from collections.abc import Hashable
from http import HTTPStatus
from ipaddress import IPv6Address, IPv6Network
from time import monotonic
from typing import Final
from uuid import UUID

from starlette.requests import ClientDisconnect
from starlette.types import Receive, Scope

from gateway.access import Caller
from gateway.allowance import Allowance
from gateway.http.admission.accounts import Account, Accounts, Tenant, Turn, rate_limited
from gateway.http.refusals import RequestRefused
from gateway.storage.shares import Share
from gateway.storage.slots import Slots

# Requests that run at one time in a process …
RUNNING_MAX: Final = 128
# … and points of one tenant's: in each turn of the event loop, a request of another waits for so much. A tenant that is alone
# has room for as many grants as share a commit.
RUNNING_COST_MAX: Final = 400
RUNNING_COST_ALONE_MAX: Final = 3_000
# How long others are expected after they were there.
COMPANY_SECONDS: Final = 2.0
# What runs for longer waits for a lock or a vendor, and does not count any more.
LATE_SECONDS: Final = 0.1
# Operations that cost so much keep the event loop for tens of milliseconds, or the database for longer: few of those.
LARGE_COST: Final = 5_000
LARGE_MAX: Final = 2
LARGE_OF_TENANT_MAX: Final = 1
TURN_TIMEOUT_SECONDS: Final = 10.0
TENANTS_MAX: Final = 10_000
# Of IPv6 an end user has a whole network.
NETWORK_BITS: Final = 64


class Admission:
    """Keeps the accounts of all callers, and says whose turn it is."""

    def __init__(self, allowance: Allowance) -> None:
        """Begin with nobody."""
        self._allowance = allowance
        self._accounts = Accounts()
        self._by_token = Accounts()
        self._addresses = Accounts()
        self._tenants: dict[UUID, Tenant] = {}
        self._running = Slots(RUNNING_MAX)
        self._last_tenant: Tenant | None = None
        self._company_until = 0.0
        self._large = Slots(LARGE_MAX)

    def find_by_token(self, token: str) -> Account | None:
        """Return the account of whoever was last recognized by this token."""
        return self._by_token.find(token)

    def open_for(self, token: str, caller: Caller) -> Account:
        """Return the account of a caller who was just recognized by a token that nobody had before."""
        name = _name_of(caller)
        account = self._accounts.find(name)
        if account is None:
            allowance = self._allowance
            account = self._accounts.add(
                name,
                Account(
                    self._tenant(caller.tenant_id),
                    allowance.cost_per_second,
                    allowance.cost_burst,
                    allowance.requests_in_flight_max,
                ),
            )
        return self._by_token.add(token, account)

    def enter_anonymously(self, scope: Scope) -> Account:
        """Count a request without a credential, and return the account that all of its address share.

        Raises:
            RequestRefused: there were too many.
        """
        account = self._of_address(scope)
        account.spend(1)
        return account

    def check_unknown(self, scope: Scope) -> None:
        """Let a token be looked up that nobody was recognized by before.

        Raises:
            RequestRefused: of its address there were too many that nobody holds. Those who were recognized before still are.
        """
        if not self._of_address(scope).can_spend(1):
            raise rate_limited("Too many requests of this address have no valid credential.", 1)

    def refuse_token(self, scope: Scope, token: str) -> None:
        """Count a token that nobody holds, or nobody any more.

        Raises:
            RequestRefused: there were too many.
        """
        self._by_token.remove(token)
        self._of_address(scope).spend(1)

    def _of_address(self, scope: Scope) -> Account:
        client = scope.get("client")
        name = _network_of(client[0]) if client else ""
        account = self._addresses.find(name)
        if account is None:
            allowance = self._allowance
            account = self._addresses.add(
                name,
                Account(
                    None,
                    allowance.anonymous_requests_per_second,
                    allowance.anonymous_requests_burst,
                    allowance.requests_in_flight_max,
                ),
            )
        return account

    def spend(self, account: Account, cost: int) -> None:
        """Take an operation's cost from an account.

        Raises:
            RequestRefused: it costs more than any operation may, or than is left.
        """
        # What never fits into the bucket could never run.
        most = min(self._allowance.operation_cost_max, self._allowance.cost_burst)
        if cost > most:
            # Refused again and again, it is asked for too often.
            account.spend(min(LARGE_COST, most))
            raise RequestRefused(
                HTTPStatus.BAD_REQUEST,
                "OPERATION_TOO_COSTLY",
                f"The operation costs {cost} points; at most {most} are allowed. Ask for smaller pages, or for less at a time.",
                extensions={"cost": {"requested": cost, "allowed": most}},
            )
        account.spend(cost)

    async def begin(self, tenant: Tenant, cost: int, receive: Receive) -> Turn:
        """Wait for the tenant's turn; `end` ends it.

        Raises:
            RequestRefused: it was not its turn in time.
            ClientDisconnect: nobody waits any more for an operation that is large.
        """
        try:
            if cost >= LARGE_COST:
                await take_unless_left(self._large, tenant.large, receive)
                return Turn(tenant, cost, 0.0)
            return await self._begin_to_run(tenant, cost)
        except TimeoutError:
            raise rate_limited(
                "Too many requests of this tenant are under way: wait for their answers.", 1
            ) from None

    async def _begin_to_run(self, tenant: Tenant, cost: int) -> Turn:
        now = monotonic()
        share = tenant.running
        share.most = self._running_cost_max(tenant, now)
        if not self._running.take_free(share, cost):
            if not tenant.is_watched:
                self._watch(tenant)
            await self._running.take(share, TURN_TIMEOUT_SECONDS, cost)
            now = monotonic()
        turn = Turn(tenant, cost, now)
        tenant.turns[turn] = None
        return turn

    def end(self, turn: Turn) -> None:
        """Let the next one run."""
        tenant = turn.tenant
        if turn.cost >= LARGE_COST:
            self._large.give_back(tenant.large)
            return
        del tenant.turns[turn]
        if turn.is_counted:
            self._running.give_back(tenant.running, turn.cost)

    def _watch(self, tenant: Tenant) -> None:
        """Look now, and again as long as anybody waits, for what takes long: that waits for something, and keeps the loop for nobody."""
        tenant.is_watched = True
        late_since = monotonic() - LATE_SECONDS
        for turn in list(tenant.turns):
            if turn.began > late_since:
                break
            if turn.is_counted:
                turn.is_counted = False
                self._running.give_back(tenant.running, turn.cost)
        asyncio.get_running_loop().call_later(LATE_SECONDS, self._watch_on, tenant)

    def _watch_on(self, tenant: Tenant) -> None:
        if tenant.running.has_waiting():
            self._watch(tenant)
        else:
            tenant.is_watched = False

    def _running_cost_max(self, tenant: Tenant, now: float) -> int:
        """Return how much of a tenant's may run now: less where others ask too."""
        if tenant is not self._last_tenant:
            if self._last_tenant is not None:
                self._company_until = now + COMPANY_SECONDS
            self._last_tenant = tenant
        return RUNNING_COST_MAX if now < self._company_until else RUNNING_COST_ALONE_MAX

    def _tenant(self, tenant_id: UUID) -> Tenant:
        tenant = self._tenants.get(tenant_id)
        if tenant is None:
            if len(self._tenants) >= TENANTS_MAX:
                self._tenants = {
                    name: known for name, known in self._tenants.items() if not known.is_idle
                }
            tenant = Tenant(RUNNING_COST_MAX, LARGE_OF_TENANT_MAX)
            self._tenants[tenant_id] = tenant
        return tenant


async def take_unless_left(slots: Slots, share: Share, receive: Receive) -> None:
    """Take a slot; whoever has gone away leaves the line, so that nothing is done for nobody.

    Raises:
        TimeoutError: none came free in time.
        ClientDisconnect: the client has gone away.
    """
    if slots.take_free(share):
        return
    taking = asyncio.ensure_future(slots.take(share, TURN_TIMEOUT_SECONDS))
    leaving = asyncio.ensure_future(receive())
    try:
        await asyncio.wait((taking, leaving), return_when=asyncio.FIRST_COMPLETED)
        has_left = leaving.done() and leaving.result()["type"] == "http.disconnect"
        if has_left and not taking.done():
            raise ClientDisconnect
        await taking
    except BaseException:
        # A slot that came in the same moment is for others.
        if not taking.cancel() and not taking.cancelled() and taking.exception() is None:
            slots.give_back(share)
        raise
    finally:
        leaving.cancel()


def _name_of(caller: Caller) -> Hashable:
    """Return whose account it is: a member's, who can have any number of tokens, or a credential's."""
    if caller.member_id is not None:
        return (caller.tenant_id, caller.member_id)
    return caller.credential_id or (caller.tenant_id, caller.partner_id)


def _network_of(address: str) -> str:
    """Return what one end user has: an address of IPv4, a network of IPv6."""
    if ":" not in address:
        return address
    try:
        whole = IPv6Address(address)
    except ValueError:
        return address
    return str(whole.ipv4_mapped or IPv6Network((whole, NETWORK_BITS), strict=False))
