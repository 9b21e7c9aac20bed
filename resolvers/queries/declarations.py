"""`organisations`, `customFields`, `fulfillmentStages` and `tills`: what an issuance can name (CAP-13..16)."""

from __future__ import annotations

from gateway.access import Scope, authorize
from gateway.issuing.custom_fields.store import fetch_fields
from gateway.issuing.fulfillment.store import fetch_stages
from gateway.issuing.tills.store import fetch_tills
from gateway.tenants.store import fetch_organisations
from resolvers.context import Info
from resolvers.fields import resolved
from resolvers.types.custom_field import CustomField, to_custom_field
from resolvers.types.fulfillment import FulfillmentStage, to_stage
from resolvers.types.organisation import Organisation, to_organisation
from resolvers.types.till import Till, to_till


@resolved("The credential's own organisation first, then the others that it reaches.")
async def organisations(info: Info) -> list[Organisation]:
    """Read the tenant's organisations and keep those within reach."""
    caller = info.context.caller
    authorize(caller, Scope.READ, Scope.ISSUE, Scope.CATALOGUE)
    async with info.context.database.connection() as connection:
        known = await fetch_organisations(connection, caller.tenant_id)
    own = known[caller.organisation_id]
    others = [one for one in known.values() if one.id in caller.reach and one.id != own.id]
    return [
        to_organisation(own, is_own=True),
        *(to_organisation(other, is_own=False) for other in others),
    ]


@resolved("The custom fields that the organisation declared, by name.")
async def custom_fields(info: Info) -> list[CustomField]:
    """Read them all: there are at most 100."""
    caller = info.context.caller
    authorize(caller, Scope.READ, Scope.ISSUE, Scope.CATALOGUE)
    async with info.context.database.connection() as connection:
        fields = await fetch_fields(connection, caller.tenant_id, caller.organisation_id)
    return [to_custom_field(field) for field in fields]


@resolved("The organisation's stages of fulfilment, in order.")
async def fulfillment_stages(info: Info) -> list[FulfillmentStage]:
    """Read them all: there are at most 100."""
    caller = info.context.caller
    authorize(caller, Scope.READ, Scope.ISSUE, Scope.CATALOGUE)
    async with info.context.database.connection() as connection:
        stages = await fetch_stages(connection, caller.tenant_id, caller.organisation_id)
    return [to_stage(stage) for stage in stages]


@resolved("The tills of the organisations that the credential reaches, by organisation and name.")
async def tills(info: Info) -> list[Till]:
    """Read them all; each counts towards the request's rows."""
    caller = info.context.caller
    authorize(caller, Scope.READ, Scope.ISSUE, Scope.CATALOGUE)
    reach = sorted(caller.reach | {caller.organisation_id})
    async with info.context.database.connection() as connection:
        found = await fetch_tills(connection, caller.tenant_id, reach)
    info.context.spend_rows(len(found))
    return [to_till(till) for till in found]
