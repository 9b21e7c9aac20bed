"""Receipts: what a chain says of one grant, with the path to a signed head. Checked with the public key alone, offline."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import orjson
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from gateway.chain import block_store as store
from gateway.chain.extending import split_hashes
from gateway.chain.fact_store import fetch_facts_of_grants
from gateway.chain.heads import UnreadableHead, head_from_json, head_to_json
from gateway.chain.merkle import follow_path, hash_leaf, make_path
from gateway.chain.model import Head, signing_key
from gateway.errors import NotFound
from gateway.ids import IdKind, encode_id
from gateway.keys.model import Keys
from gateway.storage.database import Database

RECEIPT = "rewards-gateway receipt"


class InvalidReceipt(Exception):
    """A receipt proves nothing; the message says why in one line."""


@dataclass(frozen=True, slots=True)
class Proven:
    """What a receipt proves: the facts of a grant, as JSON lists, and the head that has them."""

    head: Head
    facts: list[list[Any]]


async def make_receipt(database: Database, tenant_id: UUID, grant_id: UUID) -> dict[str, Any]:
    """Return the receipt of a grant, as JSON values. Two round trips.

    Raises:
        NotFound: the tenant has no such grant, or no block has it yet, or the grant is not what its block says.
    """
    async with database.connection() as connection:
        block = await store.fetch_block_of_grant(connection, tenant_id, grant_id)
        made = await fetch_facts_of_grants(connection, tenant_id, [grant_id])
    if block is None or not made:
        raise NotFound("No such grant, or it was made a moment ago: ask again in a few seconds.")
    leaves = split_hashes(block.facts.hashes)
    places = {fact: index for index, fact in enumerate(block.facts) if fact.id == grant_id}
    if any(fact not in places for fact, _ in made.values()):
        raise NotFound("The grant is not what its block says: see `gateway verify --chain`.")
    return {
        "kind": RECEIPT,
        "grant": encode_id(IdKind.GRANT, grant_id),
        "head": head_to_json(block.head),
        "facts": [
            {
                "content": content,
                "index": places[fact],
                "path": [hash_.hex() for hash_ in make_path(leaves, places[fact])],
            }
            for fact, content in made.values()
        ],
    }


def check_receipt(receipt: Mapping[str, Any], public_key: bytes) -> Proven:
    """Return what a receipt proves to who trusts the key.

    Raises:
        InvalidReceipt: it proves nothing.
    """
    try:
        head = head_from_json(receipt["head"])
        facts = [
            (
                str(fact["content"]),
                int(fact["index"]),
                [bytes.fromhex(hash_) for hash_ in fact["path"]],
            )
            for fact in receipt["facts"]
        ]
        contents = [orjson.loads(content) for content, _, _ in facts]
        grant = str(receipt["grant"])
        named = {(content[1], encode_id(IdKind.GRANT, UUID(content[2]))) for content in contents}
    except (KeyError, TypeError, ValueError, IndexError, UnreadableHead) as error:
        raise InvalidReceipt("This is no receipt.") from error
    if not is_signed(head, public_key):
        raise InvalidReceipt("The head is not signed with this key.")
    if named != {(str(head.header.tenant_id), grant)}:
        raise InvalidReceipt("A fact is about another grant than the receipt names.")
    for content, index, path in facts:
        root = follow_path(hash_leaf(content.encode()), index, head.header.fact_count, path)
        if root != head.header.root:
            raise InvalidReceipt("A fact is not in the block: it was changed, or is another's.")
    return Proven(head, contents)


def is_signed(head: Head, public_key: bytes) -> bool:
    """Tell whether a head bears the signature of this key."""
    try:
        Ed25519PublicKey.from_public_bytes(public_key).verify(
            head.signature, head.header.to_bytes()
        )
    except (InvalidSignature, ValueError):
        return False
    return True


def public_keys(keys: Keys) -> dict[str, bytes]:
    """Return the public key of each master key's signatures, by the master key's id, the current one first."""
    return {
        key_id: signing_key(keys, key_id).public_key().public_bytes_raw() for key_id in keys.ids
    }
