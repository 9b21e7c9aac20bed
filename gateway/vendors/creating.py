"""Use case: make a vendor known."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from gateway.access import Caller, Scope, authorize
from gateway.errors import FieldError, InvalidInput
from gateway.ids import new_id
from gateway.operations.model import Operation, OperationKind, Request, check_key
from gateway.operations.once import run_once
from gateway.storage.database import Connection, Database
from gateway.vendors import store
from gateway.vendors.model import (
    TIMEOUT_SECONDS_DEFAULT,
    Vendor,
    VendorFields,
    VendorSecurity,
)
from gateway.vendors.sealing import seal_secret, seal_template
from gateway.vendors.template import find_placeholders


@dataclass(frozen=True, slots=True)
class CreateVendor:
    """A new vendor; its name, endpoint, template and mapping are needed."""

    request_id: str
    fields: VendorFields


@dataclass(frozen=True, slots=True)
class VendorOutcome:
    """The vendor, as the first request with this key left it."""

    vendor: Vendor
    idempotent_replay: bool


async def create_vendor(
    database: Database, caller: Caller, command: CreateVendor, security: VendorSecurity
) -> VendorOutcome:
    """Make a vendor of the caller's organization.

    Raises:
        Forbidden: the credential lacks the scope.
        InvalidInput: every broken rule, by path.
        IdempotencyConflict, RequestInProgress: the request id was used before.
    """
    authorize(caller, Scope.CATALOG)
    fields = command.fields
    errors = check_key(command.request_id, ("input", "requestId"))
    if errors := errors + _find_missing(fields) + fields.check(security):
        raise InvalidInput(errors)
    given = fields.to_fields(security.keys)
    request = Request(OperationKind.CREATE_VENDOR, command.request_id, given, new_id())
    vendor_id = new_id()

    async def work(connection: Connection, operation: Operation) -> dict[str, Any]:
        # The rules have shown that these are there.
        assert fields.name and fields.endpoint  # noqa: S101, PT018
        assert fields.request_template and fields.response_mapping  # noqa: S101, PT018
        header = fields.secret_header
        vendor = Vendor(
            id=vendor_id,
            organization_id=caller.organization_id,
            name=fields.name,
            endpoint=fields.endpoint,
            sends_quantity="quantity" in find_placeholders(fields.request_template),
            request_template_sealed=seal_template(
                security.keys, caller.tenant_id, vendor_id, fields.request_template
            ),
            response_mapping=fields.response_mapping,
            secret_header_name=header.name if header else None,
            timeout_seconds=fields.timeout_seconds or TIMEOUT_SECONDS_DEFAULT,
            created_at=operation.at,
            updated_at=operation.at,
        )
        sealed = (
            seal_secret(security.keys, caller.tenant_id, vendor_id, header.value)
            if header
            else None
        )
        await store.insert_vendor(connection, caller.tenant_id, vendor, sealed)
        return vendor.to_json()

    answer = await run_once(database, caller, request, work)
    return VendorOutcome(Vendor.from_json(answer.value), answer.idempotent_replay)


def _find_missing(fields: VendorFields) -> list[FieldError]:
    needed = {
        "name": fields.name,
        "endpoint": fields.endpoint,
        "requestTemplate": fields.request_template,
        "responseMapping": fields.response_mapping,
    }
    return [
        FieldError(("input", name), "required", f"{name} is required.")
        for name, value in needed.items()
        if value is None
    ]
