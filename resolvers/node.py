"""The Node interface: anything that can be fetched again by its id alone."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from typing import Any, TypeAlias
from uuid import UUID

import strawberry

from gateway.errors import FieldError, InvalidInput
from gateway.ids import IdKind, decode_any_id
from gateway.ledger.statement import EntryKey, decode_entry_id
from resolvers.context import Context

NODES_MAX = 100


@strawberry.interface(description="Anything that can be fetched again by its id.")
class Node:
    """Relay's node."""

    id: strawberry.ID = strawberry.field(
        description="Globally unique, opaque id; stays valid for ever."
    )


# Takes the keys of one kind and returns a node for each, or None where the caller can see none; one statement.
LoadNodes: TypeAlias = Callable[[Context, Sequence[Any]], Awaitable[Sequence[Node | None]]]


async def load_nodes(
    context: Context, ids: Sequence[str], loads: dict[IdKind, LoadNodes]
) -> list[Node | None]:
    """Return the node of each id, in order; None for what is unknown, malformed or somebody else's.

    Round trips: one statement for each kind of id.

    Raises:
        InvalidInput: more than 100 ids.
    """
    if len(ids) > NODES_MAX:
        message = f"ids must have at most {NODES_MAX} entries; it has {len(ids)}."
        raise InvalidInput([FieldError(("ids",), "length", message)])
    decoded = [decode_node_id(public_id) for public_id in ids]
    keys_by_kind: dict[IdKind, dict[Any, None]] = {}
    for kind, key in filter(None, decoded):
        if kind in loads:
            keys_by_kind.setdefault(kind, {})[key] = None
    nodes: dict[tuple[IdKind, Any], Node | None] = {}
    for kind, keys in keys_by_kind.items():
        loaded = await loads[kind](context, list(keys))
        nodes |= {(kind, key): node for key, node in zip(keys, loaded, strict=True)}
    return [nodes.get(node_id) if node_id else None for node_id in decoded]


def decode_node_id(public_id: str) -> tuple[IdKind, UUID | EntryKey] | None:
    """Return the kind and key of a public id, or None if it is not one."""
    if public_id.startswith(IdKind.LEDGER_ENTRY.value):
        key = decode_entry_id(public_id)
        return None if key is None else (IdKind.LEDGER_ENTRY, key)
    return decode_any_id(public_id)
