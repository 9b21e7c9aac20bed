"""Members of a union can be selected side by side: their common fields have one shape."""

from __future__ import annotations

import pytest
from graphql import GraphQLObjectType, GraphQLUnionType, build_schema

from resolvers.print_schema import print_contract

SCHEMA = build_schema(print_contract())
UNIONS = [kind for kind in SCHEMA.type_map.values() if isinstance(kind, GraphQLUnionType)]


@pytest.mark.requirement("ALL-1")
@pytest.mark.parametrize("union", UNIONS, ids=lambda union: union.name)
def test_fields_of_one_name_have_one_type_in_a_union(union: GraphQLUnionType) -> None:
    """A client that names a field of two members must not have to alias one of them."""
    shapes: dict[str, set[str]] = {}
    for member in union.types:
        assert isinstance(member, GraphQLObjectType)
        for name, field in member.fields.items():
            shapes.setdefault(name, set()).add(str(field.type))
    assert {name: types for name, types in shapes.items() if len(types) > 1} == {}
