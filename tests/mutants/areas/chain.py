"""The keyed chain: what it covers, how its blocks follow, and what a receipt proves."""

from __future__ import annotations

from typing import Final

from tests.mutants.model import Mutation

MUTATIONS: Final = (
    Mutation(
        "block_does_not_link",
        "gateway/chain/verifying.py",
        "elif header.previous != (last.link if last else NOTHING):",
        "elif False:",
        ("tests/integration/test_chain.py",),
    ),
    Mutation(
        "missing_block_is_overlooked",
        "gateway/chain/verifying.py",
        "if header.number != expected:",
        "if False:",
        ("tests/integration/test_chain.py",),
    ),
    Mutation(
        "forged_block_is_overlooked",
        "gateway/chain/verifying.py",
        "if _is_forged(keys, head):",
        "if False:",
        ("tests/integration/test_chain.py",),
    ),
    Mutation(
        "tag_is_not_compared",
        "gateway/chain/model.py",
        "return hmac.compare_digest(tag, head.tag)",
        "return True",
        ("tests/integration/test_chain.py",),
    ),
    Mutation(
        "rows_are_not_held_to_the_chain",
        "gateway/chain/verifying.py",
        "    if made == stored:\n",
        "    if True:\n",
        ("tests/integration/test_chain.py::test_edit_is_found_and_its_row_named",),
    ),
    Mutation(
        "published_heads_are_not_compared",
        "gateway/chain/verifying.py",
        "elif head is not None and said != head:",
        "elif False:",
        ("tests/integration/test_chain.py",),
    ),
    Mutation(
        "cut_off_blocks_are_overlooked",
        "gateway/chain/verifying.py",
        "for number, heads in sorted(unseen.items()):",
        "for number, heads in ():",
        ("tests/integration/test_chain.py::test_last_transaction_cut_off_with_all_that_names_it",),
    ),
    Mutation(
        "last_block_needs_no_key",
        "gateway/chain/verifying.py",
        "if chain.last is not None and chain.last.header.key_id not in keys.ids:",
        "if False:",
        ("tests/integration/test_chain.py::test_block_that_was_forged_with_another_key_is_found",),
    ),
    Mutation(
        "rows_of_the_future_are_overlooked",
        "gateway/chain/verifying.py",
        "Problem(tenant_id, 0, problem, behind.table, id_) for id_ in behind.ahead_ids",
        "Problem(tenant_id, 0, problem, behind.table, id_) for id_ in ()",
        ("tests/integration/test_chain.py",),
    ),
    Mutation(
        "chain_goes_past_what_still_runs",
        "gateway/chain/block_store.py",
        'HORIZON = "pg_snapshot_xmin(pg_current_snapshot())::text::bigint"',
        'HORIZON = "pg_snapshot_xmax(pg_current_snapshot())::text::bigint"',
        (
            "tests/integration/test_chain.py::test_running_transaction_holds_the_chain_back_and_nothing_is_missed",
        ),
    ),
    Mutation(
        "chain_is_built_on_a_forged_block",
        "gateway/chain/extending.py",
        "if last is not None and not is_authentic(self.keys, last):",
        "if False:",
        ("tests/integration/test_chain.py::test_nothing_is_built_on_a_forged_block",),
    ),
    Mutation(
        "chain_goes_on_from_fewer_blocks",
        "gateway/chain/extending.py",
        "if (last.header.number if last else 0) < self._made.get(tenant_id, 0):",
        "if False:",
        ("tests/integration/test_chain.py::test_process_does_not_go_on_from_blocks_that_are_gone",),
    ),
    Mutation(
        "fact_leaves_the_amounts_of_entries_out",
        "gateway/chain/fact_store.py",
        "json_build_array(index, account_id, asset_id, amount_minor, grant_id, {_time",
        "json_build_array(index, account_id, asset_id, grant_id, {_time",
        ("tests/integration/test_chain.py::test_edit_is_found_and_its_row_named",),
    ),
    Mutation(
        "fact_leaves_metadata_out",
        "gateway/chain/fact_store.py",
        'client_reference, {_digest("metadata::text")}, {_time',
        "client_reference, NULL, {_time",
        ("tests/integration/test_chain.py", "tests/integration/test_chain_facts.py"),
    ),
    Mutation(
        "any_key_signs_a_receipt",
        "gateway/chain/receipts.py",
        "if not is_signed(head, public_key):",
        "if False:",
        ("tests/integration/test_receipts.py::test_key_of_another_proves_nothing",),
    ),
    Mutation(
        "receipt_is_about_another_grant",
        "gateway/chain/receipts.py",
        "if named != {(str(head.header.tenant_id), grant)}:",
        "if False:",
        ("tests/integration/test_receipts.py::test_changed_receipt_proves_nothing",),
    ),
    Mutation(
        "fact_of_a_receipt_is_not_looked_for",
        "gateway/chain/receipts.py",
        "        if root != head.header.root:\n",
        "        if False:\n",
        ("tests/integration/test_receipts.py::test_changed_receipt_proves_nothing",),
    ),
    Mutation(
        "link_leaves_the_tag_out",
        "gateway/chain/model.py",
        "return sha256(self.header.to_bytes() + self.tag).digest()",
        "return sha256(self.header.to_bytes()).digest()",
        (
            "tests/integration/test_chain.py::test_next_block_vouches_for_the_code_of_one_whose_key_is_gone",
        ),
    ),
)
