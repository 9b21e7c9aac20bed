"""Each kind of place where a sealed value stands: its label, what it belongs to, and its statements."""

from __future__ import annotations

from base64 import urlsafe_b64encode
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import asyncpg

from gateway.keys.model import Keys, Label, place, sealed_bytes
from gateway.rewards.codes import open_code, seal_code
from gateway.sealing import sealed_store
from gateway.sealing.sealed_store import TEXT_HEADER_LENGTH, Statements

Row = asyncpg.Record
NewRow = Sequence[Any]


@dataclass(frozen=True, slots=True)
class SealedPlace:
    """A kind of place. `reseal` turns a row into its tenant, its id and its new values."""

    name: str
    statements: Statements
    reseal: Callable[[Keys, Row], NewRow]
    is_text: bool = False

    def header(self, header: bytes) -> bytes | str:
        """Return how values of a key begin here, from how sealed bytes of it begin."""
        return urlsafe_b64encode(header).decode() if self.is_text else header

    def read_key_id(self, row: Row) -> str:
        """Return the key of a row that counts values."""
        if not self.is_text:
            return str(row["key_id"])
        assert len(row["header"]) == TEXT_HEADER_LENGTH  # noqa: S101 - the statement cuts it there
        return sealed_bytes(row["header"])[1:].hex()


def _binary(name: str, statements: Statements, label: Label, belongs_to: str = "id") -> SealedPlace:
    def reseal(keys: Keys, row: Row) -> NewRow:
        context = place(row["tenant_id"], row[belongs_to])
        plaintext = keys.open(label, row["sealed"], context)
        return row["tenant_id"], row["id"], keys.seal(label, plaintext, context)

    return SealedPlace(name, statements, reseal)


def _text(name: str, statements: Statements, label: Label, belongs_to: str = "id") -> SealedPlace:
    def reseal(keys: Keys, row: Row) -> NewRow:
        context = place(row["tenant_id"], row[belongs_to])
        text = keys.open_text(label, row["sealed"], context)
        return row["tenant_id"], row["id"], keys.seal_text(label, text, context)

    return SealedPlace(name, statements, reseal, is_text=True)


def _reseal_code(keys: Keys, row: Row) -> NewRow:
    tenant_id, code_id = row["tenant_id"], row["id"]
    code = open_code(keys, tenant_id, code_id, row["sealed"])
    sealed = seal_code(keys, tenant_id, row["organization_id"], code_id, code)
    return tenant_id, code_id, sealed.sealed, sealed.index


PLACES = (
    SealedPlace("codes of pools", sealed_store.CODES, _reseal_code),
    _text("codes and vouchers of grants", sealed_store.GRANTS, Label.COUPON_CODES),
    _text("codes of rewards", sealed_store.REWARDS, Label.COUPON_CODES, "reward_id"),
    _text("answers about rewards", sealed_store.REWARD_ANSWERS, Label.COUPON_CODES, "reward_id"),
    _binary("headers of vendors", sealed_store.VENDOR_HEADERS, Label.VENDOR_SECRETS),
    _binary("templates of vendors", sealed_store.VENDOR_TEMPLATES, Label.VENDOR_SECRETS),
    _binary("templates of orders", sealed_store.ORDER_TEMPLATES, Label.VENDOR_SECRETS, "vendor_id"),
    # The answer has the bytes of the vendor's template as text.
    _text("answers about vendors", sealed_store.VENDOR_ANSWERS, Label.VENDOR_SECRETS, "vendor_id"),
)
