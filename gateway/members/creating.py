"""Create many members at once, as seeding and imports do."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from gateway.errors import AlreadyExists
from gateway.members.model import NewMember
from gateway.members.store import insert_members
from gateway.storage.database import Connection


async def create_members(
    connection: Connection,
    tenant_id: UUID,
    organization_id: UUID,
    members: Sequence[NewMember],
    at: datetime,
) -> None:
    """Create members of an organization, all or none: run it in a database transaction.

    Shapes: any number of members. Round trips: one.

    Raises:
        AlreadyExists: an identifier belongs to somebody, or stands twice in the list with two members.
    """
    if not members:
        return
    given = [identifier for member in members for identifier in member.identifiers]
    taken = await insert_members(connection, tenant_id, organization_id, members, at)
    if taken or len(set(given)) < len(given):
        count = len(taken) or len(given) - len(set(given))
        raise AlreadyExists(f"{count} of the {len(given)} identifiers belong to another member.")
