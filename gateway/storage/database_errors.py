"""What each of the database's errors means for the work that met it, in one table; and its words in the log, once.

Anything else is a fault of ours: it is masked to callers, and logged with its traceback.
"""

from __future__ import annotations

import logging
from typing import Final

import asyncpg

from gateway.counters import count
from gateway.repeats import Repeats

logger = logging.getLogger("gateway.database")

# The work as a whole may be done again at once: every operation first claims its idempotency key, and a commit whose reply was lost
# is then seen as done.
PASSING: Final = (
    # 40001, 40P01
    asyncpg.SerializationError,
    asyncpg.DeadlockDetectedError,
    # 57P01, 57P02, 57P03, 57P05, 25P03: this server or session ended, another will do
    asyncpg.AdminShutdownError,
    asyncpg.CrashShutdownError,
    asyncpg.CannotConnectNowError,
    asyncpg.IdleSessionTimeoutError,
    asyncpg.IdleInTransactionSessionTimeoutError,
    # 08xxx
    asyncpg.PostgresConnectionError,
    ConnectionError,
)
# Waiting longer is the caller's choice: nothing was done.
TOO_BUSY: Final = (
    # 55P03, 57014
    asyncpg.LockNotAvailableError,
    asyncpg.QueryCanceledError,
    # 53xxx: disk full, out of memory, no free slot, a limit of the configuration
    asyncpg.InsufficientResourcesError,
)
# Nothing was done, and only an operator can help: the caller may try again when that has happened.
UNUSABLE: Final = (
    # 25006: a standby, or a database that may only be read; the server is left
    asyncpg.ReadOnlySQLTransactionError,
    # 42501, 28xxx, 3D000, 57P04
    asyncpg.InsufficientPrivilegeError,
    asyncpg.InvalidAuthorizationSpecificationError,
    asyncpg.InvalidCatalogNameError,
    asyncpg.DatabaseDroppedError,
    # 3F000, 42P01, 42703: the schema is not the one that this gateway knows
    asyncpg.InvalidSchemaNameError,
    asyncpg.UndefinedTableError,
    asyncpg.UndefinedColumnError,
    # 58xxx, XX001, XX002: the server's disk
    asyncpg.PostgresSystemError,
    asyncpg.DataCorruptedError,
    asyncpg.IndexCorruptedError,
)
# After one of these, writing is not possible until it has been tried with success.
UNWRITABLE: Final = (
    asyncpg.DiskFullError,
    asyncpg.PostgresSystemError,
    asyncpg.DataCorruptedError,
    asyncpg.IndexCorruptedError,
)
# Contention is expected; all else is for an operator.
_EXPECTED: Final = (
    asyncpg.SerializationError,
    asyncpg.DeadlockDetectedError,
    asyncpg.LockNotAvailableError,
    asyncpg.QueryCanceledError,
)
REPEAT_SECONDS: Final = 60.0


class ErrorLog:
    """Logs the first error of each kind at once, and then one a minute with the number of those that were left out."""

    def __init__(self) -> None:
        """Begin with none logged."""
        # By SQLSTATE.
        self._repeats = Repeats()
        # Whether the last attempt to write failed for want of a place to write to.
        self.is_unwritable = False

    def note(self, error: BaseException) -> None:
        """Count an error of the database, and log it if its kind was not in the log for a minute.

        Values of rows, which PostgreSQL puts into DETAIL, are left out.
        """
        state = getattr(error, "sqlstate", None) or "08000"
        count("database_errors", state)
        if isinstance(error, UNWRITABLE):
            self.is_unwritable = True
        left_out = self._repeats.admit(state, REPEAT_SECONDS)
        if left_out is None:
            return
        reason = str(error).partition("\n")[0] or type(error).__name__
        facts = {"sqlstate": state, "reason": reason, "left_out": left_out}
        level = logging.WARNING if isinstance(error, _EXPECTED) else logging.ERROR
        logger.log(level, "database error", extra={"facts": facts})


# Of this process: an operator wants to read of a full disk once, however many pools there are.
ERRORS: Final = ErrorLog()
