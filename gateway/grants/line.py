"""A line: one grant to be tried, with everything known before balances are locked."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from gateway.grants.record import GrantKind, GrantRecord, GrantSource, GrantStatus
from gateway.grants.status import Refusal
from gateway.ledger.model import Transaction, Transfer
from gateway.rewards.types.base import Purchase


@dataclass(frozen=True, slots=True)
class Coupon:
    """A unique coupon wanted: one code of the pool, at most one per reward and member (MON-10)."""

    pool_id: UUID
    reward_id: UUID


@dataclass(slots=True)
class Line:
    """One grant to be tried. Not changed once made: freezing it would only make it dearer.

    `payments` leave the member and `transfers` give the benefit; all of them happen, or none. A line with a `purchase` is
    pending: its payments are held, not moved, it has no transfers, and its transaction, which nothing else may use, is
    recorded when the vendor has issued.
    """

    grant_id: UUID
    transaction: Transaction
    organization_id: UUID
    member_id: UUID
    index: int
    source: GrantSource
    kind: GrantKind
    status: GrantStatus
    transfers: Sequence[Transfer]
    benefits: Sequence[Mapping[str, Any]]
    payments: Sequence[Transfer] = ()
    coupon: Coupon | None = None
    purchase: Purchase | None = None
    reward_id: UUID | None = None
    reward_version_id: UUID | None = None
    action_code: str | None = None
    client_reference: str | None = None
    expires_at: datetime | None = None
    metadata: Mapping[str, Any] = field(default_factory=dict)
    details: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class AlreadyIssued:
    """The member holds a code of this reward; the grant that gave it, and nothing was drawn."""

    grant_id: UUID


LineResult = GrantRecord | AlreadyIssued | Refusal
