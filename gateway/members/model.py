"""Members, their identifiers, and the ways to name one."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from gateway.errors import FieldError
from gateway.members.identifiers import IdentifierKind, normalize

DISPLAY_NAME_LENGTH_MAX = 200
IDENTIFIERS_PER_CALL_MAX = 20
IDENTIFIERS_PER_MEMBER_MAX = 50


class Identifier(NamedTuple):
    """An identifier in its one spelling, as `normalize` returns it."""

    kind: IdentifierKind
    value: str


class MemberReference(NamedTuple):
    """One way to name a member: a normalized identifier, or (kind None) the UUID behind a member id as text.

    Text that is no UUID names nobody, like the id of a member that does not exist.
    """

    kind: IdentifierKind | None
    value: str


# Stands in for a reference that broke a rule, until the errors are raised.
NOBODY = MemberReference(None, "")


@dataclass(frozen=True, slots=True)
class Member:
    """A person who receives rewards, anywhere in the tenant. Who they are is changed by the organization that made the member."""

    id: UUID
    display_name: str | None
    created_at: datetime
    organization_id: UUID


@dataclass(frozen=True, slots=True)
class NewMember:
    """A member to create, with identifiers that nobody has yet."""

    id: UUID
    identifiers: tuple[Identifier, ...]
    display_name: str | None = None


def read_identifier(
    kind: IdentifierKind, value: str, path: tuple[str, ...], errors: list[FieldError]
) -> Identifier:
    """Return the identifier in its one spelling; if it is not valid, add the broken rule to `errors`.

    What is returned for an invalid one is only good until the errors are raised.
    """
    try:
        return Identifier(kind, normalize(kind, value))
    except ValueError as error:
        errors.append(FieldError(path, "identifier", f"{path[-1]} {error}."))
        return Identifier(kind, "")
