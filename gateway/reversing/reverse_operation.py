"""Take a whole operation back, or what one transaction of it gave: every grant on its own, in one database transaction (ALL-4).

Round trips, whatever the number of grants: claim the key, find the grants, lock them, unwind them (4, with unique coupons
6), store the answer. A replay: claim the key, read the answer, commit.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from gateway.access import Caller, Scope, authorize
from gateway.errors import InvalidInput, NotFound
from gateway.grants.record import GrantRecord
from gateway.grants.status import ItemStatus, StatusCode
from gateway.grants.store import lock_grants
from gateway.ids import new_id
from gateway.operations.model import Operation, OperationKind, Request
from gateway.operations.once import run_once
from gateway.operations.store import fetch_operations
from gateway.reversing.model import (
    REVERSED,
    GrantReversal,
    KeyTarget,
    ReverseOperationCommand,
    ReverseOperationOutcome,
    check_command,
)
from gateway.reversing.store import fetch_grant_ids, read_grant_ids
from gateway.reversing.unwind import Unwinding
from gateway.storage.database import Connection, Database


async def reverse_operation(
    database: Database, caller: Caller, command: ReverseOperationCommand
) -> ReverseOperationOutcome:
    """Reverse each grant that can be reversed, the last one made first; a repeat of the request id answers the first result.

    If nothing is or was reversed, the outcome says why for every grant, nothing was written, and the request id is free again.

    Raises:
        Forbidden: the credential lacks the reverse scope.
        InvalidInput: the command breaks rules; all are listed.
        NotFound: the operation or transaction is unknown to the caller, or gave nothing.
        IdempotencyConflict: the request id was used for another reversal.
        RequestInProgress: the first use of the request id is still running.
    """
    authorize(caller, Scope.REVERSE)
    if errors := check_command(command):
        raise InvalidInput(errors)
    run = _Run(caller, command)
    try:
        answer = await run_once(database, caller, _to_request(caller, command), run.apply)
    except _NothingReversed as nothing:
        return ReverseOperationOutcome(command.request_id, nothing.results, False)
    results = _read_results(answer.value)
    return ReverseOperationOutcome(command.request_id, results, answer.idempotent_replay)


class _NothingReversed(Exception):
    """Not one grant is or was reversed; carries why, for each."""

    def __init__(self, results: list[GrantReversal]) -> None:
        super().__init__("nothing reversed")
        self.results = results


class _Run:
    """One reversal on its way."""

    def __init__(self, caller: Caller, command: ReverseOperationCommand) -> None:
        self.caller = caller
        self.command = command
        self._unwinding = Unwinding(
            caller, command.reason, command.policy, {"requestId": command.request_id}
        )

    async def apply(self, connection: Connection, operation: Operation) -> dict[str, Any]:
        grants = await self._lock_grants(connection)
        # The last one first: what a later line took was there because an earlier one had given it.
        statuses = await self._unwinding.unwind(connection, operation, grants[::-1])
        answer = {"grants": [self._to_stored(grant, statuses[grant.id]) for grant in grants]}
        if not any(status.is_success for status in statuses.values()):
            raise _NothingReversed(_read_results(answer))
        return answer

    async def _lock_grants(self, connection: Connection) -> list[GrantRecord]:
        """Return the grants in the order in which they were made, locked."""
        target, tenant_id = self.command.target, self.caller.tenant_id
        operation_id: UUID | None = None
        if isinstance(target, KeyTarget):
            path = "operation.key"
            found = await fetch_operations(connection, self.caller, [(target.kind, target.key)])
            row = found.get((target.kind, target.key))
            ids = []
            if row is not None and row["answer"] is not None:
                operation_id, ids = row["id"], read_grant_ids(target.kind, row["answer"])
        else:
            path = "transactionId"
            ids = []
            if target.transaction_id is not None:
                ids = await fetch_grant_ids(connection, tenant_id, target.transaction_id)
        locked = await lock_grants(connection, tenant_id, ids)
        own = [grant for grant in locked.values() if self._is_meant(grant, operation_id)]
        if not own:
            message = "Nothing was granted under this, as far as the caller may see."
            raise NotFound(message, ("input", "target", *path.split(".")))
        return sorted(own, key=lambda grant: grant.line_index)

    def _is_meant(self, grant: GrantRecord, operation_id: UUID | None) -> bool:
        """Tell whether the grant is the caller's and of the target itself: answers may name grants of other operations.

        Under its own key a caller may have issued rewards of every organization that it reaches.
        """
        caller, target = self.caller, self.command.target
        if isinstance(target, KeyTarget):
            organizations = caller.reach | {caller.organization_id}
            return grant.organization_id in organizations and grant.operation_id == operation_id
        is_own = grant.organization_id == caller.organization_id
        return is_own and grant.transaction_id == target.transaction_id

    def _to_stored(self, grant: GrantRecord, status: ItemStatus) -> list[str | None]:
        reversal_id = grant.reversal_transaction_id
        if status is REVERSED:
            reversal_id = self._unwinding.reversal_id_of(grant)
        return [
            str(grant.id),
            status.code,
            status.message,
            str(reversal_id) if reversal_id else None,
        ]


def _to_request(caller: Caller, command: ReverseOperationCommand) -> Request:
    target = command.target
    named: Sequence[str | None]
    if isinstance(target, KeyTarget):
        named = [target.kind, target.key]
    else:
        named = [str(target.transaction_id)]
    return Request(
        kind=OperationKind.REVERSE_OPERATION,
        key=command.request_id,
        fields={
            "organization": caller.organization_id,
            "target": named,
            "reason": command.reason,
            "policy": command.policy,
        },
        operation_id=new_id(),
    )


def _read_results(answer: Mapping[str, Any]) -> list[GrantReversal]:
    return [
        GrantReversal(
            grant_id=UUID(grant_id),
            status=ItemStatus(StatusCode(code), message),
            transaction_id=UUID(transaction_id) if transaction_id else None,
        )
        for grant_id, code, message, transaction_id in answer["grants"]
    ]
