"""What a credential may ask for, and whose things it sees."""

from __future__ import annotations

from typing import Final

from tests.mutants.model import Mutation

WALK: Final = "tests/api/test_visibility_walk.py::test_member_gets_nothing_but_their_own"

MUTATIONS: Final = (
    Mutation(
        "scopes_of_fields_are_not_checked",
        "gateway/http/field_access.py",
        "if not selected.need.requirement.is_met_by(scopes)",
        "if False",
        ("tests/api/test_scopes.py::test_refused_selection_leaves_nothing_done",),
    ),
    Mutation(
        "mutation_begins_though_a_field_is_refused",
        "gateway/http/field_access.py",
        "if operation.operation is not OperationType.QUERY:",
        "if False:",
        ("tests/api/test_scopes.py::test_refused_selection_leaves_nothing_done",),
    ),
    Mutation(
        "nobody_may_ask_for_anything",
        "gateway/http/field_access.py",
        "            raise OperationRefused([_needs_credential()])\n",
        "            continue\n",
        ("tests/api/test_scopes.py::test_nobody_may_ask_for_anything",),
    ),
    Mutation(
        "fields_below_fragments_need_nothing",
        "gateway/http/field_access.py",
        "                waiting.append((inner, fragment.selection_set, path))\n",
        "",
        ("tests/api/test_scopes.py::test_refused_selection_leaves_nothing_done",),
    ),
    Mutation(
        "fields_below_inline_fragments_need_nothing",
        "gateway/http/field_access.py",
        "                waiting.append((inner, node.selection_set, path))\n",
        "",
        ("tests/api/test_scopes.py::test_refused_selection_leaves_nothing_done",),
    ),
    Mutation(
        "fields_of_interfaces_need_nothing",
        "gateway/http/field_access.py",
        "if isinstance(graphql_type, GraphQLObjectType | GraphQLInterfaceType):",
        "if isinstance(graphql_type, GraphQLObjectType):",
        (
            "tests/api/test_scopes.py::test_field_of_an_interface_needs_what_the_types_need_that_have_it",
        ),
    ),
    Mutation(
        "one_scope_of_several_is_enough",
        "gateway/access.py",
        "return any(alternative <= scopes for alternative in self.alternatives)",
        "return any(not scopes.isdisjoint(alternative) for alternative in self.alternatives)",
        ("tests/api/test_scopes.py::test_requirements_are_met_by_every_scope_of_one_alternative",),
    ),
    Mutation(
        "use_cases_do_not_look_at_scopes",
        "gateway/access.py",
        "if caller.scopes.isdisjoint(scopes):",
        "if False:",
        ("tests/integration/test_granting.py::test_without_the_grant_scope_nothing_is_granted",),
    ),
    Mutation(
        "member_sees_grants_of_others",
        "gateway/visibility.py",
        "return Visibility(None, caller.member_id)",
        "return Visibility(caller.organization_id, None)",
        ("tests/api/test_grant_reads.py::test_member_sees_their_own_grants",),
    ),
    Mutation(
        "partner_sees_grants_of_other_organizations",
        "gateway/visibility.py",
        "return Visibility(caller.organization_id, None)",
        "return Visibility(None, None)",
        ("tests/api/test_grant_reads.py::test_partner_sees_the_organizations_grants",),
    ),
    Mutation(
        "member_sees_other_members",
        "gateway/visibility.py",
        "return caller.member_id is None or caller.member_id == member_id",
        "return True",
        ("tests/unit/test_visible_things.py",),
    ),
    Mutation(
        "member_finds_other_members_by_id",
        "gateway/visibility.py",
        "    if caller.member_id is None:\n        return list(member_ids)\n",
        "    if caller:\n        return list(member_ids)\n",
        ("tests/unit/test_visible_things.py",),
    ),
    Mutation(
        "member_reads_the_partners_notes",
        "resolvers/visibility/guard.py",
        "        if not is_partner(info.context.caller):\n            return None\n",
        "",
        ("tests/api/test_member_metadata.py",),
    ),
    Mutation(
        "member_sees_the_catalog_of_partners",
        "resolvers/types/reward.py",
        "    if not is_partner(context.caller):\n        return [None] * len(ids)\n",
        "",
        (WALK, "tests/api/test_nodes.py"),
    ),
    Mutation(
        "member_sees_campaigns",
        "resolvers/types/campaign.py",
        "    if not is_partner(context.caller):\n        return [None] * len(ids)\n",
        "",
        (WALK, "tests/api/test_nodes.py"),
    ),
    Mutation(
        "member_finds_groups_by_guessing",
        "resolvers/queries/group.py",
        "if not is_partner(caller):",
        "if False:",
        ("tests/api/test_visibility.py",),
    ),
    Mutation(
        "member_finds_references_by_guessing",
        "resolvers/types/grant_filter.py",
        "if given.client_reference is not None and not is_partner(info.context.caller):",
        "if False:",
        ("tests/api/test_visibility.py",),
    ),
    Mutation(
        "codes_are_read_without_the_scope",
        "resolvers/codes.py",
        "return is_partner(caller) and Scope.CODES in caller.scopes",
        "return is_partner(caller)",
        ("tests/api/test_codes.py",),
    ),
    Mutation(
        "dry_run_shows_a_free_code",
        "resolvers/codes.py",
        "    if is_dry_run:\n        return CodeView.DRY_RUN\n",
        "",
        ("tests/api/test_codes.py::test_dry_run_shows_nothing_of_a_code_that_is_free",),
    ),
    Mutation(
        "any_credential_fences_any_key",
        "gateway/operations/scopes.py",
        "if needed.is_met_by(caller.scopes) or (may_read and Scope.READ in caller.scopes):",
        "if True:",
        ("tests/api/test_scopes.py::test_key_is_fenced_and_looked_up_by_who_may_use_it",),
    ),
)
