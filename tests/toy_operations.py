"""A toy schema with every kind of field, argument and failure, for tests of how operations are executed."""

from __future__ import annotations

import asyncio
import enum
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Annotated, Any, TypeAlias

import strawberry
from graphql import GraphQLError, parse
from strawberry.schema.config import StrawberryConfig
from strawberry.types import ExecutionContext

from gateway.http.execution.documents import CompiledDocument
from gateway.http.execution.replay import Outcomes
from gateway.http.execution.source import Unsupported
from gateway.http.graphql_schema import GatewaySchema
from resolvers.scalars import SCALARS


@dataclass
class ToyContext:
    """What resolvers share: what the mutations did, in order."""

    effects: list[str] = field(default_factory=list)


Info: TypeAlias = strawberry.Info[ToyContext, None]


class Broken(Exception):
    """What toy resolvers raise, or return."""


class Foreseen(Exception):
    """What some fields have an answer for."""


@strawberry.enum
class Color(enum.Enum):
    """An enum whose values are not its names."""

    RED = "r"
    GREEN = 2


@strawberry.input
class Point:
    """An input with defaults of each kind."""

    x: int
    y: int = 7
    label: str | None = None
    color: Color = Color.GREEN
    weight: Decimal | None = strawberry.field(default=strawberry.UNSET)


@strawberry.input
class Line:
    """An input that holds inputs and lists of them."""

    start: Point
    others: list[Point] | None = None
    grid: list[list[int]] | None = None


@strawberry.input(one_of=True)
class Key:
    """Exactly one of these."""

    number: int | None = strawberry.UNSET
    text: str | None = strawberry.UNSET
    point: Point | None = strawberry.UNSET


@strawberry.interface
class Animal:
    """What cats and dogs have in common."""

    name: str
    age: int | None = None

    @strawberry.field
    async def friend(self) -> Animal | None:
        await asyncio.sleep(0)
        return Dog(name=f"friend of {self.name}") if len(self.name) < 30 else None


@strawberry.type
class Cat(Animal):
    """One member of the union, with a list of lists."""

    lives: list[list[int | None]] = strawberry.field(default_factory=lambda: [[9, None], []])

    @strawberry.field
    def sound(self, loud: bool = False) -> str:
        return "MEOW" if loud else "meow"


@strawberry.type
class Dog(Animal):
    """The other animal, with a field that fails for some."""

    tricks: list[str] | None = None

    @strawberry.field
    async def sound(self, loud: bool = False) -> str:
        if self.age == 13:
            raise Broken("too old")
        return "WOOF" if loud else "woof"


@strawberry.type
class Stone:
    """A member of the union that is no animal."""

    weight: Decimal = Decimal("1.50")
    color: Color = Color.RED


@strawberry.type
class Sorry:
    """The answer to what was foreseen."""

    reason: str


Pet: TypeAlias = Annotated[Cat | Dog | Stone, strawberry.union("Pet")]


@strawberry.type
class Thing:
    """One field for each way to be resolved and to fail."""

    number: int = 1
    text: str = "text"
    flag: bool | None = True
    share: float = 0.5
    nothing: str | None = None
    color: Color = Color.GREEN
    colors: list[Color] = strawberry.field(default_factory=lambda: [Color.RED, Color.GREEN])
    amount: Decimal = Decimal("12.50")

    @strawberry.field
    def sync(self, n: int = 2) -> int:
        return n * 2

    @strawberry.field
    async def later(self, n: int | None = None) -> int | None:
        await asyncio.sleep(0)
        return n

    @strawberry.field
    def perhaps(self, wait: bool = False) -> str:
        later: Any = asyncio.sleep(0, "waited")
        if wait:
            return later  # type: ignore[no-any-return]  # something to await
        later.close()
        return "at once"

    @strawberry.field
    def fails(self) -> int | None:
        raise Broken("sync")

    @strawberry.field
    async def fails_later(self) -> int | None:
        raise Broken("async")

    @strawberry.field
    def missing(self) -> int:
        return None  # type: ignore[return-value]  # a resolver that breaks its own type

    @strawberry.field
    async def missing_later(self) -> str:
        return None  # type: ignore[return-value]  # a resolver that breaks its own type

    @strawberry.field
    def returns_error(self) -> str | None:
        return Broken("returned")  # type: ignore[return-value]  # graphql-core raises it

    @strawberry.field
    def too_large(self) -> int | None:
        return 2**31

    @strawberry.field
    def number_as_text(self) -> str:
        return 5  # type: ignore[return-value]  # graphql-core writes it out

    @strawberry.field
    def thing(self) -> Thing:
        return Thing(number=self.number + 1)

    @strawberry.field
    async def things(self, count: int = 2) -> list[Thing]:
        return [Thing(number=number) for number in range(min(count, 3))]

    @strawberry.field
    async def no_thing(self) -> Thing | None:
        return None

    @strawberry.field
    def pets(self) -> list[Pet | None]:
        return [Cat(name="c"), Dog(name="d", age=13, tricks=["sit"]), None, Stone()]

    @strawberry.field
    async def pet(self, old: bool = False) -> Pet:
        return Dog(name="d", age=13 if old else 3)

    @strawberry.field
    def animals(self) -> list[Animal]:
        return (Dog(name="d"), Cat(name="c", age=2))  # type: ignore[return-value]  # a tuple is a list

    @strawberry.field
    def foreseen(self, how: str | None = None) -> Thing | Sorry:
        if how == "foreseen":
            raise Foreseen("sync")
        if how:
            raise Broken(how)
        return Thing()

    @strawberry.field
    async def foreseen_later(self, how: str | None = None) -> Thing | Sorry:
        await asyncio.sleep(0)
        if how == "foreseen":
            raise Foreseen("async")
        if how:
            raise Broken(how)
        return Thing()

    @strawberry.field
    def echo(
        self,
        number: int | None = strawberry.UNSET,
        text: str = "default",
        color: Color = Color.RED,
        numbers: list[int] | None = None,
        amount: Decimal | None = None,
        point: Point | None = None,
        line: Line | None = None,
        key: Key | None = None,
        id: strawberry.ID | None = None,
        share: float | None = None,
    ) -> str:
        given = (number, text, color, numbers, amount, point, line, key, id, share)
        return repr(given)

    @strawberry.field
    def need(self, point: Point, numbers: list[list[int | None]], n: int = 3) -> str:
        return repr((point, numbers, n))


