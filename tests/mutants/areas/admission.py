"""What a caller may ask for, and whose turn it is; connections that owe something."""

from __future__ import annotations

from typing import Final

from tests.mutants.model import Mutation

MUTATIONS: Final = (
    Mutation(
        "cost_is_not_paid",
        "gateway/http/admission/token_bucket.py",
        "            self._level = level - tokens\n",
        "            self._level = level\n",
        ("tests/unit/test_token_bucket.py",),
    ),
    Mutation(
        "empty_bucket_pays",
        "gateway/http/admission/token_bucket.py",
        "if level >= tokens:",
        "if True:",
        ("tests/unit/test_token_bucket.py",),
    ),
    Mutation(
        "bucket_overflows",
        "gateway/http/admission/token_bucket.py",
        "level = min(self._most, self._level + (now - self._at) * self._rate)\n        self._at",
        "level = self._level + (now - self._at) * self._rate\n        self._at",
        ("tests/unit/test_token_bucket.py",),
    ),
    Mutation(
        "operation_costs_anything",
        "gateway/http/admission/admission.py",
        "        if cost > most:\n",
        "        if False:\n",
        ("tests/api/test_http_admission.py::test_an_operation_that_costs_too_much_does_not_run",),
    ),
    Mutation(
        "any_number_is_in_flight",
        "gateway/http/admission/accounts.py",
        "if self.in_flight >= self._in_flight_max:",
        "if False:",
        (
            "tests/api/test_http_admission.py::test_requests_in_flight_are_bounded_for_each_credential",
        ),
    ),
    Mutation(
        "who_has_left_is_in_flight",
        "gateway/http/admission/accounts.py",
        "        self.in_flight -= 1\n",
        "        pass\n",
        (
            "tests/api/test_http_admission.py::test_requests_that_fail_or_are_given_up_are_in_flight_no_more",
        ),
    ),
    Mutation(
        "each_token_of_a_member_has_an_account",
        "gateway/http/admission/admission.py",
        "    if caller.member_id is not None:\n        return (caller.tenant_id, caller.member_id)\n",
        "",
        ("tests/api/test_http_admission.py::test_a_members_tokens_share_an_account",),
    ),
    Mutation(
        "unknown_tokens_are_looked_up_for_ever",
        "gateway/http/admission/admission.py",
        "if not self._of_address(scope).can_spend(1):",
        "if False:",
        ("tests/api/test_http_admission.py",),
    ),
    Mutation(
        "refused_token_costs_nothing",
        "gateway/http/admission/admission.py",
        "        self._by_token.remove(token)\n        self._of_address(scope).spend(1)\n",
        "        self._by_token.remove(token)\n",
        ("tests/api/test_http_admission.py",),
    ),
    Mutation(
        "tenant_runs_any_number_of_large_operations",
        "gateway/http/admission/admission.py",
        "LARGE_OF_TENANT_MAX: Final = 1",
        "LARGE_OF_TENANT_MAX: Final = 2",
        (
            "tests/api/test_http_admission.py::test_a_tenant_runs_few_large_operations_and_leaves_room_for_another",
        ),
    ),
    Mutation(
        "tenant_runs_everything_at_once",
        "gateway/http/admission/admission.py",
        "return RUNNING_COST_MAX if now < self._company_until else RUNNING_COST_ALONE_MAX",
        "return RUNNING_COST_ALONE_MAX",
        (
            "tests/api/test_http_admission.py::test_less_of_a_tenant_runs_where_others_were_there_a_moment_ago",
        ),
    ),
    Mutation(
        "refusals_are_answered_at_once",
        "gateway/http/admission/slow_refusals.py",
        "if refusal.is_for_too_much and self._delayed < REFUSALS_DELAYED_MAX:",
        "if False:",
        ("tests/api/test_http_admission.py::test_refusals_are_answered_late_but_not_all_of_them",),
    ),
    Mutation(
        "pages_cost_the_same_whatever_their_size",
        "gateway/http/admission/formulas.py",
        "cost += size(variables) * part.work_out(variables)",
        "cost += part.work_out(variables)",
        ("tests/unit/test_operation_cost.py",),
    ),
    Mutation(
        "connections_have_no_bound",
        "gateway/http/connection_watch.py",
        "if len(self._owed_by) >= self._limits.connections_max and not self._make_room():",
        "if False:",
        ("tests/unit/test_idle_connections.py",),
    ),
    Mutation(
        "late_connections_stay",
        "gateway/http/connection_watch.py",
        "                    self.forget(connection)\n                    connection.close_late(owed)\n\n",
        "                    self.forget(connection)\n\n",
        ("tests/unit/test_idle_connections.py",),
    ),
    Mutation(
        "head_by_bytes_gets_more_time",
        "gateway/http/watched_protocol.py",
        "if owed is not self._noted:",
        "if True:",
        ("tests/unit/test_idle_connections.py",),
    ),
)
