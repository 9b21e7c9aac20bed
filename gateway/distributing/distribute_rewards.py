"""Reward up to 10,000 recipients in one call: every line on its own, all of them in one database transaction.

Round trips, whatever the number of lines: begin, claim the key, find members, find the currencies that are new to this process,
award (3), notify, store the answer, commit. A replay: begin, claim the key, read the answer, commit.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any
from uuid import UUID

from gateway.access import Caller, Scope, authorize
from gateway.distributing import store
from gateway.distributing.judge import JudgedLine, judge_facts, judge_form, plan_transfers
from gateway.distributing.model import (
    DistributeCommand,
    DistributionOutcome,
    DistributionRejected,
    LineOutcome,
    check_command,
)
from gateway.distributing.notices import write_notice
from gateway.errors import InvalidInput
from gateway.grants.award import award
from gateway.grants.line import Line, LineResult
from gateway.grants.record import GrantKind, GrantRecord, GrantSource, GrantStatus
from gateway.grants.status import ItemStatus, Refusal, StatusCode
from gateway.ids import new_id, new_ids
from gateway.ledger.assets import Asset
from gateway.ledger.model import OwnerKind, Transaction, TransactionKind, Transfer
from gateway.members.store import find_members
from gateway.operations.model import Operation, OperationKind, Request
from gateway.operations.once import run_once
from gateway.storage.database import Connection, Database
from gateway.tenants.assets import load_assets

GRANTED = ItemStatus(StatusCode.GRANTED, "Reward distributed.")


async def distribute_rewards(
    database: Database, caller: Caller, command: DistributeCommand
) -> DistributionOutcome:
    """Apply each line that can be applied, in order; a repeat of the request id answers the first result.

    Source: ON3-1..9.

    Raises:
        Forbidden: the credential lacks the distribute scope.
        InvalidInput: the call as a whole breaks rules; all are listed.
        DistributionRejected: no line could be applied; nothing was written.
        IdempotencyConflict: the request id was used for another distribution.
        RequestInProgress: the first use of the request id is still running.
    """
    authorize(caller, Scope.DISTRIBUTE)
    if errors := check_command(command):
        raise InvalidInput(errors)
    judged = [judge_form(line) for line in command.lines]
    request = _to_request(caller, command, judged)
    run = _Run(caller, command, judged)

    async def work(connection: Connection, operation: Operation) -> dict[str, Any]:
        return await run.apply(connection, operation)

    answer = await run_once(database, caller, request, work, dry_run=command.is_dry_run)
    return DistributionOutcome(
        transaction_id=UUID(answer.value["transaction_id"]),
        request_id=command.request_id,
        at=datetime.fromisoformat(answer.value["at"]),
        results=_read_results(command, answer.value["lines"]),
        idempotent_replay=answer.idempotent_replay,
        fresh_grants={} if answer.idempotent_replay else run.grants,
    )


class _Run:
    """One distribution on its way; `grants` holds what the last attempt granted, by id."""

    def __init__(
        self, caller: Caller, command: DistributeCommand, judged: Sequence[JudgedLine]
    ) -> None:
        self.caller = caller
        self.command = command
        self.judged = judged
        # Made before any attempt, so that every attempt writes the same rows.
        self.transaction_id = new_id()
        self.grant_ids = new_ids(len(judged))
        self.grants: dict[UUID, GrantRecord] = {}

    async def apply(self, connection: Connection, operation: Operation) -> dict[str, Any]:
        """Award the lines that can be awarded, notify their members, and return the answer to be stored."""
        # What an earlier attempt granted was undone with it.
        self.grants = {}
        tenant_id = self.caller.tenant_id
        members = await self._find_members(connection)
        assets = await self._find_assets(connection)
        transaction = Transaction(
            id=self.transaction_id,
            kind=TransactionKind.DISTRIBUTION,
            operation_id=operation.id,
            occurred_at=operation.at,
            payload={"requestId": self.command.request_id, "lineCount": len(self.judged)},
            description=self.command.description,
        )
        refusals: dict[int, Refusal] = {}
        lines: list[Line] = []
        for index, (judged, member_id) in enumerate(zip(self.judged, members, strict=True)):
            if refusal := judge_facts(judged, member_id, assets):
                refusals[index] = refusal
            else:
                assert member_id is not None  # noqa: S101 - a line without a member is refused
                lines.append(self._plan(index, judged, member_id, transaction, assets))
        awarded = await award(connection, tenant_id, lines, operation.at) if lines else []
        results = {**refusals, **{line.index: r for line, r in zip(lines, awarded, strict=True)}}
        self.grants = {r.id: r for r in awarded if isinstance(r, GrantRecord)}
        stored = [_to_stored(results[index]) for index in range(len(self.judged))]
        if not self.grants:
            raise DistributionRejected(self.command.request_id, _read_results(self.command, stored))
        await self._notify(connection, assets, operation.at)
        return {
            "transaction_id": str(transaction.id),
            "at": operation.at.isoformat(),
            "lines": stored,
        }

    async def _find_members(self, connection: Connection) -> list[UUID | None]:
        keys = [line.member_key for line in self.judged if line.member_key is not None]
        found = iter(await find_members(connection, self.caller.tenant_id, keys))
        return [None if line.member_key is None else next(found) for line in self.judged]

    async def _find_assets(self, connection: Connection) -> dict[UUID, Asset]:
        wanted = {line.currency_id for line in self.judged if line.currency_id is not None}
        wanted.add(self.caller.standard_assets.experience_id)
        return await load_assets(connection, self.caller.tenant_id, wanted)

    def _plan(
        self,
        index: int,
        judged: JudgedLine,
        member_id: UUID,
        transaction: Transaction,
        assets: Mapping[UUID, Asset],
    ) -> Line:
        transfers = plan_transfers(self.caller, judged, member_id, assets)
        return Line(
            grant_id=self.grant_ids[index],
            transaction=transaction,
            organisation_id=self.caller.organisation_id,
            member_id=member_id,
            index=index,
            source=GrantSource.DISTRIBUTION,
            kind=GrantKind.CURRENCY,
            status=GrantStatus.CLAIMED,
            transfers=transfers,
            benefits=[_to_benefit(transfer) for transfer in transfers],
        )

    async def _notify(
        self, connection: Connection, assets: Mapping[UUID, Asset], at: datetime
    ) -> None:
        grants = list(self.grants.values())
        texts = [write_notice(self.command.message, grant.benefits, assets) for grant in grants]
        await store.insert_notifications(connection, self.caller.tenant_id, grants, texts, at)


def _to_request(
    caller: Caller, command: DistributeCommand, judged: Sequence[JudgedLine]
) -> Request:
    return Request(
        kind=OperationKind.DISTRIBUTE_REWARDS,
        key=command.request_id,
        fields={
            "organisation": caller.organisation_id,
            "description": command.description,
            "message": command.message,
            "rewards": [line.fingerprint for line in judged],
        },
        operation_id=new_id(),
    )


def _to_benefit(transfer: Transfer) -> dict[str, Any]:
    is_deduction = transfer.debit.owner_kind is OwnerKind.MEMBER
    return {
        "kind": "ASSET_CREDIT",
        "asset_id": str(transfer.debit.asset_id),
        "amount_minor": -transfer.amount_minor if is_deduction else transfer.amount_minor,
    }


def _to_stored(result: LineResult) -> Any:
    """Return a line's result as the answer keeps it: the grant id, or the code and reasons."""
    if isinstance(result, GrantRecord):
        return str(result.id)
    assert isinstance(result, Refusal)  # noqa: S101 - a distribution draws no coupons
    return [result.code, *result.reasons]


def _read_results(command: DistributeCommand, stored: Sequence[Any]) -> list[LineOutcome]:
    blank = LineOutcome(0, command.lines[0].recipient, GRANTED, (), None)
    results = []
    for index, (line, value) in enumerate(zip(command.lines, stored, strict=True)):
        if isinstance(value, str):
            outcome = replace(blank, index=index, recipient=line.recipient, grant_id=UUID(value))
        else:
            refusal = Refusal(StatusCode(value[0]), tuple(value[1:]))
            outcome = LineOutcome(index, line.recipient, refusal.status, refusal.reasons, None)
        results.append(outcome)
    return results
