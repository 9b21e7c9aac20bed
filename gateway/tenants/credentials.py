"""Tokens of partners and members: make one, recognize one, end one."""

from __future__ import annotations

import hmac
from collections.abc import Iterable, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from datetime import UTC, datetime
from uuid import UUID

import asyncpg

from gateway.access import PARTNER_SCOPES, BoundTill, Caller, Scope, StandardAssets
from gateway.errors import FieldError, InvalidInput, NotFound, Unauthenticated
from gateway.ids import new_id
from gateway.storage.database import Connection, Database
from gateway.tenants import credentials_store as store
from gateway.tenants.credentials_store import Credential
from gateway.tenants.reach import check_reach
from gateway.tenants.store import fetch_tenant
from gateway.tenants.tokens import Token, decode_token, new_token
from gateway.text import check_text, find_forbidden_character

LABEL_LENGTH_MAX = 200
# One sentence for every reason: it tells an attacker nothing.
REFUSAL = "The credential is unknown, expired or revoked."
# What a till does. Every other scope moves value without the code that a till asks a member for, or makes such codes.
TILL_SCOPES = frozenset({Scope.READ, Scope.ISSUE, Scope.CLAIM, Scope.CODES, Scope.SKIP_VALIDATION})
# No token has it.
NO_HASH = bytes(32)


@dataclass(frozen=True, slots=True)
class CreatedToken:
    """A new credential, with the text of its token: this is the only time that it can be seen."""

    credential: Credential
    text: str

    def __repr__(self) -> str:
        return f"CreatedToken(credential={self.credential!r})"


async def authenticate(database: Database, text: str) -> Caller:
    """Return who holds the token of this text; one round trip.

    Raises:
        Unauthenticated: it is not a token, or it is unknown, expired or revoked; the message does not say which.
    """
    token = read_token(text)
    holders = await fetch_holders(database, token.tenant_id, [token])
    if token not in holders:
        raise Unauthenticated(REFUSAL)
    return holders[token]


def read_token(text: str) -> Token:
    """Return the parts of a token.

    Raises:
        Unauthenticated: it is not one.
    """
    token = decode_token(text)
    if token is None:
        raise Unauthenticated(REFUSAL)
    return token


async def fetch_holders(
    database: Database, tenant_id: UUID, tokens: Sequence[Token]
) -> dict[Token, Caller]:
    """Return who holds these tokens of one tenant; without those unknown, expired or revoked. One round trip.

    By token, not by credential: another text with the same credential's id proves nothing without its secret.
    """
    async with database.connection() as connection:
        rows = await store.fetch_active_credentials(
            connection, tenant_id, [token.credential_id for token in tokens]
        )
    holders: dict[Token, Caller] = {}
    for token in tokens:
        row = rows.get(token.credential_id)
        if _is_of(token, row) and row is not None:
            holders[token] = _to_caller(tenant_id, row)
    return holders


def _is_of(token: Token, row: asyncpg.Record | None) -> bool:
    """Tell whether a token is the credential's, or the one that it replaces.

    Compared in constant time, and also when there is nothing to compare with.
    """
    mine = token.secret_hash
    current = row["secret_hash"] if row else None
    previous = row["previous_secret_hash"] if row else None
    is_current = hmac.compare_digest(mine, current or NO_HASH)
    is_previous = hmac.compare_digest(mine, previous or NO_HASH)
    return is_current or is_previous


def _to_caller(tenant_id: UUID, row: asyncpg.Record) -> Caller:
    return Caller(
        tenant_id=tenant_id,
        organization_id=row["organization_id"],
        partner_id=row["partner_id"],
        scopes=frozenset(map(Scope, row["scopes"])),
        standard_assets=StandardAssets(
            row["points_asset_id"], row["experience_asset_id"], row["cash_asset_id"]
        ),
        member_id=row["member_id"],
        reach=frozenset(row["reach"]),
        credential_id=row["id"],
        has_daily_limits=row["has_daily_limits"],
        till=_to_till(row),
    )


def _to_till(row: asyncpg.Record) -> BoundTill | None:
    if row["till_id"] is None:
        return None
    return BoundTill(row["till_id"], row["till_name"], row["till_name_key"])


