"""The items' own request ids: idempotency keys within a call (CAP-8)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from gateway.access import Caller
from gateway.grants.status import StatusCode
from gateway.issuing.model import IssueCommand
from gateway.operations import store
from gateway.operations.model import (
    Answer,
    IdempotencyConflict,
    Operation,
    OperationKind,
    Request,
)
from gateway.operations.once import claim
from gateway.storage.database import Connection


class ItemKeys:
    """The keys of one call's items, by index; items without a request id have none."""

    def __init__(
        self, caller: Caller, command: IssueCommand, operation_ids: Sequence[UUID]
    ) -> None:
        """Name each keyed item's request: its member and the item itself."""
        self._caller = caller
        self._requests = {
            index: Request(
                kind=OperationKind.ISSUE_REWARDS_ITEM,
                key=item.request_id,
                fields={
                    "organisation": caller.organisation_id,
                    "member": list(command.member),
                    "reward": item.fingerprint,
                },
                operation_id=operation_ids[index],
            )
            for index, item in enumerate(command.items)
            if item.request_id is not None
        }
        self._claimed: dict[int, Request] = {}

    async def claim(self, connection: Connection) -> dict[int, dict[str, Any]]:
        """Claim the keys and return the answers of the items that are settled by them: replays and conflicts."""
        if not self._requests:
            return {}
        decided = await claim(connection, self._caller, list(self._requests.values()))
        self._claimed = {
            index: request
            for (index, request), result in zip(self._requests.items(), decided, strict=True)
            if isinstance(result, Operation)
        }
        answers: dict[int, dict[str, Any]] = {}
        for index, result in zip(self._requests, decided, strict=True):
            if isinstance(result, Answer):
                answers[index] = {**result.value, "is_replay": True}
            elif isinstance(result, IdempotencyConflict):
                answers[index] = {
                    "code": StatusCode.IDEMPOTENCY_CONFLICT,
                    "message": result.message,
                    "grant_id": None,
                }
        return answers

    async def settle(
        self, connection: Connection, answers: Mapping[int, Mapping[str, Any]]
    ) -> None:
        """Store the answers of the items that were issued or are pending, and free the keys of the others."""
        issued, refused = [], []
        for index, request in self._claimed.items():
            if StatusCode(answers[index]["code"]).has_effect:
                issued.append((request, answers[index]))
            else:
                refused.append(request)
        if issued:
            await store.complete(connection, self._caller, issued)
        if refused:
            await store.release(connection, self._caller, refused)
