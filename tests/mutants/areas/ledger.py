"""Locks and their order, balances, lots, daily limits, and the chain."""

from __future__ import annotations

from typing import Final

from tests.mutants.model import Mutation

MUTATIONS: Final = (
    Mutation(
        "balances_are_not_locked",
        "gateway/storage/migrations/m2026_11_26_lock_balances.py",
        "        FOR NO KEY UPDATE OF accounts;\n",
        "        ;\n",
        ("tests/integration/test_ledger_store.py::test_a_locked_account_makes_others_wait",),
    ),
    Mutation(
        "balances_are_locked_in_any_order",
        "gateway/storage/migrations/m2026_11_26_lock_balances.py",
        "        ORDER BY owner_kind = 'BUDGET', accounts.id\n",
        "        ORDER BY array_position(wanted_ids, accounts.id)\n",
        (
            "tests/integration/test_ledger_store.py::test_accounts_are_locked_in_the_order_of_their_ids_and_budgets_last",
        ),
    ),
    Mutation(
        "budgets_are_locked_first",
        "gateway/storage/migrations/m2026_11_26_lock_balances.py",
        "        ORDER BY owner_kind = 'BUDGET', accounts.id\n",
        "        ORDER BY owner_kind <> 'BUDGET', accounts.id\n",
        (
            "tests/integration/test_ledger_store.py::test_accounts_are_locked_in_the_order_of_their_ids_and_budgets_last",
        ),
    ),
    Mutation(
        "grants_are_not_locked",
        "gateway/grants/store.py",
        'LOCK = f"{FETCH} ORDER BY id FOR UPDATE"',
        'LOCK = f"{FETCH} ORDER BY id"',
        ("tests/integration/test_claiming.py::test_concurrent_claims_credit_once",),
    ),
    Mutation(
        "balance_goes_below_zero",
        "gateway/ledger/posting.py",
        "if available_minor < -amount_minor and not may_owe:",
        "if False:",
        ("tests/unit/test_book.py",),
    ),
    Mutation(
        "what_is_held_can_be_spent",
        "gateway/ledger/posting.py",
        "available_minor = had_minor - balance.held_minor",
        "available_minor = had_minor",
        ("tests/unit/test_book.py",),
    ),
    Mutation(
        "balance_has_no_upper_bound",
        "gateway/ledger/posting.py",
        "elif available_minor + amount_minor > BALANCE_MINOR_MAX:",
        "elif False:",
        ("tests/unit/test_book.py",),
    ),
    Mutation(
        "refused_posting_is_not_put_back",
        "gateway/ledger/book.py",
        "            posting.put_back()\n",
        "",
        ("tests/unit/test_book.py",),
    ),
    Mutation(
        "refused_posting_leaves_entries",
        "gateway/ledger/book.py",
        "            del entries[entry_count:], self.opened_lots[lot_count:]\n",
        "            del self.opened_lots[lot_count:]\n",
        ("tests/unit/test_book.py",),
    ),
    Mutation(
        "refused_posting_leaves_lots",
        "gateway/ledger/book.py",
        "            del entries[entry_count:], self.opened_lots[lot_count:]\n",
        "            del entries[entry_count:]\n",
        ("tests/unit/test_book_extras.py", "tests/properties/test_lots_model.py"),
    ),
    Mutation(
        "hold_of_more_than_there_is",
        "gateway/ledger/book.py",
        "if balance.available_minor < hold.amount_minor:",
        "if False:",
        ("tests/unit/test_book.py",),
    ),
    Mutation(
        "hold_ends_twice",
        "gateway/ledger/store.py",
        "AND holds.id = ended.id AND holds.status = 'OPEN'",
        "AND holds.id = ended.id",
        (
            "tests/integration/test_ledger_store.py::test_a_hold_ends_once_though_many_end_it_at_once",
        ),
    ),
    Mutation(
        "time_goes_back_in_an_account",
        "gateway/ledger/book.py",
        "if self._not_before is not None and occurred_at < self._not_before:",
        "if False:",
        ("tests/integration/test_past_balances.py", "tests/integration/test_ledger_store.py"),
    ),
    Mutation(
        "newest_lots_are_spent_first",
        "gateway/ledger/lot_store.py",
        "OVER (PARTITION BY account_id ORDER BY expires_at, sequence)",
        "OVER (PARTITION BY account_id ORDER BY expires_at DESC, sequence DESC)",
        ("tests/integration/test_expiring.py::test_soonest_expiring_is_spent_first",),
    ),
    Mutation(
        "chain_leaves_the_grant_out",
        "gateway/ledger/chain.py",
        "(_NO_GRANT if grant_id is None else grant_id.bytes)",
        "_NO_GRANT",
        ("tests/unit/test_book.py::test_every_column_is_in_the_hash",),
    ),
    Mutation(
        "chain_does_not_link",
        "gateway/ledger/chain.py",
        "        previous\n        + transaction_id.bytes\n",
        "        transaction_id.bytes\n",
        ("tests/unit/test_book.py",),
    ),
    Mutation(
        "broken_chain_is_not_reported",
        "gateway/verifying/chain_store.py",
        "if self.hash != stored:",
        "if False:",
        (
            "tests/integration/test_verifying.py::test_every_check_has_a_damage_that_only_it_reports",
            "tests/integration/test_verifying.py::test_damage_is_reported_by_its_check_alone",
        ),
    ),
    Mutation(
        "daily_limit_is_not_checked",
        "gateway/ledger/limits.py",
        "if amount_minor > self.by_asset[asset_id].left_minor:",
        "if False:",
        (
            "tests/integration/test_daily_limits.py::test_cash_ends_at_the_limit_and_the_answer_says_what_is_left",
        ),
    ),
    Mutation(
        "daily_limit_is_not_counted",
        "gateway/ledger/limits.py",
        "            self.by_asset[asset_id].used_minor += amount_minor\n",
        "            self.by_asset[asset_id].used_minor += 0\n",
        (
            "tests/integration/test_daily_limits.py::test_cash_ends_at_the_limit_and_the_answer_says_what_is_left",
        ),
    ),
    Mutation(
        "daily_limit_is_not_locked",
        "gateway/ledger/limit_store.py",
        "ORDER BY asset_id FOR NO KEY UPDATE OF credential_limits",
        "ORDER BY asset_id",
        ("tests/integration/test_daily_limits.py::test_limit_holds_under_concurrent_grants",),
    ),
    Mutation(
        "day_never_begins",
        "gateway/ledger/limits.py",
        "if day > self.day:",
        "if False:",
        ("tests/integration/test_daily_limits.py::test_new_day_begins_with_the_whole_limit",),
    ),
    Mutation(
        "day_before_begins_again",
        "gateway/ledger/limits.py",
        "if day > self.day:",
        "if day != self.day:",
        ("tests/integration/test_daily_limits.py::test_new_day_begins_with_the_whole_limit",),
    ),
    Mutation(
        "changed_limit_forgets_what_was_used",
        "gateway/ledger/limit_store.py",
        "DO UPDATE SET maximum_minor = excluded.maximum_minor",
        "DO UPDATE SET maximum_minor = excluded.maximum_minor, used_minor = 0",
        ("tests/integration/test_daily_limits.py::test_limits_change_and_end",),
    ),
    Mutation(
        "distribution_has_no_limit",
        "gateway/distributing/run.py",
        "limited_id = self.caller.limited_credential_id",
        "limited_id = None",
        ("tests/integration/test_daily_limits.py::test_every_way_of_issuing_counts",),
    ),
)
