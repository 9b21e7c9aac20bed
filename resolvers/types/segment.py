"""Segments: sets of members that rewards can be reserved for (CAP-10)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from uuid import UUID

import strawberry

from gateway.access import Scope
from gateway.ids import IdKind, encode_id
from gateway.members.membership.model import MemberSet
from gateway.members.segments import model as domain
from gateway.members.segments.store import (
    fetch_segments,
    fetch_segments_of_members,
    fetch_segments_of_rewards,
)
from gateway.storage.database import Connection
from gateway.visibility import is_partner
from resolvers.context import Context, Info
from resolvers.fields import resolved
from resolvers.loaders import Loaders
from resolvers.node import Node
from resolvers.pages import After, Before, First, Last, read_page_request
from resolvers.pages import Connection as PageConnection
from resolvers.types.member import Member
from resolvers.types.member_set import SET_MEMBER_CURSOR, load_set_members


@strawberry.type(
    description="A set of members that the organization's rewards can be reserved for."
)
class Segment(Node):
    """A named set; its members are read when they are asked for."""

    segment: strawberry.Private[domain.Segment]

    name: str = strawberry.field(description="Name for people, unique in the organization.")
    created_at: datetime = strawberry.field(description="When it was created.")

    @resolved("Who is in it, newest member first.", requires=[Scope.READ])
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
        return await load_set_members(info.context, MemberSet.SEGMENT, self.segment.id, request)


def to_segment(segment: domain.Segment) -> Segment:
    """Return a segment as its GraphQL type."""
    return Segment(
        id=strawberry.ID(encode_id(IdKind.SEGMENT, segment.id)),
        segment=segment,
        name=segment.name,
        created_at=segment.created_at,
    )


async def load_segment_nodes(context: Context, ids: Sequence[UUID]) -> Sequence[Node | None]:
    """Return the organization's segments, in the order of the ids; members see none."""
    if not is_partner(context.caller):
        return [None] * len(ids)
    found = await context.loaders.using(_load_segments).load_many(ids)
    return [to_segment(segment) if segment else None for segment in found]


async def load_segments_of_member(context: Context, member_id: UUID) -> list[Segment]:
    """Return the organization's segments that a member is in; members of one list are read together."""
    found = await context.loaders.using(_load_of_members).load(member_id)
    return [to_segment(segment) for segment in found or ()]


async def load_segments_of_reward(context: Context, reward_id: UUID) -> list[Segment]:
    """Return the segments that a reward is reserved for; rewards of one list are read together."""
    found = await context.loaders.using(_load_of_rewards).load(reward_id)
    return [to_segment(segment) for segment in found or ()]


async def _load_segments(
    connection: Connection, loaders: Loaders, ids: Sequence[UUID]
) -> Mapping[UUID, domain.Segment]:
    caller = loaders.caller
    return await fetch_segments(connection, caller.tenant_id, caller.organization_id, ids)


async def _load_of_members(
    connection: Connection, loaders: Loaders, ids: Sequence[UUID]
) -> Mapping[UUID, list[domain.Segment]]:
    caller = loaders.caller
    scope = (caller.tenant_id, caller.organization_id)
    return await fetch_segments_of_members(connection, *scope, ids)


async def _load_of_rewards(
    connection: Connection, loaders: Loaders, ids: Sequence[UUID]
) -> Mapping[UUID, list[domain.Segment]]:
    caller = loaders.caller
    scope = (caller.tenant_id, caller.organization_id)
    return await fetch_segments_of_rewards(connection, *scope, ids)
