"""Members: who they are, and what they have."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Annotated, NamedTuple, TypeAlias, TypeVar
from uuid import UUID

import strawberry

from gateway.access import Scope, authorize
from gateway.errors import FieldError, InvalidInput
from gateway.holding.model import HoldStatus
from gateway.ids import IdKind, decode_id, encode_id
from gateway.ledger.model import OwnerKind
from gateway.ledger.statement import Period
from gateway.members import model as domain
from gateway.members.identifiers import IdentifierKind
from gateway.members.standing.model import Link, StandingKind
from gateway.members.standing.store import fetch_links
from gateway.members.store import fetch_identifiers, fetch_members
from gateway.members.wallet_store import fetch_wallets
from gateway.storage.database import Connection
from gateway.storage.pages import ID_LOWEST
from resolvers.batches import then
from resolvers.context import Context, Info
from resolvers.fields import resolved
from resolvers.loaders import Loaders
from resolvers.node import Node
from resolvers.pages import PAGE_SIZE_MAX, After, Before, First, Last, read_page_request
from resolvers.pages import Connection as PageConnection
from resolvers.selection import selects
from resolvers.types.balance import Balance, load_balances, present_balances
from resolvers.types.entry_page import ENTRY_CURSOR, load_member_entries
from resolvers.types.expiration import Expiration, load_next_expirations
from resolvers.types.grant import Grant
from resolvers.types.grant_filter import GrantFilterArgument, to_grant_filter
from resolvers.types.grant_page import GRANT_CURSOR, load_member_grants
from resolvers.types.hold import HOLD_CURSOR, Hold, load_member_holds
from resolvers.types.identifier import MemberIdentifier, to_member_identifier
from resolvers.types.ledger_entry import LedgerEntry
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
_PROFILE = frozenset({"displayName", "createdAt"})
_BALANCES = frozenset({"balances", "balance"})

Value = TypeVar("Value")

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
    # Whether a wallet is being shown, so that one statement reads the member and the balances.
    has_wallet: strawberry.Private[bool] = False

    @resolved("Name for people; null if none was given.", graphql_type=str | None)
    def display_name(self, info: Info) -> Awaitable[str | None]:
        """Load the member."""
        return self._load(info, lambda member: member.display_name)

    @resolved("When the gateway first knew the member.", graphql_type=datetime)
    def created_at(self, info: Info) -> Awaitable[datetime]:
        """Load the member."""
        return self._load(info, lambda member: member.created_at)

    @resolved("The id in the partner's own system; null if none is linked.")
    async def external_id(self, info: Info) -> str | None:
        """Return the first identifier of that type."""
        for identifier in await self._load_identifiers(info):
            if identifier.kind is IdentifierKind.EXTERNAL_ID:
                return identifier.value
        return None

    @resolved("Every identifier that names the member, oldest first.")
    async def identifiers(self, info: Info) -> list[MemberIdentifier]:
        """Load the identifiers."""
        return [to_member_identifier(found) for found in await self._load_identifiers(info)]

    @resolved(
        "What the member has, one entry for each asset they ever had, by asset id.",
        graphql_type=list[Balance],
    )
    def balances(self, info: Info, as_of: AsOf = None) -> Awaitable[list[Balance]]:
        """Load the balances."""
        return self._load_balances(info, as_of)

    @resolved("What the member has of one asset; null if they never had any.")
    async def balance(
        self,
        info: Info,
        asset_id: Annotated[strawberry.ID, strawberry.argument(description="The asset's GUID.")],
        as_of: AsOf = None,
    ) -> Balance | None:
        """Load the balances and choose one."""
        wanted = decode_id(IdKind.ASSET, asset_id)
        for balance in await self._load_balances(info, as_of):
            if balance.counted.id == wanted:
                return balance
        return None

    @resolved("What of the member's balances expires next, the soonest first.")
    async def next_expirations(
        self,
        info: Info,
        asset_id: Annotated[
            strawberry.ID | None, strawberry.argument(description="Of one asset only: its GUID.")
        ] = None,
        first: Annotated[
            int, strawberry.argument(description="How many times at most: 1 to 100.")
        ] = EXPIRATIONS_DEFAULT,
    ) -> list[Expiration]:
        """Load the expirations."""
        _authorize_reading(info)
        if not 1 <= first <= PAGE_SIZE_MAX:
            message = f"first must be from 1 to {PAGE_SIZE_MAX}; it is {first}."
            raise InvalidInput([FieldError(("first",), "range", message)])
        wanted = None if asset_id is None else decode_id(IdKind.ASSET, asset_id) or ID_LOWEST
        loader = info.context.loaders.using(load_next_expirations, wanted, first)
        found = await loader.load(self.member_id) or []
        info.context.spend_rows(len(found))
        return found

    @resolved("What the member was granted, newest first.", graphql_type=PageConnection[Grant])
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
        _authorize_reading(info)
        request = read_page_request(GRANT_CURSOR, first, after, last, before)
        return load_member_grants(info, self.member_id, to_grant_filter(filter), request)

    @resolved("The member's statement, newest first: every change of a balance.")
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
    ) -> PageConnection[LedgerEntry]:
        """Load a page of entries."""
        _authorize_reading(info)
        request = read_page_request(ENTRY_CURSOR, first, after, last, before)
        wanted = None if asset_id is None else decode_id(IdKind.ASSET, asset_id) or ID_LOWEST
        period = Period(occurred_after, occurred_before)
        return await load_member_entries(info.context, self.member_id, wanted, request, period)

    @resolved("Messages to the member, newest first.")
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
    ) -> PageConnection[Notification]:
        """Load a page of notifications."""
        _authorize_reading(info)
        request = read_page_request(NOTIFICATION_CURSOR, first, after, last, before)
        return await load_member_notifications(
            info.context, self.member_id, request, only_unread=unread
        )

    @resolved("What is or was reserved of the member's balances by partners, newest first.")
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
    ) -> PageConnection[Hold]:
        """Load a page of holds."""
        _authorize_reading(info)
        request = read_page_request(HOLD_CURSOR, first, after, last, before)
        statuses = None if status is None else tuple(status)
        return await load_member_holds(info.context, self.member_id, statuses, request)

    @resolved("The member's cards, oldest first. With cards, one of them has to be active.")
    async def cards(self, info: Info) -> list[MemberCard]:
        """Load the cards."""
        _authorize_reading(info)
        links = await info.context.loaders.using(_fetch_links, StandingKind.CARD).load(
            self.member_id
        )
        return [to_card(link) for link in links or ()]

    @resolved("The member's labels, oldest first. With labels, one of them has to be active.")
    async def labels(self, info: Info) -> list[MemberLabel]:
        """Load the labels."""
        _authorize_reading(info)
        links = await info.context.loaders.using(_fetch_links, StandingKind.LABEL).load(
            self.member_id
        )
        return [to_label(link) for link in links or ()]

    @resolved("The groups that the member is in, oldest first.")
    async def groups(
        self, info: Info
    ) -> list[Annotated[Group, strawberry.lazy("resolvers.types.group")]]:
        """Load the groups."""
        # Members have groups and groups have members: one of the two has to look the other up late.
        from resolvers.types.group import load_groups_of_member  # noqa: PLC0415 - see above

        _authorize_reading(info)
        return await load_groups_of_member(info.context, self.member_id)

    @resolved("The organisation's segments that the member is in, oldest first. Not for members.")
    async def segments(
        self, info: Info
    ) -> list[Annotated[Segment, strawberry.lazy("resolvers.types.segment")]]:
        """Load the segments."""
        from resolvers.types.segment import load_segments_of_member  # noqa: PLC0415 - as for groups

        authorize(info.context.caller, Scope.READ)
        return await load_segments_of_member(info.context, self.member_id)

    def _load(self, info: Info, show: Callable[[domain.Member], Value]) -> asyncio.Future[Value]:
        authorize(info.context.caller, Scope.READ, Scope.MEMBER, Scope.MEMBERS)
        loaders = info.context.loaders
        if self.has_wallet:
            found = loaders.using(_load_wallets).load(self.member_id)
            return then(found, lambda wallet: show(_existing(wallet).member))
        return then(
            loaders.using(_fetch_members).load(self.member_id),
            lambda member: show(_existing(member)),
        )

    async def _load_identifiers(self, info: Info) -> Sequence[domain.Identifier]:
        authorize(info.context.caller, Scope.READ, Scope.MEMBER, Scope.MEMBERS)
        return await info.context.loaders.using(_fetch_identifiers).load(self.member_id) or ()

    def _load_balances(self, info: Info, as_of: datetime | None) -> asyncio.Future[list[Balance]]:
        _authorize_reading(info)
        if self.has_wallet and as_of is None:
            found = info.context.loaders.using(_load_wallets).load(self.member_id)
            return then(found, lambda wallet: _existing(wallet).balances)
        loader = info.context.loaders.using(load_balances, OwnerKind.MEMBER, as_of)
        return then(loader.load(self.member_id), _existing)


class _ShownWallet(NamedTuple):
    """A member and their balances, read together."""

    member: domain.Member
    balances: list[Balance]


def to_selected_member(info: Info, member_id: UUID) -> Member:
    """Return the member whom a query asks for; what it selects decides how many statements read it."""
    member = to_member(member_id)
    member.has_wallet = selects(info, _PROFILE) and selects(info, _BALANCES)
    return member


def to_member(member_id: UUID) -> Member:
    """Return the member of an id that is known to exist and to be visible to the caller."""
    public_id = strawberry.ID(encode_id(IdKind.MEMBER, member_id))
    return Member(id=public_id, member_id=member_id)


async def load_member_nodes(context: Context, ids: Sequence[UUID]) -> list[Member | None]:
    """Return the members whom the caller may see, in the order of the ids; one statement."""
    found = await context.loaders.using(_fetch_members).load_many(ids)
    return [to_member(member.id) if member else None for member in found]


def can_see_member(context: Context, member_id: UUID) -> bool:
    """Tell whether the caller may see a member of its tenant: a partner everybody, a member themselves."""
    return context.caller.member_id in {None, member_id}


def _existing(value: Value | None) -> Value:
    assert value is not None  # noqa: S101 - members are never deleted
    return value


def _authorize_reading(info: Info) -> None:
    # A payload's grant leads to its member: what that has is for those who may read.
    authorize(info.context.caller, Scope.READ, Scope.MEMBER)


async def _fetch_members(
    connection: Connection, loaders: Loaders, ids: Sequence[UUID]
) -> Mapping[UUID, domain.Member]:
    caller = loaders.caller
    # One's own or nobody: the rule of can_see_member, for ids that come from outside.
    visible = [id for id in ids if caller.member_id in {None, id}]
    return await fetch_members(connection, caller.tenant_id, visible) if visible else {}


async def _load_wallets(
    connection: Connection, loaders: Loaders, ids: Sequence[UUID]
) -> Mapping[UUID, _ShownWallet]:
    wallets = await fetch_wallets(connection, loaders.caller.tenant_id, ids)
    balances = await present_balances(
        connection, loaders, {id: wallet.balances for id, wallet in wallets.items()}
    )
    return {id: _ShownWallet(wallet.member, balances[id]) for id, wallet in wallets.items()}


async def _fetch_links(
    connection: Connection, loaders: Loaders, ids: Sequence[UUID], kind: StandingKind
) -> Mapping[UUID, Sequence[Link]]:
    return await fetch_links(connection, loaders.caller.tenant_id, kind, ids)


async def _fetch_identifiers(
    connection: Connection, loaders: Loaders, ids: Sequence[UUID]
) -> Mapping[UUID, Sequence[domain.Identifier]]:
    return await fetch_identifiers(connection, loaders.caller.tenant_id, ids)
