"""Use case: change a reward of the catalog.

Round trips inside the database transaction: claim the key, lock, fetch, find what the new fields refer to, up to three
writes, store the answer.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any
from uuid import UUID

import orjson

from gateway.access import Caller, Scope, authorize
from gateway.errors import FieldError, NotFound
from gateway.ids import new_id
from gateway.operations.model import Operation, OperationKind, Request, check_key
from gateway.operations.once import run_once
from gateway.rewards.change_store import (
    insert_version,
    lock_reward,
    replace_payment_configs,
    update_reward_row,
)
from gateway.rewards.creating import (
    RewardOutcome,
    check_fields,
    complete_payment_configs,
    refuse_broken,
)
from gateway.rewards.fields import UNSET, RewardFields
from gateway.rewards.model import Reward, RewardStatus, reward_from_json, reward_to_json
from gateway.rewards.sealing import RewardSeal
from gateway.rewards.segments import check_segments, write_segments
from gateway.rewards.store import fetch_rewards
from gateway.rewards.types import kind_of
from gateway.rewards.types.base import Facts
from gateway.storage.database import Connection, Database


@dataclass(frozen=True, slots=True)
class UpdateReward:
    """What to change of which reward; fields that are not named stay."""

    request_id: str
    reward_id: UUID
    fields: RewardFields


async def update_reward(database: Database, caller: Caller, command: UpdateReward) -> RewardOutcome:
    """Change what is named; a change of name, description, configuration or either metadata makes a new version.

    The type stays. Payment configurations are replaced as a whole, and the old ones archived. Source: MON-4, MON-7.

    Raises:
        Forbidden: the credential lacks the scope.
        InvalidInput: every broken rule, by path; a configuration of another type is one.
        NotFound: the caller's organization has no such reward.
        IdempotencyConflict, RequestInProgress: the request id was used before.
    """
    authorize(caller, Scope.CATALOG)
    errors = check_key(command.request_id, ("input", "requestId"))
    await refuse_broken(database, caller, command.fields, errors)
    given = {"id": command.reward_id, **command.fields.to_fingerprint(database.keys)}
    request = Request(OperationKind.UPDATE_REWARD, command.request_id, given, new_id())

    async def work(connection: Connection, operation: Operation) -> dict[str, Any]:
        before = await _lock(connection, caller, command.reward_id)
        errors = _check_type(before, command.fields)
        errors += await check_segments(connection, caller, command.fields)
        facts = await check_fields(connection, caller, command.fields, errors)
        sealing = RewardSeal(connection.keys, caller.tenant_id, before.id)
        after = _apply(before, command.fields, facts, operation, sealing)
        if after.version_id != before.version_id:
            await insert_version(connection, caller.tenant_id, after)
        if command.fields.payment_configs is not UNSET:
            await replace_payment_configs(connection, caller.tenant_id, after)
        await write_segments(connection, caller.tenant_id, after.id, command.fields)
        await update_reward_row(connection, caller.tenant_id, after)
        return reward_to_json(after)

    answer = await run_once(database, caller, request, work)
    return RewardOutcome(reward_from_json(answer.value), answer.idempotent_replay)


async def _lock(connection: Connection, caller: Caller, reward_id: UUID) -> Reward:
    """Return the reward, with others kept from changing it."""
    if not await lock_reward(connection, caller.tenant_id, caller.organization_id, reward_id):
        raise NotFound("No such reward.", ("input", "id"))
    rewards = await fetch_rewards(connection, caller.tenant_id, caller.organization_id, [reward_id])
    return rewards[reward_id]


def _check_type(reward: Reward, fields: RewardFields) -> list[FieldError]:
    if fields.draft is None or kind_of(fields.draft) is reward.kind:
        return []
    message = f"The type of a reward cannot change: this one's is {reward.kind.value}."
    return [FieldError(fields.config_path, "type", message)]


def _apply(
    reward: Reward, fields: RewardFields, facts: Facts, operation: Operation, sealing: RewardSeal
) -> Reward:
    """Return the reward with what is named changed; with a new version id if its content differs."""
    content: dict[str, Any] = {}
    if isinstance(fields.name, str):
        content["name"] = fields.name
    if fields.description is not UNSET:
        content["description"] = fields.description
    if fields.metadata is not UNSET:
        content["metadata"] = fields.metadata
    if fields.member_metadata is not UNSET:
        content["member_metadata"] = fields.member_metadata
    if fields.draft is not None:
        completed = fields.draft.complete(facts, sealing.seal)
        content["configuration"] = sealing.keep(reward.configuration, completed)
    changed = replace(reward, **content)
    if _spell(changed) != _spell(reward):
        changed = replace(changed, version_id=new_id())
    if isinstance(fields.status, RewardStatus):
        changed = replace(changed, status=fields.status)
    if fields.payment_configs is not UNSET:
        configs = complete_payment_configs(fields, facts)
        changed = replace(changed, payment_configs=configs)
    return replace(changed, updated_at=operation.at)


def _spell(reward: Reward) -> bytes:
    # As text, because to Python true equals 1 and 1.0 equals 1, and metadata may change from one to the other.
    return orjson.dumps(reward_to_json(reward), option=orjson.OPT_SORT_KEYS)
