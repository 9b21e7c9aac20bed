"""Use case: put a reward into the catalog.

Round trips inside the database transaction: claim the key, find what the reward refers to, insert, store the answer.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from gateway.access import Caller, Scope, authorize
from gateway.errors import AlreadyExists, FieldError, InvalidInput
from gateway.ids import IdKind, decode_id, new_id, new_ids
from gateway.operations.model import Operation, OperationKind, Request, check_key
from gateway.operations.once import run_once
from gateway.rewards.change_store import insert_reward
from gateway.rewards.fact_store import fetch_facts
from gateway.rewards.fields import UNSET, RewardFields
from gateway.rewards.model import (
    PaymentConfig,
    Reward,
    RewardStatus,
    reward_from_json,
    reward_to_json,
)
from gateway.rewards.sealing import RewardSeal
from gateway.rewards.segments import check_segments, write_segments
from gateway.rewards.types import kind_of
from gateway.rewards.types.base import Facts
from gateway.storage.database import Connection, Database
from gateway.storage.pages import ID_HIGHEST, ID_LOWEST


@dataclass(frozen=True, slots=True)
class CreateReward:
    """A new reward; `public_id` is the id the caller wants for it, if any. Every field is named."""

    request_id: str
    fields: RewardFields
    public_id: str | None = None


@dataclass(frozen=True, slots=True)
class RewardOutcome:
    """The reward, as the first request with this key left it."""

    reward: Reward
    idempotent_replay: bool


async def create_reward(database: Database, caller: Caller, command: CreateReward) -> RewardOutcome:
    """Create a reward with its first version and its payment configurations.

    Source: MON-1..3, MON-6, CAP-6.

    Raises:
        Forbidden: the credential lacks the scope.
        InvalidInput: every broken rule, by path.
        AlreadyExists: the id is taken, even by a reward that was deleted.
        IdempotencyConflict, RequestInProgress: the request id was used before.
    """
    authorize(caller, Scope.CATALOG)
    reward_id, errors = _read_id(command.public_id)
    errors = check_key(command.request_id, ("input", "requestId")) + errors
    await refuse_broken(database, caller, command.fields, errors)
    given = {"id": command.public_id, **command.fields.to_fingerprint(database.keys)}
    request = Request(OperationKind.CREATE_REWARD, command.request_id, given, new_id())

    async def work(connection: Connection, operation: Operation) -> dict[str, Any]:
        errors = await check_segments(connection, caller, command.fields)
        facts = await check_fields(connection, caller, command.fields, errors)
        sealing = RewardSeal(connection.keys, caller.tenant_id, reward_id)
        reward = _build(caller, sealing, command.fields, facts, operation)
        if not await insert_reward(connection, caller.tenant_id, reward):
            raise AlreadyExists("A reward with this id exists already.", ("input", "id"))
        if command.fields.segment_ids:
            await write_segments(connection, caller.tenant_id, reward.id, command.fields)
        return reward_to_json(reward)

    answer = await run_once(database, caller, request, work)
    return RewardOutcome(reward_from_json(answer.value), answer.idempotent_replay)


async def refuse_broken(
    database: Database, caller: Caller, fields: RewardFields, errors: list[FieldError]
) -> None:
    """Refuse, before the key is claimed, what must not reach a statement; list the fields' broken rules with it.

    Raises:
        InvalidInput: there are errors already, or fields hold what is not JSON.
    """
    if errors or not fields.can_be_fingerprinted:
        async with database.connection() as connection:
            facts = await fetch_facts(connection, caller, fields.references())
        raise InvalidInput(errors + fields.check(facts))


async def check_fields(
    connection: Connection, caller: Caller, fields: RewardFields, errors: Sequence[FieldError] = ()
) -> Facts:
    """Return what the fields refer to, if they break no rule and there are no errors already.

    Raises:
        InvalidInput: every broken rule.
    """
    facts = await fetch_facts(connection, caller, fields.references())
    if found := [*errors, *fields.check(facts)]:
        raise InvalidInput(found)
    return facts


def complete_payment_configs(fields: RewardFields, facts: Facts) -> tuple[PaymentConfig, ...]:
    """Return the payment configurations named, with ids that sort as they were given."""
    drafts = fields.payment_configs if isinstance(fields.payment_configs, tuple) else ()
    config_ids = new_ids(len(drafts))
    return tuple(
        draft.complete(config_id, facts)
        for config_id, draft in zip(config_ids, drafts, strict=True)
    )


def _build(
    caller: Caller, sealing: RewardSeal, fields: RewardFields, facts: Facts, operation: Operation
) -> Reward:
    # The rules have shown that these are there.
    assert fields.draft is not None  # noqa: S101
    assert isinstance(fields.name, str)  # noqa: S101
    assert isinstance(fields.status, RewardStatus)  # noqa: S101
    return Reward(
        id=sealing.reward_id,
        organization_id=caller.organization_id,
        kind=kind_of(fields.draft),
        version_id=new_id(),
        name=fields.name,
        description=fields.description if isinstance(fields.description, str) else None,
        configuration=fields.draft.complete(facts, sealing.seal),
        metadata=fields.metadata,
        status=fields.status,
        payment_configs=complete_payment_configs(fields, facts),
        created_at=operation.at,
        updated_at=operation.at,
        member_metadata={} if fields.member_metadata is UNSET else fields.member_metadata,
    )


def _read_id(public_id: str | None) -> tuple[UUID, list[FieldError]]:
    """Return the UUID of the id a caller wants, or a new one."""
    if public_id is None:
        return new_id(), []
    reward_id = decode_id(IdKind.REWARD, public_id)
    # The lowest and the highest UUID bound pages and stand in no list.
    if reward_id is None or reward_id in {ID_LOWEST, ID_HIGHEST}:
        message = "id must be rew_ followed by a UUID in lower case."
        return new_id(), [FieldError(("input", "id"), "id", message)]
    return reward_id, []
