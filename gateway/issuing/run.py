"""One issuance on its way through its database transaction.

Round trips, whatever the number of items: begin, claim the key, find the member, claim the items' keys if they have any (2 if
some are known), find the rewards, and the payment assets that are new to this process, award (3, with coupons up to 9), store the
items' answers and free the keys of those refused, keep the call's notes, store the answer, commit. A replay: begin, claim the
key, read the answer, commit, read the grants.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from gateway.access import Caller
from gateway.errors import NotFound
from gateway.grants.award import award
from gateway.grants.catalogue_line import find_refusal, plan_line
from gateway.grants.errors import InsufficientBalance, Shortfall
from gateway.grants.line import AlreadyIssued, Line, LineResult
from gateway.grants.pending import PENDING, present_status
from gateway.grants.record import GrantRecord, GrantSource, GrantStatus
from gateway.grants.status import ItemStatus, Refusal, StatusCode
from gateway.ids import new_id, new_ids
from gateway.issuing import item_keys, store
from gateway.issuing.model import IssueCommand, IssueItem, ItemOutcome
from gateway.issuing.pricing import Price, price_item
from gateway.ledger.assets import Asset
from gateway.ledger.book import Book
from gateway.ledger.model import Account, Transaction, TransactionKind
from gateway.members.store import find_members
from gateway.operations.model import Operation
from gateway.rewards.model import Reward
from gateway.rewards.store import fetch_rewards
from gateway.storage.database import Connection
from gateway.tenants.assets import load_assets

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

    def __init__(self, caller: Caller, command: IssueCommand) -> None:
        """Make the ids before any attempt, so that every attempt writes the same rows."""
        self.caller = caller
        self.command = command
        self.grants: dict[UUID, GrantRecord] = {}
        self._grant_ids = new_ids(len(command.items))
        self._transaction_ids = new_ids(len(command.items))
        self._item_operation_ids = [new_id() for _ in command.items]

    async def apply(self, connection: Connection, operation: Operation) -> dict[str, Any]:
        """Issue what can be issued and return the answer to be stored.

        Raises:
            NotFound: the member is unknown.
            InsufficientBalance: the member cannot pay for all of it.
            NothingIssued: every item was refused.
        """
        # What an earlier attempt granted was undone with it.
        self.grants = {}
        tenant_id = self.caller.tenant_id
        (member_id,) = await find_members(connection, tenant_id, [self.command.member])
        if member_id is None:
            raise NotFound("No such member.", ("input", "member"))
        keys = item_keys.ItemKeys(self.caller, self.command, self._item_operation_ids)
        answers: dict[int, dict[str, Any]] = await keys.claim(connection)
        rewards = await self._find_rewards(connection)
        assets = await self._find_assets(connection, rewards)
        lines: list[Line] = []
        for index, item in enumerate(self.command.items):
            if index not in answers:
                planned = self._plan(index, item, member_id, operation, rewards, assets)
                if isinstance(planned, Refusal):
                    answers[index] = _to_answer(planned.status, None)
                else:
                    lines.append(planned)

        def check(book: Book, standing: Sequence[Line]) -> None:
            _check_points(book, standing, assets)

        results = await award(connection, tenant_id, lines, operation.at, check)
        self.grants = {r.id: r for r in results if isinstance(r, GrantRecord)}
        for line, result in zip(lines, results, strict=True):
            answers[line.index] = self._judge(line, result)
        answer = {"items": [answers[index] for index in range(len(answers))]}
        if not any(StatusCode(item["code"]).has_effect for item in answer["items"]):
            raise NothingIssued(read_items(self.command, answer, {}))
        await keys.settle(connection, answers)
        await store.insert_issuance(connection, self.caller, self.command, member_id, operation)
        return answer

    def grant_ids_of(self, answer: Mapping[str, Any]) -> list[UUID]:
        """Return the grants that a stored answer names."""
        return [UUID(item["grant_id"]) for item in answer["items"] if item["grant_id"]]

    async def _find_rewards(self, connection: Connection) -> dict[UUID, Reward]:
        wanted = {item.reward_id for item in self.command.items if item.reward_id is not None}
        return await fetch_rewards(
            connection, self.caller.tenant_id, self.caller.organisation_id, sorted(wanted)
        )

    async def _find_assets(
        self, connection: Connection, rewards: Mapping[UUID, Reward]
    ) -> dict[UUID, Asset]:
        wanted = {
            config.asset_id
            for reward in rewards.values()
            for config in reward.payment_configs
            if config.asset_id is not None
        }
        return await load_assets(connection, self.caller.tenant_id, wanted)

    def _plan(
        self,
        index: int,
        item: IssueItem,
        member_id: UUID,
        operation: Operation,
        rewards: Mapping[UUID, Reward],
        assets: Mapping[UUID, Asset],
    ) -> Line | Refusal:
        reward = rewards.get(item.reward_id) if item.reward_id else None
        refusal = find_refusal(reward)
        if refusal is not None or reward is None:
            return refusal or Refusal(StatusCode.REWARD_NOT_FOUND, ("No such reward.",))
        price = price_item(item, reward, assets)
        if isinstance(price, Refusal):
            return price
        transaction = Transaction(
            id=self._transaction_ids[index],
            kind=TransactionKind.ISSUANCE,
            operation_id=operation.id,
            occurred_at=operation.at,
            payload={"grantIds": [str(self._grant_ids[index])], "memberId": str(member_id)},
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
            payments=price.to_transfers(reward.organisation_id, member_id),
            client_reference=item.request_id,
            details=_to_details(item, price),
        )

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


def _to_details(item: IssueItem, price: Price) -> dict[str, Any]:
    return {
        "request_id": item.request_id,
        "event_log_id": item.event_log_id,
        "params": item.params,
        "requested_quantity": format(item.quantity, "f"),
        "quantity": price.quantity,
        "payment": price.to_json(),
    }
