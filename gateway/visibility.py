"""Who may see whose things: the rules for objects, in one place. Pure, no storage.

Scopes say what a credential may do at all (`gateway.access`); these rules say whose things it sees while it does so. Every store,
loader and resolver that answers objects asks here, so that no path reaches what its own id would not give.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple
from uuid import UUID

from gateway.access import Caller


class Visibility(NamedTuple):
    """Things of one organization, or of one member across the tenant; None stands for any."""

    organization_id: UUID | None
    member_id: UUID | None


def visible_to(caller: Caller) -> Visibility:
    """Return which grants, holds and notifications the caller may see: a member their own, a partner its organization's."""
    if caller.member_id is not None:
        return Visibility(None, caller.member_id)
    return Visibility(caller.organization_id, None)


def is_partner(caller: Caller) -> bool:
    """Tell whether the caller is a partner, who sees the catalog and what partners keep for themselves; else a member."""
    return caller.member_id is None


def can_see_member(caller: Caller, member_id: UUID) -> bool:
    """Tell whether the caller may see a member of its tenant: a partner everybody, a member themselves."""
    return caller.member_id is None or caller.member_id == member_id


def visible_members(caller: Caller, member_ids: Iterable[UUID]) -> list[UUID]:
    """Return those of the tenant's members whom the caller may see, in order."""
    if caller.member_id is None:
        return list(member_ids)
    return [member_id for member_id in member_ids if member_id == caller.member_id]
