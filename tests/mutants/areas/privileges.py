"""What the roles of the database may do."""

from __future__ import annotations

from typing import Final

from tests.mutants.model import Mutation

MUTATIONS: Final = (
    Mutation(
        "role_is_not_dropped",
        "gateway/storage/database.py",
        '                "role": APPLICATION_ROLE,\n',
        "",
        ("tests/integration/test_transactions.py::test_session_keeps_to_its_role_and_time_outs",),
    ),
    Mutation(
        "session_is_not_looked_at",
        "gateway/storage/database.py",
        '            await check_session(connection, options["server_settings"])\n',
        "",
        ("tests/faults/test_pooler.py",),
    ),
    Mutation(
        "pooler_is_taken",
        "gateway/storage/session_store.py",
        'if row["process_id"] != connection.get_server_pid():',
        "if False:",
        ("tests/faults/test_pooler.py::test_process_id_that_is_not_the_servers_is_a_pooler",),
    ),
    Mutation(
        "lost_settings_are_taken",
        "gateway/storage/session_store.py",
        'if (row["role"], row["milliseconds"]) != (settings["role"], sent):',
        "if False:",
        ("tests/faults/test_pooler.py::test_settings_that_did_not_arrive_are_refused",),
    ),
    Mutation(
        "application_changes_entries",
        "gateway/storage/privileges.py",
        '    "ledger_entries": ADD,\n',
        '    "ledger_entries": changing("amount_minor"),\n',
        ("tests/integration/test_privileges.py::test_application_is_refused",),
    ),
    Mutation(
        "application_deletes_keys",
        "gateway/storage/privileges.py",
        '"operations": changing("answer fenced_at"),',
        '"operations": deleting(changing("answer fenced_at")),',
        ("tests/integration/test_privileges.py::test_application_is_refused",),
    ),
    Mutation(
        "application_makes_any_credential",
        "gateway/storage/migrations/m2026_12_01_privileges.py",
        "    WITH CHECK (member_id IS NOT NULL AND scopes = '{member}');",
        "    WITH CHECK (true);",
        (
            "tests/integration/test_privileges.py::test_application_makes_no_credential_that_does_more_than_a_members",
        ),
    ),
    Mutation(
        "key_of_another_transaction_is_freed",
        "gateway/storage/migrations/m2026_12_01_privileges.py",
        "        AND xmin = pg_current_xact_id()::xid\n",
        "",
        (
            "tests/integration/test_privileges.py::test_key_is_freed_only_by_the_database_transaction_that_claimed_it",
        ),
    ),
    Mutation(
        "old_privileges_stay",
        "gateway/storage/privileges.py",
        '        yield f"REVOKE ALL ON ALL TABLES IN SCHEMA public FROM {role}"\n',
        "",
        (
            "tests/integration/test_privileges.py::test_what_was_granted_beside_the_page_is_taken_away",
        ),
    ),
)
