"""When the gateway says that it can serve."""

from __future__ import annotations

from typing import Final

from tests.mutants.model import Mutation

MUTATIONS: Final = (
    Mutation(
        "read_only_database_is_ready",
        "gateway/storage/readiness.py",
        'if state["is_read_only"]:',
        "if False:",
        (
            "tests/faults/test_readiness.py::test_database_that_may_only_be_read_is_not_and_is_again_afterwards",
        ),
    ),
    Mutation(
        "database_without_tables_is_ready",
        "gateway/storage/readiness.py",
        'if state["missing_tables"]:',
        "if False:",
        ("tests/faults/test_readiness.py::test_reason_is_named",),
    ),
    Mutation(
        "database_without_rights_is_ready",
        "gateway/storage/readiness.py",
        'if state["missing_rights"]:',
        "if False:",
        ("tests/faults/test_readiness.py::test_reason_is_named",),
    ),
    Mutation(
        "older_schema_is_ready",
        "gateway/storage/readiness.py",
        "if self._expected - ran:",
        "if False:",
        ("tests/faults/test_readiness.py::test_reason_is_named",),
    ),
    Mutation(
        "newer_schema_is_ready",
        "gateway/storage/readiness.py",
        'return None if self._was_current else "schema_newer"',
        "return None",
        ("tests/faults/test_readiness.py::test_reason_is_named",),
    ),
    Mutation(
        "full_disk_is_forgotten",
        "gateway/storage/readiness.py",
        "if ERRORS.is_unwritable:",
        "if False:",
        (
            "tests/faults/test_readiness.py::test_after_a_full_disk_writing_is_tried_until_it_succeeds",
        ),
    ),
    Mutation(
        "keys_are_not_asked_for",
        "gateway/storage/readiness.py",
        "for check in self._checks:",
        "for check in ():",
        ("tests/faults/test_readiness.py::test_keys_that_are_not_configured_are_named",),
    ),
    Mutation(
        "everybody_asks_anew",
        "gateway/storage/readiness.py",
        "self._asking.done() and loop.time() - self._asked_at >= KEPT_SECONDS",
        "self._asking.done()",
        (
            "tests/faults/test_readiness.py::test_who_asks_again_at_once_is_told_the_same_and_asks_nothing",
        ),
    ),
)
