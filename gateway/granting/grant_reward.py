"""Grant one reward to one member, once per client reference.

Round trips of a grant alone: claim the key with the answer and find the member (then the reward), award (2, a unique
coupon 5), store the answer if it is another. A replay: claim the key, read the answer and the grant, commit. In a group, the same for all of it.
"""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import Any
from uuid import UUID

from gateway.access import Caller, Scope, authorize
from gateway.errors import InvalidInput
from gateway.granting.batch import GRANTED, to_answer
from gateway.granting.groups import GrantGroups, grant_alone
from gateway.granting.model import (
    CustomReward,
    GrantCommand,
    GrantJob,
    GrantOutcome,
    check_command,
)
from gateway.grants.pending import present_status
from gateway.grants.status import StatusCode
from gateway.grants.store import fetch_grants
from gateway.ids import new_ids
from gateway.operations.model import OperationKind, Request
from gateway.purchasing.purchaser import PATIENCE_SECONDS, Purchaser
from gateway.storage.database import Database


async def grant_reward(
    database: Database,
    caller: Caller,
    command: GrantCommand,
    groups: GrantGroups | None = None,
    purchaser: Purchaser | None = None,
) -> GrantOutcome:
    """Grant a custom or a catalog reward; a repeat of the client reference answers the first grant.

    With `groups`, it may share its database transaction with others that run at the same time. With a `purchaser`, what has
    to be bought from a vendor is asked for after the commit, and waited for until eight seconds after the call began.

    Source: OWN-1..9, MON-7..11, CAP-5.

    Raises:
        Forbidden: the credential lacks the grant scope.
        InvalidInput: the command breaks rules; all are listed.
        NotFound: the member or reward is unknown to the caller.
        LimitExceeded: the credential may issue no such amount today.
        RewardUnavailable: the reward is inactive, out of stock or out of codes.
        IdempotencyConflict: the reference was used for another member, reward or amount.
        RequestInProgress: the first use of the reference is still running.
        Overloaded: too many are waiting; nothing was done.
    """
    authorize(caller, Scope.GRANT)
    if errors := check_command(command):
        raise InvalidInput(errors)
    deadline = asyncio.get_running_loop().time() + PATIENCE_SECONDS
    grant_id, transaction_id, operation_id = new_ids(3)
    request = _to_request(caller, command, grant_id, operation_id)
    job = GrantJob(command, request, grant_id, transaction_id)
    if groups is None or command.is_dry_run:
        outcome = await grant_alone(database, caller, job, dry_run=command.is_dry_run)
    else:
        outcome = await groups.grant(caller, job)
    is_ordered = outcome.status.code is StatusCode.PENDING and not outcome.idempotent_replay
    if purchaser is None or command.is_dry_run or not is_ordered:
        return outcome
    await purchaser.pursue(caller.tenant_id, [outcome.grant.id], deadline)
    async with database.connection() as connection:
        grants = await fetch_grants(connection, caller.tenant_id, [outcome.grant.id])
    grant = grants[outcome.grant.id]
    return replace(outcome, grant=grant, status=present_status(outcome.status, grant, GRANTED))


def _to_request(
    caller: Caller, command: GrantCommand, grant_id: UUID, operation_id: UUID
) -> Request:
    """Name what makes the grant what it is; another action code alone is no change (OWN-7)."""
    reward: dict[str, Any]
    if isinstance(command.reward, CustomReward):
        reward = {"amount": command.reward.amount_minor}
        if command.reward.expires_at is not None:
            reward["expiresAt"] = command.reward.expires_at.isoformat()
    else:
        reward = {"rewardId": command.reward.reward_id, "metadata": command.metadata}
    if command.member_metadata:
        reward["memberMetadata"] = command.member_metadata
    return Request(
        kind=OperationKind.GRANT_REWARD,
        key=command.client_reference,
        fields={
            "organization": caller.organization_id,
            "member": list(command.member),
            **reward,
        },
        operation_id=operation_id,
        key_path=("input", "clientReference"),
        expected_answer=to_answer(grant_id, GRANTED),
    )
