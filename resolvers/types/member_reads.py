"""What members' fields load: profile, balances, identifiers, cards and labels, each for many members at once."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import NamedTuple, TypeVar
from uuid import UUID

from gateway.ledger.model import OwnerKind
from gateway.members import model as domain
from gateway.members.standing.model import Link, StandingKind
from gateway.members.standing.store import fetch_links
from gateway.members.store import ask_members, fetch_identifiers
from gateway.members.wallet_store import Wallet, ask_wallets
from gateway.promises import Promise
from gateway.storage.database import Connection
from gateway.storage.union_store import Question
from gateway.visibility import visible_members
from resolvers.context import Context, Info
from resolvers.loaders import Loaders
from resolvers.selection import selected_names
from resolvers.types.balance import Balance, load_balances, present_balances

_PROFILE = frozenset({"displayName", "createdAt"})
_BALANCES = frozenset({"balances", "balance"})
_TIMES = frozenset({"createdAt", "updatedAt"})

Value = TypeVar("Value")


class WalletShape(NamedTuple):
    """Which of a wallet's columns are read when one statement reads the member and the balances."""

    has_times: bool


def choose_wallet_shape(info: Info) -> WalletShape | None:
    """Return how a selected member is read: None if it is no wallet, so that what is asked for is read for itself."""
    names = selected_names(info)
    if names.isdisjoint(_PROFILE) or names.isdisjoint(_BALANCES):
        return None
    return WalletShape(has_times=not names.isdisjoint(_TIMES))


def load_display_name(
    info: Info, member_id: UUID, shape: WalletShape | None
) -> Promise[str | None]:
    """Return what becomes a member's name."""
    found = _load_profile(info, member_id, shape)
    return found.then(lambda profile: existing(profile).display_name)


def load_created_at(info: Info, member_id: UUID, shape: WalletShape | None) -> Promise[datetime]:
    """Return what becomes the time at which the gateway first knew a member."""
    found = _load_profile(info, member_id, shape)
    # A wallet has it, since it was selected.
    return found.then(lambda profile: existing(existing(profile).created_at))


def load_member_balances(
    info: Info, member_id: UUID, shape: WalletShape | None, as_of: datetime | None
) -> Promise[list[Balance]]:
    """Return what becomes a member's balances, now or at a past time."""
    loaders = info.context.loaders
    if shape is None or as_of is not None:
        return load_balances(loaders, member_id, OwnerKind.MEMBER, as_of)
    found = loaders.asking(_ask_wallets, shape).load(member_id)
    return found.then(lambda wallet: present_balances(loaders, existing(wallet).balances))


def load_members(context: Context, ids: Sequence[UUID]) -> list[Promise[domain.Member | None]]:
    """Return what become the members of these ids, in order: None for whom the caller may not see."""
    loader = context.loaders.asking(_ask_members)
    return [loader.load(id) for id in ids]


async def load_identifiers(info: Info, member_id: UUID) -> Sequence[domain.Identifier]:
    """Return a member's identifiers, oldest first."""
    return await info.context.loaders.using(_fetch_identifiers).load(member_id) or ()


async def load_links(info: Info, member_id: UUID, kind: StandingKind) -> Sequence[Link]:
    """Return a member's cards or labels, oldest first."""
    return await info.context.loaders.using(_fetch_links, kind).load(member_id) or ()


def existing(value: Value | None) -> Value:
    """Return what belongs to a member who is known to exist: members are never deleted."""
    assert value is not None  # noqa: S101 - see above
    return value


def _load_profile(
    info: Info, member_id: UUID, shape: WalletShape | None
) -> Promise[Wallet | None] | Promise[domain.Member | None]:
    loaders = info.context.loaders
    if shape is None:
        return loaders.asking(_ask_members).load(member_id)
    return loaders.asking(_ask_wallets, shape).load(member_id)


def _ask_members(loaders: Loaders, ids: Sequence[UUID]) -> Question[dict[UUID, domain.Member]]:
    caller = loaders.caller
    # Ids come from outside.
    return ask_members(caller.tenant_id, visible_members(caller, ids))


def _ask_wallets(
    loaders: Loaders, ids: Sequence[UUID], shape: WalletShape
) -> Question[dict[UUID, Wallet]]:
    return ask_wallets(
        loaders.caller.tenant_id, ids, has_times=shape.has_times, scope=loaders.asset_scope
    )


async def _fetch_links(
    connection: Connection, loaders: Loaders, ids: Sequence[UUID], kind: StandingKind
) -> Mapping[UUID, Sequence[Link]]:
    return await fetch_links(connection, loaders.caller.tenant_id, kind, ids)


async def _fetch_identifiers(
    connection: Connection, loaders: Loaders, ids: Sequence[UUID]
) -> Mapping[UUID, Sequence[domain.Identifier]]:
    return await fetch_identifiers(connection, loaders.caller.tenant_id, ids)
