"""One distribution on its way through its database transaction.

Round trips, whatever the number of lines: claim the key, find members, find the currencies that are new to this process
or another organization's (2), award (2, and up to 2 more where many rows are copied), notify, store the answer. A replay: claim the key, read
the answer, commit.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from itertools import compress
from typing import Any, NamedTuple
from uuid import UUID

import orjson

from gateway.access import Caller
from gateway.distributing import store
from gateway.distributing.judge import JudgedLine, MemberKey, judge_facts, judge_forms
from gateway.distributing.model import DistributeCommand
from gateway.distributing.outcome import (
    DistributionOutcome,
    DistributionRejected,
    read_results,
    to_stored,
)
from gateway.distributing.plan import Planner, RewardPlan
from gateway.grants.award import award
from gateway.grants.line import Line, LineResult
from gateway.grants.record import GrantKind, GrantRecord, GrantSource, GrantStatus
from gateway.grants.status import Refusal
from gateway.ids import new_id, new_ids, to_uuid
from gateway.ledger.model import Transaction, TransactionKind
from gateway.members.store import find_members
from gateway.operations.model import Answer, Operation, OperationKind, Request
from gateway.storage.database import Connection
from gateway.tenants.asset_rights import VisibleAssets, load_visible_assets


class Planned(NamedTuple):
    """Lines to be tried, what their members will be told, and why the other lines are refused, by index."""

    lines: list[Line]
    notices: list[str]
    refusals: dict[int, Refusal]


class DistributionRun:
    """One distribution of a checked command; `grants` holds what the last attempt granted, by id.

    Claiming the key of its `request` and storing its answer are not its part, and what it decides (`plan`, `settle`) is apart
    from what it asks of the database: it can share a database transaction, and each statement, with others.
    """

    def __init__(self, caller: Caller, command: DistributeCommand) -> None:
        """Judge the lines' form, and make the ids before any attempt, so that every attempt writes the same rows."""
        self.caller = caller
        self.command = command
        self.grants: dict[UUID, GrantRecord] = {}
        self._judged = judge_forms(command.lines)
        self._transaction_id = new_id()
        self._grant_ids = new_ids(len(command.lines))
        self.request = _to_request(caller, command, self._judged)

    async def apply(self, connection: Connection, operation: Operation) -> dict[str, Any]:
        """Award the lines that can be awarded, notify their members, and return the answer to be stored.

        Raises:
            DistributionRejected: no line could be applied; nothing but zero balances was written.
        """
        tenant_id, at = self.caller.tenant_id, operation.at
        members = await find_members(connection, tenant_id, self.member_keys)
        found = await load_visible_assets(connection, self.caller, self.asset_ids)
        planned = self.plan(members, found, operation)
        lines = planned.lines
        results = await self._award(connection, lines, at) if lines else []
        answer = self.settle(planned, results, at)
        granted = [isinstance(result, GrantRecord) for result in results]
        notices = list(compress(planned.notices, granted))
        await store.insert_notifications(
            connection, tenant_id, list(self.grants.values()), notices, at
        )
        return answer

    async def _award(
        self, connection: Connection, lines: list[Line], at: datetime
    ) -> list[LineResult]:
        limited_id = self.caller.limited_credential_id
        return await award(
            connection, self.caller.tenant_id, lines, at, limited_credential_id=limited_id
        )

    @property
    def member_keys(self) -> list[MemberKey]:
        """Return who has to be found, in the order of the lines."""
        return [line.member_key for line in self._judged if line.member_key is not None]

    @property
    def asset_ids(self) -> set[UUID]:
        """Return which assets have to be found."""
        named = {line.reward.currency_id for line in self._judged}
        experience_id = self.caller.standard_assets.experience_id
        return {experience_id, *(asset_id for asset_id in named if asset_id is not None)}

    def plan(
        self, members: Sequence[UUID | None], found: VisibleAssets, operation: Operation
    ) -> Planned:
        """Return what is to be tried; `members` are those whom `member_keys` name."""
        planner = Planner(self.caller, found, self.command.message)
        transaction = self._to_transaction(operation)
        planned = Planned([], [], {})
        named = iter(members)
        for index, judged in enumerate(self._judged):
            member_id = None if judged.member_key is None else next(named)
            plan = planner.plan(judged.reward)
            if member_id is None or judged.reasons or plan.reason:
                planned.refusals[index] = judge_facts(judged, member_id, plan.reason)
            else:
                planned.lines.append(self._to_line(index, member_id, plan, transaction))
                planned.notices.append(plan.notice)
        return planned

    def settle(
        self, planned: Planned, results: Sequence[LineResult], at: datetime
    ) -> dict[str, Any]:
        """Keep the grants and return the answer; `results` are those of the planned lines.

        Raises:
            DistributionRejected: there is not one grant.
        """
        self.grants = {result.id: result for result in results if isinstance(result, GrantRecord)}
        tried = iter(results)
        stored = [
            to_stored(planned.refusals.get(index) or next(tried))
            for index in range(len(self._judged))
        ]
        if not self.grants:
            outcomes = read_results(self.command.lines, stored)
            raise DistributionRejected(self.command.request_id, outcomes)
        return {
            "transaction_id": str(self._transaction_id),
            "at": at.isoformat(),
            "lines": stored,
        }

    def to_outcome(self, answer: Answer) -> DistributionOutcome:
        """Return what a stored answer says, of this call or of an earlier one with the same key."""
        return DistributionOutcome(
            transaction_id=to_uuid(answer.value["transaction_id"]),
            request_id=self.command.request_id,
            at=datetime.fromisoformat(answer.value["at"]),
            lines=self.command.lines,
            stored=answer.value["lines"],
            idempotent_replay=answer.idempotent_replay,
            fresh_grants={} if answer.idempotent_replay else self.grants,
        )

    def _to_transaction(self, operation: Operation) -> Transaction:
        return Transaction(
            id=self._transaction_id,
            kind=TransactionKind.DISTRIBUTION,
            operation_id=operation.id,
            occurred_at=operation.at,
            payload={"requestId": self.command.request_id, "lineCount": len(self._judged)},
            description=self.command.description,
            credential_id=operation.credential_id,
        )

    def _to_line(
        self, index: int, member_id: UUID, plan: RewardPlan, transaction: Transaction
    ) -> Line:
        return Line(
            grant_id=self._grant_ids[index],
            transaction=transaction,
            organization_id=self.caller.organization_id,
            member_id=member_id,
            index=index,
            source=GrantSource.DISTRIBUTION,
            kind=GrantKind.CURRENCY,
            status=GrantStatus.CLAIMED,
            transfers=plan.to_transfers(member_id),
            benefits=plan.benefits,
        )


def _to_request(
    caller: Caller, command: DistributeCommand, judged: Sequence[JudgedLine]
) -> Request:
    # As text, which is hashed like what it says: ten thousand tuples need not be kept to be hashed again by a repeat.
    rewards = orjson.dumps([line.fingerprint for line in judged])
    return Request(
        kind=OperationKind.DISTRIBUTE_REWARDS,
        key=command.request_id,
        fields={
            "organization": caller.organization_id,
            "description": command.description,
            "message": command.message,
            "rewards": orjson.Fragment(rewards),
        },
        operation_id=new_id(),
    )
