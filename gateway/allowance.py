"""What each caller may ask for."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Allowance:
    """The bounds of one caller; each field is a variable of the environment too. Units: points of cost, requests.

    A machine with two cores does about 200,000 points a second; one credential may ask for half of it, which is far
    more than the four thousand grants that such a machine does.
    """

    operation_cost_max: int = 100_000
    cost_per_second: int = 100_000
    cost_burst: int = 200_000
    requests_in_flight_max: int = 200
    # Of an address.
    anonymous_requests_per_second: int = 50
    anonymous_requests_burst: int = 200
