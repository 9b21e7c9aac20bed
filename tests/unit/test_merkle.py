"""The tree is RFC 6962's: roots as its definition has them, and paths that prove one leaf and no other."""

from __future__ import annotations

from hashlib import sha256

import pytest

from gateway.chain.merkle import EMPTY_ROOT, follow_path, hash_leaf, make_path, make_root

LEAVES = [hash_leaf(str(number).encode()) for number in range(40)]


def define_root(leaves: list[bytes]) -> bytes:
    """Return the root as section 2.1 defines it: split at the largest power of two below the size."""
    if len(leaves) == 1:
        return leaves[0]
    split = 1
    while split * 2 < len(leaves):
        split *= 2
    return sha256(b"\x01" + define_root(leaves[:split]) + define_root(leaves[split:])).digest()


@pytest.mark.parametrize("count", range(1, 40))
def test_every_path_leads_to_the_root_of_the_definition(count: int):
    leaves = LEAVES[:count]
    root = make_root(leaves)
    assert root == define_root(leaves)
    for index, leaf in enumerate(leaves):
        path = make_path(leaves, index)
        assert follow_path(leaf, index, count, path) == root
        assert follow_path(hash_leaf(b"other"), index, count, path) != root
        assert follow_path(leaf, index, count, [*path, leaf]) is None
        assert follow_path(leaf, count, count, path) is None
        assert follow_path(leaf, -1, count, path) is None
        if path:
            assert follow_path(leaf, index, count, path[:-1]) is None
            assert follow_path(leaf, index ^ 1, count, path) != root


def test_empty_tree_has_the_hash_of_nothing():
    assert make_root([]) == EMPTY_ROOT == sha256(b"").digest()
