"""Idempotency keys: claims, replays, conflicts and fences."""

from __future__ import annotations

from typing import Final

from tests.mutants.model import Mutation

MUTATIONS: Final = (
    Mutation(
        "replay_runs_again",
        "gateway/operations/once.py",
        "        if isinstance(claimed, Operation):\n            value",
        "        if True:\n            value",
        ("tests/integration/test_rewards.py::test_replay_returns_first_answer",),
    ),
    Mutation(
        "changed_request_replays",
        "gateway/operations/once.py",
        'if differing := request.find_differing(stored["field_hashes"]):',
        "if differing := ():",
        ("tests/integration/test_granting.py::test_conflict_names_the_fields_that_differ",),
    ),
    Mutation(
        "organizations_share_answers",
        "gateway/operations/once.py",
        'if caller.member_id is None and stored["organization_id"] != caller.organization_id:',
        "if False:",
        (
            "tests/integration/test_asset_issuers.py::test_partner_of_two_organizations_repeats_neither_ones_answers",
        ),
    ),
    Mutation(
        "lost_reply_is_told_as_a_replay",
        "gateway/operations/once.py",
        'replay = stored["id"] != request.operation_id',
        "replay = True",
        ("tests/integration/test_granting.py::test_lost_commit_reply_grants_once",),
    ),
    Mutation(
        "fence_is_not_looked_at",
        "gateway/operations/once.py",
        'if stored["fenced_at"] is not None:',
        "if False:",
        (
            "tests/integration/test_fencing.py::test_fenced_key_refuses_a_late_arrival_and_writes_nothing",
        ),
    ),
    Mutation(
        "fence_is_not_kept",
        "gateway/operations/fencing.py",
        "            await store.fence(connection, caller, request, claimed)\n",
        "",
        (
            "tests/integration/test_fencing.py::test_fenced_key_refuses_a_late_arrival_and_writes_nothing",
        ),
    ),
    Mutation(
        "reading_is_older_than_its_claim",
        "gateway/operations/once.py",
        "if claimed and was_claimed_later:",
        "if False:",
        ("tests/integration/test_waited_claims.py",),
    ),
    Mutation(
        "answer_is_not_stored",
        "gateway/operations/once.py",
        "if value != request.expected_answer:",
        "if False:",
        ("tests/integration/test_rewards.py::test_replay_returns_first_answer",),
    ),
    Mutation(
        "held_key_is_a_busy_gateway",
        "gateway/operations/store.py",
        "    except asyncpg.LockNotAvailableError as error:\n",
        "    except asyncpg.DivisionByZeroError as error:\n",
        (
            "tests/integration/test_fencing.py::test_request_that_outlives_the_lock_time_out_is_in_progress",
        ),
    ),
    Mutation(
        "partners_share_keys",
        "gateway/operations/store.py",
        "            caller.tenant_id,\n            caller.partner_id,\n            caller.organization_id,\n",
        "            caller.tenant_id,\n            caller.tenant_id,\n            caller.organization_id,\n",
        ("tests/integration/test_granting.py::test_client_reference_belongs_to_one_partner",),
    ),
    Mutation(
        "claims_in_any_order",
        "gateway/operations/store.py",
        "ORDER BY kind, key\n",
        "",
        ("tests/integration/test_operation_keys.py",),
    ),
)
