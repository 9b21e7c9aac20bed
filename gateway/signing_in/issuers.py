"""Use cases of the operator: trust an issuer of members' tokens, and trust it no more."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from uuid import UUID

from gateway.errors import AlreadyExists, InvalidInput, NotFound
from gateway.ids import new_id
from gateway.signing_in import issuer_store as store
from gateway.signing_in.issuer import SUBJECT_CLAIM, Issuer, check_issuer, default_keys_url
from gateway.storage.database import Database
from gateway.vendors.addresses import AddressPolicy


async def add_issuer(
    database: Database,
    addresses: AddressPolicy,
    tenant_id: UUID,
    organization_id: UUID,
    url: str,
    audience: str,
    *,
    jwks_url: str | None = None,
    member_claim: str = SUBJECT_CLAIM,
) -> Issuer:
    """Trust tokens that an issuer signs for an audience to say which member of the tenant calls. As the operator.

    Raises:
        InvalidInput: every broken rule.
        NotFound: the organization is not in the tenant.
        AlreadyExists: the issuer is trusted with this audience already, by this tenant or another.
    """
    keys_url = default_keys_url(url) if jwks_url is None else jwks_url
    now = datetime.now(UTC)
    issuer = Issuer(new_id(), organization_id, url, audience, keys_url, member_claim, now)
    if errors := check_issuer(issuer, addresses):
        raise InvalidInput(errors)
    try:
        async with database.operator_transaction() as connection:
            if not await store.insert_issuer(connection, tenant_id, issuer):
                raise NotFound("No such organization.", ("organizationId",))
    except store.IssuerTaken as error:
        message = "This issuer is trusted with this audience already."
        raise AlreadyExists(message, ("issuer",)) from error
    return issuer


async def list_issuers(database: Database, tenant_id: UUID) -> Sequence[Issuer]:
    """Return the tenant's issuers, removed ones too."""
    async with database.connection() as connection:
        return await store.fetch_issuers(connection, tenant_id)


async def remove_issuer(database: Database, tenant_id: UUID, issuer_id: UUID) -> None:
    """Trust an issuer no more; running gateways refuse its tokens within seconds. Doing it again changes nothing. As the operator.

    Raises:
        NotFound: the tenant has no such issuer.
    """
    async with database.operator_transaction() as connection:
        if not await store.remove_issuer(connection, tenant_id, issuer_id):
            raise NotFound("No such issuer.", ("issuerId",))
