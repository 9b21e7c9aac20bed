"""An order as it is asked for, and what can come of asking."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from gateway.ledger.model import TransactionKind, Transfer
from gateway.vendors.mapping import ResponseMapping


@dataclass(frozen=True, slots=True)
class ClaimedOrder:
    """An order that this process may ask for until its lease ends; `grant_id` is also the number the vendor knows.

    `was_uncertain` says that an earlier attempt may have reached the vendor, so that it may have issued already.
    """

    tenant_id: UUID
    grant_id: UUID
    operation_id: UUID
    credential_id: UUID | None
    transaction_kind: TransactionKind
    vendor_id: UUID
    endpoint: str
    request_template_sealed: bytes
    request_values: Mapping[str, Any]
    payments: tuple[Transfer, ...]
    lease_id: UUID
    attempt_count: int
    was_uncertain: bool
    response_mapping: ResponseMapping
    secret_header_name: str | None
    secret_header_sealed: bytes | None
    timeout_seconds: int


@dataclass(frozen=True, slots=True)
class Issued:
    """The vendor has issued; what its answer said."""

    voucher: str
    valid_till: str | None
    offer_name: str | None
    series_id: str | None


@dataclass(frozen=True, slots=True)
class Refused:
    """The vendor has not issued and will not: the reservation can be freed. `reason` completes a sentence."""

    reason: str


@dataclass(frozen=True, slots=True)
class Unsettled:
    """Nobody knows yet. `may_have_issued` is false if this attempt cannot have reached the vendor's till.

    `is_own_fault` says that the gateway is not set up to ask, such as without the key of the vendor's secret. That is no answer
    of the vendor's, so the order waits until the operator has put it right.
    """

    reason: str
    may_have_issued: bool
    is_own_fault: bool = False


Verdict = Issued | Refused | Unsettled


@dataclass(frozen=True, slots=True)
class Answer:
    """A vendor's HTTP answer; `body` None stands for one that was too large to be read."""

    status: int
    body: bytes | None
