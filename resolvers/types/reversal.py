"""Reversals: the policy, and what became of each grant."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

import strawberry

from gateway.ids import IdKind, encode_id
from gateway.reversing.model import GrantReversal, ReversalPolicy
from resolvers.context import Info
from resolvers.enums import expose_enum
from resolvers.fields import resolved
from resolvers.types.grant import Grant, to_grant
from resolvers.types.status import OperationStatus, to_status

expose_enum(
    ReversalPolicy,
    "What to do where the member has spent what is to be taken back.",
    {
        "REFUSE": "Take nothing back of that grant.",
        "ALLOW_DEBT": "Take it back all the same: the balance goes below zero, and later credits repay that first.",
    },
)


@strawberry.type(description="What became of one grant of a reversal.")
class ReversalResult:
    """A grant's status, and what took it back."""

    found_id: strawberry.Private[UUID]

    grant_id: strawberry.ID = strawberry.field(description="The grant.")
    status: OperationStatus = strawberry.field(description="Whether it is reversed.")
    transaction_id: strawberry.ID | None = strawberry.field(
        description="The transaction that took it back, now or before; null if it was not."
    )

    @resolved("The grant, as it stands now.")
    async def grant(self, info: Info) -> Grant | None:
        """Load the grant."""
        record = await info.context.loaders.grants.load(self.found_id)
        return to_grant(record) if record else None


def to_reversal_results(results: Sequence[GrantReversal]) -> list[ReversalResult]:
    """Return the grants' results as their GraphQL type."""
    return [
        ReversalResult(
            found_id=result.grant_id,
            grant_id=strawberry.ID(encode_id(IdKind.GRANT, result.grant_id)),
            status=to_status(result.status),
            transaction_id=strawberry.ID(encode_id(IdKind.TRANSACTION, result.transaction_id))
            if result.transaction_id
            else None,
        )
        for result in results
    ]
