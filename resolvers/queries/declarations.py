"""`organizations`, `customFields`, `fulfillmentStages` and `tills`: what an issuance can name (CAP-13..16)."""

from __future__ import annotations

from gateway.access import Scope
from gateway.issuing.custom_fields.store import fetch_fields
from gateway.issuing.fulfillment.store import fetch_stages
from gateway.issuing.tills.store import fetch_tills
from gateway.tenants.store import fetch_organizations
from resolvers.context import Info
from resolvers.fields import query
from resolvers.types.custom_field import CustomField, to_custom_field
from resolvers.types.fulfillment import FulfillmentStage, to_stage
from resolvers.types.organization import Organization, to_organization
from resolvers.types.till import Till, to_till


@query(
    "The credential's own organization first, then the others that it reaches.",
    requires=[Scope.READ, Scope.ISSUE, Scope.CATALOG],
)
async def organizations(info: Info) -> list[Organization]:
    """Read the tenant's organizations and keep those within reach."""
    caller = info.context.caller
    async with info.context.database.connection() as connection:
        known = await fetch_organizations(connection, caller.tenant_id)
    own = known[caller.organization_id]
    others = [one for one in known.values() if one.id in caller.reach and one.id != own.id]
    return [
        to_organization(own, is_own=True),
        *(to_organization(other, is_own=False) for other in others),
    ]


@query(
    "The custom fields that the organization declared, by name.",
    requires=[Scope.READ, Scope.ISSUE, Scope.CATALOG],
)
async def custom_fields(info: Info) -> list[CustomField]:
    """Read them all: there are at most 100."""
    caller = info.context.caller
    async with info.context.database.connection() as connection:
        fields = await fetch_fields(connection, caller.tenant_id, caller.organization_id)
    return [to_custom_field(field) for field in fields]


@query(
    "The organization's stages of fulfillment, in order.",
    requires=[Scope.READ, Scope.ISSUE, Scope.CATALOG],
)
async def fulfillment_stages(info: Info) -> list[FulfillmentStage]:
    """Read them all: there are at most 100."""
    caller = info.context.caller
    async with info.context.database.connection() as connection:
        stages = await fetch_stages(connection, caller.tenant_id, caller.organization_id)
    return [to_stage(stage) for stage in stages]


@query(
    "The tills of the organizations that the credential reaches, by organization and name.",
    requires=[Scope.READ, Scope.ISSUE, Scope.CATALOG],
)
async def tills(info: Info) -> list[Till]:
    """Read them all; each counts towards the request's rows."""
    caller = info.context.caller
    reach = sorted(caller.reach | {caller.organization_id})
    async with info.context.database.connection() as connection:
        found = await fetch_tills(connection, caller.tenant_id, reach)
    info.context.spend_rows(len(found))
    return [to_till(till) for till in found]
