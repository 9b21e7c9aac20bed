"""Change keys: seal anew, with the current key, whatever another key has sealed, while gateways go on serving."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable

from gateway.errors import Overloaded
from gateway.keys.model import SEALED_FORM, Keys
from gateway.sealing.places import PLACES, SealedPlace
from gateway.sealing.sealed_store import (
    OwnerConnection,
    count_values,
    find_others,
    forget_other_keys,
    replace_values,
    require_owner,
)

ROWS_PER_TRANSACTION = 200
# Rows that others keep locked are waited for this long.
ROUNDS_MAX = 100
PAUSE_SECONDS = 0.1


async def count_by_key(connection: OwnerConnection) -> dict[str, Counter[str]]:
    """Return how many sealed values there are, by the id of their key and by kind of place. Reads all of them."""
    found: dict[str, Counter[str]] = {}
    for place in PLACES:
        for row in await count_values(connection, place.statements):
            key_id = place.read_key_id(row)
            found.setdefault(key_id, Counter())[place.name] = row["count"]
    return found


async def reseal_all(
    connection: OwnerConnection, keys: Keys, tell: Callable[[str, int], None]
) -> None:
    """Seal everything with the current key, then take the other keys out of those in use.

    Can be broken off at any time, and begun again. Gateways that serve meanwhile must have the same current key.

    Raises:
        OperatorNeeded: the login does not own the tables; nothing was done.
        CannotOpen: a value's key is not configured, or the value was altered; what came before it is done.
        Overloaded: some rows stay locked by others; all else is done.
    """
    await require_owner(connection)
    for place in PLACES:
        tell(place.name, await _reseal_place(connection, keys, place))
    if left := {key_id for key_id in await count_by_key(connection) if key_id != keys.current_id}:
        names = " and ".join(sorted(left))
        raise Overloaded(
            f"Some values are still, or again, sealed with {names}: see that every gateway has the new key first, and try again."
        )
    await forget_other_keys(connection, keys.current_id)


async def _reseal_place(connection: OwnerConnection, keys: Keys, place: SealedPlace) -> int:
    header = place.header(SEALED_FORM + bytes.fromhex(keys.current_id))
    done = 0
    for _ in range(ROUNDS_MAX):
        while changed := await _reseal_some(connection, keys, place, header):
            done += changed
        counts = await count_values(connection, place.statements)
        if all(place.read_key_id(row) == keys.current_id for row in counts):
            return done
        # What is left is locked by others at this moment.
        await asyncio.sleep(PAUSE_SECONDS)
    raise Overloaded(f"Some {place.name} stay locked by others; try again.")


async def _reseal_some(
    connection: OwnerConnection, keys: Keys, place: SealedPlace, header: bytes | str
) -> int:
    """Seal some rows anew in one database transaction, and return how many."""
    async with connection.transaction():
        rows = await find_others(connection, place.statements, header, ROWS_PER_TRANSACTION)
        await replace_values(
            connection, place.statements, [place.reseal(keys, row) for row in rows]
        )
    return len(rows)
