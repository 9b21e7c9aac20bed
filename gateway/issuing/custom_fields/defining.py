"""Use case: declare a custom field, or change whether it is required and what it may be."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from gateway.access import Caller, Scope, authorize
from gateway.errors import AlreadyExists, FieldError, InvalidInput
from gateway.ids import new_id
from gateway.issuing.custom_fields.model import (
    CHOICE_LENGTH_MAX,
    CHOICES_MAX,
    FIELDS_PER_ORGANIZATION_MAX,
    NAME_LENGTH_MAX,
    CustomField,
    CustomFieldType,
)
from gateway.issuing.custom_fields.store import define_field, fetch_fields
from gateway.operations.model import Operation, OperationKind, Request, check_key
from gateway.operations.once import run_once
from gateway.storage.database import Connection, Database
from gateway.text import check_text


@dataclass(frozen=True, slots=True)
class DefineCustomField:
    """A custom field of the caller's organization."""

    request_id: str
    field: CustomField


@dataclass(frozen=True, slots=True)
class DefinedCustomField:
    """The field, as the first request with this key left it."""

    field: CustomField
    idempotent_replay: bool


async def define_custom_field(
    database: Database, caller: Caller, command: DefineCustomField
) -> DefinedCustomField:
    """Declare a custom field; its type is fixed for ever, what else is said of it can be said anew.

    Raises:
        Forbidden: the credential lacks the scope.
        InvalidInput: every broken rule, by path.
        AlreadyExists: the organization has a field of this name and of another type.
        IdempotencyConflict, RequestInProgress: the request id was used before.
    """
    authorize(caller, Scope.CATALOG)
    if errors := _check(command):
        raise InvalidInput(errors)
    field = command.field
    given = {
        "name": field.name,
        "type": field.kind,
        "required": field.is_required,
        "choices": field.choices,
    }
    request = Request(OperationKind.DEFINE_CUSTOM_FIELD, command.request_id, given, new_id())
    scope = (caller.tenant_id, caller.organization_id)

    async def work(connection: Connection, operation: Operation) -> dict[str, Any]:
        known = {known.name for known in await fetch_fields(connection, *scope)}
        if len(known) >= FIELDS_PER_ORGANIZATION_MAX and field.name not in known:
            message = f"An organization has at most {FIELDS_PER_ORGANIZATION_MAX} custom fields."
            raise InvalidInput([FieldError(("input", "name"), "count", message)])
        if not await define_field(connection, *scope, field, operation.at):
            message = "A custom field of this name and another type exists."
            raise AlreadyExists(message, ("input", "name"))
        return {}

    answer = await run_once(database, caller, request, work)
    return DefinedCustomField(field, answer.idempotent_replay)


def _check(command: DefineCustomField) -> list[FieldError]:
    field, path = command.field, ("input", "choices")
    errors = check_key(command.request_id, ("input", "requestId"))
    errors += check_text(field.name, ("input", "name"), NAME_LENGTH_MAX)
    is_enum = field.kind is CustomFieldType.ENUM
    if is_enum and not 1 <= len(field.choices) <= CHOICES_MAX:
        message = f"choices must be 1 to {CHOICES_MAX} for ENUM; they are {len(field.choices)}."
        return [*errors, FieldError(path, "count", message)]
    if not is_enum and field.choices:
        message = f"choices have no meaning for {field.kind.value}."
        return [*errors, FieldError(path, "unexpected", message)]
    for index, choice in enumerate(field.choices):
        errors += check_text(choice, (*path, str(index)), CHOICE_LENGTH_MAX)
    if len(set(field.choices)) < len(field.choices):
        errors.append(FieldError(path, "unique", "choices must differ from each other."))
    return errors
