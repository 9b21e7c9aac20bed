"""One issuance in its batch, from its claimed key to the answer that is stored: what is planned, and what becomes of it. Pure."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from gateway.access import Caller
from gateway.grants.catalog_line import NOT_FOUND, plan_line
from gateway.grants.errors import InsufficientBalance, Shortfall
from gateway.grants.events import to_event
from gateway.grants.line import AlreadyIssued, Line, LineResult
from gateway.grants.pending import PENDING
from gateway.grants.record import GrantRecord, GrantSource, GrantStatus
from gateway.grants.status import ALREADY_ISSUED, Refusal, StatusCode
from gateway.issuing.checks import find_item_refusal
from gateway.issuing.details import to_details
from gateway.issuing.facts import Facts
from gateway.issuing.fulfillment.model import FirstStage
from gateway.issuing.item_keys import Decision, settled_answer
from gateway.issuing.job import IssueJob
from gateway.issuing.model import IssueItem, ItemOutcome
from gateway.issuing.outcomes import GRANTED, issued_status, read_items, to_answer
from gateway.issuing.payers import Payers
from gateway.ledger.assets import Asset
from gateway.ledger.book import Book
from gateway.ledger.model import Account, Transaction, TransactionKind
from gateway.operations.model import Operation, Request


class NothingIssued(Exception):
    """No item could be issued; carries why, for each."""

    def __init__(self, items: Sequence[ItemOutcome]) -> None:
        """Keep the items' outcomes."""
        super().__init__("nothing issued")
        self.items = items


class IssuanceRun:
    """An issuance whose key is claimed. `failure` is set once it cannot go on; nothing was written for it then but keys."""

    def __init__(self, caller: Caller, job: IssueJob, operation: Operation) -> None:
        """Take the job and the operation under which everything is written."""
        self.caller = caller
        self.job = job
        self.operation = operation
        self.failure: Exception | None = None
        self.payers: Payers | None = None
        self.facts: Facts | None = None
        self.lines: list[Line] = []
        self.grants: dict[str, GrantRecord] = {}
        self.has_cash = any(item.cash_reference for item in job.command.items)
        self._answers: dict[int, dict[str, Any]] = {}
        self._claimed: dict[int, Request] = {}

    @property
    def claimed(self) -> list[Request]:
        """Return every key that is this call's."""
        return [self.job.request, *self._claimed.values()]

    def settle_keys(self, decisions: Mapping[UUID, Decision]) -> None:
        """Answer the items that their own keys settle, and keep the keys of the others."""
        for index, request in self.job.item_requests.items():
            decision = decisions[request.operation_id]
            if isinstance(decision, Operation):
                self._claimed[index] = request
            else:
                self._answers[index] = settled_answer(decision)

    def plan(self, payers: Payers, facts: Facts) -> None:
        """Make a line for each item that has no answer yet and is not refused; answer those that are refused."""
        self.payers, self.facts = payers, facts
        for index, item in enumerate(self.job.command.items):
            if index not in self._answers:
                planned = self._plan(index, item, payers, facts)
                if isinstance(planned, Refusal):
                    self._answers[index] = to_answer(planned.status, None)
                else:
                    self.lines.append(planned)

    def _plan(self, index: int, item: IssueItem, payers: Payers, facts: Facts) -> Line | Refusal:
        job = self.job
        reward = facts.reward_of(item)
        if (refusal := find_item_refusal(item, reward, facts)) or reward is None:
            return refusal or NOT_FOUND
        price = facts.price_of(item, reward)
        if isinstance(price, Refusal):
            return price
        terms = job.reach.terms[index]
        group_id = payers.group_of(terms)
        member_id, grant_id, operation = payers.member_id, job.grant_ids[index], self.operation
        payload = to_event(grant_id, member_id, group_id)
        return plan_line(
            self.caller,
            reward,
            grant_id=grant_id,
            transaction=Transaction(
                job.transaction_ids[index],
                TransactionKind.ISSUANCE,
                operation.id,
                operation.at,
                payload,
                credential_id=operation.credential_id,
            ),
            member_id=member_id,
            index=index,
            source=GrantSource.ISSUANCE,
            quantity=price.quantity,
            payments=price.to_transfers(reward.organization_id, payers, terms),
            client_reference=item.request_id,
            details=to_details(item, price, terms, group_id),
        )

    def refuse(self, refusals: Mapping[int, Refusal]) -> None:
        """Answer these items, and drop their lines."""
        for index, refusal in refusals.items():
            self._answers[index] = to_answer(refusal.status, None)
        self.lines = [line for line in self.lines if line.index not in refusals]

    def judge(self, results: Sequence[LineResult]) -> None:
        """Answer the items whose lines were tried; fail if none of the call's items has an effect."""
        for line, result in zip(self.lines, results, strict=True):
            answer = self._judge(line.index, result)
            self._answers[line.index] = answer
            if isinstance(result, GrantRecord):
                self.grants[answer["grant_id"]] = result
        if not (self.grants or any(_has_effect(answer) for answer in self._answers.values())):
            self.failure = NothingIssued(read_items(self.job.reach, self.answer(), {}))

    def _judge(self, index: int, result: LineResult) -> dict[str, Any]:
        if isinstance(result, Refusal):
            return to_answer(result.status, None)
        if isinstance(result, AlreadyIssued):
            return to_answer(ALREADY_ISSUED, result.grant_id)
        if result.status is GrantStatus.PENDING:
            return to_answer(PENDING, result.id)
        status = issued_status(self.job.command.items[index], result)
        # The very object, so that comparing what happened with what was expected ends at once.
        return self.job.expected[index] if status is GRANTED else to_answer(status, result.id)

    def answer(self) -> dict[str, Any]:
        """Return the answer to be stored."""
        return {"items": [self._answers[index] for index in range(len(self._answers))]}

    def settled(self) -> tuple[list[tuple[Request, Any]], list[Request]]:
        """Return the answers to be stored, where others were expected, and the keys to be freed: those of refused items."""
        answers: list[tuple[Request, Any]] = [(self.job.request, self.answer())]
        refused = []
        for index, request in self._claimed.items():
            if _has_effect(self._answers[index]):
                answers.append((request, self._answers[index]))
            else:
                refused.append(request)
        unexpected = [
            (request, answer) for request, answer in answers if answer != request.expected_answer
        ]
        return unexpected, refused

    def first_stages(self) -> list[FirstStage]:
        """Return the stages that what was granted begins at; none where there are no stages."""
        assert self.facts is not None  # noqa: S101 - it was planned
        return [
            FirstStage(grant.id, grant.organization_id, stage)
            for grant in self.grants.values()
            if (stage := self.facts.first_stage_of(self.job.command.items[grant.line_index]))
        ]


def _has_effect(answer: Mapping[str, Any]) -> bool:
    return StatusCode(answer["code"]).has_effect


def check_points(book: Book, lines: Sequence[Line], assets: Mapping[UUID, Asset]) -> None:
    """Sum what one call needs of each asset and refuse all of it if one does not suffice (CAP-2).

    Raises:
        InsufficientBalance: it does not.
    """
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
