"""Coupon codes as they are kept: sealed, and found by a keyed hash of what shops take them for. Pure."""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from gateway.keys.model import Keys, Label, place
from gateway.text import HIDDEN

# Of 256 bits: no two codes of an organization will ever share so many by chance.
INDEX_BYTES = 16
# Of a longer code the end is shown, for people to tell codes apart.
SHOWN_LENGTH_MAX = 4
SHOWN_PART = 3


@dataclass(frozen=True, slots=True)
class SealedCode:
    """A code of a pool. `index` is by the current key, `other_indexes` are by the others."""

    id: UUID
    index: bytes
    other_indexes: tuple[bytes, ...]
    sealed: bytes


def seal_codes(
    keys: Keys, tenant_id: UUID, organization_id: UUID, ids: Sequence[UUID], codes: Sequence[str]
) -> list[SealedCode]:
    """Return each code as its pool keeps it, under these ids. Takes some microseconds a code."""
    return [
        seal_code(keys, tenant_id, organization_id, code_id, code)
        for code_id, code in zip(ids, codes, strict=True)
    ]


def seal_code(
    keys: Keys, tenant_id: UUID, organization_id: UUID, code_id: UUID, code: str
) -> SealedCode:
    """Return one code as its pool keeps it."""
    spelled = tenant_id.bytes + organization_id.bytes + normalize_code(code).encode()
    index, *others = (
        keys.hash(Label.COUPON_CODE_INDEX, spelled, key_id)[:INDEX_BYTES] for key_id in keys.ids
    )
    sealed = keys.seal(Label.COUPON_CODES, code.encode(), place(tenant_id, code_id))
    return SealedCode(code_id, index, tuple(others), sealed)


def open_code(keys: Keys, tenant_id: UUID, code_id: UUID, sealed: bytes) -> str:
    """Return a code of a pool.

    Raises:
        CannotOpen: another key is needed, or the value was altered or moved.
    """
    return keys.open(Label.COUPON_CODES, sealed, place(tenant_id, code_id)).decode()


def normalize_code(code: str) -> str:
    """Return what a code is compared by: shops tell neither upper and lower case nor forms of one character apart."""
    folded = unicodedata.normalize("NFKC", code).casefold()
    return unicodedata.normalize("NFKC", folded).strip()


def mask_code(code: str) -> str:
    """Return a code for those who may not read it: at most its last four characters, and no more than a third."""
    shown = min(SHOWN_LENGTH_MAX, len(code) // SHOWN_PART)
    return HIDDEN + code[len(code) - shown :]
