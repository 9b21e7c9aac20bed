"""Which organization each item is of, whether the caller reaches it, and what applies to its items. Pure (CAP-13)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from gateway.access import Caller
from gateway.errors import OutOfReach
from gateway.issuing.model import IssueCommand, IssueItem
from gateway.issuing.scope import DataScope, Terms
from gateway.tenants.model import OrganizationReference

_GROUP_PATH: tuple[str, ...] = ("input", "group")


@dataclass(frozen=True, slots=True)
class Reach:
    """The organizations of one call, each of which the caller reaches, and what applies to each item, in the order sent."""

    command: IssueCommand
    home_id: UUID
    organization_ids: frozenset[UUID]
    terms: Sequence[Terms]

    @property
    def till_organization_ids(self) -> frozenset[UUID]:
        """Return the organizations whose tills the call may be made at: the caller's own, and those in the call's scope."""
        return self.organization_ids | {self.home_id}


def organization_of(item: IssueItem, home_id: UUID) -> UUID:
    """Return the organization whose reward an item issues: the caller's own, unless it names one."""
    named = item.organization.id if item.organization else None
    return named or home_id


def resolve_reach(caller: Caller, command: IssueCommand) -> Reach:
    """Return the call's organizations.

    Raises:
        OutOfReach: the call lists or names an organization that the credential's record, or the scope it asked for, leaves
            out. An id that names nothing is answered alike.
    """
    reachable = caller.reach | {caller.organization_id}
    if command.data_scope is DataScope.SELF:
        allowed = frozenset({caller.organization_id})
    else:
        for index, organization in enumerate(command.organizations):
            _require(organization, reachable, ("input", "dataScopeOrgIds", str(index)))
        allowed = frozenset(one.id for one in command.organizations if one.id is not None)
    for index, item in enumerate(command.items):
        if item.organization is not None:
            _require(item.organization, allowed, ("input", "rewards", str(index), "orgId"))
    for index, details in enumerate(command.organization_details):
        path = ("input", "orgLevelDetails", str(index), "orgId")
        _require(details.organization, allowed, path)
    return Reach(command, caller.organization_id, allowed, _find_terms(command, caller))


def _find_terms(command: IssueCommand, caller: Caller) -> list[Terms]:
    """Return what applies to each item; its own parameters come before its organization's."""
    home_id = caller.organization_id
    if not command.organization_details:
        # Most calls say nothing of organizations, and most items name none and have no parameters.
        usual = Terms(home_id, command.group, _GROUP_PATH, None, None)
        return [
            usual
            if item.organization is None and item.params is None
            else Terms(
                organization_of(item, home_id), command.group, _GROUP_PATH, None, item.params
            )
            for item in command.items
        ]
    named = {
        details.organization.id: (index, details)
        for index, details in reversed([*enumerate(command.organization_details)])
    }
    terms = []
    for item in command.items:
        organization_id = organization_of(item, home_id)
        index, details = named.get(organization_id, (0, None))
        group, group_path = command.group, _GROUP_PATH
        if details is not None and details.group is not None:
            group, group_path = details.group, ("input", "orgLevelDetails", str(index), "group")
        params = item.params
        if params is None and details is not None:
            params = details.params
        notes = details.notes if details else None
        terms.append(Terms(organization_id, group, group_path, notes, params))
    return terms


def _require(
    organization: OrganizationReference, allowed: frozenset[UUID], path: tuple[str, ...]
) -> None:
    if organization.id not in allowed:
        message = (
            "The credential, or the data scope of this call, does not reach this organization."
        )
        raise OutOfReach(message, path)
