"""How compiled operations call resolvers, what of Strawberry they leave alone, and what a failed run leaves behind."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from types import SimpleNamespace
from typing import Annotated, Any, NewType

import pytest
import strawberry
from graphql import GraphQLResolveInfo, Undefined
from strawberry.extensions import FieldExtension
from strawberry.scalars import JSON
from strawberry.schema.config import StrawberryConfig

from gateway.http.execution.inputs import LISTS_MAX
from gateway.http.execution.run import Run
from gateway.http.execution.source import Unfit, Unsupported
from tests.toy_operations import (
    CompiledSchema,
    InterpretedSchema,
    Sorry,
    ToyContext,
    UnmaskedSchema,
    run_compiled,
)

Info = strawberry.Info[ToyContext, None]
Odd = NewType("Odd", str)


class Shout(FieldExtension):
    """Changes what a resolver answers."""

    def resolve(self, next_: Callable[..., Any], source: Any, info: Info, **arguments: Any) -> Any:
        return next_(source, info, **arguments).upper()


class Refused(Exception):
    """What the handlers are asked about."""


class Declines(strawberry.ExceptionHandler[Refused, Sorry]):
    """Answers some, and later."""

    async def handle(  # type: ignore[override]  # a coroutine is an Awaitable
        self, exception: Refused, *, field: Any, info: Any
    ) -> Sorry | None:
        assert (field.python_name, info.field_name) == ("risky", "risky")
        return None if str(exception) == "declined" else Sorry(reason=str(exception))


@strawberry.input
class Changes:
    """An input that knows what was left out."""

    name: strawberry.Maybe[str]


@strawberry.input
class Fresh:
    """An input whose default is made anew."""

    names: list[str] = strawberry.field(default_factory=list)


@strawberry.type
class Calls:
    """A field for each parameter that a resolver may have."""

    word: str = "word"

    @strawberry.field
    def from_self(self) -> str:
        return self.word

    @strawberry.field
    @staticmethod
    def from_parent(parent: strawberry.Parent[Any]) -> str:
        return str(parent.word)

    @strawberry.field
    @staticmethod
    def from_root(root: Any, info: Info) -> str:
        return f"{root.word} {info.field_name} {info.path.as_list()}"

    @strawberry.field(extensions=[Shout()])  # type: ignore[untyped-decorator]  # strawberry's overloads
    def extended(self, suffix: str = "!") -> str:
        return self.word + suffix

    @strawberry.field
    def sees(self, info: Info) -> str:
        raw: GraphQLResolveInfo[Any] = info._raw_info
        return f"{raw.parent_type} {raw.return_type} {len(raw.field_nodes)} {sorted(raw.fragments)} {info.variable_values}"

    @strawberry.field
    def renamed(
        self, some_words: Annotated[str, strawberry.argument(name="words")] = "none"
    ) -> str:
        return some_words

    @strawberry.field
    def changes(self, input: Changes) -> str:
        return repr(input.name)

    @strawberry.field
    def maybe(self, name: strawberry.Maybe[str] = None) -> str:
        return repr(name)

    @strawberry.field
    def fresh(self, input: Fresh) -> str:
        return repr(input)

    @strawberry.field
    def listed(self, words: list[str] = ["a"]) -> list[str]:  # noqa: B006 - a default of the contract, never changed
        words.append("changed")
        return words

    @strawberry.field
    def odd(self, value: Odd) -> str:
        return repr(value)

    @strawberry.field
    def free(self, value: JSON) -> JSON:
        return value

    @strawberry.field
    async def streamed(self) -> AsyncIterator[int]:
        yield 1

    @strawberry.field
    def risky(self, how: str | None = None) -> Calls | Sorry:
        if how:
            raise Refused(how)
        return self


@strawberry.type
class Query:
    """Where to begin."""

    @strawberry.field
    def calls(self) -> Calls:
        return Calls()


def make_schema(
    schema_class: type[UnmaskedSchema] = CompiledSchema, **options: Any
) -> UnmaskedSchema:
    scalars: Any = {
        Odd: strawberry.scalar(
            name="Odd", parse_value=lambda value: Undefined if value == "no" else f"<{value}>"
        )
    }
    config = StrawberryConfig(scalar_map=scalars, **options)
    return schema_class(Query, config=config, exception_handlers=[Declines()])


SCHEMA = make_schema()
INTERPRETED = make_schema(InterpretedSchema)


@pytest.mark.parametrize(
    ("selection", "expected"),
    [
        ("fromSelf", "word"),
        ("fromParent", "word"),
        ("fromRoot", "word fromRoot ['calls', 'field']"),
        ("extended", "WORD!"),
        ('extended(suffix: "?")', "WORD?"),
        ("extended(suffix: $text)", "WORDTEXT"),
        ("sees ...F", "Calls String! 2 ['F'] {'text': 'text'}"),
        ("renamed", "none"),
        ('renamed(words: "some")', "some"),
        ("renamed(words: $text)", "text"),
        ("maybe", "None"),
        ('maybe(name: "a")', "Some('a')"),
        ("maybe(name: $text)", "Some('text')"),
        ('changes(input: {name: "a"})', "Some('a')"),
        ("changes(input: {name: $text})", "Some('text')"),
        ("changes(input: {})", "None"),
        ("fresh(input: {})", "Fresh(names=[])"),
        ('fresh(input: {names: ["a", $text]})', "Fresh(names=['a', 'text'])"),
        ("listed", ["a", "changed"]),
        ("listed(words: [$text])", ["text", "changed"]),
        ('odd(value: "a")', "'<a>'"),
        ("risky { ... on Calls { word } }", {"word": "word"}),
        ('risky(how: "known") { ... on Sorry { reason } }', {"reason": "known"}),
    ],
)
async def test_resolver_is_called_as_strawberry_calls_it(selection: str, expected: Any) -> None:
    used = "$text" in selection or "...F" in selection
    query = f"query{' ($text: String!)' if used else ''} {{ calls {{ field: {selection} }} }}"
    if "...F" in selection:
        query += " fragment F on Calls { field: sees renamed(words: $text) }"
    interpreted = await INTERPRETED.execute(query, {"text": "text"})
    assert interpreted.errors is None
    # Twice: nothing that one request was given is changed for the next.
    for _ in range(2):
        data = await run_compiled(SCHEMA, query, {"text": "text"})
        assert data["calls"]["field"] == expected
        assert data == interpreted.data


@pytest.mark.parametrize(
    ("declared", "selection", "value"),
    [
        # Left to Strawberry, whatever the value.
        ("Changes!", "changes(input: $v)", {"name": "a"}),
        ("Fresh!", "fresh(input: $v)", {}),
        ("[String!]! = []", "listed(words: $v)", ["a"]),
    ],
)
async def test_input_with_more_than_plain_defaults_is_not_compiled(
    declared: str, selection: str, value: Any
) -> None:
    with pytest.raises(Unsupported):
        await run_compiled(
            SCHEMA, f"query ($v: {declared}) {{ calls {{ {selection} }} }}", {"v": value}
        )


async def test_list_default_gives_way_to_a_variable() -> None:
    query = "query ($v: [String!]!) { calls { listed(words: $v) } }"
    assert await run_compiled(SCHEMA, query, {"v": ["b"]}) == {
        "calls": {"listed": ["b", "changed"]}
    }


async def test_handler_may_decline() -> None:
    with pytest.raises(Unfit):
        await run_compiled(SCHEMA, '{ calls { risky(how: "declined") { __typename } } }')


async def test_scalar_may_say_that_nothing_is_defined() -> None:
    query = "query ($v: Odd!) { calls { odd(value: $v) } }"
    assert await run_compiled(SCHEMA, query, {"v": "yes"}) == {"calls": {"odd": "'<yes>'"}}
    with pytest.raises(Unfit):
        await run_compiled(SCHEMA, query, {"v": "no"}, compiled_for={"v": "yes"})


@pytest.mark.parametrize("levels", [LISTS_MAX, LISTS_MAX + 1, 190])
async def test_variable_may_be_lists_of_lists_as_deep_as_the_parser_goes(levels: int) -> None:
    """A scalar that takes anything takes it too, so that validation does not look at its type."""
    query = f"query ($v: {'[' * levels}Int{']' * levels}) {{ calls {{ free(value: {{v: $v}}) }} }}"
    value: Any = 1
    for _ in range(levels):
        value = [value]
    for _ in range(2):
        result = await SCHEMA.execute(query, {"v": value})
        assert (result.data, result.errors) == ({"calls": {"free": {"v": value}}}, None)
    if levels > LISTS_MAX:
        with pytest.raises(Unsupported):
            await run_compiled(SCHEMA, query, {"v": value})
    else:
        assert await run_compiled(SCHEMA, query, {"v": value}) == result.data


async def test_stream_is_not_compiled() -> None:
    with pytest.raises(Unsupported):
        await run_compiled(SCHEMA, "{ calls { streamed } }")


async def test_default_resolver_of_ones_own_is_not_passed_over() -> None:
    schema = make_schema(default_resolver=lambda source, name: f"my {getattr(source, name)}")
    with pytest.raises(Unsupported):
        await run_compiled(schema, "{ calls { word } }")
    assert (await schema.execute("{ calls { word } }")).data == {"calls": {"word": "my word"}}


@pytest.mark.parametrize("own", ["resolve_type", "is_type_of"])
async def test_type_that_decides_itself_is_not_compiled(own: str) -> None:
    @strawberry.interface
    class Named:
        name: str

        if own == "resolve_type":

            @classmethod
            def resolve_type(cls, obj: Any, *_: Any) -> str:
                return "One"

    @strawberry.type
    class One(Named):
        if own == "is_type_of":

            @classmethod
            def is_type_of(cls, obj: Any, _: Any) -> bool:
                return isinstance(obj, SimpleNamespace | One)

    def named() -> Any:
        return One(name="one")

    named.__annotations__["return"] = Named
    query = strawberry.type(type("Query", (), {"named": strawberry.field(resolver=named)}))
    schema = CompiledSchema(query, types=[One])
    with pytest.raises(Unsupported):
        await run_compiled(schema, "{ named { name } }")
    assert (await schema.execute("{ named { name } }")).data == {"named": {"name": "one"}}


# What a run waits for.


def make_run() -> Run:
    plan: Any = SimpleNamespace(calls=[])
    return Run(plan, None, {}, {})


async def fails(log: list[str]) -> None:
    log.append("ran")
    raise RuntimeError("failed")


async def takes_long(log: list[str]) -> str:
    await asyncio.sleep(0.01)
    log.append("ended")
    return "done"


async def test_settling_waits_for_all_before_it_fails() -> None:
    """What is left running would act on a request that has been answered."""
    log: list[str] = []
    run = make_run()
    out: dict[str, Any] = {}
    run.pending = [
        (out, "a", fails(log), lambda value, _: value),
        (out, "b", takes_long(log), lambda value, _: value),
    ]
    with pytest.raises(RuntimeError, match="failed"):
        await run.settle()
    assert log == ["ran", "ended"]
    assert out == {}


async def test_abandoning_closes_coroutines_and_leaves_futures_to_others() -> None:
    log: list[str] = []
    run = make_run()
    loop = asyncio.get_running_loop()
    failing, cancelled = loop.create_future(), loop.create_future()
    other = SimpleNamespace(__await__=lambda: iter(()))
    coroutine = fails(log)
    waited: list[Any] = [coroutine, failing, cancelled, other]
    run.pending = [({}, "a", awaitable, lambda value, _: value) for awaitable in waited]
    run.abandon()
    assert run.pending == []
    assert log == []
    with pytest.raises(RuntimeError, match="reuse"):
        coroutine.send(None)
    assert not failing.done()
    cancelled.cancel()
    # Nobody asks for this failure: it must not be reported as forgotten.
    failing.set_exception(RuntimeError("nobody's"))
    await asyncio.sleep(0)
