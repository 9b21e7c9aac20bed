"""graphql-core's executor, told what the mutations of a request have done already, and which fields the caller may not ask for."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any, TypeAlias

from graphql import GraphQLResolveInfo, MiddlewareManager
from strawberry.schema.schema import StrawberryGraphQLCoreExecutionContext


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a mutation's resolver returned or raised."""

    value: Any = None
    error: Exception | None = None


# By key in the answer, not by field: a mutation may be asked for twice, under two names.
Outcomes: TypeAlias = dict[str, Outcome]

# By object type and field: what is raised in place of calling the resolver.
RefusedFields: TypeAlias = dict[tuple[str, str], Callable[[], Exception]]

_known: ContextVar[Outcomes | None] = ContextVar("gateway_known_outcomes", default=None)
_refused: ContextVar[RefusedFields | None] = ContextVar("gateway_refused_fields", default=None)


@contextmanager
def refusing(fields: RefusedFields) -> Iterator[None]:
    """Let executions within the block refuse these fields, wherever they stand."""
    token = _refused.set(fields or None)
    try:
        yield
    finally:
        _refused.reset(token)


@contextmanager
def knowing(outcomes: Outcomes) -> Iterator[None]:
    """Let executions within the block take these outcomes instead of calling the root fields' resolvers again."""
    token = _known.set(outcomes or None)
    try:
        yield
    finally:
        _known.reset(token)


class ReplayingExecutor(StrawberryGraphQLCoreExecutionContext):
    """Executes as graphql-core does, except for root fields whose outcomes are known and fields that are refused."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        """Take what the executor takes; outcomes and refused fields are those of the block around it."""
        super().__init__(*args, **kwargs)
        added: list[object] = []
        if (outcomes := _known.get()) is not None:
            added.append(_Replay(outcomes))
        if (refused := _refused.get()) is not None:
            added.append(_Refusal(refused))
        if added:
            earlier = self.middleware_manager.middlewares if self.middleware_manager else ()
            self.middleware_manager = MiddlewareManager(*earlier, *added)


class _Replay:
    def __init__(self, outcomes: Outcomes) -> None:
        self._outcomes = outcomes

    def resolve(
        self, resolve: Any, source: Any, info: GraphQLResolveInfo[Any], **arguments: Any
    ) -> Any:
        outcome = self._outcomes.get(str(info.path.key)) if info.path.prev is None else None
        if outcome is None:
            return resolve(source, info, **arguments)
        if outcome.error is not None:
            raise outcome.error
        return outcome.value


class _Refusal:
    def __init__(self, refused: RefusedFields) -> None:
        self._refused = refused

    def resolve(
        self, resolve: Any, source: Any, info: GraphQLResolveInfo[Any], **arguments: Any
    ) -> Any:
        to_refusal = self._refused.get((info.parent_type.name, info.field_name))
        if to_refusal is not None:
            raise to_refusal()
        return resolve(source, info, **arguments)
