"""Where tills are declared, a call names one and brings a code of its member, which it uses up (CAP-16)."""

from __future__ import annotations

from dataclasses import replace
from uuid import UUID

from gateway.access import Caller, Scope
from gateway.errors import FieldError, InvalidInput, OutOfReach
from gateway.issuing.model import IssueCommand
from gateway.issuing.reach import Reach
from gateway.issuing.tills import store
from gateway.issuing.tills.model import DeclaredTills, hash_code
from gateway.operations.model import Operation
from gateway.storage.database import Connection
from gateway.text import to_name_key

CODE_PATH = ("input", "validationCode")
TILL_PATH = ("input", "till")


def require_permission_to_skip(caller: Caller, command: IssueCommand) -> None:
    """Let a call pass that does not ask to skip validation, or may.

    Raises:
        OutOfReach: the credential lacks the scope to skip.
    """
    if command.skips_validation and Scope.SKIP_VALIDATION not in caller.scopes:
        message = f"Skipping validation needs the scope {Scope.SKIP_VALIDATION.value}."
        raise OutOfReach(message, ("input", "skipValidation"))


def place_at_till(caller: Caller, command: IssueCommand) -> IssueCommand:
    """Return the command of a credential that is bound to a till as made at that till; any other as it is.

    Raises:
        InvalidInput: the command names another till.
    """
    till = caller.till
    if till is None:
        return command
    if command.till is not None and to_name_key(command.till) != till.name_key:
        raise _refuse(TILL_PATH, "bound", "till must be the one that this credential is bound to.")
    return replace(command, till=till.name)


async def validate(
    connection: Connection,
    caller: Caller,
    reach: Reach,
    declared: DeclaredTills,
    member_id: UUID,
    operation: Operation,
) -> None:
    """Use up the call's code where one is needed; undone with the call if nothing is issued.

    One is needed of a credential that is bound to a till, and wherever an organization of the call declares tills, unless the
    call skips it. Round trips: one with a valid code, none where none is needed.

    Raises:
        InvalidInput: the till is missing or unknown; the code is missing, is not the member's for this till, has expired, or was
            used.
    """
    command = reach.command
    if command.skips_validation:
        return
    till_ids = _find_tills(caller, reach, declared)
    if not till_ids:
        return
    if command.validation_code is None:
        raise _refuse(CODE_PATH, "required", "validationCode is required at this till.")
    hashes = [
        hash_code(caller.tenant_id, till_id, member_id, command.validation_code)
        for till_id in till_ids
    ]
    if not await store.spend_code(connection, caller.tenant_id, hashes, operation):
        is_used = await store.is_code_used(connection, caller.tenant_id, hashes)
        raise _explain(is_used)


def _find_tills(caller: Caller, reach: Reach, declared: DeclaredTills) -> list[UUID]:
    """Return the tills whose codes the call may bring, of each organization at most one; none where no code is needed.

    Raises:
        InvalidInput: tills are declared, and the call names none of them; or none is, and it brings a code.
    """
    if caller.till is not None:
        return [caller.till.id]
    command = reach.command
    declaring = reach.till_organization_ids & declared.organization_ids
    if not declaring:
        if command.validation_code is not None:
            message = "till must be a declared till: a code came with it."
            raise _refuse(TILL_PATH, "exists", message)
        return []
    if command.till is None:
        message = "till is required: the organization declares tills. Name it, and send the member's code."
        raise _refuse(TILL_PATH, "required", message)
    name_key = to_name_key(command.till)
    named = [(organization_id, name_key) for organization_id in sorted(declaring)]
    till_ids = [declared.ids[name] for name in named if name in declared.ids]
    if not till_ids:
        raise _refuse(TILL_PATH, "exists", "till must be one of the declared tills.")
    return till_ids


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
