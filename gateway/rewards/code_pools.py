"""Use cases: make a pool of coupon codes, and load codes into it (MON-10)."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from gateway.access import Caller, Scope, authorize
from gateway.errors import FieldError, InvalidInput, NotFound
from gateway.ids import new_id, new_ids
from gateway.operations.model import Confidential, Operation, OperationKind, Request, check_key
from gateway.operations.once import run_once
from gateway.rewards.code_store import CodeImport, insert_codes
from gateway.rewards.codes import seal_codes
from gateway.rewards.item_store import fetch_items, insert_code_pool
from gateway.rewards.items import CodePool, ItemKey
from gateway.rewards.rules import check_code, check_name
from gateway.storage.database import Connection, Database

CODES_PER_CALL_MAX = 10_000


@dataclass(frozen=True, slots=True)
class CreateCodePool:
    """A new pool."""

    request_id: str
    name: str


@dataclass(frozen=True, slots=True)
class CodePoolOutcome:
    """The pool that the first request with this key made."""

    pool: CodePool
    idempotent_replay: bool


@dataclass(frozen=True, slots=True)
class ImportCodes:
    """Codes to load into a pool; they end together, or never."""

    request_id: str
    pool_id: UUID
    codes: Sequence[str]
    expires_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class ImportOutcome:
    """How many codes were new to the organization, and how many it had already or stood twice in the call."""

    pool: CodePool
    accepted_count: int
    duplicate_count: int
    idempotent_replay: bool


async def create_code_pool(
    database: Database, caller: Caller, command: CreateCodePool
) -> CodePoolOutcome:
    """Make a pool without codes.

    Raises:
        Forbidden: the credential lacks the scope.
        InvalidInput: every broken rule, by path.
        IdempotencyConflict, RequestInProgress: the request id was used before.
    """
    authorize(caller, Scope.CATALOG)
    errors = check_key(command.request_id, ("input", "requestId"))
    errors += check_name(command.name, ("input", "name"))
    if errors:
        raise InvalidInput(errors)
    given = {"name": command.name}
    request = Request(OperationKind.CREATE_CODE_POOL, command.request_id, given, new_id())
    pool_id = new_id()

    async def work(connection: Connection, operation: Operation) -> dict[str, Any]:
        pool = CodePool(pool_id, caller.organization_id, command.name, operation.at)
        await insert_code_pool(connection, caller.tenant_id, pool)
        return pool.to_json()

    answer = await run_once(database, caller, request, work)
    return CodePoolOutcome(CodePool.from_json(answer.value), answer.idempotent_replay)


async def import_codes(database: Database, caller: Caller, command: ImportCodes) -> ImportOutcome:
    """Load 1 to 10,000 codes; those that the organization has, in whichever pool and whatever became of them, are skipped and counted.

    Codes are compared as shops compare them: see `gateway.rewards.codes`. They are sealed before the database transaction begins.

    Raises:
        Forbidden: the credential lacks the scope.
        InvalidInput: every broken rule, by path.
        NotFound: the caller's organization has no such pool.
        IdempotencyConflict, RequestInProgress: the request id was used before.
    """
    authorize(caller, Scope.CATALOG)
    if errors := _check(command):
        raise InvalidInput(errors)
    given = {
        "codePoolId": command.pool_id,
        "codes": Confidential(command.codes, database.keys),
        "expiresAt": command.expires_at,
    }
    request = Request(OperationKind.IMPORT_CODES, command.request_id, given, new_id())
    key = ItemKey(caller.organization_id, command.pool_id)
    import_id = new_id()
    scope = (database.keys, caller.tenant_id, caller.organization_id)
    # On a thread: ten thousand codes take tens of milliseconds, in which other requests go on.
    ids = new_ids(len(command.codes))
    sealed = await asyncio.to_thread(seal_codes, *scope, ids, command.codes)

    async def work(connection: Connection, operation: Operation) -> dict[str, Any]:
        pools = await fetch_items(connection, caller.tenant_id, CodePool, [key])
        if key not in pools:
            raise NotFound("No such code pool.", ("input", "codePoolId"))
        if command.expires_at is not None and command.expires_at <= operation.at:
            message = "expiresAt must be in the future."
            raise InvalidInput([FieldError(("input", "expiresAt"), "future", message)])
        load = CodeImport(import_id, key, sealed, command.expires_at)
        accepted = await insert_codes(connection, caller.tenant_id, load, operation.at)
        return {
            "pool": pools[key].to_json(),
            "accepted_count": accepted,
            "duplicate_count": len(command.codes) - accepted,
        }

    answer = await run_once(database, caller, request, work)
    return ImportOutcome(
        pool=CodePool.from_json(answer.value["pool"]),
        accepted_count=answer.value["accepted_count"],
        duplicate_count=answer.value["duplicate_count"],
        idempotent_replay=answer.idempotent_replay,
    )


def _check(command: ImportCodes) -> list[FieldError]:
    errors = check_key(command.request_id, ("input", "requestId"))
    path = ("input", "codes")
    if not 1 <= len(command.codes) <= CODES_PER_CALL_MAX:
        message = f"codes must be 1 to {CODES_PER_CALL_MAX}; they are {len(command.codes)}."
        return [*errors, FieldError(path, "length", message)]
    for index, code in enumerate(command.codes):
        errors += check_code(code, (*path, str(index)))
    return errors
