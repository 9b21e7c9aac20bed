"""One issuance on its way through its database transaction.

Round trips, whatever the number of items: begin, claim the key, find the member (and the groups, if any are named), claim the
items' keys if they have any (2 if some are known), use up the till's code if there is one (2), find the rewards, the payment
assets that are new to this process, and what decides about the items, claim the cash references if there are any, award (3,
with coupons up to 9), put grants at their first stage if there are stages, store the items' answers and free the keys of those
refused, keep the call's notes, store the answer, commit. A replay: begin, claim the key, read the answer, commit, read the
grants.
Lock order: the keys, the code, the cash references, then what award locks.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from gateway.access import Caller
from gateway.errors import NotFound
from gateway.grants.award import award
from gateway.grants.catalogue_line import NOT_FOUND, plan_line
from gateway.grants.errors import InsufficientBalance, Shortfall
from gateway.grants.events import to_event
from gateway.grants.line import AlreadyIssued, Line, LineResult
from gateway.grants.pending import PENDING, present_status
from gateway.grants.record import GrantRecord, GrantSource, GrantStatus
from gateway.grants.status import ItemStatus, Refusal, StatusCode
from gateway.ids import new_id, new_ids
from gateway.issuing import item_keys, store
from gateway.issuing.cash import free_unused_references, refuse_taken_references
from gateway.issuing.checks import find_item_refusal
from gateway.issuing.details import to_details
from gateway.issuing.facts import Facts, load_facts
from gateway.issuing.fulfillment import store as fulfillment_store
from gateway.issuing.fulfillment.model import FirstStage
from gateway.issuing.model import IssueCommand, IssueItem, ItemOutcome
from gateway.issuing.payers import Payers, find_payers
from gateway.issuing.pricing import price_item
from gateway.issuing.reach import Reach
from gateway.issuing.tills.validating import validate
from gateway.ledger.assets import Asset
from gateway.ledger.book import Book
from gateway.ledger.model import Account, Transaction, TransactionKind
from gateway.members.store import find_members
from gateway.operations.model import Operation
from gateway.storage.database import Connection

GRANTED = ItemStatus(StatusCode.GRANTED, "Reward issued.")
REDUCED = ItemStatus(
    StatusCode.QUANTITY_REDUCED, "One was issued: this reward or its payment mode allows no more."
)
ALREADY_ISSUED = ItemStatus(
    StatusCode.ALREADY_ISSUED, "The member holds a code of this reward already; none was drawn."
)


class NothingIssued(Exception):
    """No item could be issued; carries why, for each."""

    def __init__(self, items: Sequence[ItemOutcome]) -> None:
        """Keep the items' outcomes."""
        super().__init__("nothing issued")
        self.items = items


