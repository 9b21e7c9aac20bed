"""Which faults of the database are tried again, and what becomes of the others."""

from __future__ import annotations

from typing import Final

from tests.mutants.model import Mutation

MUTATIONS: Final = (
    Mutation(
        "deadlock_is_not_tried_again",
        "gateway/storage/database_errors.py",
        "    asyncpg.SerializationError,\n    asyncpg.DeadlockDetectedError,\n    # 57P01",
        "    asyncpg.SerializationError,\n    # 57P01",
        ("tests/integration/test_transactions.py::test_work_that_deadlocks_is_done_again",),
    ),
    Mutation(
        "serialization_fault_is_not_tried_again",
        "gateway/storage/database_errors.py",
        "    # 40001, 40P01\n    asyncpg.SerializationError,\n",
        "    # 40001, 40P01\n",
        ("tests/integration/test_granting.py::test_passing_fault_grants_once",),
    ),
    Mutation(
        "nothing_is_tried_again",
        "gateway/storage/database.py",
        "ATTEMPTS_MAX = 5",
        "ATTEMPTS_MAX = 1",
        ("tests/integration/test_granting.py::test_passing_fault_grants_once",),
    ),
    Mutation(
        "lack_of_resources_is_a_fault",
        "gateway/storage/database_errors.py",
        "    asyncpg.InsufficientResourcesError,\n",
        "",
        (
            "tests/integration/test_transactions.py::test_server_without_room_is_busy_and_nothing_is_tried_again",
        ),
    ),
    Mutation(
        "read_only_server_is_a_fault",
        "gateway/storage/database_errors.py",
        "    asyncpg.ReadOnlySQLTransactionError,\n",
        "",
        ("tests/faults/test_database_errors.py",),
    ),
    Mutation(
        "read_only_server_is_kept",
        "gateway/storage/lending.py",
        "                await self._connections.leave_server()\n",
        "                pass\n",
        (
            "tests/faults/test_database_errors.py::test_every_connection_to_a_read_only_server_is_left",
        ),
    ),
    Mutation(
        "dry_run_is_kept",
        "gateway/storage/database.py",
        "                    if dry_run:\n",
        "                    if False:\n",
        (
            "tests/integration/test_transactions.py::test_a_dry_run_does_what_it_leaves_behind_nowhere",
        ),
    ),
    Mutation(
        "roll_back_is_taken_for_a_commit",
        "gateway/storage/connection.py",
        "if status != COMMITTED:",
        "if False:",
        ("tests/integration/test_transactions.py::test_an_error_that_was_overheard_is_no_success",),
    ),
    Mutation(
        "what_was_written_is_not_sent_before_the_next",
        "gateway/storage/connection.py",
        "        if not (options or self._written or self._query_loggers):",
        "        if not (options or self._query_loggers):",
        (
            "tests/integration/test_transactions.py::test_what_is_written_is_seen_by_a_read_that_is_prepared",
        ),
    ),
    Mutation(
        "open_transaction_is_lent_again",
        "gateway/storage/kept_connections.py",
        "            or connection.is_in_transaction()\n",
        "",
        ("tests/integration/test_kept_connections.py",),
    ),
    Mutation(
        "error_goes_unlogged",
        "gateway/storage/lending.py",
        "                ERRORS.note(error)\n            if isinstance(error, asyncpg.ReadOnly",
        "                pass\n            if isinstance(error, asyncpg.ReadOnly",
        (
            "tests/faults/test_database_errors.py::test_error_in_a_transaction_is_told_and_logged_once",
        ),
    ),
)
