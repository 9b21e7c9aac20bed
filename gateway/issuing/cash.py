"""Payments in cash, which happen outside the gateway: each pays for the items of one issuance only (CAP-6).

A reference is the caller's own name of the payment. It may pay for several items of one call, and for no other call of the
same partner. It is claimed before balances are locked, and set free again if nothing that it pays for was issued.
"""

from __future__ import annotations

from collections.abc import Sequence

from gateway.access import Caller
from gateway.grants.line import Line, LineResult
from gateway.grants.record import GrantRecord
from gateway.grants.status import Refusal, StatusCode
from gateway.issuing import cash_store
from gateway.operations.model import Operation
from gateway.storage.database import Connection


async def refuse_taken_references(
    connection: Connection, caller: Caller, lines: Sequence[Line], operation: Operation
) -> dict[int, Refusal]:
    """Claim the references of these lines and return a refusal, by index, where another issuance has it.

    Round trips: one, or none without cash.
    """
    references = {reference for line in lines if (reference := reference_of(line))}
    if not references:
        return {}
    claimed = await cash_store.claim_references(connection, caller, references, operation)
    return {
        line.index: _refuse(reference)
        for line in lines
        if (reference := reference_of(line)) and reference not in claimed
    }


async def free_unused_references(
    connection: Connection,
    caller: Caller,
    lines: Sequence[Line],
    results: Sequence[LineResult],
    operation: Operation,
) -> None:
    """Set the references free that paid for nothing; one round trip, or none."""
    claimed = {reference for line in lines if (reference := reference_of(line))}
    used = {
        reference
        for line, result in zip(lines, results, strict=True)
        if isinstance(result, GrantRecord) and (reference := reference_of(line))
    }
    if claimed - used:
        await cash_store.free_references(connection, caller, claimed - used, operation)


def reference_of(line: Line) -> str | None:
    """Return the reference of the cash that pays for a line, if cash does."""
    reference: str | None = line.details["payment"].get("cash_reference")
    return reference


def _refuse(reference: str) -> Refusal:
    message = f"The cash payment {reference!r} has paid for another issuance."
    return Refusal(StatusCode.CASH_REFERENCE_TAKEN, (message,))
