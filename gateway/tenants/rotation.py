"""Replace a credential's token without a pause: for a while the new one and the old one are both good."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import NoReturn
from uuid import UUID

from gateway.errors import FieldError, InvalidInput, NotFound
from gateway.storage.database import Database
from gateway.tenants import credentials_store as store
from gateway.tenants.store import fetch_tenant
from gateway.tenants.tokens import new_token

OVERLAP_DEFAULT = timedelta(hours=24)
OVERLAP_MAX = timedelta(days=30)
NO_OVERLAP = timedelta(0)


@dataclass(frozen=True, slots=True)
class Rotated:
    """The text of the new token, seen only now, until when the old one is good, and when the credential ends."""

    text: str
    previous_until: datetime | None
    expires_at: datetime | None

    def __repr__(self) -> str:
        return f"Rotated(previous_until={self.previous_until}, expires_at={self.expires_at})"


async def rotate_token(
    database: Database,
    tenant_id: UUID,
    credential_id: UUID,
    *,
    overlap: timedelta = OVERLAP_DEFAULT,
    expires_at: datetime | None = None,
) -> Rotated:
    """Make a new token of the same credential; the old one ends after the overlap, at once if that is nothing.

    The partner stays the same, so the new token knows the idempotency keys of the old one. At most two tokens of a credential
    are good at a time. As the operator.

    Raises:
        OperatorNeeded: whoever logged in may not be the operator.
        InvalidInput: the overlap or the time breaks a rule, or two tokens are good already.
        NotFound: the tenant has no such credential, or it has ended.
    """
    if errors := _check(overlap, expires_at):
        raise InvalidInput(errors)
    async with database.operator_transaction() as connection:
        tenant = await fetch_tenant(connection, tenant_id)
        is_test = tenant is not None and tenant.is_test
        token = new_token(tenant_id, credential_id, is_test=is_test)
        row = await store.rotate_credential(
            connection, tenant_id, credential_id, token.secret_hash, overlap, expires_at
        )
        if row is None:
            active = await store.fetch_active_credentials(connection, tenant_id, [credential_id])
            _explain(is_active=credential_id in active)
    return Rotated(token.encode(), row["previous_until"], row["expires_at"])


def _check(overlap: timedelta, expires_at: datetime | None) -> list[FieldError]:
    errors = []
    if not NO_OVERLAP <= overlap <= OVERLAP_MAX:
        message = f"overlap must be from 0 to {OVERLAP_MAX.days} days."
        errors.append(FieldError(("overlap",), "range", message))
    if expires_at is not None and expires_at <= datetime.now(UTC):
        errors.append(FieldError(("expiresAt",), "future", "expiresAt must be in the future."))
    return errors


def _explain(*, is_active: bool) -> NoReturn:
    if not is_active:
        raise NotFound("No such credential, or it has ended.", ("credentialId",))
    message = (
        "credentialId has two good tokens already: wait until the older one ends, "
        "or rotate without an overlap, which ends both at once."
    )
    raise InvalidInput([FieldError(("credentialId",), "two", message)])
