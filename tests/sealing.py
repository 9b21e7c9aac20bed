"""The keys that the tests' databases are sealed with, in memory and as the settings of processes."""

from __future__ import annotations

from typing import Any, Protocol

from gateway.access import Caller
from gateway.grants.codes import open_benefit
from gateway.grants.record import GrantRecord
from gateway.keys.model import Keys

MASTER = bytes(range(32))
KEYS = Keys([MASTER])
SECRET_KEYS = MASTER.hex()


class Place(Protocol):
    """Where a test happens."""

    @property
    def caller(self) -> Caller:
        """Return who calls."""


def code_of(place: Place, grant: GrantRecord | None) -> str:
    """Return the code that a grant gave."""
    assert grant is not None
    (benefit,) = grant.benefits
    return open_benefit(KEYS, place.caller.tenant_id, grant.id, benefit)


def plain_benefits(place: Place, grant: GrantRecord) -> list[dict[str, Any]]:
    """Return what a grant gave, with its code in place of the sealed one; which code of a pool it was is left out."""
    return [
        {name: value for name, value in benefit.items() if name not in {"sealed_code", "code_id"}}
        | {"code": open_benefit(KEYS, place.caller.tenant_id, grant.id, benefit)}
        if "sealed_code" in benefit
        else dict(benefit)
        for benefit in grant.benefits
    ]


def seal_nothing(text: str) -> str:
    """Stand for a seal where none is needed."""
    return f"sealed {text}"
