"""Members: who they are, and what they have."""

from __future__ import annotations

from collections.abc import Awaitable, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Annotated, TypeAlias
from uuid import UUID

import strawberry

from gateway.access import Scope
from gateway.errors import FieldError, InvalidInput
from gateway.holding.model import HoldStatus
from gateway.ids import IdKind, decode_id, encode_id
from gateway.ledger.statement import Period
from gateway.members.identifiers import IdentifierKind
from gateway.members.standing.model import StandingKind
from gateway.storage.pages import ID_LOWEST
from gateway.visibility import can_see_member
from resolvers.context import Context, Info
from resolvers.fields import resolved
from resolvers.node import Node
from resolvers.pages import PAGE_SIZE_MAX, After, Before, First, Last, read_page_request
from resolvers.pages import Connection as PageConnection
from resolvers.types.balance import Balance
from resolvers.types.entry_page import ENTRY_CURSOR, load_member_entries
from resolvers.types.expiration import Expiration, load_next_expirations
from resolvers.types.grant import Grant
from resolvers.types.grant_filter import GrantFilterArgument, to_grant_filter
from resolvers.types.grant_page import GRANT_CURSOR, load_member_grants
from resolvers.types.hold import HOLD_CURSOR, Hold, load_member_holds
from resolvers.types.identifier import MemberIdentifier, to_member_identifier
from resolvers.types.ledger_entry import LedgerEntry
from resolvers.types.member_reads import (
    WalletShape,
    choose_wallet_shape,
    load_created_at,
    load_display_name,
    load_identifiers,
    load_links,
    load_member_balances,
    load_members,
)
from resolvers.types.notification import (
    NOTIFICATION_CURSOR,
    Notification,
    load_member_notifications,
)
from resolvers.types.standing import MemberCard, MemberLabel, to_card, to_label

if TYPE_CHECKING:
    from resolvers.types.group import Group
    from resolvers.types.segment import Segment

EXPIRATIONS_DEFAULT = 20

AsOf: TypeAlias = Annotated[
    datetime | None,
    strawberry.argument(
        description="As it was at this time, with everything up to that moment; now if left out."
    ),
]


