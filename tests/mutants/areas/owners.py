"""What an organization owns, and what it reaches."""

from __future__ import annotations

from typing import Final

from tests.mutants.model import Mutation

MUTATIONS: Final = (
    Mutation(
        "any_organization_moves_any_asset",
        "gateway/tenants/asset_rights.py",
        "if use[1] in assets and assets[use[1]].organization_id not in {None, use[0]}",
        "if False",
        ("tests/integration/test_owners.py::test_who_may_do_what_with_whose",),
    ),
    Mutation(
        "issuers_are_not_named",
        "gateway/tenants/asset_rights.py",
        "return frozenset(foreign - await fetch_named(connection, caller.tenant_id, foreign))",
        "return frozenset(foreign)",
        (
            "tests/integration/test_asset_issuers.py::test_issuer_does_with_the_asset_what_its_owner_does",
        ),
    ),
    Mutation(
        "asset_that_is_seen_can_be_moved",
        "gateway/tenants/asset_rights.py",
        "if asset.id in found.forbidden_ids:",
        "if False:",
        ("tests/integration/test_owners.py::test_who_may_do_what_with_whose",),
    ),
    Mutation(
        "balances_of_others_assets_are_seen",
        "gateway/ledger/asset_scope_store.py",
        "seen_assets.organization_id IS NULL OR seen_assets.organization_id = ANY({owners})",
        "seen_assets.organization_id IS NULL OR true",
        ("tests/api/test_owned_reads.py",),
    ),
    Mutation(
        "scope_of_assets_is_forgotten",
        "gateway/tenants/asset_rights.py",
        "return AssetScope(tuple(sorted(caller.organization_ids)), caller.organization_id)",
        "return None",
        ("tests/api/test_owned_reads.py",),
    ),
    Mutation(
        "groups_of_others_are_found",
        "gateway/members/groups/store.py",
        "WHERE organization_id = ANY($2::uuid[])\nUNION ALL",
        "UNION ALL",
        ("tests/integration/test_owners.py", "tests/integration/test_groups.py"),
    ),
    Mutation(
        "group_pays_for_who_is_not_in_it",
        "gateway/members/groups/store.py",
        "group_id = named.id AND group_members.member_id = $6)",
        "group_id = named.id AND $6::uuid IS NOT NULL LIMIT 1)",
        (
            "tests/integration/test_groups.py::test_member_outside_of_the_group_is_answered_as_if_there_were_none",
        ),
    ),
    Mutation(
        "item_names_any_organization",
        "gateway/issuing/reach.py",
        "if organization.id not in allowed:",
        "if False:",
        (
            "tests/integration/test_connected_organizations.py::test_what_is_out_of_reach_is_refused_by_path",
        ),
    ),
    Mutation(
        "rewards_of_other_organizations_are_read",
        "gateway/rewards/store.py",
        "WHERE rewards.tenant_id = $1 AND organization_id = $2 AND rewards.id = ANY($3::uuid[])",
        "WHERE rewards.tenant_id = $1 AND $2::uuid IS NOT NULL AND rewards.id = ANY($3::uuid[])",
        ("tests/api/test_nodes.py", "tests/integration/test_owners.py"),
    ),
    Mutation(
        "holds_of_other_organizations_are_ended",
        "gateway/holding/store.py",
        "WHERE reservations.tenant_id = $1 AND reservations.id = $2 AND organization_id = $3\n",
        "WHERE reservations.tenant_id = $1 AND reservations.id = $2 AND $3::uuid IS NOT NULL\n",
        ("tests/integration/test_holding.py::test_unknown_and_foreign_things_look_the_same",),
    ),
    Mutation(
        "partner_reads_notifications_of_other_organizations",
        "gateway/grants/notification_store.py",
        "grants.id = notifications.grant_id AND grants.organization_id = $2))",
        "grants.id = notifications.grant_id))",
        (
            "tests/api/test_visibility_walk.py::test_partner_gets_nothing_of_others",
            "tests/api/test_notifications_read.py",
        ),
    ),
)
