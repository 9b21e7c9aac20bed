"""Time-outs, and the turns of tenants that wait."""

from __future__ import annotations

from typing import Final

from tests.mutants.model import Mutation

MUTATIONS: Final = (
    Mutation(
        "statements_take_any_time",
        "gateway/storage/database.py",
        '"statement_timeout": f"{int(read_timeout_seconds * 1000)}",',
        '"statement_timeout": "0",',
        ("tests/integration/test_transactions.py::test_session_keeps_to_its_role_and_time_outs",),
    ),
    Mutation(
        "locks_are_waited_for_without_end",
        "gateway/storage/database.py",
        '"lock_timeout": f"{int(lock_timeout_seconds * 1000)}",',
        '"lock_timeout": "0",',
        ("tests/integration/test_transactions.py::test_session_keeps_to_its_role_and_time_outs",),
    ),
    Mutation(
        "idle_transactions_stay",
        "gateway/storage/database.py",
        '"idle_in_transaction_session_timeout": "60000",',
        '"idle_in_transaction_session_timeout": "0",',
        ("tests/integration/test_transactions.py::test_session_keeps_to_its_role_and_time_outs",),
    ),
    Mutation(
        "transaction_has_the_time_of_a_read",
        "gateway/storage/connection.py",
        '            ("statement_timeout", statement_timeout_seconds),\n',
        "",
        (
            "tests/integration/test_tenant_turns.py::test_a_read_that_takes_too_long_is_told_so_and_a_transaction_may_take_longer",
        ),
    ),
    Mutation(
        "requests_have_no_deadline",
        "gateway/http/deadlines.py",
        "                task.cancel()\n",
        "                pass\n",
        ("tests/unit/test_deadlines.py",),
    ),
    Mutation(
        "tenant_takes_every_connection",
        "gateway/storage/database.py",
        "TENANT_TENTHS = 6",
        "TENANT_TENTHS = 10",
        ("tests/integration/test_tenant_turns.py::test_a_tenant_leaves_connections_for_others",),
    ),
    Mutation(
        "tenants_take_no_turns",
        "gateway/storage/waiting_line.py",
        "            self._turns.append(share)\n            if share.held",
        "            self._turns.appendleft(share)\n            if share.held",
        ("tests/unit/test_waiting_line.py",),
    ),
    Mutation(
        "long_reads_take_every_connection",
        "gateway/storage/database.py",
        "LONG_READS_OF_TENANT_MAX = 1",
        "LONG_READS_OF_TENANT_MAX = 2",
        (
            "tests/integration/test_tenant_turns.py::test_long_reads_of_a_tenant_run_one_by_one_and_leave_room_for_another",
        ),
    ),
    Mutation(
        "waiting_for_a_connection_never_ends",
        "gateway/storage/waiting_line.py",
        "        future.set_exception(TimeoutError())\n",
        "        pass\n",
        ("tests/unit/test_waiting_line.py::test_waiting_ends_in_time",),
    ),
    Mutation(
        "silent_server_is_kept",
        "gateway/storage/silence.py",
        "        for connection in connections:\n            connection.terminate()\n",
        "",
        (
            "tests/faults/test_silent_servers.py::test_another_server_takes_over_from_one_that_is_frozen",
        ),
    ),
    Mutation(
        "connections_are_not_kept_alive",
        "gateway/storage/connecting.py",
        "            _keep_alive(connection)\n",
        "",
        ("tests/faults/test_servers.py::test_connections_over_tcp_are_kept_alive_by_both_ends",),
    ),
)
