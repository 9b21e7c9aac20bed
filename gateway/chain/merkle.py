"""The Merkle tree of RFC 6962 (section 2.1) over hashes of leaves: its root, and the path that proves that a leaf is in it. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from hashlib import sha256

EMPTY_ROOT = sha256().digest()


def hash_leaf(content: bytes) -> bytes:
    """Return the hash of a leaf."""
    return sha256(b"\x00" + content).digest()


def make_root(leaves: Sequence[bytes]) -> bytes:
    """Return the root of the tree over leaf hashes."""
    level = list(leaves)
    if not level:
        return EMPTY_ROOT
    while len(level) > 1:
        level = _next_level(level)
    return level[0]


def make_path(leaves: Sequence[bytes], index: int) -> list[bytes]:
    """Return the hashes that lead from a leaf to the root, from the bottom up."""
    level, path = list(leaves), []
    while len(level) > 1:
        sibling = index ^ 1
        if sibling < len(level):
            path.append(level[sibling])
        level, index = _next_level(level), index // 2
    return path


def follow_path(leaf: bytes, index: int, leaf_count: int, path: Sequence[bytes]) -> bytes | None:
    """Return the root to which a path leads from the leaf at this index of so many; None if no such tree has this path."""
    if not 0 <= index < leaf_count:
        return None
    hash_, rest, last = leaf, list(path), leaf_count - 1
    while last:
        if index % 2:
            if not rest:
                return None
            hash_ = _hash_node(rest.pop(0), hash_)
        elif index < last:
            if not rest:
                return None
            hash_ = _hash_node(hash_, rest.pop(0))
        index, last = index // 2, last // 2
    return None if rest else hash_


def _next_level(level: Sequence[bytes]) -> list[bytes]:
    """Return the hashes one level up; the last one of an odd number goes up as it is."""
    pairs = zip(level[::2], level[1::2], strict=False)
    above = [_hash_node(left, right) for left, right in pairs]
    if len(level) % 2:
        above.append(level[-1])
    return above


def _hash_node(left: bytes, right: bytes) -> bytes:
    return sha256(b"\x01" + left + right).digest()
