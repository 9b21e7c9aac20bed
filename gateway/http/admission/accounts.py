"""What each caller may spend, and how many requests of theirs are under way."""

from __future__ import annotations

import math
from collections.abc import Hashable
from http import HTTPStatus
from time import monotonic
from typing import Any, Final

from gateway.http.admission.token_bucket import TokenBucket
from gateway.http.refusals import RequestRefused
from gateway.storage.shares import Share

RATE_LIMITED: Final = "RATE_LIMITED"
# Beside those at work and those in debt, which are never forgotten.
ACCOUNTS_MAX: Final = 10_000


class Tenant:
    """What the accounts of one tenant share: how much of its requests runs at one time, large ones by themselves."""

    __slots__ = ("is_watched", "large", "running", "turns")

    def __init__(self, running_max: int, large_max: int) -> None:
        """Begin with none."""
        self.running = Share(running_max)
        self.large = Share(large_max)
        # What runs, in the order in which it began.
        self.turns: dict[Turn, None] = {}
        self.is_watched = False

    @property
    def is_idle(self) -> bool:
        """Tell whether nothing runs or waits."""
        return self.running.is_idle and self.large.is_idle and not self.turns


class Turn:
    """One request that runs, since when by the clock, and whether it counts in its tenant's share."""

    __slots__ = ("began", "cost", "is_counted", "tenant")

    def __init__(self, tenant: Tenant, cost: int, began: float) -> None:
        """Count it."""
        self.tenant = tenant
        self.cost = cost
        self.began = began
        self.is_counted = True


class Account:
    """One caller's: a credential's, a member's, or an address's."""

    __slots__ = ("_bucket", "_in_flight_max", "burst", "in_flight", "rate", "tenant")

    def __init__(
        self, tenant: Tenant | None, rate: float, burst: float, in_flight_max: int
    ) -> None:
        """Begin with everything to spend; `rate` is points a second."""
        self.tenant = tenant
        self.rate = rate
        self.burst = burst
        self.in_flight = 0
        self._in_flight_max = in_flight_max
        self._bucket = TokenBucket(rate, burst, monotonic())

    @property
    def is_idle(self) -> bool:
        """Tell whether nothing would be forgotten with it."""
        return not self.in_flight and self._bucket.level(monotonic()) >= self.burst

    def enter(self) -> None:
        """Count a request in flight.

        Raises:
            RequestRefused: there are as many as there may be.
        """
        if self.in_flight >= self._in_flight_max:
            raise rate_limited(
                f"This credential has {self._in_flight_max} requests under way; no more run at one time.",
                1,
            )
        self.in_flight += 1

    def leave(self) -> None:
        """Count it out."""
        self.in_flight -= 1

    def spend(self, points: float) -> None:
        """Take what an operation costs.

        Raises:
            RequestRefused: there is not enough; it says when there is.
        """
        seconds = self._bucket.take(points, monotonic())
        if seconds:
            raise rate_limited(
                "This caller asks for more than it may: wait as long as this says, or ask for less.",
                seconds,
                cost=self.describe(points),
            )

    def charge(self, points: float) -> None:
        """Take what something has cost that was done before it was known."""
        self._bucket.charge(points)

    def can_spend(self, points: float) -> bool:
        """Tell whether there is so much."""
        return self._bucket.level(monotonic()) >= points

    def describe(self, points: float) -> dict[str, Any]:
        """Return what `extensions.cost` says of an operation that costs so much."""
        return {
            "requested": points,
            "available": math.floor(self._bucket.level(monotonic())),
            "burst": self.burst,
            "perSecond": self.rate,
        }


class Accounts:
    """Accounts by whose they are. Those that nothing would be forgotten with may be."""

    def __init__(self) -> None:
        """Begin with none."""
        self._accounts: dict[Hashable, Account] = {}

    def find(self, name: Hashable) -> Account | None:
        """Return the account, if there is one."""
        return self._accounts.get(name)

    def remove(self, name: Hashable) -> None:
        """Let go of an account under this name."""
        self._accounts.pop(name, None)

    def add(self, name: Hashable, account: Account) -> Account:
        """Keep a new account."""
        if len(self._accounts) >= ACCOUNTS_MAX:
            busy = {name: known for name, known in self._accounts.items() if not known.is_idle}
            # Where nearly all are at work, forgetting some of them costs less than looking again and again.
            self._accounts = busy if len(busy) < ACCOUNTS_MAX // 2 else {}
        self._accounts[name] = account
        return account


def rate_limited(message: str, seconds: float, **extensions: Any) -> RequestRefused:
    """Make the refusal of somebody who asks for too much, who may come back in so many seconds."""
    wait_seconds = max(1, math.ceil(seconds))
    return RequestRefused(
        HTTPStatus.TOO_MANY_REQUESTS,
        RATE_LIMITED,
        message,
        {"Retry-After": str(wait_seconds)},
        {"retryAfterSeconds": wait_seconds, **extensions},
    )
