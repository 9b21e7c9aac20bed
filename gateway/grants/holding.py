"""Payments of pending grants: held when the grant is made, and captured or released when it is settled."""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Sequence
from uuid import UUID

from gateway.grants.line import Line
from gateway.ledger.balance import Hold
from gateway.ledger.book import Book
from gateway.ledger.model import Account, BalanceTooLow, Transfer


def holds_of(grant_id: UUID, operation_id: UUID, payments: Sequence[Transfer]) -> list[Hold]:
    """Return one hold for each payment. Their ids follow from the grant's, so that nobody has to look them up."""
    return [
        Hold(_hold_id(grant_id, position), payment.debit, payment.amount_minor, operation_id)
        for position, payment in enumerate(payments)
    ]


def hold_payments(book: Book, line: Line) -> None:
    """Reserve what a pending line will pay, all of it or nothing.

    Raises:
        BalanceTooLow: the payer has too little of an asset; the book is as it was.
    """
    needed: dict[Account, int] = defaultdict(int)
    for payment in line.payments:
        needed[payment.debit] += payment.amount_minor
    for account, amount_minor in needed.items():
        if (available_minor := book.available_minor(account)) < amount_minor:
            raise BalanceTooLow(account, amount_minor, available_minor)
    for hold in holds_of(line.grant_id, line.transaction.operation_id, line.payments):
        book.hold(hold)


def _hold_id(grant_id: UUID, position: int) -> UUID:
    name = b"hold" + grant_id.bytes + position.to_bytes(4)
    return UUID(bytes=hashlib.blake2b(name, digest_size=16).digest())
