"""The engine that Piccolo needs to write a statement's text; database.py runs it."""

from __future__ import annotations

from piccolo.engine.postgres import PostgresEngine

# The oldest PostgreSQL that the project supports; Piccolo writes the same text for every newer one.
OLDEST_VERSION = 15.0


class StatementWriter(PostgresEngine):
    """A PostgreSQL dialect without a server: it never connects."""

    async def get_version(self) -> float:
        """Return the oldest version supported, without asking a server for its own."""
        return OLDEST_VERSION


STATEMENT_WRITER = StatementWriter(config={})
