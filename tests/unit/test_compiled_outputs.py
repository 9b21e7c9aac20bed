"""Selections of compiled operations: every kind of field, completed as graphql-core completes it, or left to it."""

from __future__ import annotations

import asyncio
import enum
import gc
from decimal import Decimal
from typing import Any

import pytest
import strawberry
from graphql import GraphQLEnumType, GraphQLField, GraphQLObjectType, GraphQLString

from gateway.http.execution.source import Unfit, Unsupported
from tests.toy_operations import (
    Cat,
    Color,
    CompiledSchema,
    Dog,
    InterpretedSchema,
    Stone,
    Thing,
    UnmaskedSchema,
    make_toy_schema,
    run_compiled,
)

SCHEMA = make_toy_schema(CompiledSchema)
INTERPRETED = make_toy_schema(InterpretedSchema)


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        (
            "{ __typename start { number text flag share nothing color colors amount } }",
            {
                "__typename": "Query",
                "start": {
                    "number": 1,
                    "text": "text",
                    "flag": True,
                    "share": 0.5,
                    "nothing": None,
                    "color": "GREEN",
                    "colors": ["RED", "GREEN"],
                    "amount": "12.50",
                },
            },
        ),
        ("{ start { numberAsText } }", {"start": {"numberAsText": "5"}}),
        (
            "{ start { a: perhaps b: perhaps(wait: true) sync later(n: 3) noThing { number } } }",
            {"start": {"a": "at once", "b": "waited", "sync": 4, "later": 3, "noThing": None}},
        ),
        (
            "{ start { number ...A ... on Thing { thing { number } } } } "
            "fragment A on Thing { thing { text thing { number } } number }",
            {
                "start": {
                    "number": 1,
                    "thing": {"text": "text", "thing": {"number": 3}, "number": 2},
                }
            },
        ),
        (
            "{ start { pets { ... on Animal { name friend { name } } "
            "... on Cat { lives } ... on Stone { weight } kind: __typename } } }",
            {
                "start": {
                    "pets": [
                        {
                            "name": "c",
                            "friend": {"name": "friend of c"},
                            "lives": [[9, None], []],
                            "kind": "Cat",
                        },
                        {"name": "d", "friend": {"name": "friend of d"}, "kind": "Dog"},
                        None,
                        {"weight": "1.50", "kind": "Stone"},
                    ]
                }
            },
        ),
        (
            "{ start { animals { name age } foreseen { ... on Thing { number } } "
            'foreseenLater(how: "foreseen") { ... on Sorry { reason } } } }',
            {
                "start": {
                    "animals": [{"name": "d", "age": None}, {"name": "c", "age": 2}],
                    "foreseen": {"number": 1},
                    "foreseenLater": {"reason": "async"},
                }
            },
        ),
        (
            '{ start { foreseen(how: "foreseen") { ... on Sorry { reason } } '
            "things(count: 2) { number later(n: 1) things(count: 1) { text } } } }",
            {
                "start": {
                    "foreseen": {"reason": "sync"},
                    "things": [
                        {"number": 0, "later": 1, "things": [{"text": "text"}]},
                        {"number": 1, "later": 1, "things": [{"text": "text"}]},
                    ],
                }
            },
        ),
    ],
)
async def test_completes_as_graphql_core_does(query: str, expected: dict[str, Any]) -> None:
    assert await run_compiled(SCHEMA, query) == expected
    interpreted = await INTERPRETED.execute(query)
    assert (interpreted.data, interpreted.errors) == (expected, None)
    assert list(expected) == list(interpreted.data or ())


@pytest.mark.parametrize(
    "field",
    [
        "fails",
        "failsLater",
        "missing",
        "missingLater",
        "returnsError",
        "tooLarge",
        'foreseen(how: "unforeseen") { __typename }',
        'foreseenLater(how: "unforeseen") { __typename }',
        "pet(old: true) { ... on Dog { sound } }",
    ],
)
@pytest.mark.parametrize("others", ["", "later(n: 1) fine: foreseenLater { __typename } "])
async def test_failure_is_left_to_graphql_core_and_nothing_is_left_behind(
    field: str, others: str
) -> None:
    with pytest.raises(Unfit):
        await run_compiled(SCHEMA, f"{{ start {{ {others}{field} }} startLater {{ number }} }}")
    gc.collect()


