"""Which organisation each item is of, whether the caller reaches it, and what applies to its items. Pure (CAP-13)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from gateway.access import Caller
from gateway.errors import OutOfReach
from gateway.issuing.model import IssueCommand, IssueItem
from gateway.issuing.scope import DataScope, OrganisationReference, Terms

_GROUP_PATH: tuple[str, ...] = ("input", "group")


@dataclass(frozen=True, slots=True)
class Reach:
    """The organisations of one call, each of which the caller reaches, and what applies to each item, in the order sent."""

    command: IssueCommand
    home_id: UUID
    organisation_ids: frozenset[UUID]
    terms: Sequence[Terms]


def organisation_of(item: IssueItem, home_id: UUID) -> UUID:
    """Return the organisation whose reward an item issues: the caller's own, unless it names one."""
    named = item.organisation.id if item.organisation else None
    return named or home_id


def resolve_reach(caller: Caller, command: IssueCommand) -> Reach:
    """Return the call's organisations.

    Raises:
        OutOfReach: the call lists or names an organisation that the credential's record, or the scope it asked for, leaves
            out. An id that names nothing is answered alike.
    """
    reachable = caller.reach | {caller.organisation_id}
    if command.data_scope is DataScope.SELF:
        allowed = frozenset({caller.organisation_id})
    else:
        for index, organisation in enumerate(command.organisations):
            _require(organisation, reachable, ("input", "dataScopeOrgIds", str(index)))
        allowed = frozenset(one.id for one in command.organisations if one.id is not None)
    for index, item in enumerate(command.items):
        if item.organisation is not None:
            _require(item.organisation, allowed, ("input", "rewards", str(index), "orgId"))
    for index, details in enumerate(command.organisation_details):
        path = ("input", "orgLevelDetails", str(index), "orgId")
        _require(details.organisation, allowed, path)
    return Reach(command, caller.organisation_id, allowed, _find_terms(command, caller))


def _find_terms(command: IssueCommand, caller: Caller) -> list[Terms]:
    """Return what applies to each item; its own parameters come before its organisation's."""
    home_id = caller.organisation_id
    if not command.organisation_details:
        # Most calls say nothing of organisations, and most items name none and have no parameters.
        usual = Terms(home_id, command.group, _GROUP_PATH, None, None)
        return [
            usual
            if item.organisation is None and item.params is None
            else Terms(
                organisation_of(item, home_id), command.group, _GROUP_PATH, None, item.params
            )
            for item in command.items
        ]
    named = {
        details.organisation.id: (index, details)
        for index, details in reversed([*enumerate(command.organisation_details)])
    }
    terms = []
    for item in command.items:
        organisation_id = organisation_of(item, home_id)
        index, details = named.get(organisation_id, (0, None))
        group, group_path = command.group, _GROUP_PATH
        if details is not None and details.group is not None:
            group, group_path = details.group, ("input", "orgLevelDetails", str(index), "group")
        params = item.params
        if params is None and details is not None:
            params = details.params
        notes = details.notes if details else None
        terms.append(Terms(organisation_id, group, group_path, notes, params))
    return terms


def _require(
    organisation: OrganisationReference, allowed: frozenset[UUID], path: tuple[str, ...]
) -> None:
    if organisation.id not in allowed:
        message = (
            "The credential, or the data scope of this call, does not reach this organisation."
        )
        raise OutOfReach(message, path)
