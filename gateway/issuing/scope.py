"""Which organizations a call is about, as its caller wrote it, and what applies to the items of each (CAP-13)."""

from __future__ import annotations

import enum
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from gateway.errors import FieldError
from gateway.members.groups.model import GroupReference
from gateway.tenants.model import OrganizationReference
from gateway.text import check_json, check_text

NOTES_LENGTH_MAX = 4_096
ORGANIZATIONS_MAX = 100


class DataScope(enum.StrEnum):
    """Whose rewards a call may issue: the caller's own organization's, or those of organizations it lists (CAP-13)."""

    SELF = "SELF"
    OTHER = "OTHER"


@dataclass(slots=True)
class Terms:
    """What applies to one item: its organization, and that organization's group, notes and parameters.

    Not changed once made: freezing it would only make it dearer.
    """

    organization_id: UUID
    group: GroupReference | None
    group_path: tuple[str, ...]
    notes: str | None
    params: Mapping[str, Any] | None


@dataclass(frozen=True, slots=True)
class OrganizationDetails:
    """What applies to the items of one organization."""

    organization: OrganizationReference
    params: Mapping[str, Any] | None = None
    notes: str | None = None
    group: GroupReference | None = None

    @property
    def fingerprint(self) -> list[Any]:
        """Return what makes the details what they are, in one spelling."""
        group = self.group.fingerprint if self.group else None
        return [ascii(self.organization.as_sent), self.params, self.notes, group]


def check_scope(
    data_scope: DataScope,
    organizations: Sequence[OrganizationReference],
    details: Sequence[OrganizationDetails],
    items_name_theirs: Sequence[bool],
) -> list[FieldError]:
    """Return the broken rules of a call's organizations; which of them the caller reaches is judged elsewhere."""
    errors: list[FieldError] = []
    path = ("input", "dataScopeOrgIds")
    is_other = data_scope is DataScope.OTHER
    if is_other and not 1 <= len(organizations) <= ORGANIZATIONS_MAX:
        message = f"dataScopeOrgIds must be 1 to {ORGANIZATIONS_MAX} organizations for OTHER."
        errors.append(FieldError(path, "count", message))
    if not is_other and organizations:
        message = "dataScopeOrgIds has no meaning for SELF: the scope is the caller's organization."
        errors.append(FieldError(path, "unexpected", message))
    for index, is_named in enumerate(items_name_theirs):
        if is_other and not is_named:
            item_path = ("input", "rewards", str(index), "orgId")
            errors.append(FieldError(item_path, "required", "orgId is required for OTHER."))
    return errors + _check_details(details, ("input", "orgLevelDetails"))


def _check_details(
    details: Sequence[OrganizationDetails], path: tuple[str, ...]
) -> list[FieldError]:
    if len(details) > ORGANIZATIONS_MAX:
        return [FieldError(path, "count", f"orgLevelDetails must be at most {ORGANIZATIONS_MAX}.")]
    errors: list[FieldError] = []
    seen: set[str] = set()
    for index, one in enumerate(details):
        one_path = (*path, str(index))
        errors += check_json(one.params, (*one_path, "params"))
        errors += check_text(one.notes, (*one_path, "notes"), NOTES_LENGTH_MAX, length_min=0)
        if one.organization.as_sent in seen:
            message = "orgId must differ from the others'."
            errors.append(FieldError((*one_path, "orgId"), "unique", message))
        seen.add(one.organization.as_sent)
    return errors
