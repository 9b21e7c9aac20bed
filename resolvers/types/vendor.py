"""Vendors: who sells vouchers over HTTP."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from uuid import UUID

import strawberry

from gateway.access import Scope
from gateway.ids import IdKind, encode_id
from gateway.storage.database import Connection
from gateway.text import HIDDEN
from gateway.vendors import mapping as paths
from gateway.vendors import model as domain
from gateway.vendors.model import SecretHeader
from gateway.vendors.sealing import open_template
from gateway.vendors.store import fetch_vendors
from gateway.vendors.template import mask_template
from gateway.visibility import is_partner
from resolvers.context import Context, Info
from resolvers.fields import resolved
from resolvers.loaders import Loaders
from resolvers.node import Node
from resolvers.scalars import JSON


@strawberry.type(
    description="Where in a vendor's answer things stand: paths such as `data.items[0].code`."
)
class VendorResponseMapping:
    """One path for each thing that is read."""

    voucher: str = strawberry.field(
        description="The voucher. Only an answer with HTTP status 200 and text here counts as issued."
    )
    valid_till: str | None = strawberry.field(description="Its validity; null if it is not read.")
    offer_name: str | None = strawberry.field(description="The offer; null if it is not read.")
    series_id: str | None = strawberry.field(description="The series; null if it is not read.")


@strawberry.type(
    description="Who sells vouchers over HTTP, how it is asked and how its answers are read. How is not shown to members."
)
class Vendor(Node):
    """A vendor; of its secret, only the header's name is ever shown."""

    vendor: strawberry.Private[domain.Vendor]

    org_id: strawberry.ID = strawberry.field(description="The organization whose vendor it is.")
    name: str = strawberry.field(description="Name for people.")
    timeout_seconds: int = strawberry.field(description="How long one call may take.")
    created_at: datetime = strawberry.field(description="When it was created.")
    updated_at: datetime = strawberry.field(description="When it was last changed.")

    @resolved(
        "Where orders are posted to; a query, which may hold a secret, is shown as `••••`. Not for members.",
        requires=[Scope.READ, Scope.CATALOG],
    )
    def endpoint(self) -> str:
        """Return the address without its query."""
        address, mark, query = self.vendor.endpoint.partition("?")
        return f"{address}{mark}{HIDDEN if query else query}"

    @resolved(
        "What is posted: its keys, and its placeholders such as `{orderId}`. Whatever else it says may be a secret, is kept "
        "sealed, and is shown as `••••` to everybody. Not for members.",
        requires=[Scope.READ, Scope.CATALOG],
    )
    def request_template(self, info: Info) -> JSON:
        """Open the template, and show its form."""
        context = info.context
        vendor = self.vendor
        template = open_template(
            context.database.keys,
            context.caller.tenant_id,
            vendor.id,
            vendor.request_template_sealed,
        )
        return JSON(mask_template(template))

    @resolved(
        "Where in its answers things stand. Not for members.", requires=[Scope.READ, Scope.CATALOG]
    )
    def response_mapping(self, info: Info) -> VendorResponseMapping:
        """Return the paths."""
        mapping = self.vendor.response_mapping
        return VendorResponseMapping(
            voucher=mapping.voucher,
            valid_till=mapping.valid_till,
            offer_name=mapping.offer_name,
            series_id=mapping.series_id,
        )

    @resolved(
        "The name of the header with the vendor's secret; null without one. The secret is never shown. Not for members.",
        requires=[Scope.READ, Scope.CATALOG],
    )
    def secret_header_name(self, info: Info) -> str | None:
        """Return the header's name."""
        return self.vendor.secret_header_name


@strawberry.input(
    description="Where in a vendor's answer things stand: paths of fields and indexes, such as `data.items[0].code`."
)
class VendorResponseMappingInput:
    """One path for each thing that is read."""

    voucher: str = strawberry.field(
        description="The voucher. Only an answer with HTTP status 200 and text here counts as issued."
    )
    valid_till: str | None = strawberry.field(default=None, description="Its validity.")
    offer_name: str | None = strawberry.field(default=None, description="The offer.")
    series_id: str | None = strawberry.field(default=None, description="The series.")


@strawberry.input(description="A header that proves to the vendor who is asking.")
class SecretHeaderInput:
    """A name and a value."""

    name: str = strawberry.field(description="The header, for example `Authorization`.")
    value: str = strawberry.field(
        description="Its value: 1 to 1,024 printable ASCII characters. It is kept encrypted and never shown again."
    )


def to_mapping(given: VendorResponseMappingInput) -> paths.ResponseMapping:
    """Return the paths as the domain has them."""
    return paths.ResponseMapping(given.voucher, given.valid_till, given.offer_name, given.series_id)


def to_secret_header(given: SecretHeaderInput) -> SecretHeader:
    """Return the header as the domain has it."""
    return SecretHeader(given.name, given.value)


def to_vendor(vendor: domain.Vendor) -> Vendor:
    """Return a vendor as its GraphQL type."""
    return Vendor(
        id=strawberry.ID(encode_id(IdKind.VENDOR, vendor.id)),
        vendor=vendor,
        org_id=strawberry.ID(encode_id(IdKind.ORGANIZATION, vendor.organization_id)),
        name=vendor.name,
        timeout_seconds=vendor.timeout_seconds,
        created_at=vendor.created_at,
        updated_at=vendor.updated_at,
    )


async def load_vendor(context: Context, organization_id: UUID, vendor_id: UUID) -> domain.Vendor:
    """Return the vendor that a reward of this organization names; the rewards of a list share one statement."""
    vendor = await context.loaders.using(_load_vendors, organization_id).load(vendor_id)
    # Checked when the reward was written, and vendors are never deleted.
    assert vendor is not None  # noqa: S101
    return vendor


async def load_vendor_nodes(context: Context, ids: Sequence[UUID]) -> list[Vendor | None]:
    """Return the caller's organization's vendors, in the order of the ids; members see none."""
    caller = context.caller
    if not is_partner(caller):
        return [None] * len(ids)
    found = await context.loaders.using(_load_vendors, caller.organization_id).load_many(ids)
    return [to_vendor(vendor) if vendor else None for vendor in found]


async def _load_vendors(
    connection: Connection, loaders: Loaders, ids: Sequence[UUID], organization_id: UUID
) -> Mapping[UUID, domain.Vendor]:
    return await fetch_vendors(connection, loaders.caller.tenant_id, organization_id, ids)
