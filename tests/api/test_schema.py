"""The contract: what is printed is what is built, and all of it is explained."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from graphql import (
    GraphQLEnumType,
    GraphQLInputObjectType,
    GraphQLNamedType,
    GraphQLNonNull,
    GraphQLSchema,
    GraphQLUnionType,
    Undefined,
    build_schema,
    find_breaking_changes,
)

from resolvers.print_schema import print_contract
from tests.wallets import SCHEMA

CONTRACT = Path(__file__).parents[2] / "schema.graphql"

# Mutations answer with a union of the payload and what may go wrong; each names the input's key.
KEY_FIELDS = {"requestId", "clientReference", "eventId"}


@pytest.fixture(scope="module")
def schema() -> GraphQLSchema:
    return SCHEMA._schema


def test_printed_contract_is_up_to_date() -> None:
    assert CONTRACT.read_text() == print_contract(), "run `make schema`"


def test_printed_contract_can_be_read_back(schema: GraphQLSchema) -> None:
    read_back = build_schema(CONTRACT.read_text())
    assert find_breaking_changes(read_back, schema) == []


def test_everything_has_a_description(schema: GraphQLSchema) -> None:
    assert list(_find_undescribed(schema)) == []


def _find_undescribed(schema: GraphQLSchema) -> Iterator[str]:
    for name, graphql_type in schema.type_map.items():
        # Introspection is the specification's.
        if not name.startswith("__"):
            yield from (place for place, part in _parts(name, graphql_type) if not part.description)


def _parts(name: str, graphql_type: GraphQLNamedType) -> Iterator[tuple[str, Any]]:
    yield name, graphql_type
    if isinstance(graphql_type, GraphQLEnumType):
        yield from ((f"{name}.{value}", part) for value, part in graphql_type.values.items())
    fields: dict[str, Any] = getattr(graphql_type, "fields", {})
    for field_name, field in fields.items():
        yield f"{name}.{field_name}", field
        arguments: dict[str, Any] = getattr(field, "args", {})
        for argument_name, argument in arguments.items():
            yield f"{name}.{field_name}({argument_name})", argument


@pytest.mark.requirement("ALL-1", "ALL-2")
def test_every_mutation_takes_a_key_and_answers_a_union(schema: GraphQLSchema) -> None:
    assert schema.mutation_type is not None
    for name, field in schema.mutation_type.fields.items():
        assert isinstance(field.type, GraphQLUnionType), name
        members = {member.name for member in field.type.types}
        # What a fence is put on is its key, and a key alone has no other input to conflict with.
        is_fence = name == "fenceOperation"
        conflict = set() if is_fence else {"IdempotencyConflict"}
        assert {"InvalidInput", "RequestInProgress"} | conflict <= members, name
        assert list(field.args) == ["input"], name
        input_type = field.args["input"].type
        assert isinstance(input_type, GraphQLNonNull)
        assert isinstance(input_type.of_type, GraphQLInputObjectType)
        keys = [
            input_field
            for key, input_field in input_type.of_type.fields.items()
            if key in ({"key"} if is_fence else KEY_FIELDS)
        ]
        assert len(keys) == 1, name
        assert isinstance(keys[0].type, GraphQLNonNull), name


def test_every_failure_in_a_union_is_an_error(schema: GraphQLSchema) -> None:
    error = schema.type_map["Error"]
    assert schema.mutation_type is not None
    for name, field in schema.mutation_type.fields.items():
        assert isinstance(field.type, GraphQLUnionType)
        payload, *failures = field.type.types
        assert payload.name == f"{name[0].upper()}{name[1:]}Payload"
        for failure in failures:
            assert error in failure.interfaces, failure.name


def test_no_default_is_null(schema: GraphQLSchema) -> None:
    for graphql_type in schema.type_map.values():
        if isinstance(graphql_type, GraphQLInputObjectType):
            for name, field in graphql_type.fields.items():
                assert field.default_value is Undefined or field.default_value is not None, name
