"""Operations that share a commit, and the places of a tenant."""

from __future__ import annotations

from typing import Final

from tests.mutants.model import Mutation

MUTATIONS: Final = (
    Mutation(
        "groups_of_one",
        "gateway/operations/grouping.py",
        "GROUP_SIZE_MAX = 64",
        "GROUP_SIZE_MAX = 1",
        ("tests/unit/test_grouping.py",),
    ),
    Mutation(
        "grants_are_never_grouped",
        "gateway/operations/grouping.py",
        "size_max = min(GROUP_SIZE_MAX, (len(queue.waiting) + queue.under_way + 1) // 2)",
        "size_max = 1",
        ("tests/integration/test_grant_groups.py::test_grants_at_once_share_commits",),
    ),
    Mutation(
        "issuances_are_never_grouped",
        "gateway/operations/grouping.py",
        "size_max = min(GROUP_SIZE_MAX, (len(queue.waiting) + queue.under_way + 1) // 2)",
        "size_max = 1",
        ("tests/integration/test_issuance_groups.py::test_issuances_at_once_share_commits",),
    ),
    Mutation(
        "one_key_twice_in_a_group",
        "gateway/operations/grouping.py",
        "if queue.keys_under_way.isdisjoint(waiting.keys):",
        "if True:",
        ("tests/unit/test_grouping.py::test_jobs_of_one_key_never_share_a_group",),
    ),
    Mutation(
        "lines_of_a_group_have_no_bound",
        "gateway/operations/grouping.py",
        "if group and lines + waiting.lines > GROUP_LINES_MAX:",
        "if False:",
        ("tests/unit/test_grouping.py::test_groups_have_a_largest_number_of_lines",),
    ),
    Mutation(
        "queue_has_no_bound",
        "gateway/operations/grouping.py",
        "if len(queue.waiting) + len(queue.alone) >= QUEUE_LENGTH_MAX:",
        "if False:",
        ("tests/unit/test_grouping.py::test_full_queue_says_so",),
    ),
    Mutation(
        "failure_of_one_is_that_of_all",
        "gateway/operations/groups.py",
        "return None if outcome.claimed else outcome.error",
        "return outcome.error",
        ("tests/integration/test_transactions.py::test_what_fails_in_a_group_is_done_again_alone",),
    ),
    Mutation(
        "keys_of_what_failed_stay_claimed",
        "gateway/operations/groups.py",
        "            if claimed:\n",
        "            if False:\n",
        ("tests/integration/test_grant_groups.py::test_each_of_a_group_keeps_its_own_failure",),
    ),
    Mutation(
        "group_waits_long_for_a_lock",
        "gateway/operations/groups.py",
        "GROUP_LOCK_TIMEOUT_SECONDS = 0.25",
        "GROUP_LOCK_TIMEOUT_SECONDS = 4.5",
        ("tests/integration/test_transactions.py::test_group_waits_for_a_lock_only_briefly",),
    ),
    Mutation(
        "tenant_takes_every_place",
        "gateway/operations/places.py",
        "PLACES_MAX = 2",
        "PLACES_MAX = 200",
        ("tests/unit/test_grouping.py::test_a_busy_tenant_has_two_places_in_the_line",),
    ),
    Mutation(
        "any_number_may_be_late",
        "gateway/operations/places.py",
        "if self._state.late < LATE_MAX:",
        "if True:",
        ("tests/unit/test_grouping.py",),
    ),
)
