"""Who pays for each item: the member, or the group that the call or the item's organization names (CAP-12)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from uuid import UUID

from gateway.errors import NotFound
from gateway.issuing.reach import Reach
from gateway.issuing.scope import Terms
from gateway.ledger.model import Account, OwnerKind
from gateway.members.groups.model import GroupReference
from gateway.members.groups.store import find_groups, search_order
from gateway.storage.database import Connection


@dataclass(frozen=True, slots=True)
class Payers:
    """The groups of one call, by how they were named. An item that names none is paid by the member."""

    member_id: UUID
    groups: Mapping[GroupReference, UUID]
    _accounts: dict[tuple[UUID | None, UUID], Account] = field(default_factory=dict)

    def group_of(self, terms: Terms) -> UUID | None:
        """Return the group that redeems an item, if one does."""
        return None if terms.group is None else self.groups[terms.group]

    def account_of(self, terms: Terms, asset_id: UUID) -> Account:
        """Return the account of an asset that an item is paid from; made once for all items that are paid from it."""
        group_id = self.group_of(terms)
        known = self._accounts.get((group_id, asset_id))
        if known is None:
            known = (
                Account(asset_id, OwnerKind.MEMBER, self.member_id)
                if group_id is None
                else Account(asset_id, OwnerKind.GROUP, group_id)
            )
            self._accounts[group_id, asset_id] = known
        return known


async def find_payers(
    connection: Connection, tenant_id: UUID, reach: Reach, member_id: UUID
) -> Payers:
    """Find the groups that the call names, of the caller's organization or one in the call's scope (CAP-12, CAP-13).

    Round trips: one, two if a primary member names one, none without groups.

    Raises:
        NotFound: a group does not exist, or the member is not in it: the two look the same.
    """
    named: dict[GroupReference, tuple[str, ...]] = {}
    for terms in reach.terms:
        if terms.group is not None:
            named.setdefault(terms.group, terms.group_path)
    if not named:
        return Payers(member_id, {})
    owners = search_order(reach.home_id, reach.organization_ids)
    found = await find_groups(connection, tenant_id, owners, list(named), member_id)
    for group, path in named.items():
        if group not in found:
            raise NotFound("The member is in no such group.", path)
    return Payers(member_id, {name: group.id for name, group in found.items()})
