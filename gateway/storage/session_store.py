"""Whether a new session is the one that was asked for: at the server itself, with our role and our time-outs."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import asyncpg

TIMEOUTS: Final = ("lock_timeout", "statement_timeout", "idle_in_transaction_session_timeout")
SESSION: Final = """
SELECT pg_backend_pid() AS process_id, current_user::text AS role, array(
    SELECT (extract(epoch FROM current_setting(name)::interval) * 1000)::bigint
    FROM unnest($1::text[]) WITH ORDINALITY AS timeouts (name, ordinal) ORDER BY ordinal) AS milliseconds
"""
POOLER: Final = (
    "is a connection pooler such as pgbouncer, where time-outs, the role and prepared statements get lost: "
    "give the server's own address, for the gateway keeps a pool itself"
)


class Unsuitable(ConnectionError):
    """The session is not the one that was asked for; the message goes on from the server's name, in one line."""


async def check_session(
    connection: asyncpg.Connection[asyncpg.Record], settings: Mapping[str, str]
) -> None:
    """Compare the session with the settings that were sent; one round trip.

    A pooler makes up the process id that it tells its clients, so that it is not the one of the process that answers.

    Raises:
        Unsuitable: a pooler is in between, or settings did not arrive.
    """
    # With the simple kind of parameters: no codec of ours is needed.
    [row] = await connection.fetch(SESSION, list(TIMEOUTS))
    if row["process_id"] != connection.get_server_pid():
        raise Unsuitable(POOLER)
    sent = [int(settings[name]) for name in TIMEOUTS]
    if (row["role"], row["milliseconds"]) != (settings["role"], sent):
        raise Unsuitable(f"did not take over the role or a time-out ({', '.join(TIMEOUTS)})")
