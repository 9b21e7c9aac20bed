"""Sees to it that a field which is the partner's own is null for a member's token."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from functools import wraps
from typing import Any

import strawberry
from strawberry.utils.str_converters import to_camel_case

from gateway.visibility import is_partner
from resolvers.visibility.rules import is_partners_own


def guard(resolver: Callable[..., Any], name: str | None = None) -> Callable[..., Any]:
    """Return the resolver of a type's field, made null for members if the rules say that the field is the partner's own.

    The type is the class in which the resolver stands; `name` is the field's where it is not the resolver's own.
    """
    *_, type_name, python_name = ("", *resolver.__qualname__.split("."))
    if not is_partners_own(type_name, name or to_camel_case(python_name)):
        return resolver
    given = inspect.signature(resolver)
    takes_info = "info" in given.parameters

    @wraps(resolver)
    def guarded(self: Any, info: strawberry.Info[Any, None], **arguments: Any) -> Any:
        if not is_partner(info.context.caller):
            return None
        return resolver(self, info, **arguments) if takes_info else resolver(self)

    if not takes_info:
        # Strawberry reads from it what to call the resolver with.
        information = inspect.Parameter(
            "info", inspect.Parameter.POSITIONAL_OR_KEYWORD, annotation=strawberry.Info
        )
        parameters = [*given.parameters.values(), information]
        guarded.__signature__ = given.replace(parameters=parameters)  # type: ignore[attr-defined]  # functions may have one
    return guarded
