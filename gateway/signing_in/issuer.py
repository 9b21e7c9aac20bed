"""Issuers: who signs tokens of an organization's members, and for whom the tokens are meant. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from gateway.errors import FieldError
from gateway.text import check_text
from gateway.vendors.addresses import AddressPolicy

AUDIENCE_LENGTH_MAX = 255
CLAIM_LENGTH_MAX = 255
# Where most issuers have their keys.
KEYS_PATH = "/.well-known/jwks.json"
SUBJECT_CLAIM = "sub"


@dataclass(frozen=True, slots=True)
class Issuer:
    """An issuer of an organization. Its `member_claim` holds the member's external id."""

    id: UUID
    organization_id: UUID
    url: str
    audience: str
    jwks_url: str
    member_claim: str
    created_at: datetime
    removed_at: datetime | None = None


def default_keys_url(url: str) -> str:
    """Return where an issuer's keys are, unless it is said."""
    return url.removesuffix("/") + KEYS_PATH


def check_issuer(issuer: Issuer, addresses: AddressPolicy) -> list[FieldError]:
    """Return every broken rule of an issuer."""
    errors = addresses.check(issuer.url, ("issuer",))
    errors += addresses.check(issuer.jwks_url, ("jwks",))
    errors += check_text(issuer.audience, ("audience",), AUDIENCE_LENGTH_MAX)
    errors += check_text(issuer.member_claim, ("memberClaim",), CLAIM_LENGTH_MAX)
    return errors