@strawberry.type
class Query:
    """Where things are found: a thing's own fields need one to be read from."""

    number: int = 3

    @strawberry.field
    def start(self) -> Thing:
        return Thing()

    @strawberry.field
    async def start_later(self) -> Thing | None:
        return Thing(number=100)

    @strawberry.field
    def pet(self, kind: Color = Color.RED) -> Pet | None:
        return Cat(name="root") if kind is Color.RED else Stone()


@strawberry.type
class Mutation:
    """Each writes down that it ran, and fails as it is told to."""

    @strawberry.mutation
    async def act(self, info: Info, name: str = "act", fail: bool = False) -> Thing | None:
        info.context.effects.append(name)
        await asyncio.sleep(0)
        if fail:
            raise Broken(name)
        return Thing(number=len(info.context.effects))

    @strawberry.mutation
    def act_now(self, info: Info, name: str = "now", fail: bool = False) -> Thing | None:
        info.context.effects.append(name)
        if fail:
            raise Broken(name)
        return Thing(number=len(info.context.effects))

    @strawberry.mutation
    async def must(self, info: Info, point: Point, fail: bool = False) -> Thing:
        info.context.effects.append(repr(point))
        if fail:
            raise Broken("must")
        return Thing(number=len(info.context.effects))

    @strawberry.mutation
    async def choose(self, info: Info, how: str | None = None) -> Thing | Sorry:
        info.context.effects.append(f"choose {how}")
        if how == "foreseen":
            raise Foreseen(how)
        if how:
            raise Broken(how)
        return Thing()

    @strawberry.mutation
    def returns_error(self, info: Info) -> Thing | None:
        info.context.effects.append("returns error")
        return Broken("returned")  # type: ignore[return-value]  # graphql-core raises it


class _ForeseenHandler(strawberry.ExceptionHandler[Foreseen, Sorry]):
    """Answers what was foreseen."""

    def handle(self, exception: Foreseen, *, field: Any, info: Any) -> Sorry:
        del field, info
        return Sorry(reason=str(exception))


class UnmaskedSchema(GatewaySchema):
    """The gateway's schema with its errors as they are, so that they can be compared."""

    def process_errors(
        self, errors: list[GraphQLError], execution_context: ExecutionContext | None = None
    ) -> None:
        """Leave the errors alone, and log none."""


class CompiledSchema(UnmaskedSchema):
    """Compiles every operation it can."""

    compile_at_use = 1


class InterpretedSchema(UnmaskedSchema):
    """Never compiles."""

    compile_at_use = 1_000_000_000


def make_toy_schema(schema_class: type[UnmaskedSchema]) -> UnmaskedSchema:
    """Make a toy schema with empty caches."""
    return schema_class(
        Query,
        Mutation,
        config=StrawberryConfig(scalar_map=SCALARS),
        exception_handlers=[_ForeseenHandler()],
    )


async def run_compiled(
    schema: UnmaskedSchema,
    text: str,
    variables: dict[str, Any] | None = None,
    context: ToyContext | None = None,
    outcomes: Outcomes | None = None,
    compiled_for: dict[str, Any] | None = None,
) -> dict[str, Any]:
    """Compile one operation and return its data, without graphql-core to fall back on.

    Wrong variables are found when compiling too: `compiled_for` are others to compile it with.

    Raises:
        Unsupported: it cannot be compiled.
        Unfit: it did not succeed.
    """
    document = CompiledDocument(parse(text))
    operation = document.find(None)
    assert operation is not None
    compiled = document.compile(schema, operation, compiled_for or variables or {}, 1)
    if compiled is None:
        raise Unsupported(text)
    return await compiled.run(
        context or ToyContext(), variables or {}, {} if outcomes is None else outcomes
    )
