"""A call from a declared till brings a code of its member, which it uses up (CAP-16)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from uuid import UUID

from gateway.access import Caller, Scope
from gateway.errors import FieldError, InvalidInput, OutOfReach
from gateway.issuing.model import IssueCommand
from gateway.issuing.reach import Reach
from gateway.issuing.tills import store
from gateway.issuing.tills.model import Till, hash_code
from gateway.operations.model import Operation
from gateway.storage.database import Connection

CODE_PATH = ("input", "validationCode")


def require_permission_to_skip(caller: Caller, command: IssueCommand) -> None:
    """Let a call pass that does not ask to skip validation, or may.

    Raises:
        OutOfReach: the credential lacks the scope to skip.
    """
    if command.skips_validation and Scope.SKIP_VALIDATION not in caller.scopes:
        message = f"Skipping validation needs the scope {Scope.SKIP_VALIDATION.value}."
        raise OutOfReach(message, ("input", "skipValidation"))


async def find_tills(
    connection: Connection, tenant_id: UUID, reaches: Iterable[Reach]
) -> Mapping[store.TillName, Till]:
    """Return the declared tills at which any of the calls needs a code; one round trip, or none if no call names a till."""
    wanted = {name for reach in reaches for name in _names(reach)}
    if not wanted:
        return {}
    return await store.fetch_named_tills(connection, tenant_id, sorted(wanted))


def _names(reach: Reach) -> list[store.TillName]:
    """Return which tills a call may mean: of the caller's organization, and of the organizations in the call's scope."""
    command = reach.command
    if command.till is None or command.skips_validation:
        return []
    return [(id_, command.till) for id_ in sorted(reach.organization_ids | {reach.home_id})]


async def validate(
    connection: Connection,
    tenant_id: UUID,
    reach: Reach,
    declared: Mapping[store.TillName, Till],
    member_id: UUID,
    operation: Operation,
) -> None:
    """Use up the call's code, if it names a declared till and does not skip; undone with the call if nothing is issued.

    `declared` is what `find_tills` found. Round trips: one with a valid code, none without a declared till.

    Raises:
        InvalidInput: the code is missing, or is not the member's for this till, or has expired, or was used.
    """
    names = _names(reach)
    if not names:
        return
    tills = [declared[name] for name in names if name in declared]
    code = reach.command.validation_code
    if not tills:
        if code is not None:
            raise _refuse(
                ("input", "till"), "exists", "till must be a declared till: a code came with it."
            )
        return
    if code is None:
        raise _refuse(CODE_PATH, "required", "validationCode is required at this till.")
    hashes = _hash(tenant_id, tills, member_id, code)
    if not await store.spend_code(connection, tenant_id, hashes, operation):
        is_used = await store.is_code_used(connection, tenant_id, hashes)
        raise _explain(is_used)


def _hash(tenant_id: UUID, tills: Sequence[Till], member_id: UUID, code: str) -> list[bytes]:
    return [hash_code(tenant_id, till.id, member_id, code) for till in tills]


def _explain(is_used: bool | None) -> InvalidInput:
    if is_used is None:
        return _refuse(
            CODE_PATH, "exists", "validationCode is no code of this member for this till."
        )
    if is_used:
        return _refuse(CODE_PATH, "used", "validationCode was used before.")
    return _refuse(CODE_PATH, "expired", "validationCode has expired.")


def _refuse(path: tuple[str, ...], rule: str, message: str) -> InvalidInput:
    return InvalidInput([FieldError(path, rule, message)])
