"""Every type and field of the schema has a rule that says who sees it, and the rule is kept where it hides something."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from graphql import GraphQLField, GraphQLNonNull, GraphQLObjectType, is_interface_type
from strawberry.schema.schema_converter import GraphQLCoreConverter

from resolvers.visibility.rules import INTERFACE_PARTNERS, RULES, Audience
from tests.wallets import SCHEMA

SCHEMA_TYPES = SCHEMA._schema.type_map
ROOTS = {"Query", "Mutation"}


def object_types() -> Iterator[GraphQLObjectType]:
    for name, graphql_type in SCHEMA_TYPES.items():
        if isinstance(graphql_type, GraphQLObjectType) and not name.startswith("__"):
            yield graphql_type


def hidden_fields() -> Iterator[tuple[str, str, GraphQLField]]:
    for name, rule in RULES.items():
        for field_name in sorted(rule.partners):
            yield name, field_name, SCHEMA_TYPES[name].fields[field_name]  # type: ignore[attr-defined]


def test_every_type_has_a_rule_and_every_rule_a_type() -> None:
    assert {each.name for each in object_types()} - ROOTS == set(RULES)


def test_every_field_is_shown_or_the_partners() -> None:
    for object_type in object_types():
        if object_type.name not in ROOTS:
            rule = RULES[object_type.name]
            assert rule.shown | rule.partners == set(object_type.fields), object_type.name
            assert not rule.shown & rule.partners, object_type.name


def test_interfaces_hide_what_their_types_hide() -> None:
    for name, graphql_type in SCHEMA_TYPES.items():
        if not is_interface_type(graphql_type):
            continue
        for object_type in SCHEMA._schema.get_possible_types(graphql_type):
            if object_type.name in RULES:
                hidden = RULES[object_type.name].partners & graphql_type.fields.keys()
                assert hidden == INTERFACE_PARTNERS.get(name, frozenset()), object_type.name


@pytest.mark.parametrize(("type_name", "field_name", "field"), list(hidden_fields()))
def test_what_is_hidden_is_guarded_nullable_and_says_so(
    type_name: str, field_name: str, field: GraphQLField
) -> None:
    strawberry_field = field.extensions[GraphQLCoreConverter.DEFINITION_BACKREF]
    assert strawberry_field.base_resolver.wrapped_func.__code__.co_name == "guarded"
    assert not isinstance(field.type, GraphQLNonNull)
    assert "Null for members" in (field.description or "")


def test_types_of_partners_hide_nothing_from_members_who_never_meet_them() -> None:
    for name, rule in RULES.items():
        assert rule.audience is not Audience.PARTNERS or not rule.partners, name
