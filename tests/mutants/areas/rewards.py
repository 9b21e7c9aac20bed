"""Coupons and their codes, claims, reversals, expiry, and limits of campaigns."""

from __future__ import annotations

from typing import Final

from tests.mutants.model import Mutation

MUTATIONS: Final = (
    Mutation(
        "code_is_drawn_without_a_lock",
        "gateway/grants/coupon_store.py",
        "ORDER BY id LIMIT wanted.code_count FOR UPDATE SKIP LOCKED",
        "ORDER BY id LIMIT wanted.code_count",
        ("tests/faults/test_concurrency.py::test_500_takers_of_200_codes_get_200",),
    ),
    Mutation(
        "locked_codes_are_not_waited_for",
        "gateway/grants/coupon_store.py",
        'TAKE_WAITING = TAKE.replace(" SKIP LOCKED", "")',
        "TAKE_WAITING = TAKE",
        (
            "tests/integration/test_issuance_groups.py::test_a_code_that_is_only_locked_is_waited_for",
        ),
    ),
    Mutation(
        "expired_code_is_drawn",
        "gateway/grants/coupon_store.py",
        "AND (expires_at IS NULL OR expires_at > $4)",
        "AND $4::timestamptz IS NOT NULL",
        ("tests/integration/test_granting_catalog.py::test_expired_codes_are_not_given",),
    ),
    Mutation(
        "codes_wait_for_each_other",
        "gateway/grants/coupon_store.py",
        "ORDER BY id LIMIT wanted.code_count FOR UPDATE SKIP LOCKED",
        "ORDER BY id LIMIT wanted.code_count FOR UPDATE",
        (
            "tests/integration/test_issuance_groups.py::test_a_code_that_another_has_locked_is_passed_over_while_there_are_others",
        ),
    ),
    Mutation(
        "refused_line_takes_an_earlier_coupon",
        "gateway/grants/coupon_store.py",
        " AND coupon_assignments.grant_id = dropped.grant_id",
        "",
        (
            "tests/integration/test_issuance_groups.py::test_a_refused_call_does_not_forget_an_earlier_coupon",
        ),
    ),
    Mutation(
        "code_of_a_reversed_grant_stays_good",
        "gateway/reversing/unwind.py",
        "        await coupon_store.void_codes(connection, tenant_id, list(given))\n",
        "",
        (
            "tests/integration/test_reversing.py::test_code_is_voided_and_the_member_may_have_another",
        ),
    ),
    Mutation(
        "member_of_a_reversed_coupon_gets_no_other",
        "gateway/reversing/unwind.py",
        "        await coupon_store.unassign(connection, tenant_id, given)\n",
        "        pass\n",
        (
            "tests/integration/test_reversing.py::test_code_is_voided_and_the_member_may_have_another",
        ),
    ),
    Mutation(
        "organization_reverses_grants_of_others",
        "gateway/reversing/reverse_grant.py",
        "if grant.organization_id == caller.organization_id:",
        "if grant:",
        ("tests/integration/test_reversing.py::test_unknown_and_foreign_grants_look_the_same",),
    ),
    Mutation(
        "organization_claims_grants_of_others",
        "gateway/claiming/claim_rewards.py",
        "return is_member or grant.organization_id == self.caller.organization_id",
        "return True",
        ("tests/integration/test_claiming.py::test_nobody_claims_what_is_not_the_members",),
    ),
    Mutation(
        "grants_of_other_members_are_claimed",
        "gateway/claiming/claim_rewards.py",
        "if grant.member_id == member_id and self._may_see(grant)",
        "if self._may_see(grant)",
        ("tests/integration/test_claiming.py::test_nobody_claims_what_is_not_the_members",),
    ),
    Mutation(
        "claim_keeps_what_an_undone_attempt_claimed",
        "gateway/claiming/claim_rewards.py",
        "        self.grants = {}\n        tenant_id",
        "        tenant_id",
        ("tests/integration/test_claiming.py::test_claim_that_is_overtaken_shows_the_other_claim",),
    ),
    Mutation(
        "expired_grant_is_claimed",
        "gateway/claiming/claim_rewards.py",
        "return EXPIRED if grant.expires_at is not None and grant.expires_at <= at else CLAIMED",
        "return CLAIMED",
        ("tests/integration/test_expiring.py", "tests/integration/test_claiming.py"),
    ),
    Mutation(
        "claimed_cash_expires",
        "gateway/expiring/store.py",
        "status IN ('CONFIRMED', 'CLAIMED')\n    AND (status = 'CONFIRMED' OR kind <> 'CUSTOM')\n",
        "status IN ('CONFIRMED', 'CLAIMED')\n",
        ("tests/integration/test_expiring.py::test_cash_that_was_claimed_in_time_does_not_expire",),
    ),
    Mutation(
        "grants_of_every_status_expire",
        "gateway/expiring/store.py",
        "expires_at <= now() AND status IN ('CONFIRMED', 'CLAIMED')\n    AND (status = 'CONFIRMED' OR kind <> 'CUSTOM')\n",
        "expires_at <= now()\n",
        ("tests/integration/test_expiring.py",),
    ),
    Mutation(
        "paid_coupon_that_expires_is_refunded",
        "gateway/expiring/expire_grants.py",
        "[grant for grant in grants if grant.status is GrantStatus.CONFIRMED]",
        "list(grants)",
        ("tests/integration/test_expiring.py::test_paid_coupon_that_expires_is_not_refunded",),
    ),
    Mutation(
        "till_code_is_used_twice",
        "gateway/issuing/tills/store.py",
        "AND used_at IS NULL AND expires_at > $3",
        "AND expires_at > $3",
        ("tests/integration/test_validation_codes.py::test_code_works_once",),
    ),
    Mutation(
        "till_code_never_expires",
        "gateway/issuing/tills/store.py",
        "AND used_at IS NULL AND expires_at > $3",
        "AND used_at IS NULL",
        ("tests/integration/test_validation_codes.py::test_code_expires_by_the_databases_clock",),
    ),
    Mutation(
        "bound_credential_acts_at_any_till",
        "gateway/issuing/tills/validating.py",
        "if command.till is not None and to_name_key(command.till) != till.name_key:",
        "if False:",
        (
            "tests/integration/test_validation_codes.py::test_bound_credential_is_always_at_its_till",
        ),
    ),
    Mutation(
        "anybody_skips_validation",
        "gateway/issuing/tills/validating.py",
        "if command.skips_validation and Scope.SKIP_VALIDATION not in caller.scopes:",
        "if False:",
        ("tests/integration/test_validation_codes.py::test_skipping_needs_the_scope",),
    ),
    Mutation(
        "limits_of_campaigns_are_not_locked",
        "gateway/campaigns/counter_store.py",
        "LOCK if is_locking else FETCH",
        "FETCH",
        ("tests/properties/test_campaign_limits.py",),
    ),
    Mutation(
        "limits_of_campaigns_are_locked_in_any_order",
        "gateway/campaigns/counter_store.py",
        "ORDER BY subject_id = campaign_id, campaign_id, limit_place, subject_id, window_start\n",
        "",
        ("tests/integration/test_campaigns.py::test_limit_of_the_whole_campaign_is_locked_last",),
    ),
)
