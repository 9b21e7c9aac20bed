"""Statements that forget the tenant: ids are unique within one only."""

from __future__ import annotations

from typing import Final

from tests.mutants.model import Mutation

DOUBLED: Final = "tests/api/test_doubled_tenant.py"

OTHER: Final = "tests/integration/test_other_tenants.py"

MUTATIONS: Final = (
    Mutation(
        "keys_of_other_tenants_are_completed",
        "gateway/operations/store.py",
        "WHERE tenant_id = $1 AND partner_id = $2 AND operations.kind = completed.kind",
        "WHERE partner_id = $2 AND operations.kind = completed.kind",
        (DOUBLED,),
    ),
    Mutation(
        "grants_of_other_tenants_are_fetched",
        "gateway/grants/store.py",
        "SELECT {COLUMNS} FROM grants WHERE tenant_id = $1 AND id = ANY($2::uuid[])",
        "SELECT {COLUMNS} FROM grants WHERE $1::uuid IS NOT NULL AND id = ANY($2::uuid[])",
        (OTHER,),
    ),
    Mutation(
        "grants_of_other_tenants_are_listed",
        "gateway/grants/list_store.py",
        'VISIBLE = """\ngrants.tenant_id = $1\n',
        'VISIBLE = """\n$1::uuid IS NOT NULL\n',
        (DOUBLED,),
    ),
    Mutation(
        "grants_of_other_tenants_are_claimed",
        "gateway/grants/store.py",
        "WHERE grants.tenant_id = $1 AND grants.id = claimed.id AND",
        "WHERE $1::uuid IS NOT NULL AND grants.id = claimed.id AND",
        (DOUBLED,),
    ),
    Mutation(
        "grants_of_other_tenants_are_reversed",
        "gateway/grants/store.py",
        "WHERE grants.tenant_id = $1 AND grants.id = reversed.id AND",
        "WHERE $1::uuid IS NOT NULL AND grants.id = reversed.id AND",
        (DOUBLED,),
    ),
    Mutation(
        "rewards_of_other_tenants_are_fetched",
        "gateway/rewards/store.py",
        "ON shown.tenant_id = $1 AND shown.id = rewards.version_id\nWHERE rewards.tenant_id = $1 AND organization_id",
        "ON shown.tenant_id = rewards.tenant_id AND shown.id = rewards.version_id\nWHERE $1::uuid IS NOT NULL AND organization_id",
        (OTHER,),
    ),
    Mutation(
        "prices_of_other_tenants_are_asked",
        "gateway/rewards/store.py",
        "WHERE payment_configs.tenant_id = $1 AND reward_id = rewards.id AND archived_at IS NULL",
        "WHERE reward_id = rewards.id AND archived_at IS NULL",
        (OTHER,),
    ),
    Mutation(
        "codes_of_other_tenants_are_drawn",
        "gateway/grants/coupon_store.py",
        "    WHERE tenant_id = $1 AND pool_id = wanted.pool_id AND status = 'FREE'\n",
        "    WHERE $1::uuid IS NOT NULL AND pool_id = wanted.pool_id AND status = 'FREE'\n",
        (OTHER,),
    ),
    Mutation(
        "codes_of_other_tenants_are_given",
        "gateway/grants/coupon_store.py",
        "WHERE codes.tenant_id = $1 AND codes.pool_id = given.pool_id",
        "WHERE $1::uuid IS NOT NULL AND codes.pool_id = given.pool_id",
        (OTHER,),
    ),
    Mutation(
        "codes_of_other_tenants_are_voided",
        "gateway/grants/coupon_store.py",
        "UPDATE codes SET status = 'VOIDED' WHERE tenant_id = $1 AND grant_id",
        "UPDATE codes SET status = 'VOIDED' WHERE $1::uuid IS NOT NULL AND grant_id",
        (OTHER,),
    ),
    Mutation(
        "coupons_of_other_tenants_are_taken_back",
        "gateway/grants/coupon_store.py",
        "WHERE coupon_assignments.tenant_id = $1 AND coupon_assignments.reward_id = dropped.reward_id",
        "WHERE $1::uuid IS NOT NULL AND coupon_assignments.reward_id = dropped.reward_id",
        (OTHER,),
    ),
    Mutation(
        "balances_of_other_tenants_are_written",
        "gateway/ledger/store.py",
        "WHERE accounts.tenant_id = $1 AND accounts.id = moved.id",
        "WHERE accounts.id = moved.id",
        ("tests/integration/test_ledger_store.py", DOUBLED),
    ),
    Mutation(
        "balances_of_other_tenants_are_read",
        "gateway/members/wallet_store.py",
        "FROM members LEFT JOIN accounts ON accounts.tenant_id = $1 AND owner_id",
        "FROM members LEFT JOIN accounts ON owner_id",
        (DOUBLED,),
    ),
    Mutation(
        "entries_of_other_tenants_are_listed",
        "gateway/ledger/statement_store.py",
        "    WHERE accounts.tenant_id = $1 AND owner_id = wanted.member_id AND owner_kind = 'MEMBER'",
        "    WHERE owner_id = wanted.member_id AND owner_kind = 'MEMBER'",
        (DOUBLED,),
    ),
    Mutation(
        "members_of_other_tenants_are_found",
        "gateway/members/store.py",
        "WHERE tenant_id = $1 AND kind = ${kind} AND value = ANY(${values}::text[])",
        "WHERE $1::uuid IS NOT NULL AND kind = ${kind} AND value = ANY(${values}::text[])",
        (
            "tests/integration/test_distributing.py::test_other_tenants_members_and_currencies_do_not_exist",
        ),
    ),
    Mutation(
        "holds_of_other_tenants_are_ended",
        "gateway/ledger/store.py",
        "WHERE holds.tenant_id = $1 AND holds.id = ended.id AND holds.status = 'OPEN'",
        "WHERE $1::uuid IS NOT NULL AND holds.id = ended.id AND holds.status = 'OPEN'",
        (OTHER,),
    ),
    Mutation(
        "notifications_of_other_tenants_are_listed",
        "gateway/grants/notification_store.py",
        "notifications.tenant_id = $1 AND ($3::uuid IS NULL",
        "$1::uuid IS NOT NULL AND ($3::uuid IS NULL",
        (DOUBLED,),
    ),
    Mutation(
        "notifications_of_other_tenants_are_read",
        "gateway/notifying/store.py",
        "FROM unread WHERE notifications.tenant_id = $1 AND notifications.id = unread.id",
        "FROM unread WHERE notifications.id = unread.id",
        (OTHER,),
    ),
    Mutation(
        "groups_of_other_tenants_are_listed",
        "gateway/members/groups/store.py",
        "FROM group_members JOIN groups ON groups.tenant_id = $1 AND groups.id",
        "FROM group_members JOIN groups ON groups.id",
        (DOUBLED,),
    ),
    Mutation(
        "expiry_looks_into_other_tenants",
        "gateway/expiring/store.py",
        '_DUE = """\ntenant_id = $1 AND expires_at',
        '_DUE = """\n$1::uuid IS NOT NULL AND expires_at',
        (OTHER,),
    ),
)
