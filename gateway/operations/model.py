"""Idempotency keys: what identifies a request, and what a repeat of it meets."""

from __future__ import annotations

import enum
import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

import orjson

from gateway.errors import ErrorCode, FieldError, InvalidInput, RewardsError
from gateway.keys.model import Keys, Label
from gateway.text import check_text

FINGERPRINT_VERSION = 1
HASH_DIGITS = 24
KEY_LENGTH_MAX = 128
# Of any kind of operation: issuances take longer ones.
ANY_KEY_LENGTH_MAX = 512


@dataclass(frozen=True, slots=True)
class Confidential:
    """A field's value whose stored hash must not give it away to who guesses: it is hashed with the gateway's keys."""

    value: Any
    keys: Keys

    def hash(self, key_id: str) -> str:
        """Return the hash with one of the master keys, whose id it begins with."""
        hashed = self.keys.hash(Label.FINGERPRINTS, _to_canonical(self.value), key_id)
        return f"{key_id}:{hashed.hex()[:HASH_DIGITS]}"

    def has_hash(self, stored: str | None) -> bool:
        """Tell whether this value has the hash, made with whichever of the master keys."""
        key_id = (stored or "").partition(":")[0]
        return key_id in self.keys.ids and self.hash(key_id) == stored


class OperationKind(enum.StrEnum):
    """What a key was used for; the same key may be used once for each kind."""

    GRANT_REWARD = "GRANT_REWARD"
    ISSUE_REWARDS = "ISSUE_REWARDS"
    ISSUE_REWARDS_ITEM = "ISSUE_REWARDS_ITEM"
    DISTRIBUTE_REWARDS = "DISTRIBUTE_REWARDS"
    CLAIM_REWARDS = "CLAIM_REWARDS"
    REVERSE_GRANT = "REVERSE_GRANT"
    CREATE_REWARD = "CREATE_REWARD"
    UPDATE_REWARD = "UPDATE_REWARD"
    DELETE_REWARD = "DELETE_REWARD"
    CREATE_ASSET = "CREATE_ASSET"
    SET_ASSET_ISSUERS = "SET_ASSET_ISSUERS"
    CREATE_PRODUCT = "CREATE_PRODUCT"
    RESTOCK_PRODUCT = "RESTOCK_PRODUCT"
    CREATE_COMPETITION = "CREATE_COMPETITION"
    CREATE_CODE_POOL = "CREATE_CODE_POOL"
    IMPORT_CODES = "IMPORT_CODES"
    UPSERT_MEMBER = "UPSERT_MEMBER"
    LINK_IDENTIFIER = "LINK_IDENTIFIER"
    CREATE_GROUP = "CREATE_GROUP"
    SET_GROUP_MEMBERS = "SET_GROUP_MEMBERS"
    FUND_GROUP = "FUND_GROUP"
    CREATE_SEGMENT = "CREATE_SEGMENT"
    SET_SEGMENT_MEMBERS = "SET_SEGMENT_MEMBERS"
    SET_MEMBER_CARDS = "SET_MEMBER_CARDS"
    SET_MEMBER_LABELS = "SET_MEMBER_LABELS"
    DEFINE_CUSTOM_FIELD = "DEFINE_CUSTOM_FIELD"
    DEFINE_FULFILLMENT_STAGE = "DEFINE_FULFILLMENT_STAGE"
    UPDATE_FULFILLMENT = "UPDATE_FULFILLMENT"
    CREATE_TILL = "CREATE_TILL"
    REQUEST_VALIDATION_CODE = "REQUEST_VALIDATION_CODE"
    CREATE_MEMBER_TOKEN = "CREATE_MEMBER_TOKEN"  # noqa: S105 - the name of a mutation
    CREATE_CAMPAIGN = "CREATE_CAMPAIGN"
    UPDATE_CAMPAIGN = "UPDATE_CAMPAIGN"
    FUND_CAMPAIGN = "FUND_CAMPAIGN"
    RECORD_EVENT = "RECORD_EVENT"
    CREATE_VENDOR = "CREATE_VENDOR"
    UPDATE_VENDOR = "UPDATE_VENDOR"
    MARK_NOTIFICATIONS_READ = "MARK_NOTIFICATIONS_READ"
    REVERSE_OPERATION = "REVERSE_OPERATION"
    RESERVE = "RESERVE"
    CAPTURE = "CAPTURE"
    RELEASE = "RELEASE"
    EXPIRE = "EXPIRE"