@strawberry.type(description="A person who receives rewards, anywhere in the tenant.")
class Member(Node):
    """A member. Only the id is known at first: each other field is read when it is asked for, for many members at once."""

    member_id: strawberry.Private[UUID]
    # How a wallet is read that is being shown: the member and the balances in one statement.
    wallet: strawberry.Private[WalletShape | None] = None

    @resolved(
        "Name for people; null if none was given.",
        graphql_type=str | None,
        requires=[Scope.READ, Scope.MEMBER, Scope.MEMBERS],
    )
    def display_name(self, info: Info) -> Awaitable[str | None]:
        """Load the member."""
        return load_display_name(info, self.member_id, self.wallet)

    @resolved(
        "When the gateway first knew the member.",
        graphql_type=datetime,
        requires=[Scope.READ, Scope.MEMBER, Scope.MEMBERS],
    )
    def created_at(self, info: Info) -> Awaitable[datetime]:
        """Load the member."""
        return load_created_at(info, self.member_id, self.wallet)

    @resolved(
        "The id in the partner's own system; null if none is linked.",
        requires=[Scope.READ, Scope.MEMBER, Scope.MEMBERS],
    )
    async def external_id(self, info: Info) -> str | None:
        """Return the first identifier of that type."""
        for identifier in await load_identifiers(info, self.member_id):
            if identifier.kind is IdentifierKind.EXTERNAL_ID:
                return identifier.value
        return None

    @resolved(
        "Every identifier that names the member, oldest first.",
        requires=[Scope.READ, Scope.MEMBER, Scope.MEMBERS],
    )
    async def identifiers(self, info: Info) -> list[MemberIdentifier] | None:
        """Load the identifiers."""
        return [
            to_member_identifier(found) for found in await load_identifiers(info, self.member_id)
        ]

    @resolved(
        "What the member has, one entry for each asset they ever had, by asset id.",
        graphql_type=list[Balance] | None,
        requires=[Scope.READ, Scope.MEMBER],
    )
    def balances(self, info: Info, as_of: AsOf = None) -> Awaitable[list[Balance]]:
        """Load the balances."""
        return load_member_balances(info, self.member_id, self.wallet, as_of)

    @resolved(
        "What the member has of one asset; null if they never had any.",
        requires=[Scope.READ, Scope.MEMBER],
    )
    async def balance(
        self,
        info: Info,
        asset_id: Annotated[strawberry.ID, strawberry.argument(description="The asset's GUID.")],
        as_of: AsOf = None,
    ) -> Balance | None:
        """Load the balances and choose one."""
        wanted = decode_id(IdKind.ASSET, asset_id)
        for balance in await load_member_balances(info, self.member_id, self.wallet, as_of):
            if balance.counted.id == wanted:
                return balance
        return None

    @resolved(
        "What of the member's balances expires next, the soonest first.",
        requires=[Scope.READ, Scope.MEMBER],
    )
    async def next_expirations(
        self,
        info: Info,
        asset_id: Annotated[
            strawberry.ID | None, strawberry.argument(description="Of one asset only: its GUID.")
        ] = None,
        first: Annotated[
            int, strawberry.argument(description="How many times at most: 1 to 100.")
        ] = EXPIRATIONS_DEFAULT,
    ) -> list[Expiration] | None:
        """Load the expirations."""
        if not 1 <= first <= PAGE_SIZE_MAX:
            message = f"first must be from 1 to {PAGE_SIZE_MAX}; it is {first}."
            raise InvalidInput([FieldError(("first",), "range", message)])
        wanted = None if asset_id is None else decode_id(IdKind.ASSET, asset_id) or ID_LOWEST
        loader = info.context.loaders.using(load_next_expirations, wanted, first)
        found = await loader.load(self.member_id) or []
        info.context.spend_rows(len(found))
        return found

    @resolved(
        "What the member was granted, newest first.",
        graphql_type=PageConnection[Grant] | None,
        requires=[Scope.READ, Scope.MEMBER],
    )
    def grants(
        self,
        info: Info,
        filter: GrantFilterArgument = None,
        first: First = None,
        after: After = None,
        last: Last = None,
        before: Before = None,
    ) -> Awaitable[PageConnection[Grant]]:
        """Load a page of grants."""
        request = read_page_request(GRANT_CURSOR, first, after, last, before)
        return load_member_grants(info, self.member_id, to_grant_filter(info, filter), request)

    @resolved(
        "The member's statement, newest first: every change of a balance.",
        requires=[Scope.READ, Scope.MEMBER],
    )
    async def ledger_entries(
        self,
        info: Info,
        asset_id: Annotated[
            strawberry.ID | None,
            strawberry.argument(description="Of one asset only; in the order of posting then."),
        ] = None,
        occurred_after: Annotated[
            datetime | None, strawberry.argument(description="Posted at this time or later.")
        ] = None,
        occurred_before: Annotated[
            datetime | None, strawberry.argument(description="Posted before this time.")
        ] = None,
        first: First = None,
        after: After = None,
        last: Last = None,
        before: Before = None,
    ) -> PageConnection[LedgerEntry] | None:
        """Load a page of entries."""
        request = read_page_request(ENTRY_CURSOR, first, after, last, before)
        wanted = None if asset_id is None else decode_id(IdKind.ASSET, asset_id) or ID_LOWEST
        period = Period(occurred_after, occurred_before)
        return await load_member_entries(info.context, self.member_id, wanted, request, period)

    @resolved("Messages to the member, newest first.", requires=[Scope.READ, Scope.MEMBER])
    async def notifications(
        self,
        info: Info,
        unread: Annotated[
            bool, strawberry.argument(description="Only those that the member has not read.")
        ] = False,
        first: First = None,
        after: After = None,
        last: Last = None,
        before: Before = None,
    ) -> PageConnection[Notification] | None:
        """Load a page of notifications."""
        request = read_page_request(NOTIFICATION_CURSOR, first, after, last, before)
        return await load_member_notifications(
            info.context, self.member_id, request, only_unread=unread
        )

    @resolved(
        "What is or was reserved of the member's balances by partners, newest first.",
        requires=[Scope.READ, Scope.MEMBER],
    )
    async def holds(
        self,
        info: Info,
        status: Annotated[
            list[HoldStatus] | None, strawberry.argument(description="In any of these states.")
        ] = None,
        first: First = None,
        after: After = None,
        last: Last = None,
        before: Before = None,
    ) -> PageConnection[Hold] | None:
        """Load a page of holds."""
        request = read_page_request(HOLD_CURSOR, first, after, last, before)
        statuses = None if status is None else tuple(status)
        return await load_member_holds(info.context, self.member_id, statuses, request)

    @resolved(
        "The member's cards, oldest first. With cards, one of them has to be active.",
        requires=[Scope.READ, Scope.MEMBER],
    )
    async def cards(self, info: Info) -> list[MemberCard] | None:
        """Load the cards."""
        links = await load_links(info, self.member_id, StandingKind.CARD)
        return [to_card(link) for link in links]

    @resolved(
        "The member's labels, oldest first. With labels, one of them has to be active. Null for members.",
        requires=[Scope.READ, Scope.MEMBER],
    )
    async def labels(self, info: Info) -> list[MemberLabel] | None:
        """Load the labels."""
        links = await load_links(info, self.member_id, StandingKind.LABEL)
        return [to_label(link) for link in links]

    @resolved(
        "The groups that the member is in, oldest first.", requires=[Scope.READ, Scope.MEMBER]
    )
    async def groups(
        self, info: Info
    ) -> list[Annotated[Group, strawberry.lazy("resolvers.types.group")]] | None:
        """Load the groups."""
        # Members have groups and groups have members: one of the two has to look the other up late.
        from resolvers.types.group import load_groups_of_member  # noqa: PLC0415 - see above

        return await load_groups_of_member(info.context, self.member_id)

    @resolved(
        "The organization's segments that the member is in, oldest first. Null for members.",
        requires=[Scope.READ, Scope.MEMBER],
    )
    async def segments(
        self, info: Info
    ) -> list[Annotated[Segment, strawberry.lazy("resolvers.types.segment")]] | None:
        """Load the segments."""
        from resolvers.types.segment import load_segments_of_member  # noqa: PLC0415 - as for groups

        return await load_segments_of_member(info.context, self.member_id)


def to_selected_member(info: Info, member_id: UUID) -> Member:
    """Return the member whom a query asks for; what it selects decides how many statements read it."""
    member = to_member(info.context, member_id)
    member.wallet = choose_wallet_shape(info)
    return member


def to_member(context: Context, member_id: UUID) -> Member:
    """Return the member of an id that is known to exist; the caller sees whatever led to it, so that it sees the member too.

    Raises:
        AssertionError: it does not. What cannot be is not shown.
    """
    member = find_visible_member(context, member_id)
    assert member is not None  # noqa: S101 - see above
    return member


def find_visible_member(context: Context, member_id: UUID) -> Member | None:
    """Return the member of an id that is known to exist, or None if the caller may not see them."""
    if not can_see_member(context.caller, member_id):
        return None
    public_id = strawberry.ID(encode_id(IdKind.MEMBER, member_id))
    return Member(id=public_id, member_id=member_id)


async def load_member_nodes(context: Context, ids: Sequence[UUID]) -> list[Member | None]:
    """Return the members whom the caller may see, in the order of the ids; one statement."""
    found = [await promise for promise in load_members(context, ids)]
    return [find_visible_member(context, member.id) if member else None for member in found]
