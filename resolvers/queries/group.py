"""`group`: one group by any of its names (CAP-12)."""

from __future__ import annotations

from typing import Annotated

import strawberry

from gateway.access import Scope
from gateway.errors import FieldError, InvalidInput
from gateway.members.groups.store import find_groups, search_order
from gateway.visibility import is_partner
from resolvers.context import Info
from resolvers.fields import query
from resolvers.types.group import Group, GroupRef, load_group, to_group_reference


@query(
    "One group; null if there is none of that name, or the caller may not see it. Members name their groups by id.",
    requires=[Scope.READ, Scope.MEMBER],
)
async def group(
    info: Info,
    by: Annotated[GroupRef, strawberry.argument(description="One way to name it.")],
) -> Group | None:
    """Find the group."""
    context = info.context
    errors: list[FieldError] = []
    reference = to_group_reference(by, ("by",), errors)
    if errors:
        raise InvalidInput(errors)
    caller = context.caller
    if not is_partner(caller):
        # A member who guesses how others name their group, or who stands for it, is not told whether they are right.
        return await load_group(context, reference.id) if reference.id else None
    owner_ids = search_order(caller.organization_id, caller.reach)
    async with context.database.connection() as connection:
        found = await find_groups(connection, caller.tenant_id, owner_ids, [reference])
    return await load_group(context, found[reference].id) if reference in found else None
