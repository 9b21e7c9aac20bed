"""`me`: the member whose token this is."""

from __future__ import annotations

from gateway.access import ANY_CREDENTIAL
from resolvers.context import Info
from resolvers.fields import query
from resolvers.types.member import Member, to_selected_member


@query("The member whose token this is; null for a partner's credential.", requires=ANY_CREDENTIAL)
def me(info: Info) -> Member | None:
    """Name the caller."""
    member_id = info.context.caller.member_id
    return None if member_id is None else to_selected_member(info, member_id)