@dataclass(slots=True)
class Request:
    """A key and what it stands for. Not changed once made: freezing it would only make it dearer.

    `fields` maps each GraphQL input field that makes the request what it is to its normalized value: defaults filled in,
    decimals and identifiers in one spelling, list order kept. Field selections and the key itself are not part of it.
    `operation_id` is made once per request, before any attempt, so that a commit whose reply was lost is recognized.
    `expected_answer` is what the operation answers unless another answer is stored: it is written with the key, so that the
    row is written once.
    """

    kind: OperationKind
    key: str
    fields: Mapping[str, Any]
    operation_id: UUID
    key_path: tuple[str, ...] = ("input", "requestId")
    expected_answer: Any = None

    def field_hashes(self) -> dict[str, str]:
        """Return one short hash per field: enough to tell a repeat from a change, and which field changed."""
        hashes = {name: _hash(value) for name, value in self.fields.items()}
        return {"version": str(FINGERPRINT_VERSION), **hashes}

    def find_differing(self, first: Mapping[str, str]) -> tuple[str, ...]:
        """Return the names of the fields whose values are not those of the first request, in order."""
        mine = self.field_hashes()
        names = sorted(name for name in {*mine, *first} if mine.get(name) != first.get(name))
        # The keys may have changed since.
        return tuple(
            name
            for name in names
            if not isinstance(value := self.fields.get(name), Confidential)
            or not value.has_hash(first.get(name))
        )


@dataclass(frozen=True, slots=True)
class Operation:
    """A claimed key: this request runs, and everything it writes carries `id` and the database's time `at`.

    `credential_id` names who asked for it; None is the gateway itself.
    """

    id: UUID
    at: datetime
    credential_id: UUID | None = None


@dataclass(frozen=True, slots=True)
class Answer:
    """What the operation answered; `idempotent_replay` if an earlier request did the work."""

    value: Any
    operation_id: UUID
    idempotent_replay: bool


class IdempotencyConflict(RewardsError):
    """The key was used before with other input; nothing was done."""

    code = ErrorCode.IDEMPOTENCY_CONFLICT

    def __init__(self, request: Request, differing_fields: tuple[str, ...]) -> None:
        """Name the fields whose values differ from the first request's."""
        names = ", ".join(differing_fields)
        message = f"The key {request.key!r} was used before with another value of: {names}."
        super().__init__(message, request.key_path)
        self.differing_fields = differing_fields


class OperationFenced(IdempotencyConflict):
    """The key was fenced: nothing was ever done under it, and nothing will be."""

    code = ErrorCode.OPERATION_FENCED

    def __init__(self, request: Request) -> None:
        """Say that a new key is needed; no field differs, for there was no first request."""
        message = f"The key {request.key!r} was fenced: use a new one."
        RewardsError.__init__(self, message, request.key_path)
        self.differing_fields = ()


class RequestInProgress(RewardsError):
    """Another request with this key is still running; ask again."""

    code = ErrorCode.REQUEST_IN_PROGRESS


def check_key(
    key: str, path: tuple[str, ...], length_max: int = KEY_LENGTH_MAX
) -> list[FieldError]:
    """Return the broken rule if a key is not text of 1 to `length_max` characters."""
    return check_text(key, path, length_max)


def require_key(key: str, path: tuple[str, ...]) -> str:
    """Return the key if it has a form that some kind of operation takes.

    Raises:
        InvalidInput: it has not the right form.
    """
    if errors := check_key(key, path, ANY_KEY_LENGTH_MAX):
        raise InvalidInput(errors)
    return key


def _hash(value: object) -> str:
    if isinstance(value, Confidential):
        return value.hash(value.keys.current_id)
    return _HASH_OF_NOTHING if value is None else _hash_canonical(value)


def _hash_canonical(value: object) -> str:
    return hashlib.sha256(_to_canonical(value)).hexdigest()[:HASH_DIGITS]


def _to_canonical(value: object) -> bytes:
    return orjson.dumps(value, default=str, option=orjson.OPT_SORT_KEYS)


# Most fields of most requests are left out.
_HASH_OF_NOTHING = _hash_canonical(None)
