"""The one posting routine: grant, issue and distribute all end here, a single grant as the batch of one.

Round trips, whatever the number of lines: lock 1, ledger and grants 1 (3 from a thousand entries on); with unique coupons up
to 6 more; with purchases from vendors 2 more, for the holds and the orders.
Lock order: coupon assignments, codes, balances.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from uuid import UUID

from gateway.errors import Overloaded, RewardsError
from gateway.grants import coupon_store, store, vendor_order_store
from gateway.grants.codes import WITH_CODE, seal_benefits
from gateway.grants.coupon_store import DrawnCode
from gateway.grants.coupons import Draw, draw_coupons
from gateway.grants.holding import hold_payments
from gateway.grants.line import AlreadyIssued, Line, LineResult
from gateway.grants.record import GrantRecord, GrantStatus
from gateway.grants.status import Refusal, StatusCode
from gateway.ledger.balance import EntryRange, bounded_accounts
from gateway.ledger.book import Book
from gateway.ledger.limits import LimitExceeded
from gateway.ledger.model import BalanceTooHigh, BalanceTooLow, OwnerKind
from gateway.ledger.store import lock_balances
from gateway.storage.database import Connection

Check = Callable[[Book, Sequence[Line]], None]
# Of a line whose call was refused as a whole; nobody is shown it.
REFUSED = Refusal(StatusCode.INSUFFICIENT_BALANCE, ("The call was refused.",))


class CodeMissed(Overloaded):
    """A call shares its database transaction with others, and a code that it wants may only be locked: alone it would wait."""


def _accept(_: Book, __: Sequence[Line]) -> None:
    return


async def award(
    connection: Connection,
    tenant_id: UUID,
    lines: Sequence[Line],
    at: datetime,
    check: Check = _accept,
    limited_credential_id: UUID | None = None,
) -> list[LineResult]:
    """Grant each line that can be granted, in order, and return one result per line.

    `check` sees the locked balances and the lines that may still be granted before any is tried, and may refuse all of them
    by raising. The daily limits of `limited_credential_id` count what the lines issue. A line that is refused changes nothing; the others stand.

    Raises:
        RewardsError: whatever `check` raises.
    """
    (results,) = await award_each(connection, tenant_id, [lines], at, check, limited_credential_id)
    if isinstance(results, RewardsError):
        raise results
    return results


async def award_each(
    connection: Connection,
    tenant_id: UUID,
    parts: Sequence[Sequence[Line]],
    at: datetime,
    check: Check = _accept,
    limited_credential_id: UUID | None = None,
) -> list[list[LineResult] | RewardsError]:
    """Award several calls' lines in one go, and return for each part its results, or what `check` refused it with.

    `check` is asked for each part when its turn comes, and sees what the parts before it have left of the balances; a part that
    it refuses changes nothing. Nor does one of several that finds a pool without a free code: it is refused with `CodeMissed`,
    since another part, or another database transaction, may yet leave its code. Parts must not want the same coupon for the
    same member.
    """
    lines = [line for part in parts for line in part]
    draw = await draw_coupons(connection, tenant_id, lines, at)
    transfers = [transfer for line in lines for transfer in (*line.payments, *line.transfers)]
    book = await lock_balances(
        connection, tenant_id, bounded_accounts(transfers), at, limited_credential_id
    )
    decided = [
        CodeMissed("Of a pool no code is free.")
        if len(parts) > 1 and _has_missed(part, draw)
        else _try_part(book, part, draw, at, check)
        for part in parts
    ]
    results = [
        result
        for part, outcome in zip(parts, decided, strict=True)
        for result in ([REFUSED] * len(part) if isinstance(outcome, RewardsError) else outcome)
    ]
    grants = [result for result in results if isinstance(result, GrantRecord)]
    if grants:
        if any(grant.kind in WITH_CODE for grant in grants):
            seal_benefits(connection.keys, tenant_id, grants)
        await store.insert_grants(connection, tenant_id, grants, book, at)
        granted = {grant.id for grant in grants}
        purchases = [line for line in lines if line.purchase and line.grant_id in granted]
        if purchases:
            await vendor_order_store.insert_orders(connection, tenant_id, purchases, at)
    await _settle_coupons(connection, tenant_id, lines, results, draw)
    return decided


def _has_missed(lines: Sequence[Line], draw: Draw) -> bool:
    settled = draw.settled
    return bool(settled) and any(isinstance(settled.get(line.grant_id), Refusal) for line in lines)


def _try_part(
    book: Book, lines: Sequence[Line], draw: Draw, at: datetime, check: Check
) -> list[LineResult] | RewardsError:
    try:
        settled = draw.settled
        check(book, [line for line in lines if line.grant_id not in settled] if settled else lines)
    except RewardsError as error:
        return error
    return _try_all(book, lines, draw, at)


def _try_all(book: Book, lines: Sequence[Line], draw: Draw, at: datetime) -> list[LineResult]:
    results: dict[UUID, LineResult] = {}
    for line in lines:
        result = _try(book, line, draw, at)
        # A second line for the same coupon and member shares the fate of the first.
        if isinstance(result, AlreadyIssued) and isinstance(
            earlier := results.get(result.grant_id), Refusal
        ):
            result = earlier
        results[line.grant_id] = result
    return list(results.values())


def _try(book: Book, line: Line, draw: Draw, at: datetime) -> LineResult:
    """Post one line on the book, or say why not."""
    if settled := draw.settled.get(line.grant_id):
        return settled
    try:
        if line.purchase is not None:
            hold_payments(book, line)
            entries = EntryRange(0, 0)
        else:
            entries = book.post(line.transaction, (*line.payments, *line.transfers), line.grant_id)
    except BalanceTooLow as error:
        return _too_low(error)
    except BalanceTooHigh as error:
        return Refusal(StatusCode.BALANCE_TOO_HIGH, (error.message,))
    except LimitExceeded as error:
        return Refusal(StatusCode.LIMIT_EXCEEDED, (error.message,), error)
    return _to_record(line, entries, draw.codes.get(line.grant_id), at)


def _too_low(error: BalanceTooLow) -> Refusal:
    if error.account.owner_kind is OwnerKind.STOCK:
        message = f"Out of stock: {error.required_minor} needed, {error.available_minor} left."
        return Refusal(StatusCode.OUT_OF_STOCK, (message,))
    if error.account.owner_kind is OwnerKind.BUDGET:
        message = f"The campaign's budget has too little left: {error.message}"
        return Refusal(StatusCode.BUDGET_EXHAUSTED, (message,))
    message = f"The balance is too low: {error.message}"
    return Refusal(StatusCode.INSUFFICIENT_BALANCE, (message,))


def _to_record(
    line: Line, entries: EntryRange, code: DrawnCode | None, at: datetime
) -> GrantRecord:
    is_claimed = line.status is GrantStatus.CLAIMED
    # A list, as the database returns it: a grant equals itself read back.
    benefits = list(line.benefits)
    if code is not None:
        expiry = code.expires_at.isoformat() if code.expires_at else None
        benefits = [
            {**benefit, "code": code.code, "code_id": str(code.id), "expires_at": expiry}
            if benefit["kind"] == "COUPON_CODE"
            else benefit
            for benefit in benefits
        ]
    return GrantRecord(
        id=line.grant_id,
        organization_id=line.organization_id,
        member_id=line.member_id,
        operation_id=line.transaction.operation_id,
        line_index=line.index,
        source=line.source,
        kind=line.kind,
        status=line.status,
        reward_id=line.reward_id,
        reward_version_id=line.reward_version_id,
        action_code=line.action_code,
        client_reference=line.client_reference,
        metadata=line.metadata,
        benefits=benefits,
        details=line.details,
        rewarded_at=at,
        transaction_id=line.transaction.id,
        entry_from=entries.start,
        entry_to=entries.stop,
        claimed_at=at if is_claimed else None,
        claim_transaction_id=line.transaction.id if is_claimed else None,
        expires_at=code.expires_at if code else line.expires_at,
    )


async def _settle_coupons(
    connection: Connection,
    tenant_id: UUID,
    lines: Sequence[Line],
    results: Sequence[LineResult],
    draw: Draw,
) -> None:
    """Give the drawn codes to the lines that were granted; unmark the members of those that were not."""
    if not any(line.coupon for line in lines):
        return
    granted = {result.id for result in results if isinstance(result, GrantRecord)}
    given = {grant_id: code for grant_id, code in draw.codes.items() if grant_id in granted}
    if given:
        await coupon_store.give_codes(connection, tenant_id, given)
    refused = {
        line.grant_id: (line.coupon.reward_id, line.member_id)
        for line, result in zip(lines, results, strict=True)
        if line.coupon is not None and isinstance(result, Refusal)
    }
    if refused:
        await coupon_store.unassign(connection, tenant_id, refused)
