"""Groups of members who pay together (CAP-12)."""

from __future__ import annotations

from collections.abc import Awaitable, Mapping, Sequence
from datetime import datetime
from uuid import UUID

import strawberry

from gateway.access import Scope
from gateway.errors import FieldError
from gateway.ids import IdKind, decode_id, encode_id
from gateway.ledger.model import OwnerKind
from gateway.members.groups import model as domain
from gateway.members.groups.model import EXTERNAL_ID_LENGTH_MAX, GroupReference
from gateway.members.groups.store import fetch_groups, fetch_groups_of_members
from gateway.members.membership.model import MemberSet
from gateway.storage.database import Connection
from gateway.text import check_text
from gateway.visibility import is_partner
from resolvers.context import Context, Info
from resolvers.fields import resolved
from resolvers.loaders import Loaders
from resolvers.node import Node
from resolvers.pages import After, Before, First, Last, read_page_request
from resolvers.pages import Connection as PageConnection
from resolvers.types.balance import Balance, load_balances
from resolvers.types.identifier import MemberRef, to_reference
from resolvers.types.member import Member, find_visible_member
from resolvers.types.member_set import SET_MEMBER_CURSOR, load_set_members


@strawberry.type(
    description="Members who pay together, from an account of their own. A group is its organization's; its members are anybody's of the tenant."
)
class Group(Node):
    """A group; its members and balances are read when they are asked for."""

    group: strawberry.Private[domain.Group]

    name: str | None = strawberry.field(description="Name for people; null if none was given.")
    created_at: datetime = strawberry.field(description="When it was created.")

    @resolved("The id in the partner's own system; null if none was given. Null for members.")
    def external_id(self) -> str | None:
        """Return what the group has."""
        return self.group.external_id

    @resolved("The member who stands for the group; null for members, unless it is themselves.")
    def primary_member(self, info: Info) -> Member | None:
        """Name the member."""
        return find_visible_member(info.context, self.group.primary_member_id)

    @resolved(
        "Who is in it, newest member first. Null for members.", requires=[Scope.READ, Scope.MEMBER]
    )
    async def members(
        self,
        info: Info,
        first: First = None,
        after: After = None,
        last: Last = None,
        before: Before = None,
    ) -> PageConnection[Member] | None:
        """Load a page of members."""
        request = read_page_request(SET_MEMBER_CURSOR, first, after, last, before)
        return await load_set_members(info.context, MemberSet.GROUP, self.group.id, request)

    @resolved(
        "What the group can pay with, one entry for each asset it ever had, by asset id.",
        graphql_type=list[Balance] | None,
        requires=[Scope.READ, Scope.MEMBER],
    )
    def balances(self, info: Info) -> Awaitable[list[Balance]]:
        """Load the balances."""
        return load_balances(info.context.loaders, self.group.id, OwnerKind.GROUP)


@strawberry.input(one_of=True, description="One way to name a group.")
class GroupRef:
    """Exactly one of the fields is set."""

    id: strawberry.ID | None = strawberry.field(
        default=strawberry.UNSET, description="The gateway's own id: `grp_…`."
    )
    external_id: str | None = strawberry.field(
        default=strawberry.UNSET, description="The id in the partner's own system."
    )
    primary_member: MemberRef | None = strawberry.field(
        default=strawberry.UNSET, description="The member who stands for the group."
    )


def to_group(group: domain.Group) -> Group:
    """Return a group as its GraphQL type."""
    return Group(
        id=strawberry.ID(encode_id(IdKind.GROUP, group.id)),
        group=group,
        name=group.name,
        created_at=group.created_at,
    )


def to_group_reference(
    reference: GroupRef, path: tuple[str, ...], errors: list[FieldError]
) -> GroupReference:
    """Return how the caller names a group, adding the rules that are broken to `errors`; an id that is none names none."""
    if reference.id:
        return GroupReference(
            id=decode_id(IdKind.GROUP, reference.id), id_as_sent=str(reference.id)
        )
    if isinstance(reference.external_id, str):
        external_id = reference.external_id
        errors += check_text(external_id, (*path, "externalId"), EXTERNAL_ID_LENGTH_MAX)
        return GroupReference(external_id=external_id)
    if isinstance(reference.primary_member, MemberRef):
        member_path = (*path, "primaryMember")
        return GroupReference(
            primary_member=to_reference(reference.primary_member, member_path, errors)
        )
    return GroupReference()


async def load_group(context: Context, group_id: UUID) -> Group | None:
    """Return a group that the caller may see, or None."""
    (found,) = await load_group_nodes(context, [group_id])
    return found


async def load_group_nodes(context: Context, ids: Sequence[UUID]) -> list[Group | None]:
    """Return the groups that the caller may see, in the order of the ids: a partner those of the organizations it reaches, a member those they are in."""
    found = await context.loaders.using(_load_groups).load_many(ids)
    return [to_group(group) if group else None for group in found]


async def load_groups_of_member(context: Context, member_id: UUID) -> list[Group]:
    """Return the groups that a member is in, as far as the caller may see them; members of one list are read together."""
    found = await context.loaders.using(_load_of_members).load(member_id)
    return [to_group(group) for group in found or ()]


async def _load_groups(
    connection: Connection, loaders: Loaders, ids: Sequence[UUID]
) -> Mapping[UUID, domain.Group]:
    caller = loaders.caller
    if caller.member_id is None:
        return await fetch_groups(connection, caller.tenant_id, caller.organization_ids, ids)
    own = await fetch_groups_of_members(connection, caller.tenant_id, None, [caller.member_id])
    return {group.id: group for group in own[caller.member_id]}


async def _load_of_members(
    connection: Connection, loaders: Loaders, ids: Sequence[UUID]
) -> Mapping[UUID, list[domain.Group]]:
    caller = loaders.caller
    owner_ids = caller.organization_ids if is_partner(caller) else None
    return await fetch_groups_of_members(connection, caller.tenant_id, owner_ids, ids)
