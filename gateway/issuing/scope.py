"""Which organisations a call is about, as its caller wrote it, and what applies to the items of each (CAP-13)."""

from __future__ import annotations

import enum
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from gateway.errors import FieldError
from gateway.members.groups.model import GroupReference
from gateway.text import check_json, check_text

NOTES_LENGTH_MAX = 4_096
ORGANISATIONS_MAX = 100


class DataScope(enum.StrEnum):
    """Whose rewards a call may issue: the caller's own organisation's, or those of organisations it lists (CAP-13)."""

    SELF = "SELF"
    OTHER = "OTHER"


@dataclass(frozen=True, slots=True)
class OrganisationReference:
    """An organisation as a caller wrote it; `id` None stands for text that names none."""

    id: UUID | None
    as_sent: str


@dataclass(slots=True)
class Terms:
    """What applies to one item: its organisation, and that organisation's group, notes and parameters.

    Not changed once made: freezing it would only make it dearer.
    """

    organisation_id: UUID
    group: GroupReference | None
    group_path: tuple[str, ...]
    notes: str | None
    params: Mapping[str, Any] | None


@dataclass(frozen=True, slots=True)
class OrganisationDetails:
    """What applies to the items of one organisation."""

    organisation: OrganisationReference
    params: Mapping[str, Any] | None = None
    notes: str | None = None
    group: GroupReference | None = None

    @property
    def fingerprint(self) -> list[Any]:
        """Return what makes the details what they are, in one spelling."""
        group = self.group.fingerprint if self.group else None
        return [ascii(self.organisation.as_sent), self.params, self.notes, group]


def check_scope(
    data_scope: DataScope,
    organisations: Sequence[OrganisationReference],
    details: Sequence[OrganisationDetails],
    items_name_theirs: Sequence[bool],
) -> list[FieldError]:
    """Return the broken rules of a call's organisations; which of them the caller reaches is judged elsewhere."""
    errors: list[FieldError] = []
    path = ("input", "dataScopeOrgIds")
    is_other = data_scope is DataScope.OTHER
    if is_other and not 1 <= len(organisations) <= ORGANISATIONS_MAX:
        message = f"dataScopeOrgIds must be 1 to {ORGANISATIONS_MAX} organisations for OTHER."
        errors.append(FieldError(path, "count", message))
    if not is_other and organisations:
        message = "dataScopeOrgIds has no meaning for SELF: the scope is the caller's organisation."
        errors.append(FieldError(path, "unexpected", message))
    for index, is_named in enumerate(items_name_theirs):
        if is_other and not is_named:
            item_path = ("input", "rewards", str(index), "orgId")
            errors.append(FieldError(item_path, "required", "orgId is required for OTHER."))
    return errors + _check_details(details, ("input", "orgLevelDetails"))


def _check_details(
    details: Sequence[OrganisationDetails], path: tuple[str, ...]
) -> list[FieldError]:
    if len(details) > ORGANISATIONS_MAX:
        return [FieldError(path, "count", f"orgLevelDetails must be at most {ORGANISATIONS_MAX}.")]
    errors: list[FieldError] = []
    seen: set[str] = set()
    for index, one in enumerate(details):
        one_path = (*path, str(index))
        errors += check_json(one.params, (*one_path, "params"))
        errors += check_text(one.notes, (*one_path, "notes"), NOTES_LENGTH_MAX, length_min=0)
        if one.organisation.as_sent in seen:
            message = "orgId must differ from the others'."
            errors.append(FieldError((*one_path, "orgId"), "unique", message))
        seen.add(one.organisation.as_sent)
    return errors
