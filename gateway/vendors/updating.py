"""Use case: change a vendor. Orders that are open go on with the request they were made with."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any
from uuid import UUID

from gateway.access import Caller, Scope, authorize
from gateway.errors import FieldError, InvalidInput, NotFound
from gateway.ids import new_id
from gateway.operations.model import Operation, OperationKind, Request, check_key
from gateway.operations.once import run_once
from gateway.storage.database import Connection, Database
from gateway.vendors import store
from gateway.vendors.addresses import origin_of
from gateway.vendors.creating import VendorOutcome
from gateway.vendors.model import Vendor, VendorFields, VendorSecurity
from gateway.vendors.sealing import open_template, seal_secret, seal_template
from gateway.vendors.template import find_placeholders


@dataclass(frozen=True, slots=True)
class UpdateVendor:
    """What to change of which vendor; fields that are not named stay."""

    request_id: str
    vendor_id: UUID
    fields: VendorFields


async def update_vendor(
    database: Database, caller: Caller, command: UpdateVendor, security: VendorSecurity
) -> VendorOutcome:
    """Change what is named. The endpoint stays on its host: another host is another vendor.

    Raises:
        Forbidden: the credential lacks the scope.
        InvalidInput: every broken rule, by path.
        NotFound: the caller's organization has no such vendor.
        IdempotencyConflict, RequestInProgress: the request id was used before.
    """
    authorize(caller, Scope.CATALOG)
    fields = command.fields
    errors = check_key(command.request_id, ("input", "requestId"))
    if errors := errors + fields.check(security):
        raise InvalidInput(errors)
    given = {"id": command.vendor_id, **fields.to_fields(security.keys)}
    request = Request(OperationKind.UPDATE_VENDOR, command.request_id, given, new_id())

    async def work(connection: Connection, operation: Operation) -> dict[str, Any]:
        scope = (caller.tenant_id, caller.organization_id, command.vendor_id)
        before = await store.lock_vendor(connection, *scope)
        if before is None:
            raise NotFound("No such vendor.", ("input", "id"))
        sealed = before.request_template_sealed
        template: Mapping[str, Any] = open_template(
            security.keys, caller.tenant_id, before.id, sealed
        )
        if broken := _check_change(before, template, fields):
            raise InvalidInput(broken)
        if fields.request_template is not None:
            sealed = seal_template(
                security.keys, caller.tenant_id, before.id, fields.request_template
            )
            template = fields.request_template
        after = replace(
            _apply(before, fields),
            request_template_sealed=sealed,
            sends_quantity="quantity" in find_placeholders(template),
        )
        after = replace(after, updated_at=operation.at)
        header = fields.secret_header
        await store.update_vendor(
            connection,
            caller.tenant_id,
            after,
            seal_secret(security.keys, caller.tenant_id, after.id, header.value)
            if header
            else None,
            replaces_secret=header is not None or fields.removes_secret,
        )
        return after.to_json()

    answer = await run_once(database, caller, request, work)
    return VendorOutcome(Vendor.from_json(answer.value), answer.idempotent_replay)


def _check_change(
    before: Vendor, template: Mapping[str, Any], fields: VendorFields
) -> list[FieldError]:
    errors = []
    if fields.endpoint is not None and origin_of(fields.endpoint) != origin_of(before.endpoint):
        # The secret was given for this host, and open orders are known to it alone.
        message = "endpoint must stay on its scheme, host and port: create another vendor instead."
        errors.append(FieldError(("input", "endpoint"), "origin", message))
    named = find_placeholders(fields.request_template or template)
    if "quantity" in find_placeholders(template) - named:
        # Rewards were made that sell several at once; the vendor would deliver one.
        message = "requestTemplate must go on sending {quantity}."
        errors.append(FieldError(("input", "requestTemplate"), "quantity", message))
    return errors


def _apply(vendor: Vendor, fields: VendorFields) -> Vendor:
    header_name = fields.secret_header.name if fields.secret_header else vendor.secret_header_name
    return replace(
        vendor,
        name=vendor.name if fields.name is None else fields.name,
        endpoint=vendor.endpoint if fields.endpoint is None else fields.endpoint,
        response_mapping=fields.response_mapping or vendor.response_mapping,
        secret_header_name=None if fields.removes_secret else header_name,
        timeout_seconds=fields.timeout_seconds or vendor.timeout_seconds,
    )
