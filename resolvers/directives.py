"""What the printed schema says of a field's access, in the words that Apollo Router and WunderGraph know."""

from __future__ import annotations

import strawberry
from strawberry.schema_directive import Location

from gateway.access import ANY_CREDENTIAL, Requirement


@strawberry.schema_directive(
    locations=[Location.FIELD_DEFINITION],
    name="requiresScopes",
    description="The field needs every scope of at least one of these lists.",
)
class RequiresScopes:
    """The scopes that a field needs."""

    scopes: list[list[str]]


@strawberry.schema_directive(
    locations=[Location.FIELD_DEFINITION],
    name="authenticated",
    description="The field needs a credential, with whatever scopes.",
)
class Authenticated:
    """A field for whoever has a credential."""


def to_directive(requirement: Requirement) -> object:
    """Return the directive that says what a field needs."""
    if requirement == ANY_CREDENTIAL:
        return Authenticated()
    return RequiresScopes(scopes=requirement.list_scopes())
