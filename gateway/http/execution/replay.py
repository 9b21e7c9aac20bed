"""graphql-core's executor, told what the mutations of a request have done already: none is done twice."""

from __future__ import annotations

from collections.abc import Iterator
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

_known: ContextVar[Outcomes | None] = ContextVar("gateway_known_outcomes", default=None)


@contextmanager
def knowing(outcomes: Outcomes) -> Iterator[None]:
    """Let executions within the block take these outcomes instead of calling the root fields' resolvers again."""
    token = _known.set(outcomes or None)
    try:
        yield
    finally:
        _known.reset(token)


class ReplayingExecutor(StrawberryGraphQLCoreExecutionContext):
    """Executes as graphql-core does, except for root fields whose outcomes are known."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        """Take what the executor takes; the outcomes are those of the block around it."""
        super().__init__(*args, **kwargs)
        if (outcomes := _known.get()) is not None:
            earlier = self.middleware_manager.middlewares if self.middleware_manager else ()
            self.middleware_manager = MiddlewareManager(*earlier, _Replay(outcomes))


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