class IssuanceRun:
    """One issuance; `grants` holds what the last attempt granted, by id."""

    def __init__(self, caller: Caller, reach: Reach) -> None:
        """Make the ids before any attempt, so that every attempt writes the same rows."""
        self.caller = caller
        self.reach = reach
        self.command = command = reach.command
        self.grants: dict[UUID, GrantRecord] = {}
        self._grant_ids = new_ids(len(command.items))
        self._transaction_ids = new_ids(len(command.items))
        self._item_operation_ids = [new_id() for _ in command.items]

    async def apply(self, connection: Connection, operation: Operation) -> dict[str, Any]:
        """Issue what can be issued and return the answer to be stored.

        Raises:
            NotFound: the member is unknown, or in no such group.
            InvalidInput: the till's validation code is missing or of no use.
            InsufficientBalance: the payer cannot pay for all of it.
            NothingIssued: every item was refused.
        """
        # What an earlier attempt granted was undone with it.
        self.grants = {}
        tenant_id = self.caller.tenant_id
        (member_id,) = await find_members(connection, tenant_id, [self.command.member])
        if member_id is None:
            raise NotFound("No such member.", ("input", "member"))
        payers = await find_payers(connection, tenant_id, self.reach, member_id)
        keys = item_keys.ItemKeys(self.caller, self.command, self._item_operation_ids)
        answers: dict[int, dict[str, Any]] = await keys.claim(connection)
        await validate(connection, tenant_id, self.reach, member_id, operation)
        facts = await load_facts(connection, tenant_id, self.reach, member_id)
        lines = self._plan_all(answers, payers, operation, facts)
        taken = await refuse_taken_references(connection, self.caller, lines, operation)
        answers |= {index: _to_answer(refusal.status, None) for index, refusal in taken.items()}
        lines = [line for line in lines if line.index not in taken]

        def check(book: Book, standing: Sequence[Line]) -> None:
            _check_points(book, standing, facts.assets)

        results = await award(connection, tenant_id, lines, operation.at, check)
        self.grants = {r.id: r for r in results if isinstance(r, GrantRecord)}
        for line, result in zip(lines, results, strict=True):
            answers[line.index] = self._judge(line, result)
        answer = {"items": [answers[index] for index in range(len(answers))]}
        if not any(StatusCode(item["code"]).has_effect for item in answer["items"]):
            raise NothingIssued(read_items(self.command, answer, {}))
        await free_unused_references(connection, self.caller, lines, results, operation)
        await self._begin_fulfillment(connection, lines, facts, operation)
        await keys.settle(connection, answers)
        await store.insert_issuance(connection, self.caller, self.command, member_id, operation)
        return answer

    def grant_ids_of(self, answer: Mapping[str, Any]) -> list[UUID]:
        """Return the grants that a stored answer names."""
        return [UUID(item["grant_id"]) for item in answer["items"] if item["grant_id"]]

    def _plan_all(
        self, answers: dict[int, dict[str, Any]], payers: Payers, operation: Operation, facts: Facts
    ) -> list[Line]:
        """Return a line for each item that has no answer yet and is not refused; add the refusals to the answers."""
        lines: list[Line] = []
        for index, item in enumerate(self.command.items):
            if index not in answers:
                planned = self._plan(index, item, payers, operation, facts)
                if isinstance(planned, Refusal):
                    answers[index] = _to_answer(planned.status, None)
                else:
                    lines.append(planned)
        return lines

    def _plan(
        self, index: int, item: IssueItem, payers: Payers, operation: Operation, facts: Facts
    ) -> Line | Refusal:
        refusal, reward = find_item_refusal(item, facts), facts.reward_of(item)
        if refusal is not None or reward is None:
            return refusal or NOT_FOUND
        price = price_item(item, reward, facts.assets)
        if isinstance(price, Refusal):
            return price
        group_id = payers.group_of(item)
        member_id = payers.member_id
        transaction = Transaction(
            id=self._transaction_ids[index],
            kind=TransactionKind.ISSUANCE,
            operation_id=operation.id,
            occurred_at=operation.at,
            payload=to_event(self._grant_ids[index], member_id, group_id),
        )
        return plan_line(
            self.caller,
            reward,
            grant_id=self._grant_ids[index],
            transaction=transaction,
            member_id=member_id,
            index=index,
            source=GrantSource.ISSUANCE,
            quantity=price.quantity,
            payments=price.to_transfers(reward.organisation_id, *payers.payer_of(item)),
            client_reference=item.request_id,
            details=to_details(item, price, self.reach.terms_of(item), group_id),
        )

    async def _begin_fulfillment(
        self, connection: Connection, lines: Sequence[Line], facts: Facts, operation: Operation
    ) -> None:
        """Put what was granted at its first stage; one round trip, or none where there are no stages."""
        first = [
            FirstStage(line.grant_id, line.organisation_id, stage)
            for line in lines
            if line.grant_id in self.grants
            and (stage := facts.first_stage_of(self.command.items[line.index]))
        ]
        if first:
            await fulfillment_store.begin(connection, self.caller.tenant_id, first, operation)

    def _judge(self, line: Line, result: LineResult) -> dict[str, Any]:
        if isinstance(result, Refusal):
            return _to_answer(result.status, None)
        if isinstance(result, AlreadyIssued):
            return _to_answer(ALREADY_ISSUED, result.grant_id)
        if result.status is GrantStatus.PENDING:
            return _to_answer(PENDING, result.id)
        return _to_answer(_issued_status(self.command.items[line.index], result), result.id)


def read_items(
    command: IssueCommand, answer: Mapping[str, Any], grants: Mapping[UUID, GrantRecord]
) -> list[ItemOutcome]:
    """Return the outcome of each item from a stored answer and the grants it names."""
    outcomes = []
    for index, (item, stored) in enumerate(zip(command.items, answer["items"], strict=True)):
        status = ItemStatus(StatusCode(stored["code"]), stored["message"])
        grant = grants[UUID(stored["grant_id"])] if stored["grant_id"] else None
        if grant is not None:
            status = present_status(status, grant, _issued_status(item, grant))
        was_issued = status.is_success and status.code is not StatusCode.ALREADY_ISSUED
        quantity = grant.details["quantity"] if grant is not None and was_issued else 0
        replay = stored.get("is_replay", False)
        outcomes.append(ItemOutcome(index, item, status, quantity, grant, replay))
    return outcomes


def _issued_status(item: IssueItem, grant: GrantRecord) -> ItemStatus:
    return REDUCED if int(item.quantity) > grant.details.get("quantity", 0) else GRANTED


def _check_points(book: Book, lines: Sequence[Line], assets: Mapping[UUID, Asset]) -> None:
    """Sum what the call needs of each asset and refuse all of it if one does not suffice (CAP-2)."""
    required: dict[Account, int] = defaultdict(int)
    for line in lines:
        for payment in line.payments:
            required[payment.debit] += payment.amount_minor
    shortfalls = tuple(
        Shortfall(assets[account.asset_id], required_minor, book.available_minor(account))
        for account, required_minor in required.items()
        if required_minor > book.available_minor(account)
    )
    if shortfalls:
        raise InsufficientBalance(shortfalls)


def _to_answer(status: ItemStatus, grant_id: UUID | None) -> dict[str, Any]:
    return {
        "code": status.code,
        "message": status.message,
        "grant_id": str(grant_id) if grant_id else None,
    }
