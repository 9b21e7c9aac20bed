"""Issuers: the organizations that an asset's owner lets credit and deduct the asset too. Rules, and their writing."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from gateway.access import Caller
from gateway.errors import FieldError, InvalidInput
from gateway.storage.database import Connection
from gateway.tenants import issuer_store as store
from gateway.tenants.model import OrganizationReference

ISSUERS_MAX = 100
PATH = ("input", "issuers")


def check_issuers(issuers: Sequence[OrganizationReference]) -> list[FieldError]:
    """Return the broken rule of form."""
    if len(issuers) <= ISSUERS_MAX:
        return []
    message = f"issuers must be at most {ISSUERS_MAX}; they are {len(issuers)}."
    return [FieldError(PATH, "count", message)]


def fingerprint_issuers(issuers: Sequence[OrganizationReference]) -> list[str]:
    """Return the issuers in one spelling, for a request's fingerprint."""
    return sorted({ascii(issuer.as_sent) for issuer in issuers})


async def write_issuers(
    connection: Connection,
    caller: Caller,
    asset_id: UUID,
    issuers: Sequence[OrganizationReference],
) -> None:
    """Make these organizations the issuers of an asset of the caller's own; it need not be named itself. Round trips: two.

    Raises:
        InvalidInput: one of them is no organization of the tenant.
    """
    named = {issuer.id for issuer in issuers if issuer.id is not None}
    unknown = await store.find_unknown_organizations(connection, caller.tenant_id, sorted(named))
    errors = [
        FieldError((*PATH, str(index)), "exists", "issuers must be ids of existing organizations.")
        for index, issuer in enumerate(issuers)
        if issuer.id is None or issuer.id in unknown
    ]
    if errors:
        raise InvalidInput(errors)
    others = sorted(named - {caller.organization_id})
    await store.replace_issuers(connection, caller.tenant_id, asset_id, others)
