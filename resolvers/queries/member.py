"""`member`: one member by any of their identifiers."""

from __future__ import annotations

from typing import Annotated

import strawberry

from gateway.access import Scope
from gateway.errors import FieldError, InvalidInput
from gateway.members.store import find_members
from gateway.visibility import can_see_member
from resolvers.context import Info
from resolvers.fields import query
from resolvers.types.identifier import MemberRef, to_reference
from resolvers.types.member import Member, to_selected_member


@query(
    "One member; null if nobody has that id or identifier, or the caller may not see them.",
    requires=[Scope.READ, Scope.MEMBER],
)
async def member(
    info: Info,
    by: Annotated[MemberRef, strawberry.argument(description="The id or one identifier.")],
) -> Member | None:
    """Find the member."""
    context = info.context
    errors: list[FieldError] = []
    reference = to_reference(by, ("by",), errors)
    if errors:
        raise InvalidInput(errors)
    async with context.database.connection() as connection:
        (member_id,) = await find_members(connection, context.caller.tenant_id, [reference])
    if member_id is None or not can_see_member(context.caller, member_id):
        return None
    return to_selected_member(info, member_id)