async def create_partner_token(
    database: Database,
    tenant_id: UUID,
    organization_id: UUID,
    label: str,
    scopes: Iterable[Scope],
    *,
    partner_id: UUID | None = None,
    expires_at: datetime | None = None,
    reach: Iterable[UUID] = (),
    till: str | None = None,
) -> CreatedToken:
    """Make a token for a partner of an organization. As the operator.

    Idempotency keys are counted per partner, and a new token must not forget those of the one it replaces: without a
    `partner_id` all tokens of the organization are one partner's, named by the organization's id. `reach` names other organizations for
    which it may act: those above or below its own (CAP-13). `till` binds it to a till of the organization, where it then always acts;
    it cannot have a scope with which it would make the codes that it has to ask for (CAP-16).

    Raises:
        OperatorNeeded: whoever logged in may not be the operator.
        InvalidInput: the label, the scopes, the time, the reach or the till break a rule.
        NotFound: the organization is not in the tenant.
    """
    chosen = frozenset(scopes)
    errors = check_text(label, ("label",), LABEL_LENGTH_MAX)
    if not chosen or not chosen <= PARTNER_SCOPES:
        names = ", ".join(sorted(PARTNER_SCOPES))
        errors.append(FieldError(("scopes",), "scopes", f"scopes must be one or more of: {names}."))
    wanted = frozenset(reach)
    errors += await check_reach(database, tenant_id, organization_id, wanted)
    till_id, till_errors = await _find_till(database, tenant_id, organization_id, till, chosen)
    errors += till_errors
    credential = Credential(
        new_id(),
        organization_id,
        partner_id or organization_id,
        None,
        label,
        chosen,
        datetime.now(UTC),
        expires_at,
        reach=wanted - {organization_id},
        till_id=till_id,
    )
    return await _create(database.operator_transaction(), tenant_id, credential, errors)


async def _find_till(
    database: Database,
    tenant_id: UUID,
    organization_id: UUID,
    name: str | None,
    scopes: frozenset[Scope],
) -> tuple[UUID | None, list[FieldError]]:
    """Return the till of this name and the broken rules; one round trip, none without a name."""
    if name is None:
        return None, []
    errors = []
    if other := sorted(scopes - TILL_SCOPES):
        message = f"scopes of a credential with a till must not have: {', '.join(other)}."
        errors.append(FieldError(("scopes",), "till", message))
    till_id = None
    if find_forbidden_character(name) is None:
        async with database.connection() as connection:
            till_id = await store.find_till(connection, tenant_id, organization_id, name)
    if till_id is None:
        message = "till must be one that the organization has declared."
        errors.append(FieldError(("till",), "exists", message))
    return till_id, errors


async def create_member_token(
    database: Database,
    tenant_id: UUID,
    organization_id: UUID,
    member_id: UUID,
    *,
    label: str = "member",
    expires_at: datetime | None = None,
) -> CreatedToken:
    """Make a token with which a member sees and claims what is their own, and nothing else.

    The member stands in the partner's place, so that two members may use the same idempotency key.

    Raises:
        InvalidInput: the label or the time breaks a rule.
        NotFound: the organization or the member is not in the tenant.
    """
    credential = Credential(
        new_id(),
        organization_id,
        member_id,
        member_id,
        label,
        frozenset({Scope.MEMBER}),
        datetime.now(UTC),
        expires_at,
    )
    errors = check_text(label, ("label",), LABEL_LENGTH_MAX)
    return await _create(database.transaction(), tenant_id, credential, errors)


async def add_member_credential(
    connection: Connection,
    caller: Caller,
    credential_id: UUID,
    member_id: UUID,
    *,
    label: str,
    at: datetime,
    expires_at: datetime,
) -> str:
    """Write a credential of a member that the caller vouches for, and return the text of its token; two round trips.

    Raises:
        NotFound: the member is not in the tenant.
    """
    credential = Credential(
        credential_id,
        caller.organization_id,
        member_id,
        member_id,
        label,
        frozenset({Scope.MEMBER}),
        at,
        expires_at,
        created_by=caller.credential_id,
    )
    return await _insert(connection, caller.tenant_id, credential)


async def revoke_token(database: Database, tenant_id: UUID, credential_id: UUID) -> None:
    """End a token for ever; running gateways refuse it within a second. Doing it again changes nothing. As the operator.

    Raises:
        OperatorNeeded: whoever logged in may not be the operator.
        NotFound: the tenant has no such credential.
    """
    async with database.operator_transaction() as connection:
        now = datetime.now(UTC)
        if not await store.revoke_credential(connection, tenant_id, credential_id, now):
            raise NotFound("No such credential.", ("credentialId",))


async def _create(
    transaction: AbstractAsyncContextManager[Connection],
    tenant_id: UUID,
    credential: Credential,
    errors: list[FieldError],
) -> CreatedToken:
    if credential.expires_at is not None and credential.expires_at <= credential.created_at:
        errors.append(FieldError(("expiresAt",), "future", "expiresAt must be in the future."))
    if errors:
        raise InvalidInput(errors)
    async with transaction as connection:
        return CreatedToken(credential, await _insert(connection, tenant_id, credential))


async def _insert(connection: Connection, tenant_id: UUID, credential: Credential) -> str:
    """Write a credential and return the text of its token."""
    tenant = await fetch_tenant(connection, tenant_id)
    if tenant is None:
        raise NotFound("No such tenant.", ("tenantId",))
    token = new_token(tenant_id, credential.id, is_test=tenant.is_test)
    if not await store.insert_credential(connection, tenant_id, credential, token.secret_hash):
        raise NotFound("No such organization or member.", ("organizationId",))
    return token.encode()