def schema_returning(value: Any, field_type: Any) -> UnmaskedSchema:
    """Return a schema whose one field, `odd`, is of this type and returns this value."""

    def odd() -> Any:
        return value() if callable(value) else value

    odd.__annotations__["return"] = field_type
    query = strawberry.type(type("Query", (), {"odd": strawberry.field(resolver=odd)}))
    return CompiledSchema(query, types=[Cat, Dog, Stone])


async def waits() -> str:
    """Return something after a while."""
    return "late"


@pytest.mark.parametrize(
    ("value", "field_type", "selection"),
    [
        # Each of these would pass for text, or for an object of which nothing is asked.
        (lambda: asyncio.get_running_loop().create_future(), list[Thing], "{ __typename }"),
        ([RuntimeError("in a list")], list[str], ""),
        ([RuntimeError("in a list")], list[Thing], "{ __typename }"),
        ([None], list[Thing], "{ __typename }"),
        ({"a set"}, list[str], ""),
        (Stone(), Cat, "{ __typename }"),
        (Color, Color, ""),
        (object(), Cat | Dog, "{ __typename }"),
        ([[None]], list[list[str]], ""),
    ],
)
async def test_value_of_another_kind_is_left_to_graphql_core(
    value: Any, field_type: Any, selection: str
) -> None:
    schema = schema_returning(value, field_type)
    if callable(value) and not isinstance(value, type):
        future = value()
        future.set_result([RuntimeError("later")])
        schema = schema_returning(future, field_type)
    with pytest.raises(Unfit):
        await run_compiled(schema, f"{{ odd {selection} }}")


async def test_object_of_another_class_will_do_where_graphql_core_takes_any() -> None:
    class Stand:
        number = 9

    query = "{ odd { number __typename } }"
    schema = schema_returning(Stand(), Thing)
    assert await run_compiled(schema, query) == {"odd": {"number": 9, "__typename": "Thing"}}
    expected = (await schema.execute(query)).data
    assert expected == {"odd": {"number": 9, "__typename": "Thing"}}


@pytest.mark.parametrize(
    "query", ["{ __schema { types { name } } }", '{ __type(name: "A") { name } }']
)
async def test_introspection_is_not_compiled(query: str) -> None:
    with pytest.raises(Unsupported):
        await run_compiled(SCHEMA, query)


async def test_so_many_fields_are_not_compiled() -> None:
    """Three levels of an interface's friends, each with all the others' names."""
    names = " ".join(f"n{number}: name" for number in range(600))
    friends = "{ start { animals { friend { friend { friend { %s } } } } } }"
    assert await run_compiled(SCHEMA, friends % "name")
    with pytest.raises(Unsupported):
        await run_compiled(SCHEMA, friends % f"friend {{ friend {{ {names} }} }} {names}")


class Shade(enum.Enum):
    """An enum that Strawberry has not made a type of."""

    DARK = "d"


async def test_types_that_are_not_strawberrys_are_not_compiled() -> None:
    """Somebody may put types of graphql-core's own into a schema."""
    schema = schema_returning(Shade.DARK, Color)
    odd = schema._schema.query_type.fields["odd"]  # type: ignore[union-attr]
    odd.type = GraphQLEnumType("Shade", Shade)
    with pytest.raises(Unsupported):
        await run_compiled(schema, "{ odd }")
    odd.type = GraphQLObjectType("Plain", {"name": GraphQLField(GraphQLString)})
    with pytest.raises(Unsupported):
        await run_compiled(schema, "{ odd { name } }")


async def test_scalars_of_a_list_are_written_alike_and_none_as_nothing() -> None:
    schema = schema_returning([Decimal("1.50"), Decimal(2)], list[Decimal])
    assert await run_compiled(schema, "{ odd }") == {"odd": ["1.50", "2"]}
    nothing = schema_returning(Decimal(1), Decimal)
    scalar: Any = nothing._schema.type_map["Decimal"]
    scalar.coerce_output_value = lambda _: None
    with pytest.raises(Unfit):
        await run_compiled(nothing, "{ odd }")
