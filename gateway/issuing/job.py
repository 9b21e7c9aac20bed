"""An issuance on its way to the database: what it asks for, and the keys and ids that it will write."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from gateway.access import Caller
from gateway.ids import new_id, new_ids
from gateway.issuing.model import IssueCommand
from gateway.issuing.outcomes import GRANTED, to_answer
from gateway.issuing.reach import Reach
from gateway.operations.model import OperationKind, Request


@dataclass(frozen=True, slots=True)
class IssueJob:
    """A checked command. The ids are made before any attempt, so that every attempt writes the same rows.

    `item_requests` are the idempotency keys of the items that have their own, by index (CAP-8). `expected` are the answers of
    items that are granted in full.
    """

    reach: Reach
    request: Request
    item_requests: Mapping[int, Request]
    grant_ids: Sequence[UUID]
    transaction_ids: Sequence[UUID]
    expected: Sequence[dict[str, Any]]

    @property
    def command(self) -> IssueCommand:
        """Return what is asked for."""
        return self.reach.command

    @property
    def keys(self) -> frozenset[str]:
        """Return every key that the issuance claims, by kind."""
        requests = (self.request, *self.item_requests.values())
        return frozenset(f"{request.kind} {request.key}" for request in requests)

    @property
    def line_count(self) -> int:
        """Return the number of items."""
        return len(self.command.items)


def to_job(caller: Caller, reach: Reach) -> IssueJob:
    """Name the requests of a command and its items, make their ids, and expect that every item is granted in full."""
    command = reach.command
    count = len(command.items)
    *ids, operation_id = new_ids(2 * count + 1)
    grant_ids = ids[:count]
    expected = [to_answer(GRANTED, grant_id) for grant_id in grant_ids]
    return IssueJob(
        reach=reach,
        request=Request(
            kind=OperationKind.ISSUE_REWARDS,
            key=command.request_id,
            fields={"organization": caller.organization_id, **command.fingerprint},
            operation_id=operation_id,
            expected_answer={"items": expected},
        ),
        item_requests={
            index: Request(
                kind=OperationKind.ISSUE_REWARDS_ITEM,
                key=item.request_id,
                fields={
                    "organization": caller.organization_id,
                    "member": list(command.member),
                    "reward": item.fingerprint,
                },
                operation_id=new_id(),
                expected_answer=expected[index],
            )
            for index, item in enumerate(command.items)
            if item.request_id is not None
        },
        grant_ids=grant_ids,
        transaction_ids=ids[count:],
        expected=expected,
    )
