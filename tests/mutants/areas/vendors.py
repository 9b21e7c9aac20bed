"""Orders at vendors: leases, what an answer proves, slots, addresses."""

from __future__ import annotations

from typing import Final

from tests.mutants.model import Mutation

MUTATIONS: Final = (
    Mutation(
        "order_is_asked_for_without_a_lease",
        "gateway/purchasing/order_store.py",
        "WHERE tenant_id = $1 AND status = 'PENDING' AND due_at <= now()\n",
        "WHERE tenant_id = $1 AND status = 'PENDING'\n",
        ("tests/faults/test_vendor_crashes.py::test_leased_order_is_claimed_by_nobody_else",),
    ),
    Mutation(
        "order_is_settled_twice",
        "gateway/purchasing/order_store.py",
        "WHERE tenant_id = $1 AND grant_id = $2 AND status = 'PENDING' AND ($4::uuid IS NULL",
        "WHERE tenant_id = $1 AND grant_id = $2 AND ($4::uuid IS NULL",
        (
            "tests/faults/test_vendor_crashes.py::test_late_answer_after_the_lease_takes_the_points_once",
        ),
    ),
    Mutation(
        "passed_lease_decides",
        "gateway/purchasing/order_store.py",
        "AND ($4::uuid IS NULL OR lease_id = $4)",
        "AND ($4::uuid IS NULL OR true)",
        (
            "tests/faults/test_vendor_crashes.py::test_late_bad_news_of_a_passed_lease_decides_nothing",
        ),
    ),
    Mutation(
        "passed_lease_postpones",
        "gateway/purchasing/order_store.py",
        "WHERE tenant_id = $1 AND grant_id = $2 AND status = 'PENDING' AND lease_id = $3",
        "WHERE tenant_id = $1 AND grant_id = $2 AND status = 'PENDING' AND $3::uuid IS NOT NULL",
        ("tests/faults/test_vendor_crashes.py::test_passed_lease_postpones_nothing",),
    ),
    Mutation(
        "attempt_is_forgotten_by_a_crash",
        "gateway/purchasing/order_store.py",
        "attempt_count = vendor_orders.attempt_count + 1, is_uncertain = true,",
        "attempt_count = vendor_orders.attempt_count + 1,",
        (
            "tests/faults/test_vendor_crashes.py::test_crash_after_a_call_leaves_its_outcome_unknown",
        ),
    ),
    Mutation(
        "closed_door_refuses_an_uncertain_order",
        "gateway/purchasing/judging.py",
        "if (is_refusal or status in REFUSED_REDIRECTIONS) and not was_uncertain:",
        "if is_refusal or status in REFUSED_REDIRECTIONS:",
        ("tests/unit/test_vendor_judging.py",),
    ),
    Mutation(
        "conflict_is_a_refusal",
        "gateway/purchasing/judging.py",
        "AMBIGUOUS_CLIENT_ERRORS = frozenset({408, 409, 499})",
        "AMBIGUOUS_CLIENT_ERRORS = frozenset({408, 499})",
        ("tests/unit/test_vendor_judging.py",),
    ),
    Mutation(
        "vendor_is_given_up_after_an_unknown_outcome",
        "gateway/purchasing/purchaser.py",
        "        and not order.was_uncertain\n",
        "",
        ("tests/unit/test_vendor_judging.py",),
    ),
    Mutation(
        "own_fault_refuses_an_order",
        "gateway/purchasing/purchaser.py",
        "        and not verdict.is_own_fault\n",
        "",
        (
            "tests/integration/test_secret_keys.py::test_order_waits_while_the_key_of_its_secret_is_missing",
        ),
    ),
    Mutation(
        "vendor_takes_every_slot",
        "gateway/purchasing/slots.py",
        "Share(self._limits.vendor_max)",
        "Share(self._limits.total_max)",
        ("tests/unit/test_vendor_slots.py",),
    ),
    Mutation(
        "tenant_takes_every_slot",
        "gateway/purchasing/slots.py",
        "Share(self._limits.tenant_max)",
        "Share(self._limits.total_max)",
        ("tests/unit/test_vendor_slots.py",),
    ),
    Mutation(
        "private_address_is_called",
        "gateway/vendors/addresses.py",
        "return address.is_global and not address.is_multicast and not address.is_reserved",
        "return True",
        ("tests/unit/test_vendor_addresses.py",),
    ),
    Mutation(
        "private_address_hides_in_another",
        "gateway/vendors/addresses.py",
        "        address = _unwrap(address)\n",
        "",
        ("tests/unit/test_vendor_addresses.py",),
    ),
    Mutation(
        "any_answer_is_read_whole",
        "gateway/purchasing/client.py",
        "if len(body) > ANSWER_BYTES_MAX:",
        "if False:",
        ("tests/unit/test_vendor_requests.py",),
    ),
)
