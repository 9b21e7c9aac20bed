"""Recognize members by tokens of their organizations' issuers."""

from __future__ import annotations

import time
from collections import OrderedDict
from dataclasses import dataclass
from time import monotonic
from uuid import UUID

from gateway.access import Caller, Scope
from gateway.errors import Unauthenticated
from gateway.members.identifiers import IdentifierKind, normalize
from gateway.members.store import fetch_members, find_members
from gateway.signing_in.known_issuers import KnownIssuer, KnownIssuers
from gateway.signing_in.signed_token import (
    SignedToken,
    expiry_of,
    find_external_id,
    is_signed_with,
    read_signed_token,
)
from gateway.storage.database import Database
from gateway.tenants.credentials import REFUSAL

# How long a token that was verified is believed without looking again.
TRUST_SECONDS = 5.0
TOKENS_MAX = 10_000


@dataclass(frozen=True, slots=True)
class _Verified:
    """Whom a verified token names, None for nobody, until when that is believed, and by whose word."""

    caller: Caller | None
    until: float
    known: KnownIssuer


class SignedRecognition:
    """Remembers for some seconds whom a verified token names; what could not be verified is not remembered."""

    def __init__(self, database: Database, issuers: KnownIssuers) -> None:
        """Take where members are, and who is trusted."""
        self._database = database
        self._issuers = issuers
        # In the order in which they lapse, nearly.
        self._verified: OrderedDict[str, _Verified] = OrderedDict()

    async def recognize(self, text: str) -> Caller:
        """Return whom a token names; no round trip if it was verified within the last seconds, two if it is believed.

        Raises:
            Unauthenticated: it is no token, is not to be believed, or names nobody; the message does not say which.
            Overloaded: it is not known who is trusted.
        """
        verified = self._verified.get(text)
        if verified is None or monotonic() >= verified.until or verified.known.is_removed:
            token = read_signed_token(text)
            if token is None:
                raise Unauthenticated(REFUSAL)
            verified = await self._verify(token)
        if verified.caller is None:
            raise Unauthenticated(REFUSAL)
        return verified.caller

    async def _verify(self, token: SignedToken) -> _Verified:
        known = self._issuers.find(token.issuer, token.audiences)
        now = time.time()
        external_id = find_external_id(token, known.issuer, now) if known is not None else None
        if known is None or external_id is None:
            raise Unauthenticated(REFUSAL)
        key = known.find_key(token.key_id, token.algorithm)
        if key is None or not is_signed_with(token, key):
            raise Unauthenticated(REFUSAL)
        trusted_seconds = min(TRUST_SECONDS, expiry_of(token) - now)
        until = monotonic() + trusted_seconds
        member_id = await self._find_member(known, external_id)
        caller = None if member_id is None else _to_caller(known, member_id)
        verified = self._verified[token.text] = _Verified(caller, until, known)
        self._verified.move_to_end(token.text)
        while len(self._verified) > TOKENS_MAX:
            self._verified.popitem(last=False)
        return verified

    async def _find_member(self, known: KnownIssuer, external_id: str) -> UUID | None:
        kind = IdentifierKind.EXTERNAL_ID
        try:
            wanted = (kind, normalize(kind, external_id))
        except ValueError:
            return None
        async with self._database.connection() as connection:
            (member_id,) = await find_members(connection, known.tenant_id, [wanted])
            if member_id is None:
                return None
            members = await fetch_members(connection, known.tenant_id, [member_id])
        # An organization's issuer speaks for the members that the organization made.
        is_own = members[member_id].organization_id == known.issuer.organization_id
        return member_id if is_own else None


def _to_caller(known: KnownIssuer, member_id: UUID) -> Caller:
    """Return the member as a caller, who stands in the partner's place as with every token of a member."""
    return Caller(
        tenant_id=known.tenant_id,
        organization_id=known.issuer.organization_id,
        partner_id=member_id,
        scopes=frozenset({Scope.MEMBER}),
        standard_assets=known.standard_assets,
        member_id=member_id,
        credential_id=known.issuer.id,
    )
