"""Fields that a function answers, with a type that strict checking accepts, and what each needs of a credential."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Collection
from functools import wraps
from typing import Any, TypeAlias, cast

import strawberry
from strawberry.types.field import StrawberryField

from gateway.access import REQUIREMENT_KEY, Requirement, Scope, any_of
from resolvers.directives import to_directive
from resolvers.visibility.guard import guard

# Any one of the scopes; a frozenset among them stands for scopes that are needed together.
Requires: TypeAlias = "Requirement | Collection[Scope | frozenset[Scope]]"


def resolved(
    description: str,
    *,
    name: str | None = None,
    graphql_type: object = None,
    requires: Requires | None = None,
) -> Callable[[Callable[..., Any]], StrawberryField]:
    """Turn the decorated method of a type into a described field.

    `strawberry.field` used as a decorator has no type, and mypy refuses what it decorates. `graphql_type` is for functions that
    return either a value or something to await: where the value is there already, that is a fifth of the cost of a coroutine.
    `requires` is for what needs more than its parent does: scopes, any of which is enough. It is checked for the whole operation
    before anything runs. A partner's own field is null for members: see `visibility`.
    """
    requirement = _to_requirement(requires)

    def decorate(resolver: Callable[..., Any]) -> StrawberryField:
        field = strawberry.field(
            resolver=guard(resolver, name),
            name=name,
            description=description,
            graphql_type=graphql_type,
            metadata={} if requirement is None else {REQUIREMENT_KEY: requirement},
            directives=() if requirement is None else (to_directive(requirement),),
        )
        return cast(StrawberryField, field)

    return decorate


def query(
    description: str, *, requires: Requires
) -> Callable[[Callable[..., Any]], StrawberryField]:
    """Turn the decorated function into a described field of Query, which says what it needs as each root field has to."""
    return resolved(description, requires=requires)


def mutation(
    description: str, *, requires: Requires
) -> Callable[[Callable[..., Awaitable[Any]]], StrawberryField]:
    """Turn the decorated function into a described field of Mutation, which says what it needs as each root field has to.

    It first forgets what the request has loaded, so that no mutation answers with what was there before an earlier one.
    """

    def decorate(resolver: Callable[..., Awaitable[Any]]) -> StrawberryField:
        @wraps(resolver)
        async def forgetting(info: strawberry.Info[Any, None], **arguments: Any) -> Any:
            info.context.forget_loaded()
            return await resolver(info, **arguments)

        return resolved(description, requires=requires)(forgetting)

    return decorate


def _to_requirement(requires: Requires | None) -> Requirement | None:
    if requires is None or isinstance(requires, Requirement):
        return requires
    return any_of(requires)
