"""Variables and arguments of compiled operations: what is right is taken as graphql-core takes it, all else is refused."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from gateway.http.execution.source import Unfit, Unsupported
from tests.toy_operations import (
    Color,
    CompiledSchema,
    InterpretedSchema,
    Key,
    Line,
    Point,
    make_toy_schema,
    run_compiled,
)

SCHEMA = make_toy_schema(CompiledSchema)
INTERPRETED = make_toy_schema(InterpretedSchema)
UNSET = "UNSET"


def echo(declared: str, argument: str) -> str:
    return f"query ({declared}) {{ start {{ echo({argument}) }} }}"


def echoed(
    number: Any = UNSET,
    text: Any = "default",
    color: Any = Color.RED,
    numbers: Any = None,
    amount: Any = None,
    point: Any = None,
    line: Any = None,
    key: Any = None,
    id: Any = None,
    share: Any = None,
) -> str:
    """Return what the field answers for these arguments; `number` is in the words that `repr` uses."""
    others = (text, color, numbers, amount, point, line, key, id, share)
    return f"({number}, {', '.join(map(repr, others))})"


POINT = Point(x=1, y=7, label=None, color=Color.GREEN)


@pytest.mark.parametrize(
    ("declared", "argument", "variables", "expected"),
    [
        ("$n: Int", "number: $n", {"n": -(2**31)}, echoed(number=-(2**31))),
        ("$n: Int", "number: $n", {"n": None}, echoed(number=None)),
        ("$n: Int", "number: $n", {}, echoed()),
        ("$n: Int = 4", "number: $n", {}, echoed(number=4)),
        ("$n: Int = 4", "number: $n", {"n": None}, echoed(number=None)),
        # A variable that is left out gives way to the argument's own default.
        ("$t: String", "text: $t", {}, echoed()),
        ("$t: String = null", "text: $t", {"t": "x"}, echoed(text="x")),
        ("$c: Color!", "color: $c", {"c": "GREEN"}, echoed(color=Color.GREEN)),
        ("$c: Color", "color: $c", {}, echoed()),
        ("$c: Color! = GREEN", "color: $c", {}, echoed(color=Color.GREEN)),
        ("$n: [Int!]", "numbers: $n", {"n": [1, 2]}, echoed(numbers=[1, 2])),
        ("$a: Decimal", "amount: $a", {"a": "1.50"}, echoed(amount=Decimal("1.50"))),
        ("$a: Decimal", "amount: $a", {"a": 3}, echoed(amount=Decimal(3))),
        ("$p: Point", "point: $p", {"p": {"x": 1}}, echoed(point=POINT)),
        ("$x: Int!", "point: {x: $x}", {"x": 1}, echoed(point=POINT)),
        ("$x: Int!", "numbers: [$x, 2]", {"x": 1}, echoed(numbers=[1, 2])),
        (
            "$l: Line",
            "line: $l",
            {"l": {"start": {"x": 1}, "others": [{"x": 1}], "grid": [[1], []]}},
            echoed(line=Line(start=POINT, others=[POINT], grid=[[1], []])),
        ),
        ("$k: Key", "key: $k", {"k": {"number": 5}}, echoed(key=Key(number=5))),
        ("$k: Key", "key: $k", {"k": {"point": {"x": 1}}}, echoed(key=Key(point=POINT))),
        ("$i: ID, $s: Float", "id: $i, share: $s", {"i": "a", "s": 2}, echoed(id="a", share=2.0)),
        (
            "$n: Int",
            'text: "x", number: $n, key: {text: "t"}',
            {"n": 3},
            echoed(3, "x", key=Key(text="t")),
        ),
    ],
)
async def test_right_arguments_are_what_graphql_core_makes_of_them(
    declared: str, argument: str, variables: dict[str, Any], expected: str
) -> None:
    query = echo(declared, argument)
    interpreted = await INTERPRETED.execute(query, variables)
    assert interpreted.data == {"start": {"echo": expected}}
    assert await run_compiled(SCHEMA, query, variables) == interpreted.data


@pytest.mark.parametrize(
    ("declared", "argument", "value"),
    [
        ("$v: Int", "number: $v", True),
        ("$v: Int", "number: $v", 1.0),
        ("$v: Int", "number: $v", 2**31),
        ("$v: Int", "number: $v", "1"),
        ("$v: String = null", "text: $v", 1),
        ("$v: ID", "id: $v", 1),
        ("$v: [Int!]", "numbers: $v", 1),
        ("$v: [Int!]", "numbers: $v", [1, None]),
        ("$v: Color!", "color: $v", "r"),
        ("$v: Color!", "color: $v", []),
        ("$v: Color!", "color: $v", None),
        ("$v: Color = RED", "color: $v", None),
        ("$v: Decimal", "amount: $v", "many"),
        ("$v: Point", "point: $v", {}),
        ("$v: Point", "point: $v", {"x": 1, "y": None}),
        ("$v: Point", "point: $v", {"x": 1, "z": 1}),
        ("$v: Point", "point: $v", [1]),
        ("$v: Key", "key: $v", {}),
        ("$v: Key", "key: $v", {"number": None}),
        ("$v: Key", "key: $v", {"number": 1, "text": "a"}),
    ],
)
async def test_all_else_is_left_to_graphql_core(declared: str, argument: str, value: Any) -> None:
    """Some of it is right, in a form that is seldom used; graphql-core knows."""
    query = echo(declared, argument)
    fitting = {"v": FITTING.get(declared)}
    await run_compiled(SCHEMA, query, fitting)
    with pytest.raises(Unfit):
        await run_compiled(SCHEMA, query, {"v": value}, compiled_for=fitting)
    with pytest.raises((Unfit, Unsupported)):
        await run_compiled(SCHEMA, query, {"v": value})


# What fits, for each variable above.
FITTING: dict[str, Any] = {
    "$v: Color!": "RED",
    "$v: Color = RED": "RED",
    "$v: String = null": "a",
}


@pytest.mark.parametrize(
    "declared", ["$v: Point = {x: 1}", "$v: [Int!] = [1]", "$v: Line = {start: {x: 1}}"]
)
async def test_default_that_requests_could_change_is_not_compiled(declared: str) -> None:
    name = {"P": "point", "[": "numbers", "L": "line"}[declared[4]]
    with pytest.raises(Unsupported):
        await run_compiled(SCHEMA, echo(declared, f"{name}: $v"), {})


async def test_each_request_has_an_input_of_its_own() -> None:
    query = "{ start { need(point: {x: 1}, numbers: [[1]]) } }"
    answers = [await run_compiled(SCHEMA, query) for _ in range(2)]
    assert answers[0] == answers[1] == {"start": {"need": repr((POINT, [[1]], 3))}}
