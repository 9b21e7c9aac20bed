"""Fields that a function answers, with a type that strict checking accepts."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from functools import wraps
from typing import Any, cast

import strawberry
from strawberry.types.field import StrawberryField

from resolvers.visibility.guard import guard


def resolved(
    description: str, *, name: str | None = None, graphql_type: object = None
) -> Callable[[Callable[..., Any]], StrawberryField]:
    """Turn the decorated function or method into a described field.

    For root queries and mutations as well as for methods of types: `strawberry.field` used as a decorator has no type, and
    mypy refuses what it decorates. `graphql_type` is for functions that return either a value or something to await: where
    the value is there already, that is a fifth of the cost of a coroutine. A partner's own field is null for members: see `visibility`.
    """

    def decorate(resolver: Callable[..., Any]) -> StrawberryField:
        field = strawberry.field(
            resolver=guard(resolver, name),
            name=name,
            description=description,
            graphql_type=graphql_type,
        )
        return cast(StrawberryField, field)

    return decorate


def mutation(description: str) -> Callable[[Callable[..., Awaitable[Any]]], StrawberryField]:
    """Turn the decorated function into a described field of Mutation.

    It first forgets what the request has loaded, so that no mutation answers with what was there before an earlier one.
    """

    def decorate(resolver: Callable[..., Awaitable[Any]]) -> StrawberryField:
        @wraps(resolver)
        async def forgetting(info: strawberry.Info[Any, None], **arguments: Any) -> Any:
            info.context.forget_loaded()
            return await resolver(info, **arguments)

        return resolved(description)(forgetting)

    return decorate
